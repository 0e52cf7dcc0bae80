import { ArrowUpDown, Square, X } from "lucide-react";
import { translationKey, type Problem } from "@/features/assistant/assistant";
import { problemWords, useAiVisible, useAssistant, useHaveAgreed } from "@/features/assistant/context";
import { AiMark, AiTag } from "@/features/assistant/parts/AiMark";
import { AskConsent } from "@/features/assistant/parts/AskConsent";
import { aiWords } from "@/features/chat/engine/aiClipboard";
import { labelOfEvent } from "@/features/chat/engine/content";
import { useName } from "@/features/chat/engine/context";
import { richText } from "@/features/chat/parts/richText";
import { useI18n } from "@/i18n";
import { useStore } from "@/lib/store";
import type { MatrixEvent, Room } from "matrix-js-sdk";

/**
 * A message's text with its translation under it in a quieter weight; one tap swaps them. `original` is the
 * body as it would stand without, and `marks` what stands behind it and goes with it.
 */
export function WithTranslation({ room, event, body, original, marks }: { room: Room; event: MatrixEvent; body: string; original: React.ReactNode; marks: React.ReactNode }) {
    const assistant = useAssistant();
    const { t } = useI18n();
    const key = translationKey(event);
    const translation = useStore(assistant.translations.of(key));
    const visible = useAiVisible(room);
    const whole = (
        <>
            {original}
            {marks}
        </>
    );
    if (!translation || !visible) return whole;

    const swapped = translation.state === "ready" && translation.swapped;
    const aiTranslation = translation.state === "ready" ? aiWords(translation.label) : {};
    const ownMark = translation.state === "ready" && (translation.label ? <AiMark label={translation.label} perhapsMine /> : <AiTag />);
    return (
        <>
            {swapped ? (
                <>
                    <span className="body" {...aiTranslation}>
                        {richText(translation.text)}
                    </span>
                    {ownMark}
                </>
            ) : (
                whole
            )}
            <div className="translation" lang={swapped ? undefined : translation.language} aria-live="polite" aria-busy={translation.state === "asking"}>
                {translation.state === "problem" ? (
                    <NoTranslation room={room} problem={translation.problem} onAgain={() => void assistant.translate(room, event, translation.language)} />
                ) : (
                    <span className={translation.state === "asking" ? "body unfinished" : "body"} {...(swapped ? aiWords(labelOfEvent(event)) : aiTranslation)}>{swapped ? richText(body) : translation.text || t(translation.state === "asking" && translation.waits ? "ai.waits" : "ai.translating")}</span>
                )}
                {translation.state === "ready" && translation.cut && <span> {t("ai.cut")}</span>}
                <span className="translation-foot">
                    {translation.state === "asking" && translation.text !== "" && <AiTag />}
                    {translation.state === "ready" && (
                        <>
                            {swapped ? marks : ownMark}
                            <button type="button" className="inline-button icon" aria-label={t("ai.swap")} title={t("ai.swap")} onClick={() => assistant.swap(key)}>
                                <ArrowUpDown size={14} />
                            </button>
                        </>
                    )}
                    {translation.state === "asking" ? (
                        <button type="button" className="inline-button icon" aria-label={t("ai.stop")} title={t("ai.stop")} onClick={() => assistant.stopTranslation(key)}>
                            <Square size={14} />
                        </button>
                    ) : (
                        <button type="button" className="inline-button icon" aria-label={t("ai.hide_translation")} onClick={() => assistant.translations.of(key).set(null)}>
                            <X size={14} />
                        </button>
                    )}
                </span>
            </div>
        </>
    );
}

const againAfter: readonly Problem["kind"][] = ["failed", "late", "changed", "too_often", "offline", "server", "stopped"];

/** Why there is none, and what can be done. Who was waited for and has agreed since is waited for no more. */
function NoTranslation({ room, problem, onAgain }: { room: Room; problem: Problem; onAgain(): void }) {
    const i18n = useI18n();
    const { t } = i18n;
    const name = useName(room);
    const isAdmin = useStore(useAssistant().isAdmin);
    const agreed = useHaveAgreed(room, problem, "translate");
    return (
        <span>
            {agreed && problem.kind === "consent" ? t("ai.has_agreed", i18n.list(problem.users.map(name))) : problemWords(problem, i18n, isAdmin, name)}{" "}
            {problem.kind === "consent" && !agreed && <AskConsent room={room} place={problem.place} users={problem.users} />}
            {(agreed || againAfter.includes(problem.kind)) && (
                <button type="button" className="inline-button" onClick={onAgain}>
                    {t(agreed ? "ai.translate" : "common.retry")}
                </button>
            )}
        </span>
    );
}
