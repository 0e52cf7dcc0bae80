import { describe, expect, it } from "vitest";
import type { Draft } from "@/features/chat/engine/drafts";
import { isOffered, ReplacedWords } from "@/features/chat/engine/replaced";

const label = { kind: "generated" as const, call_id: "c", model: "m", sha256: "", signature: "" };
const plain = (text: string): Draft => ({ text, origin: null });
const ofAi = (text: string): Draft => ({ text, origin: { label, text } });

function keptIn(items = new Map<string, string>()) {
    const storage = { getItem: (key: string) => items.get(key) ?? null, setItem: (key: string, value: string) => void items.set(key, value), removeItem: (key: string) => void items.delete(key) };
    return { items, open: () => new ReplacedWords("@me:s", storage) };
}

describe("one's own words in whose place others were put", () => {
    it("are offered while those stand there as they were, or nothing at all, and not where that would take what was written since", () => {
        const words = keptIn().open();
        words.put("!r", plain("my own"), plain("Yes"), true);
        const offered = (draft: Draft) => isOffered(words.of("!r").get(), draft);
        expect([offered(plain("Yes")), offered(plain("Yes, and more")), offered(plain(""))]).toEqual([true, false, true]);
        expect(offered(plain("something new"))).toBe(false);
        words.put("!r", plain("my own"), ofAi("Fine, no problem."), true);
        expect(offered(ofAi("Fine, no problem."))).toBe(true);
        expect(offered({ text: "Fine.", origin: ofAi("Fine, no problem.").origin })).toBe(false);
        expect(words.take("!r")).toEqual(plain("my own"));
    });
    it("are those before the first of several chips, with what was known of them", () => {
        const words = keptIn().open();
        words.put("!r", ofAi("by AI, and mine"), plain("Yes"), true);
        words.put("!r", plain("Yes"), plain("No"), true);
        expect(words.take("!r")).toEqual(ofAi("by AI, and mine"));
        expect(words.take("!r")).toBeNull();
    });
    it("come back one after the other where they were written on in between", () => {
        const words = keptIn().open();
        words.put("!r", plain("my own"), plain("Yes"), true);
        words.put("!r", plain("Yes, and more of my own"), plain("No"), true);
        expect([words.take("!r")?.text, words.take("!r")?.text]).toEqual(["Yes, and more of my own", "my own"]);
    });
    it("are none where nothing stood there, or only another chip", () => {
        const words = keptIn().open();
        words.put("!r", plain(""), plain("Yes"), true);
        expect(isOffered(words.of("!r").get(), plain("Yes"))).toBe(false);
        words.put("!r", plain("Yes"), plain("No"), true);
        expect(isOffered(words.of("!r").get(), plain("No"))).toBe(false);
        words.put("!r", plain("No"), ofAi("Nein"), false);
        expect(isOffered(words.of("!r").get(), ofAi("Nein"))).toBe(true);
    });
    it("outlive the tab, until what stands there goes out", () => {
        const { items, open } = keptIn();
        open().put("!r", ofAi("my own"), plain("Yes"), true);
        expect([...items.keys()].every((key) => key.startsWith("lingxi.draft.@me:s."))).toBe(true);
        expect(isOffered(open().of("!r").get(), plain("Yes"))).toBe(true);
        const words = open();
        words.sent("!r");
        expect(isOffered(words.of("!r").get(), plain("Yes"))).toBe(false);
        expect(items.size).toBe(0);
    });
    it("of a broken storage are none", () => {
        for (const broken of ["{", "{}", "[1]", '[{"before":{"text":1}}]', '[{"before":{"text":"a","origin":{}},"put":"b"}]']) {
            const items = new Map([["lingxi.draft.@me:s.before.!r", broken]]);
            expect(keptIn(items).open().of("!r").get()).toEqual([]);
        }
    });
});
