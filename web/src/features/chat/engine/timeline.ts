import { EventType, MatrixEvent, RelationType, type Room } from "matrix-js-sdk";
import { consentType, isMessage, relationOf } from "@/features/chat/engine/content";
import { editedBy, type OutboxItem } from "@/features/chat/engine/outbox";
import { systemLine } from "@/features/chat/engine/systemLine";
import type { I18n } from "@/i18n";

export interface Reaction {
    key: string;
    count: number;
    /** The event by which I reacted so, if I did; until the server has it, its transaction. */
    mine: string | null;
    pending: boolean;
    names: string[];
}

interface Row {
    key: string;
    atMs: number;
    /** The day, where this row is the first of it. */
    day: string | null;
    /** Where reading ended last time. */
    unreadFrom: boolean;
}

export interface MessageRow extends Row {
    kind: "message";
    event: MatrixEvent;
    sender: string;
    own: boolean;
    /** First and last of a run of one person's messages. */
    first: boolean;
    last: boolean;
    reactions: Reaction[];
    readBy: string[];
    edited: boolean;
    redacted: boolean;
    /** Changes whenever what is shown of the event does. */
    version: string;
}
export interface SystemRow extends Row {
    kind: "system";
    event: MatrixEvent;
    line: string;
    /** My last agreement: while it is in force, it can be taken back here. */
    takeBack: boolean;
}
export interface OutgoingRow extends Row {
    kind: "outgoing";
    item: OutboxItem;
    first: boolean;
    last: boolean;
}
export type TimelineRow = MessageRow | SystemRow | OutgoingRow;

const runMs = 5 * 60_000;

/** Reactions of mine that are on their way, by the event that they are to. */
function outgoingReactions(outgoing: readonly OutboxItem[]): Map<string, OutboxItem[]> {
    const byTarget = new Map<string, OutboxItem[]>();
    for (const item of outgoing) {
        const target = item.type === "m.reaction" && item.state !== "failed" && !item.withdrawn ? relationOfItem(item)?.event_id : undefined;
        if (target) byTarget.set(target, [...(byTarget.get(target) ?? []), item]);
    }
    return byTarget;
}

function reactionsOf(room: Room, event: MatrixEvent, me: string, name: (userId: string) => string, pending: readonly OutboxItem[], withdrawn: ReadonlySet<string>): Reaction[] {
    const id = event.getId();
    if (!id) return [];
    const relations = room.relations.getChildEventsForEvent(id, RelationType.Annotation, EventType.Reaction);
    if (!relations && pending.length === 0) return [];
    const byKey = new Map<string, { senders: Map<string, string> }>();
    const add = (key: string, sender: string, by: string) => {
        const entry = byKey.get(key) ?? { senders: new Map<string, string>() };
        entry.senders.set(sender, by);
        byKey.set(key, entry);
    };
    for (const item of pending) add(relationOfItem(item)?.key ?? "", me, item.eventId ?? item.txnId);
    for (const reaction of relations?.getRelations() ?? []) {
        const key = relationOf(reaction)?.key;
        const sender = reaction.getSender();
        if (!key || !sender || reaction.isRedacted() || withdrawn.has(reaction.getUnsigned().transaction_id ?? "")) continue;
        add(key, sender, reaction.getId() ?? "");
    }
    return [...byKey].map(([key, { senders }]) => ({
        key: [...key].slice(0, 12).join(""),
        count: senders.size,
        mine: senders.get(me) ?? null,
        pending: pending.some((item) => item.eventId === null && item.txnId === senders.get(me)),
        names: [...senders.keys()].map(name),
    }));
}

const nobody: string[] = [];

/** Own messages that others have read: for each reader the newest message, from where all before count. */
function readersByIndex(room: Room, events: MatrixEvent[], me: string): (string[] | undefined)[] {
    const readers: (string[] | undefined)[] = new Array<string[] | undefined>(events.length);
    const running = new Set<string>();
    let list = nobody;
    const add = (userId: string) => {
        if (running.has(userId)) return;
        running.add(userId);
        list = [...running];
    };
    for (let index = events.length - 1; index >= 0; index -= 1) {
        const event = events[index];
        if (!event) continue;
        for (const receipt of room.getReceiptsForEvent(event)) if (receipt.userId !== me) add(receipt.userId);
        // Who wrote something has read what is above it.
        const sender = event.getSender();
        if (sender === me) readers[index] = list;
        else if (sender) add(sender);
    }
    return readers;
}

export interface TimelineInput {
    room: Room;
    me: string;
    name(userId: string): string;
    i18n: I18n;
    outgoing: readonly OutboxItem[];
    /** The first message that was unread when the chat was opened. */
    unreadFromId: string | null;
}

