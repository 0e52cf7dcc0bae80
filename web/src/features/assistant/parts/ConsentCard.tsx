import type { MatrixEvent, Room } from "matrix-js-sdk";
import { useState } from "react";
import { useAiVisible, useInForce } from "@/features/assistant/context";
import { answerConsent, answerTo, consentOf, isSame, purposesInWords, readDestination, readPurposes, type Card, type Destination, type Purpose } from "@/features/assistant/consent";
import { consentType, text } from "@/features/chat/engine/content";
import { useEngine, useName } from "@/features/chat/engine/context";
import { useI18n, type I18n } from "@/i18n";
import { errorWords } from "@/lib/errors";
import { passFocus } from "@/ui/passFocus";
import { toast } from "@/ui/toast";

const whereInWords = ({ kind, name }: Destination, { t }: I18n): string => (kind === "provider" ? t("ai.consent_where_provider", name ?? "") : t("ai.consent_where_local"));

/** What is agreed to, in plain words: what is read, by which model, where, for how long. `asked`: of others, by who reads this. */
export function ConsentTerms({ purposes, destination, model, asked = false }: { purposes: Purpose[]; destination: Destination | null; model: string; asked?: boolean }) {
    const i18n = useI18n();
    const { t } = i18n;
    return (
        <dl className="consent-terms">
            <dt>{t("ai.consent_what")}</dt>
            <dd>{t(asked ? "ai.consent_what_text_asked" : "ai.consent_what_text", purposesInWords(purposes, i18n))}</dd>
            {model && (
                <>
                    <dt>{t("ai.consent_model")}</dt>
                    <dd className="wrap">{model}</dd>
                </>
            )}
            <dt>{t("ai.consent_where")}</dt>
            <dd className="wrap">{destination ? whereInWords(destination, i18n) : t("ai.consent_where_unknown")}</dd>
            <dt>{t("ai.consent_long")}</dt>
            <dd>{t(asked ? "ai.consent_long_text_asked" : "ai.consent_long_text")}</dd>
        </dl>
    );
}

/** The question for consent in plain words: what, by which model, where, for how long; two equal answers. */
export function ConsentCard({ room, event, own }: { room: Room; event: MatrixEvent; own: boolean }) {
    const engine = useEngine();
    const i18n = useI18n();
    const { t } = i18n;
    const name = useName(room);
    const [busy, setBusy] = useState(false);
    const visible = useAiVisible(room);
    const stands = useInForce(room);

    const content = event.getContent();
    const purposes = readPurposes(content["purposes"]);
    const destination = readDestination(content["destination"]);
    const mine = consentOf(room, engine.me);
    const card = destination && { purposes, destination, atMs: event.getTs() };
    const answered = card && answerTo(card, mine, stands(engine.me));
    const mayAnswer = room.currentState.maySendStateEvent(consentType, engine.me);

    const answer = async (button: Element, agreed: boolean) => {
        if (!destination) return;
        passFocus(button, "[role=group]");
        setBusy(true);
        try {
            await answerConsent(engine, room.roomId, agreed, purposes, destination);
        } catch (error) {
            toast(errorWords(error, i18n));
        } finally {
            setBusy(false);
        }
    };

    return (
        <div className="consent" role="group" tabIndex={-1} aria-label={t("ai.consent_request")}>
            <h2 className="wrap">{own ? t("ai.consent_title_own") : t("ai.consent_title", name(event.getSender() ?? ""))}</h2>
            <ConsentTerms purposes={purposes} destination={destination} model={text(content["model"])} asked={own} />
            {!card ? null : own ? (
                <Answers room={room} asker={engine.me} card={card} stands={stands} />
            ) : answered === "unknown" ? (
                mine && isSame(mine.destination, card.destination) ? (
                    // Taking back is offered also while one does not know: it harms nothing.
                    <div className="row consent-answer" aria-busy="true">
                        <span className="grow" />
                        <button type="button" className="button" disabled={busy} onClick={({ currentTarget }) => void answer(currentTarget, false)}>
                            {t("ai.consent_take_back")}
                        </button>
                    </div>
                ) : (
                    <div className="consent-buttons" aria-busy="true" />
                )
            ) : answered ? (
                <div className="row consent-answer">
                    <span className="grow wrap">{answered === "other" && mine ? t("ai.consent_answered_other", whereInWords(mine.destination, i18n)) : t(answered === "yes" ? "ai.consent_answered_yes" : "ai.consent_answered_no")}</span>
                    {(answered === "yes" || (visible && mayAnswer)) && (
                        <button type="button" className="button" disabled={busy} onClick={({ currentTarget }) => void answer(currentTarget, answered !== "yes")}>
                            {t(answered === "yes" ? "ai.consent_take_back" : "ai.consent_yes")}
                        </button>
                    )}
                </div>
            ) : !visible ? null : !mayAnswer ? (
                <p className="small quiet">{t("ai.consent_not_yours")}</p>
            ) : (
                <div className="consent-buttons">
                    <button type="button" className="button" disabled={busy} onClick={({ currentTarget }) => void answer(currentTarget, true)}>
                        {t("ai.consent_yes")}
                    </button>
                    <button type="button" className="button" disabled={busy} onClick={({ currentTarget }) => void answer(currentTarget, false)}>
                        {t("ai.consent_no")}
                    </button>
                </div>
            )}
        </div>
    );
}

function Answers({ room, asker, card, stands }: { room: Room; asker: string; card: Card; stands(userId: string): boolean | null }) {
    const i18n = useI18n();
    const { t } = i18n;
    const name = useName(room);
    const others = room.getJoinedMembers().filter((member) => member.userId !== asker);
    let known = true;
    const answers = others.flatMap((member) => {
        const consent = consentOf(room, member.userId);
        const answer = answerTo(card, consent, stands(member.userId));
        if (answer === "unknown") known = false;
        if (!consent || !answer || answer === "unknown") return [];
        return [{ userId: member.userId, words: answer === "other" ? t("ai.consent_other", whereInWords(consent.destination, i18n)) : t(answer === "yes" ? "ai.consent_yes" : "ai.consent_no") }];
    });
    if (answers.length === 0) return <p className="small quiet">{known ? t("ai.consent_waiting") : "\u00a0"}</p>;
    return (
        <ul className="small">
            {answers.map(({ userId, words }) => (
                <li key={userId} className="wrap">
                    {t("common.of", name(userId))}
                    {words}
                </li>
            ))}
        </ul>
    );
}
