import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../src/", import.meta.url));
const tokens = readFileSync(`${root}ui/tokens.css`, "utf8");
const sheets = globSync("**/*.css", { cwd: root }).map((name) => ({ name, text: readFileSync(root + name, "utf8") }));
const declared = (property: RegExp) =>
    sheets.flatMap(({ name, text }) => [...text.matchAll(/([a-z-]+):\s*([^;{}]+)[;}]/g)].filter((found) => property.test(found[1] ?? "")).map((found) => ({ name, value: (found[2] ?? "").trim() })));

describe("the look", () => {
    it("has five sizes of text", () => {
        expect([...tokens.matchAll(/--size-(\d+): ([\d.]+)rem/g)].map((found) => [Number(found[1]), Number(found[2]) * 16])).toEqual([12, 14, 16, 20, 28].map((size) => [size, size]));
        const sizes = declared(/^font-size$/);
        expect(sizes.length).toBeGreaterThan(50);
        expect(sizes.filter(({ value }) => !/^(var\(--size-\d+\)|inherit)$/.test(value))).toEqual([]);
    });
    it("moves for less than 200 ms, and nothing moves on and on", () => {
        const ms = (text: string) => [...text.replaceAll("var(--fast)", /--fast: (\S+);/.exec(tokens)?.[1] ?? "").matchAll(/([\d.]+)(m?s)\b/g)].map((found) => Number(found[1]) * (found[2] === "s" ? 1000 : 1));
        const moving = declared(/^(transition|animation)(-duration)?$/).filter(({ value }) => !value.startsWith("none"));
        expect(moving.length).toBeGreaterThan(3);
        expect(moving.filter(({ value }) => ms(value).length === 0 || ms(value).some((time) => time >= 200) || value.includes("infinite"))).toEqual([]);
    });
});
