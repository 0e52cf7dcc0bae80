import type { MatrixEvent, Room } from "matrix-js-sdk";
import { useState } from "react";
import { useAiVisible } from "@/features/assistant/context";
import { answerConsent, consentOf, purposesInWords, readDestination, readPurposes } from "@/features/assistant/consent";
import { text } from "@/features/chat/engine/content";
import { useEngine, useName, useRoomState } from "@/features/chat/engine/context";
import { useI18n } from "@/i18n";
import { errorWords } from "@/lib/errors";
import { toast } from "@/ui/toast";

/** The question for consent in plain words: what, by which model, where, for how long; two equal answers. */
export function ConsentCard({ room, event, own }: { room: Room; event: MatrixEvent; own: boolean }) {
    const engine = useEngine();
    const i18n = useI18n();
    const { t } = i18n;
    const name = useName(room);
    const [busy, setBusy] = useState(false);
    const visible = useAiVisible(room);
    useRoomState(room);

    const content = event.getContent();
    const purposes = readPurposes(content["purposes"]);
    const destination = readDestination(content["destination"]);
    const mine = consentOf(room, engine.me);
    // An answer counts for this card if it was given after it, or covers what it asks for.
    const answered = mine && (mine.atMs >= event.getTs() || (mine.agreed && purposes.every((purpose) => mine.purposes.includes(purpose)) && mine.destination.kind === destination.kind && mine.destination.name === destination.name)) ? mine : null;

    const answer = async (agreed: boolean) => {
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
        <section className="consent" aria-label={t("ai.ask_consent")}>
            <h2 className="wrap">{own ? t("ai.consent_title_own") : t("ai.consent_title", name(event.getSender() ?? ""))}</h2>
            <dl>
                <dt>{t("ai.consent_what")}</dt>
                <dd>{t("ai.consent_what_text", purposesInWords(purposes, i18n))}</dd>
                {text(content["model"]) && (
                    <>
                        <dt>{t("ai.consent_model")}</dt>
                        <dd className="wrap">{text(content["model"])}</dd>
                    </>
                )}
                <dt>{t("ai.consent_where")}</dt>
                <dd className="wrap">{destination.kind === "provider" ? t("ai.consent_where_provider", destination.name ?? "") : t("ai.consent_where_local")}</dd>
                <dt>{t("ai.consent_long")}</dt>
                <dd>{t("ai.consent_long_text")}</dd>
            </dl>
            {own ? (
                <Answers room={room} asker={engine.me} since={event.getTs()} />
            ) : answered ? (
                <div className="row consent-answer">
                    <span className="grow">{t(answered.agreed ? "ai.consent_answered_yes" : "ai.consent_answered_no")}</span>
                    <button type="button" className="button" disabled={busy} onClick={() => void answer(!answered.agreed)}>
                        {t(answered.agreed ? "ai.consent_take_back" : "ai.consent_yes")}
                    </button>
                </div>
            ) : !visible ? null : (
                <div className="consent-buttons">
                    <button type="button" className="button" disabled={busy} onClick={() => void answer(true)}>
                        {t("ai.consent_yes")}
                    </button>
                    <button type="button" className="button" disabled={busy} onClick={() => void answer(false)}>
                        {t("ai.consent_no")}
                    </button>
                </div>
            )}
        </section>
    );
}

function Answers({ room, asker, since }: { room: Room; asker: string; since: number }) {
    const { t } = useI18n();
    const name = useName(room);
    const others = room.getJoinedMembers().filter((member) => member.userId !== asker);
    const answers = others.flatMap((member) => {
        const consent = consentOf(room, member.userId);
        return consent && (consent.agreed || consent.atMs >= since) ? [{ userId: member.userId, agreed: consent.agreed }] : [];
    });
    if (answers.length === 0) return <p className="small quiet">{t("ai.consent_waiting")}</p>;
    return (
        <ul className="small">
            {answers.map(({ userId, agreed }) => (
                <li key={userId}>
                    {name(userId)}: {t(agreed ? "ai.consent_yes" : "ai.consent_no")}
                </li>
            ))}
        </ul>
    );
}
