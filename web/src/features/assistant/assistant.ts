import { callModel, fetchChips, fetchStatus, type AssistEvent, type AssistStatus, type Dropped, type OfflineChip } from "@/features/assistant/api";
import { consentMarks, inForceOf, placeIn, placeOf, type InForce, type Place } from "@/features/assistant/consent";
import { Streams } from "@/features/assistant/streams";
import { bodyOf, consentRequestType, isMessage, labelKey, labelOf, text, type AiLabel } from "@/features/chat/engine/content";
import type { Draft } from "@/features/chat/engine/drafts";
import type { Engine } from "@/features/chat/engine/engine";
import { isPassing } from "@/features/chat/engine/outbox";
import { ReplacedWords } from "@/features/chat/engine/replaced";
import { ApiError, errcodeOf } from "@/lib/errors";
import type { Json } from "@/lib/http";
import { Store, StoreMap } from "@/lib/store";
import type { MatrixEvent, Room } from "matrix-js-sdk";

/** Why there is no answer; each is said in one line, with what can be done. */
export type Problem =
    | { kind: "no_model" | "no_answer" | "failed" | "late" | "off" | "forbidden" | "nothing" | "changed" | "forwarded" | "offline" | "too_often" | "too_long" | "gone" | "not_here" | "signed_out" | "no_words" | "server" | "cut" | "stopped" | "moved_on"; errcode: string }
    | { kind: "budget"; errcode: string; resetsAtMs: number | null }
    | { kind: "consent"; errcode: string; users: string[]; place: Place | null };

export interface Suggestion {
    text: string;
    label: AiLabel;
}

export type Suggestions =
    | { state: "idle" }
    | { state: "asking"; items: Suggestion[]; waits: boolean }
    | { state: "ready"; items: Suggestion[]; dropped: Dropped[]; place: Place | null }
    | { state: "problem"; problem: Problem };

export type Translation =
    | { state: "asking"; text: string; language: string; waits: boolean }
    | { state: "ready"; text: string; language: string; label: AiLabel | null; cut: boolean; swapped: boolean }
    | { state: "problem"; problem: Problem; language: string };

/** Of what stands in a composer. The draft itself stays one's own until its translation is whole and labelled. */
export type DraftTranslation = { state: "idle" } | { state: "asking"; text: string };

export interface Chips {
    eventId: string | null;
    items: OfflineChip[];
}

/** Chips appear within this time or not at all: what comes later would move under the finger. */
const chipsDeadlineMs = 1_000;
/** The server builds its index when it is first asked: who asks too early asks again within that time. */
const chipsPauseMs = 250;
const modelDeadlineMs = 60_000;
/** How often a call begins anew that the server refused since there are too many. */
const attempts_limit = 5;
const usualPauseMs = 1_000;
const longestPauseMs = 5_000;
const alreadyAsked = "IM.LINGXI.ALREADY_ASKED";
const statusDeadlineMs = 15_000;
/** The pause after a status that did not come; it doubles up to the longest. */
const statusPauseMs = 1_000;
const longestStatusPauseMs = 30_000;
const excerptEvents = 20;
const noChips: Chips = { eventId: null, items: [] };

const suggestionsKey = (roomId: string): string => `suggestions ${roomId}`;
const translationStream = (key: string): string => `translation ${key}`;
const draftKey = (roomId: string): string => `draft ${roomId}`;

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
        setTimeout(resolve, ms);
        signal.addEventListener("abort", () => resolve(), { once: true });
    });

/** What comes of a call. Of one that nobody waits for any more nothing is told. */
interface CallNews {
    /** It is on its way; `waits`: until others have ended. */
    asking(waits: boolean): void;
    event(event: AssistEvent): void;
    problem(problem: Problem): void;
    done(label: AiLabel | null, cut: boolean): void;
}

