import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import type { Blanks, Dictionary, Word } from "@/i18n/dictionary";
import { en } from "@/i18n/en";
import { Formats } from "@/i18n/formats";
import { zh } from "@/i18n/zh";

export type Language = "zh" | "en";
export type { Blanks, Word } from "@/i18n/dictionary";

const dictionaries: Record<Language, Dictionary> = { zh, en };
const languageKey = "lingxi.language";
const zoneKey = "lingxi.time_zone";

export function isLanguage(value: unknown): value is Language {
    return value === "zh" || value === "en";
}

/** What this device was told last, otherwise what the browser asks for. */
export function preferredLanguage(): Language {
    const stored = localStorage.getItem(languageKey);
    if (isLanguage(stored)) return stored;
    return navigator.languages.some((tag) => tag.toLowerCase().startsWith("zh")) ? "zh" : "en";
}

export function deviceTimeZone(): string {
    return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

/** `t` puts a word into the person's language: `t("chats.unread", 3)`. */
export class I18n {
    readonly formats: Formats;
    constructor(
        readonly language: Language,
        readonly timeZone: string,
    ) {
        this.formats = new Formats(language, timeZone);
    }

    readonly t = <K extends Word>(word: K, ...blanks: Blanks<K>): string => {
        const entry = dictionaries[this.language][word] as string | ((...values: unknown[]) => string);
        return typeof entry === "string" ? entry : entry(...blanks);
    };

    /** Names in a row as the language joins them. */
    list(names: readonly string[]): string {
        return this.formats.list(names);
    }
}

interface Languages {
    i18n: I18n;
    setLanguage(language: Language): void;
    setTimeZone(zone: string | null): void;
}

const Context = createContext<Languages | null>(null);
let current: I18n | null = null;

/** For code outside React (names of rooms, the document's title). */
export function currentI18n(): I18n {
    current ??= new I18n(preferredLanguage(), localStorage.getItem(zoneKey) ?? deviceTimeZone());
    return current;
}

export function I18nProvider({ children }: { children: ReactNode }) {
    const [language, setLanguage] = useState(preferredLanguage);
    const [zone, setZone] = useState(() => localStorage.getItem(zoneKey));

    const value = useMemo<Languages>(() => {
        const i18n = new I18n(language, zone ?? deviceTimeZone());
        current = i18n;
        return {
            i18n,
            setLanguage: (next) => {
                localStorage.setItem(languageKey, next);
                setLanguage(next);
            },
            setTimeZone: (next) => {
                if (next === null) localStorage.removeItem(zoneKey);
                else localStorage.setItem(zoneKey, next);
                setZone(next);
            },
        };
    }, [language, zone]);

    useEffect(() => {
        document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    }, [language]);

    return <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useLanguages(): Languages {
    const value = useContext(Context);
    if (!value) throw new Error("I18nProvider is missing");
    return value;
}

export function useI18n(): I18n {
    return useLanguages().i18n;
}
