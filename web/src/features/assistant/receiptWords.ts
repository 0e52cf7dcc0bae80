import type { Receipt } from "@/features/assistant/api";
import type { I18n } from "@/i18n";

export function purposeWords(purpose: string, { t }: I18n): string {
    switch (purpose) {
        case "suggest_replies":
            return t("receipt.purpose_suggest_replies");
        case "translate":
            return t("receipt.purpose_translate");
        case "converse":
        case "chat":
        case "assistant":
        case "answer":
            return t("receipt.purpose_chat");
        case "try_out":
            return t("receipt.purpose_try_out");
        default:
            return t("receipt.purpose_other");
    }
}

/** What it used is told when it has ended. */
export const isRunning = (receipt: Receipt): boolean => receipt.input_tokens === null || receipt.output_tokens === null;

/** An answer that was known already: a request always has bytes. */
const wasKnown = (receipt: Receipt): boolean => receipt.outbound_bytes === 0;

/** Which model was asked and when, or was to be asked. */
export function askedWords(receipt: Receipt, { t, formats }: I18n): string {
    const where = receipt.on_this_machine ? t("receipt.here") : t("receipt.at", receipt.provider);
    const key = wasKnown(receipt) ? "receipt.sentence_known" : receipt.left === "no" ? "receipt.sentence_not_sent" : "receipt.sentence";
    return t(key, receipt.model, where, formats.full(receipt.at_ms));
}

/** What it was given of whose words, or was to be given. Of an older server's receipt nothing else is known than that it was. */
export function givenWords(receipt: Receipt, names: string[], i18n: I18n): string {
    const { t, formats } = i18n;
    const bytes = formats.bytes(receipt.outbound_bytes);
    if (wasKnown(receipt)) return names.length > 0 ? t("receipt.known_whose", i18n.list(names)) : t("receipt.known");
    if (receipt.left === "no") return names.length > 0 ? t("receipt.not_given_whose", bytes, i18n.list(names)) : t("receipt.not_given", bytes);
    return names.length > 0 ? t("receipt.given_whose", bytes, i18n.list(names)) : t("receipt.given", bytes);
}

export function outcomeWords(receipt: Receipt, { t }: I18n): string {
    return t(isRunning(receipt) ? "receipt.outcome_running" : `receipt.outcome_${receipt.outcome}`);
}

/** What it used, and where that is an estimate, why. */
export function usageWords(receipt: Receipt, i18n: I18n): string[] {
    const { t, formats } = i18n;
    const { input_tokens, output_tokens, estimated, cost_micros, outcome } = receipt;
    if (input_tokens === null || output_tokens === null) return [t("receipt.running")];
    const tokens = t(estimated ? "receipt.tokens_about" : "receipt.tokens", formats.number(input_tokens), formats.number(output_tokens));
    const cost = cost_micros ? t(estimated ? "receipt.cost_about" : "receipt.cost", formats.money(cost_micros, receipt.currency)) : t("receipt.free");
    const why = outcome === "unknown" ? "receipt.about_unknown" : outcome === "done" ? "receipt.about_done" : "receipt.about_ended";
    return [tokens, ...(estimated ? [t(why)] : []), `${cost} · ${outcomeWords(receipt, i18n)}`];
}