/** `hasModel`: whether one is set up, so that only its not answering can be meant. */
export function problemOf(error: unknown, hasModel: boolean): Problem {
    const errcode = errcodeOf(error);
    const data = error instanceof ApiError ? error.data : {};
    switch (errcode) {
        case "IM.LINGXI.AI_OFF":
            return { kind: "off", errcode };
        case "IM.LINGXI.AI_FORBIDDEN_IN_ROOM":
            return { kind: "forbidden", errcode };
        case "IM.LINGXI.WORDS_CHANGED":
            return { kind: "changed", errcode };
        case "IM.LINGXI.NOBODY_TO_ASK":
            return { kind: "forwarded", errcode };
        case "IM.LINGXI.CONSENT_NEEDED":
            return { kind: "consent", errcode, users: Array.isArray(data["users"]) ? data["users"].filter((user): user is string => typeof user === "string") : [], place: placeIn(data) };
        case "IM.LINGXI.BUDGET_EXHAUSTED":
            return { kind: "budget", errcode, resetsAtMs: typeof data["resets_at_ms"] === "number" ? data["resets_at_ms"] : null };
        case "IM.LINGXI.MODEL_UNAVAILABLE":
            return { kind: hasModel ? "no_answer" : "no_model", errcode };
        case "NETWORK":
            return { kind: "offline", errcode };
        case "M_LIMIT_EXCEEDED":
            return { kind: "too_often", errcode };
        case "M_TOO_LARGE":
            return { kind: "too_long", errcode };
        case "M_NOT_FOUND":
            return { kind: "gone", errcode };
        case "M_FORBIDDEN":
            return { kind: "not_here", errcode };
        case "M_UNKNOWN_TOKEN":
        case "M_MISSING_TOKEN":
            return { kind: "signed_out", errcode };
        case "M_INVALID_PARAM":
            return { kind: "no_words", errcode };
        default:
            return { kind: errcode.startsWith("M_") ? "server" : "failed", errcode };
    }
}

/** What the assistant shows in this tab. It never writes by itself, and asks a model only when told to. */
export class Assistant {
    readonly status = new StoreMap<AssistStatus | null>(() => null);
    /** Null until the status is known. */
    readonly inForce = new StoreMap<InForce | null>(() => null);
    /** The server's switch, as it was told last: known before the first answer, so that no control comes and goes. */
    readonly serverOn: Store<boolean>;
    readonly chips = new StoreMap<Chips>(() => noChips);
    readonly suggestions = new StoreMap<Suggestions>(() => ({ state: "idle" }));
    /** By translationKey(). */
    readonly translations = new StoreMap<Translation | null>(() => null);
    /** By chat. */
    readonly draftTranslations = new StoreMap<DraftTranslation>(() => ({ state: "idle" }));
    /** Whether someone here administers the server, for the words where no model is set up. */
    readonly isAdmin = new Store(false);
    private hasModel = false;
    /** For which message a chat's suggestions were asked. */
    private readonly suggestedFor = new Map<string, { eventId: string | null; byItself: boolean }>();
    /** One's own words where a chip or a translation stands in their place. */
    readonly replaced: ReplacedWords;
    private chipsAbort: AbortController | null = null;
    private readonly autoAsked = new Set<string>();
    /** The status of a chat that was asked for last, of those that came: an older one that is late counts no more. */
    private readonly statusTurns = new Map<string, number>();
    private statusTurn = 0;
    /** The chats whose consents are being asked for, and by how many parts of the page they are shown. */
    private readonly following = new Set<string>();
    private readonly followers = new Map<string, number>();
    /** Ends the pause after a status that did not come. */
    private readonly statusPauses = new Map<string, () => void>();

    constructor(
        private readonly engine: Engine,
        private readonly streams = new Streams(),
    ) {
        this.serverOn = new Store(localStorage.getItem(this.switchKey) === "on");
        this.replaced = new ReplacedWords(engine.me, localStorage);
    }

    private get switchKey(): string {
        return `lingxi.ai.${this.engine.me}`;
    }

