import { describe, expect, it } from "vitest";
import { answerTo, type Consent, type Destination } from "@/features/assistant/consent";

const here: Destination = { kind: "this_machine" };
const cloud: Destination = { kind: "provider", name: "CloudX" };
const card = (destination: Destination, atMs: number) => ({ purposes: ["suggest_replies" as const, "translate" as const], destination, atMs });
const consent = (agreed: boolean, destination: Destination, atMs: number, more: Partial<Consent> = {}): Consent => ({ agreed, purposes: ["suggest_replies", "translate"], destination, atMs, ...more });

describe("an answer to a card", () => {
    it("is one for the card's own destination", () => {
        expect(answerTo(card(here, 10), consent(true, here, 20))).toBe("yes");
        expect(answerTo(card(here, 10), consent(true, here, 5))).toBe("yes");
        expect(answerTo(card(here, 10), consent(false, here, 20))).toBe("no");
        expect(answerTo(card(cloud, 10), consent(true, { kind: "provider", name: "CloudY" }, 20))).toBe("other");
    });
    it("is none where another destination was agreed to: overtaken if that came later, still open if it came before", () => {
        for (const [one, other] of [[here, cloud], [cloud, here]] as const) {
            expect(answerTo(card(one, 10), consent(true, other, 20))).toBe("other");
            expect(answerTo(card(one, 10), consent(true, other, 5))).toBeNull();
            expect(answerTo(card(one, 10), consent(false, other, 20))).toBeNull();
        }
    });
    it("is none yet where an older one was no, or for less than is asked", () => {
        expect(answerTo(card(here, 10), null)).toBeNull();
        expect(answerTo(card(here, 10), consent(false, here, 5))).toBeNull();
        expect(answerTo(card(here, 10), consent(true, here, 20, { purposes: ["translate"] }))).toBeNull();
    });
});
