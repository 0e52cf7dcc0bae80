import { ArrowUpDown, Square, X } from "lucide-react";
import { translationKey } from "@/features/assistant/assistant";
import { problemWords, useAiVisible, useAssistant } from "@/features/assistant/context";
import type { Place } from "@/features/assistant/consent";
import { AiMark, AiTag } from "@/features/assistant/parts/AiMark";
import { AskConsent } from "@/features/assistant/parts/AskConsent";
import { aiWords } from "@/features/chat/engine/aiClipboard";
import { labelOfEvent } from "@/features/chat/engine/content";
import { useName } from "@/features/chat/engine/context";
import { richText } from "@/features/chat/parts/richText";
import { useI18n } from "@/i18n";
import { useStore } from "@/lib/store";
import type { MatrixEvent, Room } from "matrix-js-sdk";
import { useState } from "react";

/**
 * A message's text with its translation under it in a quieter weight; one tap swaps them. `original` is the
 * body as it would stand without, and `marks` what stands behind it and goes with it.
 */
export function WithTranslation({ room, event, body, original, marks }: { room: Room; event: MatrixEvent; body: string; original: React.ReactNode; marks: React.ReactNode }) {
    const assistant = useAssistant();
    const i18n = useI18n();
    const { t } = i18n;
    const name = useName(room);
    const key = translationKey(event);
    const translation = useStore(assistant.translations.of(key));
    const isAdmin = useStore(assistant.isAdmin);
    const [asked, setAsked] = useState<Place | null>(null);
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
                    <span>
                        {problemWords(translation.problem, i18n, isAdmin, name)}{" "}
                        {translation.problem.kind === "consent" && <AskConsent room={room} place={translation.problem.place} asked={asked} onAsked={setAsked} />}
                        {["failed", "late", "changed", "too_often", "offline", "server", "stopped"].includes(translation.problem.kind) && (
                            <button type="button" className="inline-button" onClick={() => void assistant.translate(room, event, translation.language)}>
                                {t("common.retry")}
                            </button>
                        )}
                    </span>
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
