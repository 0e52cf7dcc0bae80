import { ArrowDown } from "lucide-react";
import { EventType, RoomMemberEvent, type MatrixEvent, type Room } from "matrix-js-sdk";
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent, type RefObject } from "react";
import { useAssistant } from "@/features/assistant/context";
import { AssistLine } from "@/features/assistant/parts/AssistLine";
import { AttachDialog } from "@/features/chat/AttachDialog";
import { Composer, type ComposerHandle, type Mode } from "@/features/chat/Composer";
import { carry, labelSelected } from "@/features/chat/engine/aiClipboard";
import { isMessage } from "@/features/chat/engine/content";
import { useEngine, useName, useRoomState, useRoomSummary } from "@/features/chat/engine/context";
import type { TimelineRow } from "@/features/chat/engine/timeline";
import { useTimeline, type Timeline } from "@/features/chat/engine/useTimeline";
import { ForwardDialog } from "@/features/chat/ForwardDialog";
import { ConversationBar } from "@/features/chat/parts/ConversationBar";
import { RowView, type RowActions } from "@/features/chat/parts/Rows";
import { useI18n } from "@/i18n";
import { errorWords } from "@/lib/errors";
import { useLate } from "@/lib/hooks";
import { Confirm, EmptyState, SkeletonRows } from "@/ui/parts";
import { toast } from "@/ui/toast";
import { VirtualList, type VirtualListHandle } from "@/ui/VirtualList";

function useTypers(room: Room): string[] {
    const { client, me } = useEngine();
    const [typers, setTypers] = useState<string[]>([]);
    useEffect(() => {
        const read = () => {
            const now = room.getJoinedMembers().filter((member) => member.typing && member.userId !== me);
            setTypers((last) => (last.length === 0 && now.length === 0 ? last : now.map((member) => member.userId)));
        };
        read();
        client.on(RoomMemberEvent.Typing, read);
        return () => void client.off(RoomMemberEvent.Typing, read);
    }, [client, room, me]);
    return typers;
}

/** AI's words that are copied out of a chat by hand take their label along. */
function useCopiedLabels(): RefObject<HTMLDivElement | null> {
    const root = useRef<HTMLDivElement>(null);
    useEffect(() => {
        const onCopy = (event: ClipboardEvent) => {
            const selection = getSelection();
            const field = event.target instanceof Element && event.target.closest("input, textarea");
            const label = field || !root.current ? null : labelSelected(root.current, selection);
            if (!label || !event.clipboardData) return;
            event.preventDefault();
            event.clipboardData.setData("text/plain", String(selection));
            carry(event.clipboardData, label);
        };
        document.addEventListener("copy", onCopy);
        return () => document.removeEventListener("copy", onCopy);
    }, []);
    return root;
}

const rowGuess_px = 64;
const unreadLineBelow_px = 48;
const keyOfRow = (row: TimelineRow): string => row.key;

interface Props {
    room: Room;
    jumpTo: string | null;
    panelOpen: boolean;
    onPanel(): void;
}

