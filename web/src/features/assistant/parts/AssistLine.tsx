import { Sparkles, Square } from "lucide-react";
import type { Room } from "matrix-js-sdk";
import { useEffect, useRef, type KeyboardEvent } from "react";
import { lastWords } from "@/features/assistant/assistant";
import { askConsent, type Place } from "@/features/assistant/consent";
import { people, problemWords, shortName, useAiVisible, useAssistant, useHaveAgreed, useWaitedFor } from "@/features/assistant/context";
import { AskConsent } from "@/features/assistant/parts/AskConsent";
import { AssistWords } from "@/features/assistant/parts/AssistWords";
import type { AiLabel } from "@/features/chat/engine/content";
import { useEngine, useName } from "@/features/chat/engine/context";
import { useI18n } from "@/i18n";
import { useIsDesktop } from "@/lib/hooks";
import { useStore } from "@/lib/store";

/** A key that is held down presses once. */
const withoutRepeat = (event: KeyboardEvent) => {
    if (event.repeat) event.preventDefault();
};

/**
 * The reserved line over the composer. It is always as high as it is, so that nothing moves when suggestions
 * come or go; a chip's text goes into the composer and is never sent from here. A model's suggestions come before those
 * of the offline method, which stand there as long as there are none, beside what there is to say of the model.
 */
export function AssistLine({ room, editing, onTake }: { room: Room; editing: boolean; onTake(text: string, label: AiLabel | null): void }) {
    const engine = useEngine();
    const assistant = useAssistant();
    const i18n = useI18n();
    const { t } = i18n;
    const name = useName(room);
    const visible = useAiVisible(room);
    const settings = useStore(engine.account.settings);
    const chips = useStore(assistant.chips.of(room.roomId));
    const suggestions = useStore(assistant.suggestions.of(room.roomId));
    const isAdmin = useStore(assistant.isAdmin);
    const isDesktop = useIsDesktop();
    const corner = useRef<HTMLButtonElement>(null);
    const last = lastWords(room);
    const lastId = last?.getId() ?? null;
    const problem = suggestions.state === "problem" ? suggestions.problem : null;
    const agreed = useHaveAgreed(room, problem, "suggest_replies");
    const wanting = problem?.kind === "consent" ? problem : null;
    const isWaitedFor = useWaitedFor(room, wanting?.place ?? null, wanting?.users ?? []);
    const auto = settings.auto_suggest_since_ms[room.roomId] !== undefined;

    useEffect(() => {
        void assistant.loadStatus(room.roomId);
    }, [assistant, room]);
    useEffect(() => {
        if (!visible) return;
        void assistant.refreshChips(room);
    }, [assistant, room, lastId, visible]);
    useEffect(() => {
        if (!visible || !auto) return;
        // A tab that nobody looks at leaves it to the one that somebody does.
        const ask = () => void (document.hidden || assistant.autoSuggest(room));
        ask();
        document.addEventListener("visibilitychange", ask);
        return () => document.removeEventListener("visibilitychange", ask);
    }, [assistant, room, lastId, visible, auto]);

    if (!visible) return null;
    const canAsk = !!last && last.getSender() !== engine.me && !last.isRedacted() && last.getType() === "m.room.message";
    const fromModel = suggestions.state === "asking" || suggestions.state === "ready" ? suggestions.items : [];
    const offline = fromModel.length > 0 ? [] : chips.items;
    const unasked = wanting?.place && !agreed && !isWaitedFor ? wanting.place : null;
    const isBeside = offline.length > 0;
    const whose = people((wanting?.users ?? []).map((userId) => (isBeside ? shortName(name(userId)) : name(userId))), i18n);
    const isWaiting = suggestions.state === "asking" && fromModel.length === 0;
    const saidOfConsent = wanting && agreed ? t("ai.has_agreed", whose) : wanting?.place && !unasked ? t("ai.asked_consent_of", whose) : null;
    const saidOfCall = problem ? problemWords(problem, i18n, isAdmin, name) : isWaiting ? t(suggestions.waits ? "ai.waits" : "ai.suggesting") : null;
    const words = saidOfConsent ?? saidOfCall;
    const unagreed = suggestions.state === "ready" ? suggestions.dropped.filter((one) => one.reason === "no_consent") : [];
    const writers = [...new Set(unagreed.flatMap((one) => room.findEventById(one.event_id)?.getSender() ?? []))];

    // Beside chips on a phone there is no room for words and for what can be done: the button says both.
    const asksWhom = !isDesktop && isBeside && unasked !== null;
    const ask = (place: Place) => {
        askConsent(engine, room, place, i18n);
        corner.current?.focus(); // what was pressed goes
    };

    return (
        <div className="assist-line" role="group" aria-label={t("ai.chips")}>
            {words !== null && <AssistWords words={words} short={isBeside && unasked ? t("ai.needs_consent_short", whose) : words} className={asksWhom ? "visually-hidden" : `assist-words ${isBeside ? "beside" : ""} ${wanting ? "names" : ""}`} />}
            {unasked && (
                <button type="button" className={`assist-ask ${asksWhom ? "ask-whom" : ""}`} title={asksWhom ? words ?? "" : undefined} onKeyDown={withoutRepeat} onClick={() => ask(unasked)}>
                    {asksWhom ? <span className="said">{t("ai.ask_consent_of", whose)}</span> : t("ai.ask_consent")}
                </button>
            )}
            <div className="assist-scroll">
                {isBeside && (
                    <>
                        <span className="offline-tag" title={t("ai.offline_hint")}>
                            {t("ai.offline")}
                        </span>
                        {offline.map((chip) => (
                            <button key={chip.intent + chip.text} type="button" className="chip" disabled={editing} title={t("ai.chip_take", chip.text)} onClick={() => onTake(chip.text, null)}>
                                <span>{chip.text}</span>
                            </button>
                        ))}
                    </>
                )}
                {fromModel.map((one) => (
                    <button key={one.text} type="button" className="chip ai" disabled={editing} title={t("ai.chip_take", one.text)} onClick={() => onTake(one.text, one.label)}>
                        <span>{one.text}</span>
                        <span className="ai-tag">{t("ai.mark")}</span>
                    </button>
                ))}
                {suggestions.state === "ready" && unagreed.length > 0 && (
                    <span className="assist-words">
                        {t("ai.dropped", suggestions.dropped.length)} <AskConsent room={room} place={suggestions.place} users={writers} />
                    </span>
                )}
            </div>
            {/* What sends something has a place of its own: a second press on what asks the model never falls on it. */}
            {suggestions.state === "asking" ? (
                <button ref={corner} key="asking" type="button" className="assist-ask" onKeyDown={withoutRepeat} onClick={() => assistant.stopSuggesting(room.roomId)}>
                    <Square size={14} aria-hidden="true" /> {t("ai.stop")}
                </button>
            ) : (
                canAsk && (
                    <button ref={corner} key="asking" type="button" className="assist-ask" title={t("ai.suggest")} aria-label={t("ai.suggest")} onKeyDown={withoutRepeat} onClick={() => void assistant.suggest(room)}>
                        <Sparkles size={16} aria-hidden="true" /> <span>{t("ai.suggest_short")}</span>
                    </button>
                )
            )}
        </div>
    );
}
