import { describe, expect, it } from "vitest";
import type { Receipt } from "@/features/assistant/api";
import { askedWords, givenWords, outcomeWords, usageWords } from "@/features/assistant/receiptWords";
import { I18n } from "@/i18n";

const i18n = new I18n("en", "UTC");
const receipt = (more: Partial<Receipt>): Receipt => ({
    call_id: "c",
    purpose: "translate",
    room_id: null,
    at_ms: 0,
    provider: "p",
    model: "m",
    on_this_machine: true,
    outbound_sha256: "h",
    outbound_bytes: 900,
    left: "yes",
    whose: [],
    input_tokens: 300,
    output_tokens: 20,
    estimated: false,
    cost_micros: 0,
    currency: "CNY",
    outcome: "done",
    ...more,
});

describe("what a call used, in words", () => {
    it("is exact where the model server told it", () => {
        expect(usageWords(receipt({}), i18n)).toEqual(["300 tokens in, 20 out", "Cost: nothing · Answered"]);
    });
    it("is not there yet while the call runs", () => {
        const running = receipt({ input_tokens: null, output_tokens: null, cost_micros: null, estimated: null, outcome: "unknown" });
        expect(usageWords(running, i18n)).toEqual([i18n.t("receipt.running")]);
        expect(outcomeWords(running, i18n)).toBe("Still being written");
    });
    it("is said to be about that, and why, where it is an estimate", () => {
        const words = (more: Partial<Receipt>) => usageWords(receipt({ estimated: true, cost_micros: 2_000_000, ...more }), i18n);
        expect(words({})).toEqual(["About 300 tokens in, 20 out", i18n.t("receipt.about_done"), "Cost: about CN¥2.00 · Answered"]);
        expect(words({ outcome: "unknown" })[1]).toBe(i18n.t("receipt.about_unknown"));
        expect(words({ outcome: "cancelled" })[1]).toBe(i18n.t("receipt.about_ended"));
        expect(words({ outcome: "failed" })[1]).toBe(i18n.t("receipt.about_ended"));
    });
});

describe("what a receipt says was given", () => {
    const said = (more: Partial<Receipt>, language: "en" | "zh" = "en") => {
        const words = new I18n(language, "UTC");
        return [askedWords(receipt(more), words), givenWords(receipt(more), ["Bob"], words)].join(" | ");
    };
    it("is that it was, where it left, and where nobody knows", () => {
        for (const left of ["yes", "unknown"] as const) {
            expect(said({ left })).toMatch(/^The model m on this server was asked .* \| It was given 900 bytes, with words of Bob$/);
            expect(said({ left }, "zh")).toMatch(/调用了本服务器上的模型 m。 \| 交给它 .*，其中有 Bob 的话$/);
        }
        expect(givenWords(receipt({}), [], i18n)).toBe("It was given 900 bytes");
    });
    it("is that it was to be, where nothing left the server", () => {
        const failed = { left: "no", outcome: "failed" } as const;
        expect(said(failed)).toMatch(/^The model m on this server was to be asked .* \| It was to be given 900 bytes, with words of Bob; nothing was sent$/);
        expect(said(failed, "zh")).toMatch(/本来要调用.* \| 本来要交给它 .*，其中有 Bob 的话，但没有发送$/);
        expect(givenWords(receipt(failed), [], i18n)).toBe("It was to be given 900 bytes; nothing was sent");
    });
    it("is nothing, where the answer was known already", () => {
        for (const left of ["no", "unknown"] as const) {
            const known = { left, outcome: "cached", outbound_bytes: 0 } as const;
            expect(said(known)).toMatch(/^What the model m on this server had answered before was shown .* \| It was given nothing; the words are those of Bob$/);
            expect(said(known, "zh")).toMatch(/先前的答复。 \| 这次没有交给它任何内容；原文是 Bob 的话$/);
        }
    });
});
