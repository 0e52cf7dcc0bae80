import { describe, expect, it } from "vitest";
import type { Receipt } from "@/features/assistant/api";
import { outcomeWords, usageWords } from "@/features/assistant/receiptWords";
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