    takeServerSwitch(on: boolean): void {
        this.serverOn.set(on);
        localStorage.setItem(this.switchKey, on ? "on" : "off");
    }

    /** Switches it all on or off for this person. */
    async setEnabled(ai_enabled: boolean): Promise<void> {
        if (!ai_enabled) this.streams.endAll("stopped");
        await this.engine.account.change({ ai_enabled });
        if (ai_enabled) await this.loadStatus(null);
    }

    private get fetch() {
        return this.engine.transport.fetch;
    }

    /** Answers why it is not known, where it did not come. */
    async loadStatus(roomId: string | null): Promise<unknown> {
        const abort = new AbortController();
        const late = setTimeout(() => abort.abort(), statusDeadlineMs);
        try {
            const turn = (this.statusTurn += 1);
            const room = roomId === null ? null : this.engine.client.getRoom(roomId);
            const taken = room && inForceOf(room, this.engine.me);
            const status = await fetchStatus(this.fetch, roomId, abort.signal);
            if (roomId !== null && turn > (this.statusTurns.get(roomId) ?? 0)) {
                this.statusTurns.set(roomId, turn);
                this.status.of(roomId).set(status);
                if (taken) this.inForce.of(roomId).set(taken(status));
            }
            this.hasModel = status.model !== null;
            // Off for this person says nothing about the server.
            const { account } = this.engine;
            if (status.ai_enabled) this.takeServerSwitch(true);
            else if (account.loaded && account.saving === 0 && account.settings.get().ai_enabled) this.takeServerSwitch(false);
            return null;
        } catch (error) {
            return error; // unknown stays unknown: the calls themselves tell what is wrong
        } finally {
            clearTimeout(late);
        }
    }

    /** As long as what it answers is not called, what consents are in force is asked for until it is known. */
    followConsents(room: Room): () => void {
        const { roomId } = room;
        this.followers.set(roomId, (this.followers.get(roomId) ?? 0) + 1);
        this.statusPauses.get(roomId)?.(); // there is something new to ask, or the server is there again
        void this.askConsents(room);
        return () => void this.followers.set(roomId, (this.followers.get(roomId) ?? 0) - 1);
    }

    /** Asks the server as long as the events that consents hang on are other ones than it was asked of. */
    private async askConsents(room: Room): Promise<void> {
        const { roomId } = room;
        if (this.following.has(roomId)) return;
        this.following.add(roomId);
        let pauseMs = statusPauseMs;
        for (let asked = ""; (this.followers.get(roomId) ?? 0) > 0; ) {
            const marks = consentMarks(room, this.engine.me);
            if (marks === asked || marks === this.inForce.of(roomId).get()?.marks) break;
            const error = await this.loadStatus(roomId);
            if (error !== null && isPassing(error)) {
                const wanted = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
                await this.pauseStatus(roomId, Math.min(Math.max(pauseMs, wanted), longestStatusPauseMs));
                pauseMs *= 2;
                continue;
            }
            asked = marks;
            pauseMs = statusPauseMs;
        }
        this.following.delete(roomId);
    }

    private pauseStatus(roomId: string, ms: number): Promise<void> {
        return new Promise((resolve) => {
            const end = () => {
                clearTimeout(timer);
                this.statusPauses.delete(roomId);
                resolve();
            };
            const timer = setTimeout(end, ms);
            this.statusPauses.set(roomId, end);
        });
    }

    /** Nobody looks any more: nothing of it stays open. */
    stop(): void {
        this.chipsAbort?.abort();
        this.streams.endAll("given_up");
        this.followers.clear();
        for (const end of [...this.statusPauses.values()]) end();
    }