/** The rows of a chat, oldest first. */
export function buildTimeline({ room, me, name, i18n, outgoing, unreadFromId }: TimelineInput): TimelineRow[] {
    const events = room.getLiveTimeline().getEvents();
    const readers = readersByIndex(room, events, me);
    const consentNow = room.currentState.getStateEvents(consentType, me)?.getId() ?? null;
    const rows: TimelineRow[] = [];
    const seenTxns = new Set<string>();
    const seenEvents = new Set<string>();
    const pendingReactions = outgoingReactions(outgoing);
    const withdrawn = new Set(outgoing.filter((item) => item.withdrawn).map((item) => item.txnId));

    events.forEach((event, index) => {
        const id = event.getId();
        if (!id) return;
        seenEvents.add(id);
        const txn = event.getUnsigned().transaction_id;
        if (txn) seenTxns.add(txn);
        const base = { key: txn ?? id, atMs: event.getTs(), day: null, unreadFrom: id === unreadFromId };
        if (isMessage(event)) {
            const redacted = event.isRedacted();
            const reactions = redacted ? [] : reactionsOf(room, event, me, name, pendingReactions.get(id) ?? [], withdrawn);
            const replacement = event.replacingEventId();
            const own = event.getSender() === me;
            rows.push({
                ...base,
                kind: "message",
                event,
                sender: event.getSender() ?? "",
                own,
                first: true,
                last: true,
                reactions,
                readBy: (own && readers[index]) || nobody,
                edited: !!replacement,
                redacted,
                version: `${replacement ?? ""}|${redacted}|${reactions.map((one) => `${one.key}${one.count}${one.mine ?? ""}`).join(",")}|${own ? (readers[index]?.length ?? 0) : ""}`,
            });
            return;
        }
        if (!event.isState() || (isStarterJoining(event, events[index - 1]) && id !== unreadFromId)) return;
        const line = systemLine(event, me, name, i18n);
        if (line !== null)
            rows.push({
                ...base,
                kind: "system",
                event,
                line,
                takeBack: event.getType() === consentType && id === consentNow && event.getContent()["agreed"] === true,
            });
    });

    const shown = new Set(rows.map((row) => (row.kind === "message" && !row.redacted ? row.event.getId() : undefined)));
    for (const item of outgoing) {
        if (item.type !== "m.room.message" && item.type !== "im.lingxi.consent.request") continue;
        // A change shows in the message itself; one that failed is seen also where that is not here.
        const changed = editedBy(item.content);
        if (changed !== null && (item.state !== "failed" || shown.has(changed))) continue;
        if (seenTxns.has(item.txnId) || (item.eventId && seenEvents.has(item.eventId))) continue;
        rows.push({ kind: "outgoing", key: item.txnId, atMs: item.createdAtMs, day: null, unreadFrom: false, item, first: true, last: true });
    }
    joinRuns(rows, me, i18n);
    return rows;
}

/** Whoever starts a chat is its first member: the line that says who started it says both. */
export function isStarterJoining(event: MatrixEvent, before: MatrixEvent | undefined): boolean {
    return event.getType() === "m.room.member" && event.getContent()["membership"] === "join" && before?.getType() === "m.room.create" && before.getSender() === event.getStateKey();
}

function relationOfItem(item: OutboxItem): { rel_type?: string; event_id?: string; key?: string } | undefined {
    return item.content["m.relates_to"] as { rel_type?: string; event_id?: string; key?: string } | undefined;
}

/** Days get their dividers, and neighbours of one person within five minutes become a run. */
function joinRuns(rows: TimelineRow[], me: string, i18n: I18n): void {
    let day = "";
    let before: TimelineRow | null = null;
    for (const row of rows) {
        const rowDay = i18n.formats.dayKey(row.atMs);
        if (rowDay !== day) row.day = rowDay;
        day = rowDay;
        if (before && row.kind !== "system" && before.kind !== "system" && row.day === null && !row.unreadFrom) {
            const sender = row.kind === "message" ? row.sender : me;
            const lastSender = before.kind === "message" ? before.sender : me;
            const gone = (row.kind === "message" && row.redacted) || (before.kind === "message" && before.redacted);
            if (sender === lastSender && row.atMs - before.atMs < runMs && !gone) {
                row.first = false;
                before.last = false;
            }
        }
        before = row;
    }
}

/** What I have read last, as my receipt and my marker say it now. */
export function lastRead(room: Room, me: string): string[] {
    return [room.getEventReadUpTo(me), text(room.getAccountData(EventType.FullyRead)?.getContent()["event_id"])].filter((id): id is string => !!id);
}

/** Where a chat is opened. The line for new messages stands only where reading is known to have ended. */
export function openingAt({ eventId, markerLoaded }: ReturnType<typeof firstUnread>): { atId: string | null; unreadFromId: string | null } {
    return { atId: eventId, unreadFromId: markerLoaded ? eventId : null };
}

/** The first message of others after what I have read, as far as it is loaded. */
export function firstUnread(room: Room, me: string, read: readonly string[]): { eventId: string | null; markerLoaded: boolean } {
    const events = room.getLiveTimeline().getEvents();
    const index = events.findLastIndex((event) => read.includes(event.getId() ?? ""));
    const markerLoaded = index >= 0;
    if (!markerLoaded && read.length === 0) return { eventId: null, markerLoaded: true }; // never read: a new chat, from its end
    const next = events.slice(index + 1).find((event) => isMessage(event) && event.getSender() !== me && !event.isRedacted());
    return { eventId: next?.getId() ?? null, markerLoaded };
}

function text(value: unknown): string {
    return typeof value === "string" ? value : "";
}