export function Conversation({ room, jumpTo, panelOpen, onPanel }: Props) {
    const engine = useEngine();
    const assistant = useAssistant();
    const i18n = useI18n();
    const { t } = i18n;
    const name = useName(room);
    const summary = useRoomSummary(room.roomId);
    const timeline = useTimeline(room);
    const typers = useTypers(room);
    useRoomState(room);
    const timelineElement = useCopiedLabels();
    const list = useRef<VirtualListHandle>(null);
    const composer = useRef<ComposerHandle>(null);
    const [mode, setMode] = useState<Mode>({ kind: "write" });
    const [forwarding, setForwarding] = useState<MatrixEvent | null>(null);
    const [redacting, setRedacting] = useState<MatrixEvent | null>(null);
    const [files, setFiles] = useState<File[] | null>(null);
    const [dragging, setDragging] = useState(false);
    const [atBottom, setAtBottom] = useState(true);
    const [below, setBelow] = useState(0);
    const atBottomRef = useRef(false);
    const { rows } = timeline;
    const rowsRef = useRef(rows);
    rowsRef.current = rows;
    const direct = summary?.directUserId != null;

    const lastRow = rows.at(-1);
    const lastMessageRow = rows.findLast((row) => row.kind === "message");
    const lastMessageId = lastMessageRow?.kind === "message" ? (lastMessageRow.event.getId() ?? null) : null;

    // Reading: what stands at the foot of an open chat in a visible window has been read.
    useEffect(() => {
        const mark = () => {
            if (!timeline.ready || !atBottomRef.current || document.hidden || !document.hasFocus()) return;
            const events = room.getLiveTimeline().getEvents();
            const last = events.at(-1);
            const id = last?.getId();
            if (!last || !id || room.hasUserReadEvent(engine.me, id)) {
                if (room.getUnreadNotificationCount() === 0) return;
            }
            if (!last || !id || last.status) return;
            engine.client.setRoomReadMarkers(room.roomId, id, last).catch(() => undefined); // sent again with the next message
        };
        mark();
        window.addEventListener("focus", mark);
        document.addEventListener("visibilitychange", mark);
        return () => {
            window.removeEventListener("focus", mark);
            document.removeEventListener("visibilitychange", mark);
        };
    }, [room, engine, lastMessageId, atBottom, timeline.ready]);

    // What there is below when one starts to read further up.
    useEffect(() => {
        if (!timeline.ready || timeline.opensAtIndex < 0 || atBottomRef.current) return;
        setBelow(rowsRef.current.slice(timeline.opensAtIndex).filter((row) => row.kind === "message" && !row.own).length);
        // Only how it opens matters.
        // eslint-disable-next-line react-hooks/exhaustive-deps
    }, [timeline.ready, timeline.opensAtId]);

    // What came while one reads further up.
    const counted = useRef(lastRow?.key);
    useEffect(() => {
        if (counted.current === lastRow?.key) return;
        counted.current = lastRow?.key;
        if (!atBottomRef.current && lastRow?.kind === "message" && !lastRow.own) setBelow((count) => count + 1);
    }, [lastRow]);

    const toBottom = useCallback(() => list.current?.toEnd(), []);
    const onSent = () => {
        assistant.clearChips(room.roomId);
        toBottom();
    };

    /** A message that is loaded and to be gone to as soon as it has its row. */
    const [sought, setSought] = useState<{ eventId: string } | null>(null);
    const jump = useCallback(
        async (eventId: string) => {
            const events = () => room.getLiveTimeline().getEvents();
            const isHere = () => events().some((event) => event.getId() === eventId && isMessage(event));
            for (let page = 0; page < 10 && !isHere(); page += 1) {
                const before = events().length;
                try {
                    await engine.client.scrollback(room, 60);
                } catch {
                    break;
                }
                if (events().length === before) break;
            }
            if (isHere()) setSought({ eventId });
            else toast(t("chat.reply_missing"));
        },
        [engine, room, t],
    );
    useEffect(() => {
        const index = sought ? rows.findIndex((row) => row.kind === "message" && row.event.getId() === sought.eventId) : -1;
        if (index < 0) return;
        setSought(null);
        list.current?.toIndex(index, "center", (row) => {
            const element = row.querySelector<HTMLElement>("[data-message]");
            // After what closes over the chat at this moment has given the focus back.
            setTimeout(() => {
                element?.focus({ preventScroll: true });
                element?.classList.add("found");
                setTimeout(() => element?.classList.remove("found"), 1600);
            }, 120);
        });
    }, [sought, rows]);
    useEffect(() => {
        if (jumpTo && timeline.ready) void jump(jumpTo);
    }, [jumpTo, timeline.ready, jump]);

    const canSend = room.maySendMessage();
    const canReact = room.currentState.maySendEvent(EventType.Reaction, engine.me);
    const mayRedactOthers = room.currentState.hasSufficientPowerLevelFor("redact", room.getMember(engine.me)?.powerLevel ?? 0);
    const actions = useMemo<RowActions>(
        () => ({
            reply: (event) => setMode({ kind: "reply", event }),
            edit: (event) => setMode({ kind: "edit", event }),
            forward: setForwarding,
            redact: setRedacting,
            react: (event, key, mine) => {
                const id = event.getId();
                if (!id) return;
                if (mine && engine.outbox.has(mine)) engine.outbox.withdraw(mine);
                else if (mine) engine.client.redactEvent(room.roomId, mine).catch((error: unknown) => toast(errorWords(error, i18n)));
                else engine.send(room.roomId, { "m.relates_to": { rel_type: "m.annotation", event_id: id, key } }, null, EventType.Reaction);
            },
            jump: (eventId) => void jump(eventId),
        }),
        [engine, room, i18n, jump],
    );

    /** The last message of mine, to be changed; one that is still on its way, as soon as it is there. */
    const editsWhenSent = useRef<string | null>(null);
    const editLast = () => {
        const own = rowsRef.current.findLast((row) => (row.kind === "message" ? row.own && !row.redacted && row.event.getContent()["msgtype"] === "m.text" : row.kind === "outgoing" && row.item.content["msgtype"] === "m.text"));
        if (own?.kind === "message") setMode({ kind: "edit", event: own.event });
        editsWhenSent.current = own?.kind === "outgoing" ? own.key : null;
    };
    useEffect(() => {
        const wanted = editsWhenSent.current;
        const row = wanted === null ? undefined : rows.findLast((one) => one.kind === "message" && one.key === wanted);
        if (row?.kind !== "message") return;
        editsWhenSent.current = null;
        if (engine.drafts.of(room.roomId).get().text === "") setMode((last) => (last.kind === "write" ? { kind: "edit", event: row.event } : last));
    }, [rows, engine, room]);

    const onKeyDown = (event: KeyboardEvent) => {
        if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
        const element = event.target as HTMLElement;
        const all = [...(list.current?.element?.querySelectorAll<HTMLElement>("[data-message]") ?? [])];
        if (element === list.current?.element && event.key === "ArrowUp") {
            event.preventDefault();
            all.at(-1)?.focus();
            return;
        }
        const message = element.closest<HTMLElement>("[data-message]");
        if (!message) return; // a menu, which has arrows of its own
        event.preventDefault();
        const next = all[all.indexOf(message) + (event.key === "ArrowUp" ? -1 : 1)];
        if (next) next.focus();
        else if (event.key === "ArrowDown") composer.current?.focus();
    };

    const subtitle = typers.length === 1 ? t("chat.typing_one", name(typers[0] ?? "")) : typers.length > 1 ? t("chat.typing_many", typers.length) : direct ? "" : t("room.member_count", room.getJoinedMemberCount());
    const title = summary?.name ?? room.name;
    const opensAt = timeline.opensAtIndex >= 0 ? { index: timeline.opensAtIndex, below_px: unreadLineBelow_px } : ("end" as const);

    return (
        <section
            className="conversation"
            aria-label={title}
            onDragOver={(event) => {
                if (!canSend || !event.dataTransfer.types.includes("Files")) return;
                event.preventDefault();
                setDragging(true);
            }}
            onDragLeave={(event) => !event.currentTarget.contains(event.relatedTarget as Node | null) && setDragging(false)}
            onDrop={(event) => {
                setDragging(false);
                const dropped = [...event.dataTransfer.files];
                if (!canSend || dropped.length === 0) return;
                event.preventDefault();
                setFiles(dropped);
            }}
        >
            <ConversationBar id={summary?.colourId ?? room.roomId} title={title} avatarMxc={summary?.avatarMxc} subtitle={subtitle} panel={{ open: panelOpen, toggle: onPanel }} />

            <div
                ref={timelineElement}
                className="timeline"
                onKeyDown={onKeyDown}
                onDragStart={(event) => {
                    const label = labelSelected(event.currentTarget, getSelection());
                    if (label) carry(event.dataTransfer, label);
                }}
            >
                {!timeline.ready ? (
                    <SkeletonRows count={5} />
                ) : rows.length === 0 ? (
                    <NothingHere key={timeline.retries} older={timeline.older} retry={timeline.retryOlder} />
                ) : (
                    <VirtualList
                        key={`${room.roomId} ${timeline.resets}`}
                        ref={list}
                        anchored
                        label={t("chat.messages_label")}
                        items={rows}
                        keyOf={keyOfRow}
                        estimate_px={rowGuess_px}
                        open={opensAt}
                        header={<TimelineHead older={timeline.older} retry={timeline.retryOlder} />}
                        footer={<div className="timeline-foot" />}
                        onNearStart={timeline.loadOlder}
                        onAtEnd={(end) => {
                            atBottomRef.current = end;
                            setAtBottom(end);
                            if (end) setBelow(0);
                        }}
                    >
                        {(row) => (
                            <RowView
                                room={room}
                                row={row}
                                direct={direct}
                                actions={actions}
                                pendingEdit={row.kind === "message" ? (timeline.pendingEdits.get(row.event.getId() ?? "") ?? null) : null}
                                canRedact={row.kind === "message" && (row.own || mayRedactOthers)}
                                canReact={canReact && canSend}
                            />
                        )}
                    </VirtualList>
                )}
                {(!atBottom || below > 0) && timeline.ready && rows.length > 0 && (
                    <button type="button" className="to-bottom" onClick={toBottom} aria-label={below > 0 ? t("chat.new_below", below) : t("chat.to_bottom")}>
                        {below > 0 && <span>{t("chat.new_below", below)}</span>}
                        <ArrowDown size={20} />
                    </button>
                )}
            </div>

            {canSend ? (
                <>
                    <AssistLine room={room} editing={mode.kind === "edit"} onTake={(text, label) => composer.current?.take(text, label)} />
                    <Composer
                        room={room}
                        mode={mode}
                        ref={composer}
                        onMode={setMode}
                        onFiles={setFiles}
                        onEditLast={editLast}
                        onSent={onSent}
                    />
                </>
            ) : (
                <p className="read-only">{t("chat.not_allowed")}</p>
            )}

            {dragging && <div className="drop-zone">{t("chat.drop")}</div>}
            {files && <AttachDialog room={room} files={files} onClose={() => setFiles(null)} onSent={onSent} />}
            {forwarding && <ForwardDialog event={forwarding} onClose={() => setForwarding(null)} />}
            {redacting && (
                <Confirm
                    text={t("chat.redact_ask")}
                    yes={t(redacting.getSender() === engine.me ? "chat.redact" : "chat.remove")}
                    danger
                    onYes={() => engine.client.redactEvent(room.roomId, redacting.getId() ?? "")}
                    onClose={() => setRedacting(null)}
                />
            )}
        </section>
    );
}