    /** The offline method's chips for the last message. */
    async refreshChips(room: Room): Promise<void> {
        const store = this.chips.of(room.roomId);
        const last = lastWords(room);
        const eventId = last?.getId() ?? null;
        this.moveOn(room.roomId, last);
        const wanted = !!last && last.getSender() !== this.engine.me && last.getType() === "m.room.message" && ["m.text", "m.notice"].includes(String(last.getContent()["msgtype"])) && !last.isRedacted();
        if (!wanted || !eventId) {
            this.chipsAbort?.abort();
            store.set(noChips);
            return;
        }
        if (store.get().eventId === eventId) return;
        this.chipsAbort?.abort();
        const abort = new AbortController();
        this.chipsAbort = abort;
        store.set({ eventId, items: [] });
        const late = setTimeout(() => {
            abort.abort();
            store.set(noChips); // when the chat is opened again they are in time
        }, chipsDeadlineMs);
        while (!abort.signal.aborted) {
            try {
                const { suggestions } = await fetchChips(this.fetch, room.roomId, eventId, abort.signal);
                if (!abort.signal.aborted) store.set({ eventId, items: suggestions.slice(0, 3) });
                break;
            } catch (error) {
                if (!(error instanceof ApiError && error.status === 503)) break;
            }
            await new Promise((resolve) => setTimeout(resolve, chipsPauseMs));
        }
        clearTimeout(late);
    }

    /** One has answered. */
    clearChips(roomId: string): void {
        this.chipsAbort?.abort();
        this.chips.of(roomId).update((chips) => ({ ...chips, items: [] }));
        this.endSuggestions(roomId);
    }

    /** Suggestions go with the message that they are for. Who asked for them and has not got them yet is told so. */
    private moveOn(roomId: string, last: MatrixEvent | null): void {
        const asked = this.suggestedFor.get(roomId);
        if (!asked) return;
        const isOver = !last || last.isRedacted() || last.getSender() === this.engine.me;
        const eventId = last?.getId() ?? null;
        if (!isOver && eventId === asked.eventId) return;
        const store = this.suggestions.of(roomId);
        const isMissed = !isOver && !asked.byItself && store.get().state === "asking";
        this.endSuggestions(roomId);
        if (!isMissed) return;
        this.suggestedFor.set(roomId, { eventId, byItself: true });
        store.set({ state: "problem", problem: { kind: "moved_on", errcode: "" } });
    }

    private endSuggestions(roomId: string): void {
        this.suggestedFor.delete(roomId);
        this.streams.end(suggestionsKey(roomId), "given_up");
        this.suggestions.of(roomId).set({ state: "idle" });
    }

    /**
     * By itself only in chats for which the person switched that on, for what came since, and once an event: the server
     * sees to that over all tabs and devices.
     */
    async autoSuggest(room: Room): Promise<void> {
        const sinceMs = this.engine.account.settings.get().auto_suggest_since_ms[room.roomId];
        const last = lastWords(room);
        const id = last?.getId();
        if (sinceMs === undefined || !last || !id || last.getTs() <= sinceMs || last.isRedacted()) return;
        if (last.getSender() === this.engine.me || this.autoAsked.has(id)) return;
        // What was asked for by a tap stands for what would come by itself.
        const asked = this.suggestedFor.get(room.roomId);
        if (asked?.eventId === id && !asked.byItself) return;
        this.autoAsked.add(id);
        await this.suggest(room, true);
    }

