import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { en } from "@/i18n/en";
import { zh } from "@/i18n/zh";

function* sources(folder: string): Generator<string> {
    for (const name of readdirSync(folder)) {
        const path = join(folder, name);
        if (statSync(path).isDirectory()) yield* sources(path);
        else if (/\.tsx?$/.test(name)) yield path;
    }
}

const words = Object.keys(en) as (keyof typeof en)[];
const sample = (entry: unknown): string => (typeof entry === "function" ? String((entry as (...blanks: unknown[]) => string)("A", "B", "C")) : String(entry));

describe("words", () => {
    it("has the same words in both languages", () => {
        expect(Object.keys(zh).sort()).toEqual([...words].sort());
    });
    it("fills the same blanks in both languages", () => {
        for (const word of words) {
            const count = (entry: unknown) => (typeof entry === "function" ? entry.length : 0);
            expect([word, count(zh[word])]).toEqual([word, count(en[word])]);
        }
    });
    it("leaves no word empty, and writes Chinese in Chinese", () => {
        for (const word of words) {
            expect(sample(en[word]).trim(), word).not.toBe("");
            expect(sample(zh[word]).trim(), word).not.toBe("");
            if (word !== "ai.mark" && typeof zh[word] === "string") expect(sample(zh[word]), word).toMatch(/\p{Script=Han}/u);
        }
    });
    it("keeps to the glossary", () => {
        for (const word of words) {
            expect(sample(en[word]), word).not.toMatch(/\boops\b|\buser\b(?!name)|conversation/i);
            expect(sample(zh[word]), word).not.toMatch(/房间|会话|用户(?!名)/);
        }
    });
    it("has no word that nothing uses", () => {
        const code = [...sources(fileURLToPath(new URL("../src", import.meta.url)))].filter((path) => !path.includes("/i18n/")).map((path) => readFileSync(path, "utf8")).join("\n");
        const made = [/^receipt\.outcome_/, /^ai\.consent_use_/, /^chat\.status_/];
        const unused = words.filter((word) => !code.includes(`"${word}"`) && !made.some((pattern) => pattern.test(word)));
        expect(unused).toEqual([]);
    });
});
