import { afterEach, describe, expect, it } from "vitest";
import { aiPartAfter, type Edit } from "@/features/chat/engine/aiPart";
import { carriedBy, carry } from "@/features/chat/engine/aiClipboard";
import { labelFor } from "@/features/chat/engine/content";
import { Drafts } from "@/features/chat/engine/drafts";
import { sha256 } from "@/lib/sha256";

const label = { call_id: "c", kind: "generated" as const, model: "m", sha256: sha256("See you"), signature: "s" };
const origin = { label, text: "See you" };
const whole = { from: 0, to: 7 };

describe("the part of a text that AI wrote", () => {
    const edit = (caret: number, from = caret, to = from): Edit => ({ selected: { from, to }, caret });
    it("is nothing where all of it was typed over, also by a word that begins or ends as it did", () => {
        for (const word of ["Hello", "S", "you", "See"]) expect(aiPartAfter(whole, "See you", word, edit(word.length, 0, 7)), word).toBeNull();
    });
    it("is what is left of it, wherever one's own words are put", () => {
        expect(aiPartAfter(whole, "See you", "Hi, See you", edit(4, 0))).toEqual({ from: 4, to: 11 });
        expect(aiPartAfter(whole, "See you", "See you!", edit(8, 7))).toEqual(whole);
        expect(aiPartAfter(whole, "See you", "See all of you", edit(11, 4))).toEqual({ from: 0, to: 14 });
        expect(aiPartAfter(whole, "See you", "you", edit(0, 0, 4))).toEqual({ from: 0, to: 3 });
        expect(aiPartAfter(whole, "See you", "S", edit(1, 7))).toEqual({ from: 0, to: 1 });
        expect(aiPartAfter({ from: 4, to: 11 }, "See See you", "See ", edit(4, 4, 11))).toBeNull();
        expect(aiPartAfter({ from: 4, to: 11 }, "See See you", "See you", edit(0, 0, 4))).toEqual(whole);
        expect(aiPartAfter({ from: 4, to: 11 }, "Hi, See you", "Hi, ", edit(4, 4, 11))).toBeNull();
        expect(aiPartAfter(whole, "See you  ", "  ", edit(0, 0, 7))).toBeNull();
    });
    it("stays as it is where only the field's word tells what became of it, and that does not fit", () => {
        // A word before the caret that was corrected while the caret stood at the end.
        expect(aiPartAfter({ from: 4, to: 11 }, "teh See you", "the See you", edit(11, 11))).toEqual({ from: 4, to: 11 });
        expect(aiPartAfter(whole, "See you", "See him", edit(2, 0, 7))).toEqual(whole);
        expect(aiPartAfter(whole, "See you", "Sure", null)).toEqual({ from: 0, to: 4 });
        expect(aiPartAfter(whole, "See you", "Never", null)).toBeNull();
    });
    it("goes letter by letter with what an input method puts in its place", () => {
        expect(aiPartAfter(whole, "See you", "n", edit(1, 0, 7))).toBeNull();
        expect(aiPartAfter(whole, "See you ni", "See you 你", edit(9, 10))).toEqual(whole);
    });
});

describe("a draft of AI's words that are typed over", () => {
    let drafts: Drafts;
    const make = () => {
        drafts = new Drafts("@me:s", { getItem: () => null, setItem: () => undefined, removeItem: () => undefined }, async () => undefined, () => 100);
        drafts.set("!r", { text: "See you", origin });
        return drafts;
    };
    afterEach(() => drafts.stop());
    const labelNow = () => {
        const draft = drafts.of("!r").get();
        return labelFor(draft.origin?.label, draft.text);
    };
    const assisted = { ...label, kind: "assisted" };
    const typeOver = (text: string, length: number) => drafts.write("!r", text, { selected: { from: 0, to: length }, caret: text.length });

    it("has no label, and has it again when that is undone", () => {
        make();
        typeOver("S", 7);
        drafts.write("!r", "Sorry, no", { selected: { from: 1, to: 1 }, caret: 9 });
        expect(labelNow()).toBeNull();
        drafts.writeAgain("!r", "See you", true);
        expect(labelNow()).toEqual(label);
        drafts.writeAgain("!r", "Never", true);
        expect(labelNow()).toBeNull();
    });
    it("has it again when a text comes back of which letters had been taken out one by one", () => {
        make();
        drafts.write("!r", "Hi, See you", { selected: null, caret: 4 });
        for (let rest = "Hi, See yo"; rest !== "Hi, "; rest = rest.slice(0, -1)) drafts.write("!r", rest, { selected: null, caret: rest.length });
        drafts.write("!r", "Hi, ", { selected: null, caret: 4 });
        expect(labelNow()).toBeNull();
        drafts.writeAgain("!r", "Hi, See y", true);
        expect(labelNow()).toEqual(assisted);
    });
    it("has it again when these words are pasted over others or moved", () => {
        make();
        typeOver("Well", 7);
        drafts.writeAgain("!r", "Well, See you then", false, { selected: { from: 4, to: 4 }, caret: 18 });
        expect(labelNow()).toEqual(assisted);
        drafts.writeAgain("!r", "See you", false, { selected: { from: 0, to: 18 }, caret: 7 });
        expect(labelNow()).toEqual(label);
    });
    it("keeps it over what another device wrote of it", () => {
        make();
        drafts.write("!r", "Hi, See you", { selected: { from: 0, to: 0 }, caret: 4 });
        drafts.stop();
        const other = new Drafts("@me:s", { getItem: () => null, setItem: () => undefined, removeItem: () => undefined }, async () => undefined, () => 200);
        other.take("!r", { text: "Hi, See you", at_ms: 150, "im.lingxi.ai": assisted });
        other.write("!r", "Hi, ", { selected: { from: 4, to: 11 }, caret: 4 });
        expect(other.of("!r").get().origin).not.toBeNull();
        other.write("!r", "Me", { selected: { from: 0, to: 4 }, caret: 2 });
        expect(other.of("!r").get().origin).toBeNull();
        other.stop();
    });
    it("takes the label that came with copied words, for these words alone", () => {
        make();
        drafts.set("!r", { text: "I say: ", origin: null });
        drafts.writeCarried("!r", "I say: you", label, { selected: { from: 7, to: 7 }, caret: 10 });
        expect(labelNow()).toEqual(assisted);
        expect(drafts.labelIn("!r", { from: 0, to: 7 })).toBeNull();
        expect(drafts.labelIn("!r", { from: 6, to: 9 })).toBe(label);
        drafts.writeAgain("!r", "I say: ", true);
        expect(labelNow()).toBeNull();
        drafts.writeCarried("!r", "See you", label, { selected: { from: 0, to: 7 }, caret: 7 });
        expect(labelNow()).toEqual(label);
    });
});

describe("what the clipboard says of copied words", () => {
    const data = (json: string) => ({ getData: () => json }) as unknown as DataTransfer;
    it("is the label and nothing of the message, is read as it was written, and nonsense is nothing", () => {
        let written = "";
        carry({ setData: (_type: string, json: string) => void (written = json) } as unknown as DataTransfer, label);
        expect(carriedBy(data(written))).toEqual(label);
        expect(JSON.parse(written)).toEqual(label);
        for (const nonsense of ["", "x", "null", "[]", '5', '{"call_id":5}', '{"label":{"call_id":"c"},"text":"x"}']) expect(carriedBy(data(nonsense))).toBeNull();
    });
});