const silence_ms = 3_000;

/** A timeline without a row: there is none, or it is still to come. */
function NothingHere({ older, retry }: { older: Timeline["older"]; retry(): void }) {
    const { t } = useI18n();
    const silent = useLate(older === "idle" || older === "loading", silence_ms);
    const action = (
        <button type="button" className="button" onClick={retry}>
            {t("common.retry")}
        </button>
    );
    if (older === "end") return <EmptyState title={t("chat.no_messages")} />;
    if (older === "failed") return <EmptyState title={t("chat.load_failed")} action={action} />;
    return silent ? <EmptyState title={t("chat.waiting")} hint={t("chat.waiting_hint")} action={action} /> : <SkeletonRows count={5} />;
}

/** Of one height in every state, so that what is below does not move. */
function TimelineHead({ older, retry }: { older: Timeline["older"]; retry(): void }) {
    const { t } = useI18n();
    return (
        <div className="timeline-head small quiet" role={older === "loading" ? "status" : undefined}>
            {older === "loading" && t("chat.loading_older")}
            {older === "end" && t("chat.start")}
            {older === "failed" && (
                <>
                    {t("chat.load_older_failed")}{" "}
                    <button type="button" className="inline-button" onClick={retry}>
                        {t("common.retry")}
                    </button>
                </>
            )}
        </div>
    );
}