    /** The language is the conversation's own: none is asked for. */
    async suggest(room: Room, automatic = false): Promise<void> {
        const store = this.suggestions.of(room.roomId);
        const eventIds = room
            .getLiveTimeline()
            .getEvents()
            .filter((event) => isMessage(event) && event.getType() === "m.room.message" && !event.isRedacted() && bodyOf(event) !== "")
            .slice(-excerptEvents)
            .map((event) => event.getId())
            .filter((id): id is string => !!id);
        this.suggestedFor.set(room.roomId, { eventId: lastWords(room)?.getId() ?? null, byItself: automatic });
        let dropped: Dropped[] = [];
        let place: Place | null = null;
        const items: Suggestion[] = [];
        await this.call(
            suggestionsKey(room.roomId),
            "suggestions",
            { room_id: room.roomId, event_ids: eventIds, ...(automatic ? { automatic } : {}) },
            {
                asking: (waits) => store.set({ state: "asking", items: [], waits }),
                event: (event) => {
                    if (event.event === "prepared") {
                        dropped = event.dropped ?? [];
                        place = placeOf(event);
                    }
                    const label = event.event === "suggestion" ? labelOf({ [labelKey]: event.label }) : null;
                    if (event.event === "suggestion" && label) {
                        items.push({ text: event.text, label });
                        store.set({ state: "asking", items: [...items], waits: false });
                    }
                },
                problem: (problem) => store.set(problem.errcode === alreadyAsked || (automatic && problem.kind === "too_often") ? { state: "idle" } : { state: "problem", problem }),
                done: () => store.set(items.length > 0 ? { state: "ready", items, dropped, place } : { state: "problem", problem: { kind: "nothing", errcode: "" } }),
            },
            automatic,
        );
        void this.loadStatus(room.roomId);
    }

    async translate(room: Room, event: MatrixEvent, language: string): Promise<void> {
        const id = event.getId();
        if (!id) return;
        const key = translationKey(event);
        const store = this.translations.of(key);
        let text = "";
        await this.call(
            translationStream(key),
            "translations",
            { room_id: room.roomId, event_id: id, target_language: language },
            {
                asking: (waits) => store.set({ state: "asking", text, language, waits }),
                event: (news) => {
                    if (news.event !== "delta") return;
                    text += news.text;
                    store.set({ state: "asking", text, language, waits: false });
                },
                problem: (problem) => store.set({ state: "problem", problem, language }),
                done: (label, cut) => store.set({ state: "ready", text, language, label, cut, swapped: false }),
            },
        );
    }

    /** Translates what stands in a chat's composer; the answer is why it could not, or not all of it, if so. */
    async translateDraft(roomId: string, language: string): Promise<Problem | null> {
        const store = this.draftTranslations.of(roomId);
        const draft = this.engine.drafts.of(roomId);
        const before = draft.get();
        let text = "";
        let problem: Problem | null = null;
        const fail = (why: Problem) => {
            problem = why;
            store.set({ state: "idle" });
        };
        await this.call(
            draftKey(roomId),
            "translations",
            { room_id: roomId, text: before.text, target_language: language },
            {
                asking: () => store.set({ state: "asking", text }),
                event: (event) => {
                    if (event.event !== "delta") return;
                    text += event.text;
                    store.set({ state: "asking", text });
                },
                problem: fail,
                done: (label, cut) => {
                    if (!label || text === "") return fail({ kind: "failed", errcode: "IM.LINGXI.NO_LABEL" });
                    store.set({ state: "idle" });
                    // Written on elsewhere, on another device say: what is newer stays.
                    if (draft.get().text !== before.text) return;
                    this.putInstead(roomId, { text, origin: { label, text } }, false);
                    if (cut) problem = { kind: "cut", errcode: "" };
                },
            },
        );
        return problem;
    }

    /** A chip's words come into the composer, in the place of what stands there. */
    takeChip(roomId: string, text: string, label: AiLabel | null): void {
        this.streams.end(draftKey(roomId), "given_up");
        this.draftTranslations.of(roomId).set({ state: "idle" });
        this.putInstead(roomId, { text, origin: label && { label, text } }, true);
    }

    private putInstead(roomId: string, now: Draft, isChip: boolean): void {
        this.replaced.put(roomId, this.engine.drafts.of(roomId).get(), now, isChip);
        this.setDraft(roomId, now);
    }

    /** Puts one's own words back, and with them what was known of them. */
    restoreDraft(roomId: string): void {
        const before = this.replaced.take(roomId);
        if (before) this.setDraft(roomId, before);
    }

    private setDraft(roomId: string, draft: Draft): void {
        this.engine.drafts.set(roomId, draft);
        this.engine.rooms.touch(roomId);
    }

    stopSuggesting(roomId: string): void {
        this.streams.end(suggestionsKey(roomId), "stopped");
    }

