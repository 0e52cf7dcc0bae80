import type { en } from "@/i18n/en";

/** Somebody of whom a line tells what they did; `own`: it is who reads it. A name alone does not tell: names are free. */
export interface Someone {
    name: string;
    own: boolean;
}

type Widen<T> = T extends (...values: infer A) => string ? (...values: A) => string : string;

/** Every language has every word, with the same blanks: the compiler holds zh to en. */
export type Dictionary = { [K in keyof typeof en]: Widen<(typeof en)[K]> };
export type Word = keyof Dictionary;
export type Blanks<K extends Word> = Dictionary[K] extends (...values: infer A) => string ? A : [];
/** Words without blanks, for tables of words. */
export type PlainWord = { [K in Word]: Dictionary[K] extends string ? K : never }[Word];
