import { ClientEvent, Direction, MatrixEventEvent, RoomEvent, RoomMemberEvent, RoomStateEvent, type Room } from "matrix-js-sdk";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { isMessage } from "@/features/chat/engine/content";
import { useEngine, useName, useOutbox } from "@/features/chat/engine/context";
import { editedBy, type OutboxItem } from "@/features/chat/engine/outbox";
import { buildTimeline, firstUnread, lastRead, openingAt, type TimelineRow } from "@/features/chat/engine/timeline";
import { useI18n } from "@/i18n";
import { useStore } from "@/lib/store";

const page_events = 40;
const unreadPages = 5;
/** So long what is here waits for another page on the way to where reading ended; then it is shown. */
const placeLimit_ms = 500;

/** Renders again, at most once a frame, when anything that a timeline shows has changed. */
function useRoomVersion(room: Room): { version: number; resets: number } {
    const [state, setState] = useState({ version: 0, resets: 0 });
    useEffect(() => {
        let frame: ReturnType<typeof setTimeout> | null = null;
        const changed = () => {
            frame ??= setTimeout(() => {
                frame = null;
                setState((last) => ({ ...last, version: last.version + 1 }));
            }, 8);
        };
        const reset = () => setState((last) => ({ version: last.version + 1, resets: last.resets + 1 }));
        const client = room.client;
        const ofRoom = (event: { getRoomId(): string | undefined }) => event.getRoomId() === room.roomId && changed();
        room.on(RoomEvent.Timeline, changed);
        room.on(RoomEvent.TimelineReset, reset);
        room.on(RoomEvent.Receipt, changed);
        room.on(RoomEvent.Redaction, changed);
        room.on(RoomStateEvent.Update, changed);
        client.on(MatrixEventEvent.Replaced, ofRoom);
        client.on(MatrixEventEvent.RelationsCreated as never, ofRoom as never);
        client.on(RoomMemberEvent.Name, changed);
        client.on(ClientEvent.AccountData, changed);
        return () => {
            if (frame) clearTimeout(frame);
            room.off(RoomEvent.Timeline, changed);
            room.off(RoomEvent.TimelineReset, reset);
            room.off(RoomEvent.Receipt, changed);
            room.off(RoomEvent.Redaction, changed);
            room.off(RoomStateEvent.Update, changed);
            client.off(MatrixEventEvent.Replaced, ofRoom);
            client.off(MatrixEventEvent.RelationsCreated as never, ofRoom as never);
            client.off(RoomMemberEvent.Name, changed);
            client.off(ClientEvent.AccountData, changed);
        };
    }, [room]);
    return state;
}

export interface Timeline {
    rows: TimelineRow[];
    /** The row to begin with (or -1) and its event: where reading ended, or until that is known the first row that was not read. */
    opensAtIndex: number;
    opensAtId: string | null;
    ready: boolean;
    resets: number;
    older: "idle" | "loading" | "failed" | "end";
    loadOlder(): void;
    /** Asks anew, also where the last request is not answered yet. */
    retryOlder(): void;
    retries: number;
    pendingEdits: ReadonlyMap<string, OutboxItem>;
}

export function useTimeline(room: Room): Timeline {
    const engine = useEngine();
    const i18n = useI18n();
    const name = useName(room);
    const outbox = useOutbox();
    const { version, resets } = useRoomVersion(room);
    const [opened, setOpened] = useState<{ atId: string | null; unreadFromId: string | null } | null>(null);
    const [older, setOlder] = useState<Timeline["older"]>("idle");
    const [retries, setRetries] = useState(0);
    const busy = useRef(false);

    const scrollback = useCallback(async () => {
        const before = room.getLiveTimeline().getEvents().length;
        await engine.client.scrollback(room, page_events);
        return room.getLiveTimeline().getEvents().length > before;
    }, [engine, room]);
    const atStart = useCallback(() => room.getLiveTimeline().getPaginationToken(Direction.Backward) === null, [room]);

    // Where reading ended may lie further back than what is loaded.
    useEffect(() => {
        let gone = false;
        let shown = false;
        // What is read while it is looked for does not move it.
        const read = lastRead(room, engine.me);
        const place = () => firstUnread(room, engine.me, read);
        const show = (found: boolean) => {
            if (gone || (shown && !found)) return;
            shown = true;
            setOpened(openingAt(place()));
        };
        let late: ReturnType<typeof setTimeout> | undefined;
        const wait = () => {
            clearTimeout(late);
            late = setTimeout(() => show(false), placeLimit_ms);
        };
        const open = async () => {
            const unread = room.getUnreadNotificationCount();
            wait();
            try {
                for (let page = 0; page < unreadPages && !place().markerLoaded && unread > 0 && !atStart(); page += 1) {
                    await scrollback();
                    wait();
                }
                // Nothing but reactions and the like: a page further there are words.
                if (!room.getLiveTimeline().getEvents().some(isMessage) && !atStart()) await scrollback();
            } catch {
                if (!gone && !busy.current) setOlder("failed"); // from what is here
            }
            clearTimeout(late);
            show(true);
        };
        void open();
        return () => {
            gone = true;
            clearTimeout(late);
        };
    }, [room, engine, scrollback, atStart]);

    const asksAgain = useRef(false);
    const loadOlder = useCallback(() => {
        if (busy.current) return;
        if (atStart()) {
            setOlder("end");
            return;
        }
        const ask = (): Promise<void> => {
            asksAgain.current = false;
            return scrollback().then(
                () => setOlder(atStart() ? "end" : "idle"),
                () => (asksAgain.current ? ask() : setOlder("failed")),
            );
        };
        busy.current = true;
        setOlder("loading");
        void ask().finally(() => {
            busy.current = false;
        });
    }, [scrollback, atStart]);
    const retryOlder = useCallback(() => {
        asksAgain.current = true;
        engine.pages.giveUp();
        setRetries((last) => last + 1);
        loadOlder();
    }, [engine, loadOlder]);

    const connection = useStore(engine.connection);
    const failed = useRef(false);
    failed.current = older === "failed";
    useEffect(() => {
        if (connection === "online" && failed.current) loadOlder();
    }, [connection, loadOlder]);

    const outgoing = useMemo(() => outbox.filter((item) => item.roomId === room.roomId), [outbox, room]);
    const rows = useMemo(() => {
        void version;
        return buildTimeline({ room, me: engine.me, name, i18n, outgoing, unreadFromId: opened?.unreadFromId ?? null });
    }, [room, engine, name, i18n, outgoing, opened, version]);

    // An empty timeline has no edge that one could come near to.
    const isBare = opened !== null && rows.length === 0 && older === "idle";
    useEffect(() => {
        if (isBare) loadOlder();
    }, [isBare, loadOlder]);

    const pendingEdits = useMemo(() => {
        const edits = new Map<string, OutboxItem>();
        for (const item of outgoing) {
            const changed = editedBy(item.content);
            if (changed !== null) edits.set(changed, item);
        }
        return edits;
    }, [outgoing]);

    const opensAtId = opened?.atId ?? null;
    const opensAtIndex = rows.findIndex((row) => row.kind !== "outgoing" && row.event.getId() === opensAtId);
    return { rows, opensAtIndex, opensAtId, ready: opened !== null, resets, older: atStart() && older !== "loading" ? "end" : older, loadOlder, retryOlder, retries, pendingEdits };
}