    /** By translationKey(). */
    stopTranslation(key: string): void {
        this.streams.end(translationStream(key), "stopped");
    }

    stopDraft(roomId: string): void {
        this.streams.end(draftKey(roomId), "stopped");
    }

    swap(key: string): void {
        this.translations.of(key).update((one) => (one?.state === "ready" ? { ...one, swapped: !one.swapped } : one));
    }

    private async call(key: string, what: "suggestions" | "translations", body: Json, news: CallNews, byItself = false): Promise<void> {
        const turn = this.streams.enter(key, byItself);
        if (!turn) return news.problem({ kind: "too_often", errcode: "IM.LINGXI.TOO_MANY_WAIT" });
        const { signal } = turn;
        let timer: ReturnType<typeof setTimeout> | undefined;
        let isWhole = false;
        try {
            // What comes by itself is not heard of before the server takes it: mostly it was asked before.
            let isTold = !byItself;
            if (isTold) news.asking(false);
            const waits = isTold && (await turn.waits);
            if (waits && !signal.aborted) news.asking(true);
            await turn.begin;
            if (waits && !signal.aborted) news.asking(false);
            timer = setTimeout(() => turn.end("late"), modelDeadlineMs);
            for await (const event of this.events(what, body, signal, byItself)) {
                if (signal.aborted) break;
                if (event.event === "error") throw new ApiError(200, event.errcode, event.error);
                if (!isTold) news.asking(false);
                isTold = true;
                if (event.event === "done") {
                    isWhole = true;
                    news.done(labelOf({ [labelKey]: event.label }), event.cut === true);
                    return;
                }
                news.event(event);
            }
            throw new ApiError(200, "IM.LINGXI.CUT", "the answer broke off");
        } catch (error) {
            if (signal.aborted) return;
            if (errcodeOf(error) === "IM.LINGXI.AI_OFF") void this.loadStatus(null);
            // Who has AI off, or which model is set up: no event tells of it.
            const problem = problemOf(error, this.hasModel);
            if (problem.kind === "consent") {
                const roomId = text(body["room_id"]);
                // What was known of those is no longer so: nobody is to be told that they have agreed.
                if (problem.users.some((userId) => this.inForce.of(roomId).get()?.users.has(userId))) this.inForce.of(roomId).set(null);
                void this.loadStatus(roomId);
            }
            news.problem(problem);
        } finally {
            clearTimeout(timer);
            turn.leave();
            if (!isWhole && signal.reason === "late") news.problem({ kind: "late", errcode: "IM.LINGXI.LATE" });
            if (!isWhole && signal.reason === "stopped") news.problem({ kind: "stopped", errcode: "" });
        }
    }

    /** What streams other tabs and devices have open only the server knows: where there are too many, what was asked for waits. */
    private async *events(what: "suggestions" | "translations", body: Json, signal: AbortSignal, byItself: boolean): AsyncGenerator<AssistEvent> {
        for (let attempt = 1; !signal.aborted; attempt += 1) {
            try {
                return yield* callModel(this.fetch, what, body, signal);
            } catch (error) {
                const isBusy = error instanceof ApiError && error.errcode === "M_LIMIT_EXCEEDED";
                if (!isBusy || byItself || attempt === attempts_limit) throw error;
                await pause(Math.min(error.retryAfterMs ?? usualPauseMs, longestPauseMs), signal);
            }
        }
    }
}

/** A translation is of the words as they stand: of those of an edit there is none yet. */
export const translationKey = (event: MatrixEvent): string => `${event.getId() ?? ""} ${event.replacingEventId() ?? ""}`;

/** The message that an answer would be to. A card that asks for consent is none: what stands before it is still to be answered. */
export function lastWords(room: Room): MatrixEvent | null {
    const events = room.getLiveTimeline().getEvents();
    return events.findLast((event) => isMessage(event) && event.getType() !== consentRequestType) ?? null;
}
