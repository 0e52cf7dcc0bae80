import type { Room } from "matrix-js-sdk";
import { useEffect, useState } from "react";
import { answerConsent, askConsent, consentOf, placeOf, purposesInWords, type Consent, type Purpose } from "@/features/assistant/consent";
import { people, useAiOn, useAssistant, useInForce } from "@/features/assistant/context";
import { ConsentTerms } from "@/features/assistant/parts/ConsentCard";
import { consentType, policyType } from "@/features/chat/engine/content";
import { useEngine, useName, useRoomState } from "@/features/chat/engine/context";
import { RemoteAvatar } from "@/features/chat/parts/RemoteAvatar";
import { useI18n } from "@/i18n";
import { errorWords } from "@/lib/errors";
import { useLate } from "@/lib/hooks";
import { online } from "@/lib/online";
import { formatRoute } from "@/lib/router";
import { useStore } from "@/lib/store";
import { SkeletonRows, SwitchRow } from "@/ui/parts";
import { toast } from "@/ui/toast";

/** So long nothing is said of a consent of which one does not know; it mostly comes at once. */
const unknownFor_ms = 1_500;

/** The assistant in one chat: whether it may be used, who agreed to what, the model and what was used today. */
export function AssistantPanel({ room }: { room: Room }) {
    const engine = useEngine();
    const assistant = useAssistant();
    const i18n = useI18n();
    const { t, formats } = i18n;
    const name = useName(room);
    const status = useStore(assistant.status.of(room.roomId));
    const settings = useStore(engine.account.settings);
    const isAdmin = useStore(assistant.isAdmin);
    const on = useAiOn();
    const version = useRoomState(room);
    const stands = useInForce(room);
    const reachable = useStore(online);
    const [asked, setAsked] = useState(false);
    useEffect(() => {
        void assistant.loadStatus(room.roomId);
    }, [assistant, room, version]);

    const run = (action: Promise<unknown>) => void action.catch((error: unknown) => toast(errorWords(error, i18n)));
    const policy = room.currentState.getStateEvents(policyType, "")?.getContent()["ai"] === "forbidden" ? "forbidden" : "allowed";
    const mayDecide = room.currentState.maySendStateEvent(policyType, engine.me);
    const allowed = policy === "allowed";
    const inForce = (userId: string): Consent | null => (stands(userId) ? consentOf(room, userId) : null);
    const mine = inForce(engine.me);
    const place = placeOf(status?.model);
    const members = room.getJoinedMembers().filter((member) => member.userId !== status?.assistant_user_id);
    const agreed = members.flatMap((member) => {
        const consent = inForce(member.userId);
        return consent ? [{ member, consent }] : [];
    });
    const toAsk = members.filter((member) => member.userId !== engine.me && !agreed.some((one) => one.member === member));
    // Nothing is said or asked before one knows what is in force; later, who has just answered comes when that is known.
    const known = status !== null && stands(engine.me) !== null;
    const isLate = useLate(!known, unknownFor_ms);
    const isNobody = members.every((member) => stands(member.userId) === false);
    const termsOf = ({ purposes, destination, atMs }: Consent) =>
        [purposesInWords(purposes, i18n), destination.kind === "provider" ? destination.name : t("ai.panel_here"), t("ai.panel_since", formats.short(atMs, Date.now(), t("chats.yesterday")))].join(" · ");
    // What one does not know about for long can be taken back as well.
    const given = mine ?? (isLate && stands(engine.me) === null ? consentOf(room, engine.me) : null);
    const takeBack = given && (
        <section>
            <h3 className="list-title">{t("ai.panel_mine")}</h3>
            <div className="row">
                <span className="grow small quiet">{termsOf(given)}</span>
                <button type="button" className="button" onClick={() => run(answerConsent(engine, room.roomId, false, given.purposes, given.destination))}>
                    {t("ai.consent_take_back")}
                </button>
            </div>
        </section>
    );
    if (!on)
        return (
            <div className="stack">
                <h2>{t("ai.panel_title")}</h2>
                <p role="status">{t(settings.ai_enabled ? "ai.panel_off_server" : "ai.panel_off_me")}</p>
                {takeBack}
            </div>
        );
    const modelWords = t(status?.model ? "ai.no_answer" : isAdmin ? "ai.no_model_admin" : "ai.no_model");
    const purposes: Purpose[] = ["suggest_replies", "translate"];
    const auto = settings.auto_suggest_since_ms[room.roomId] !== undefined;
    // By the server's clock: what stands there already is not asked about.
    const setAuto = (on: boolean) => engine.account.setAutoSuggest(room.roomId, on ? (room.getLiveTimeline().getEvents().at(-1)?.getTs() ?? 0) : null);
    return (
        <div className="stack">
            <h2>{t("ai.panel_title")}</h2>
            <SwitchRow
                label={t("ai.panel_policy")}
                hint={t("ai.panel_policy_hint")}
                checked={allowed}
                disabled={!mayDecide}
                onChange={(on) => run(engine.client.sendStateEvent(room.roomId, policyType, { ai: on ? "allowed" : "forbidden" }, ""))}
            />
            {!allowed && (
                <>
                    <p role="status">{t("ai.panel_off_chat")}</p>
                    {takeBack}
                </>
            )}
            {allowed && (
                <>
                    {!known && (reachable ? <SkeletonRows count={1} /> : <p role="status">{t("error.network")}</p>)}
                    {!known && takeBack}
                    {known && (
                        <SwitchRow
                            label={t("ai.panel_agree_self")}
                            hint={mine ? termsOf(mine) : place ? <ConsentTerms purposes={purposes} {...place} /> : modelWords}
                            checked={mine !== null}
                            disabled={!room.currentState.maySendStateEvent(consentType, engine.me) || !(mine ?? place)}
                            onChange={(on) => {
                                // To what stands there now, and to nothing that comes meanwhile.
                                if (on && place) run(answerConsent(engine, room.roomId, true, purposes, place.destination));
                                else if (!on && mine) run(answerConsent(engine, room.roomId, false, mine.purposes, mine.destination));
                            }}
                        />
                    )}
                    <SwitchRow
                        label={t("ai.panel_auto")}
                        hint={t("ai.panel_auto_hint")}
                        checked={auto}
                        onChange={(on) => run(setAuto(on))}
                    />
                    {known && (
                        <section>
                            <h3 className="list-title">{t("ai.panel_agreed")}</h3>
                            {isNobody && <p className="quiet small">{t("ai.panel_nobody")}</p>}
                            <ul className="plain-list">
                                {agreed.map(({ member, consent }) => (
                                    <li key={member.userId} className="list-line">
                                        <RemoteAvatar id={member.userId} name={name(member.userId)} mxc={member.getMxcAvatarUrl()} size={32} />
                                        <span className="grow">
                                            <span className="block nowrap">{name(member.userId)}</span>
                                            <span className="block small quiet">
                                                {termsOf(consent)}
                                            </span>
                                        </span>
                                    </li>
                                ))}
                            </ul>
                            {toAsk.length > 0 && (
                                <button
                                    type="button"
                                    className="button"
                                    disabled={asked || !place || !room.maySendMessage()}
                                    onClick={() => {
                                        if (place) askConsent(engine, room, place, i18n);
                                        setAsked(true);
                                    }}
                                >
                                    {asked ? t("ai.asked_consent") : t("ai.ask_consent_of", people(toAsk.map((member) => name(member.userId)), i18n))}
                                </button>
                            )}
                        </section>
                    )}
                    <section>
                        <h3 className="list-title">{t("ai.panel_model")}</h3>
                        <p className="wrap">{place ? `${place.model} · ${place.destination.name ?? t("ai.panel_here")}` : status ? modelWords : ""}</p>
                        {status?.budget && (
                            <p className="small quiet">
                                {t("ai.panel_budget")}: {t("ai.panel_budget_of", formats.number(status.budget.used_tokens), formats.number(status.budget.cap_tokens))}
                            </p>
                        )}
                    </section>
                </>
            )}
            <a className="button" href={formatRoute({ page: "me", section: "receipts" })}>
                {t("me.receipts")}
            </a>
        </div>
    );
}
