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
