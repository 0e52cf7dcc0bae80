import * as Menu from "@radix-ui/react-dropdown-menu";
import { BellOff, CheckCheck, CircleAlert, LogOut, MessageCircle, MoreHorizontal, Pin, PinOff, Plus } from "lucide-react";
import { memo, useRef, useState, type KeyboardEvent } from "react";
import { AiTag } from "@/features/assistant/parts/AiMark";
import { useConnecting, useEngine, useShownChats } from "@/features/chat/engine/context";
import type { Engine } from "@/features/chat/engine/engine";
import type { RoomSummary } from "@/features/chat/engine/roomList";
import { RemoteAvatar } from "@/features/chat/parts/RemoteAvatar";
import { useI18n, type I18n } from "@/i18n";
import { errorWords } from "@/lib/errors";
import { useNow } from "@/lib/hooks";
import { formatRoute, navigate } from "@/lib/router";
import { useStore } from "@/lib/store";
import { Confirm, EmptyState, ErrorNotice, IconButton, SearchField, SkeletonRows } from "@/ui/parts";
import { toast } from "@/ui/toast";
import { VirtualList } from "@/ui/VirtualList";

export async function setPinned(engine: Engine, roomId: string, pinned: boolean): Promise<void> {
    if (pinned) await engine.client.setRoomTag(roomId, "m.favourite", { order: 0.5 });
    else await engine.client.deleteRoomTag(roomId, "m.favourite");
}

export async function setMuted(engine: Engine, roomId: string, muted: boolean): Promise<void> {
    await engine.client.setRoomMutePushRule("global", roomId, muted);
    engine.rooms.touch(roomId);
}

/** What icons and badges say, for who cannot see them. */
function markWords(room: RoomSummary, { t }: I18n): string {
    return [
        room.unread > 0 && !room.muted ? t("chats.unread", room.unread) : room.hasUnread && t("chats.has_unread"),
        room.pinned && t("chats.pinned"),
        room.muted && t("chats.muted"),
    ]
        .filter(Boolean)
        .join(", ");
}

const Row = memo(function Row({ room, live, active, now, onLeave }: { room: RoomSummary; live: boolean; active: boolean; now: number; onLeave(room: RoomSummary): void }) {
    const engine = useEngine();
    const i18n = useI18n();
    const { t, formats } = i18n;
    const [menu, setMenu] = useState(false);
    const run = (action: Promise<unknown>) => void action.catch((error: unknown) => toast(errorWords(error, i18n)));
    const when = room.lastAtMs > 0 ? formats.short(room.lastAtMs, now, t("chats.yesterday")) : "";
    const markRead = async () => {
        const last = engine.client.getRoom(room.roomId)?.getLiveTimeline().getEvents().at(-1);
        if (last?.getId()) await engine.client.setRoomReadMarkers(room.roomId, last.getId() ?? "", last);
    };
    if (room.invite)
        return (
            <div className="chat-row invite">
                <RemoteAvatar id={room.colourId} name={room.name} mxc={room.avatarMxc} size={48} />
                <div className="grow">
                    <div className="chat-name nowrap">{room.name}</div>
                    <div className="chat-last nowrap">{t("chats.invited_by", room.invite.inviter)}</div>
                    <div className="row" style={{ marginTop: 4 }}>
                        <button type="button" className="button primary" disabled={!live} onClick={() => run(engine.acceptInvite(room.roomId).then(() => navigate({ page: "chat", roomId: room.roomId, eventId: null })))}>
                            {t("chats.accept")}
                        </button>
                        <button type="button" className="button" disabled={!live} onClick={() => run(engine.client.leave(room.roomId))}>
                            {t("chats.decline")}
                        </button>
                    </div>
                </div>
            </div>
        );
    return (
        <div className={`chat-row ${active ? "active" : ""} ${room.pinned ? "pinned" : ""}`}>
            <a
                className="chat-link"
                href={formatRoute({ page: "chat", roomId: room.roomId, eventId: null })}
                aria-current={active ? "true" : undefined}
                data-chat={room.roomId}
                onContextMenu={(event) => {
                    event.preventDefault();
                    if (live) setMenu(true);
                }}
            >
                <span className="chat-avatar">
                    <RemoteAvatar id={room.colourId} name={room.name} mxc={room.avatarMxc} size={48} />
                    {room.hasUnread && (room.muted ? (
                            <span className="badge dot" />
                        ) : (
                            room.unread > 0 && (
                                <span className="badge" aria-hidden="true">
                                    {room.unread > 99 ? "99+" : room.unread}
                                </span>
                            )
                        ))}
                </span>
                <span className="grow">
                    <span className="chat-top">
                        <span className="chat-name nowrap grow">{room.name}</span>
                        <span className="chat-when">{when}</span>
                    </span>
                    <span className="chat-top">
                        <span className="chat-last nowrap grow">
                            {room.failed && <CircleAlert className="chat-failed" size={14} aria-hidden="true" />}
                            {room.draft ? (
                                <>
                                    <span className="chat-draft">{t("chats.draft")}</span> {room.draftIsAi && <AiTag />} {room.draft}
                                </>
                            ) : (
                                <>
                                    {room.lastSender && t("common.of", room.lastSender)}
                                    {room.lastIsAi && (
                                        <>
                                            <AiTag />{" "}
                                        </>
                                    )}
                                    {room.lastText}
                                </>
                            )}
                        </span>
                        {room.muted && <BellOff className="chat-mark" size={14} aria-hidden="true" />}
                        <span className="visually-hidden">{markWords(room, i18n)}</span>
                    </span>
                </span>
            </a>
            <Menu.Root open={menu} onOpenChange={setMenu} modal={false}>
                <Menu.Trigger asChild>
                    <button type="button" className="row-button chat-menu" aria-label={`${t("common.more")}: ${room.name}`} tabIndex={-1} disabled={!live}>
                        <MoreHorizontal size={18} />
                    </button>
                </Menu.Trigger>
                <Menu.Portal>
                    <Menu.Content className="menu" align="end" collisionPadding={8}>
                        <Menu.Item className="menu-item" onSelect={() => run(setPinned(engine, room.roomId, !room.pinned))}>
                            {room.pinned ? <PinOff size={18} /> : <Pin size={18} />} {t(room.pinned ? "chats.unpin" : "chats.pin")}
                        </Menu.Item>
                        <Menu.Item className="menu-item" onSelect={() => run(setMuted(engine, room.roomId, !room.muted))}>
                            <BellOff size={18} /> {t(room.muted ? "chats.unmute" : "chats.mute")}
                        </Menu.Item>
                        {room.hasUnread && (
                            <Menu.Item className="menu-item" onSelect={() => run(markRead())}>
                                <CheckCheck size={18} /> {t("chats.mark_read")}
                            </Menu.Item>
                        )}
                        <Menu.Item className="menu-item danger" onSelect={() => onLeave(room)}>
                            <LogOut size={18} /> {t("chats.leave")}
                        </Menu.Item>
                    </Menu.Content>
                </Menu.Portal>
            </Menu.Root>
        </div>
    );
});

const keyOfRoom = (room: RoomSummary): string => room.roomId;

export function ChatsPane({ activeRoomId }: { activeRoomId: string | null }) {
    const engine = useEngine();
    const { t } = useI18n();
    const { rooms, live } = useShownChats();
    const failure = useStore(engine.failure);
    const connecting = useConnecting();
    const now = useNow();
    const [query, setQuery] = useState("");
    const [leaving, setLeaving] = useState<RoomSummary | null>(null);
    const pane = useRef<HTMLDivElement>(null);
    const listed = live || rooms.length > 0;

    const wanted = query.trim().toLowerCase();
    const shown = wanted ? rooms.filter((room) => room.name.toLowerCase().includes(wanted)) : rooms;

    const onKeyDown = (event: KeyboardEvent) => {
        if (event.altKey || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
        const links = [...(pane.current?.querySelectorAll<HTMLElement>("[data-chat]") ?? [])];
        if (links.length === 0) return;
        const at = links.indexOf(document.activeElement as HTMLElement);
        event.preventDefault();
        links[event.key === "ArrowDown" ? Math.min(links.length - 1, at + 1) : Math.max(0, at - 1)]?.focus();
    };

    return (
        <div className="chats" ref={pane} onKeyDown={onKeyDown}>
            <header className="bar">
                <h1>{t("chats.title")}</h1>
                <span className="grow small quiet chats-connecting" role="status">
                    {connecting && t("net.connecting")}
                </span>
                <IconButton label={t("chats.new")} onClick={() => navigate({ page: "contacts", userId: null })}>
                    <Plus size={22} />
                </IconButton>
            </header>
            <div className="chats-search">
                <SearchField label={t("chats.filter")} value={query} onChange={setQuery} />
            </div>
            <div className="chats-list" aria-busy={!live}>
                {!listed && failure !== null ? (
                    <div className="chats-failure">
                        <ErrorNotice error={failure} onRetry={engine.retryNow} />
                    </div>
                ) : !listed ? (
                    <SkeletonRows count={8} />
                ) : rooms.length === 0 ? (
                    <EmptyState
                        icon={<MessageCircle size={40} />}
                        title={t("chats.empty")}
                        hint={t("chats.empty_hint")}
                        action={
                            <button type="button" className="button primary" onClick={() => navigate({ page: "contacts", userId: null })}>
                                {t("nav.contacts")}
                            </button>
                        }
                    />
                ) : shown.length === 0 && !live ? (
                    <SkeletonRows count={8} />
                ) : shown.length === 0 ? (
                    <EmptyState title={t("chats.none_found")} />
                ) : (
                    <VirtualList items={shown} keyOf={keyOfRoom} estimate_px={72}>
                        {(room) => <Row room={room} live={live} active={room.roomId === activeRoomId} now={now} onLeave={setLeaving} />}
                    </VirtualList>
                )}
            </div>
            {leaving && (
                <Confirm
                    text={t("room.leave_ask")}
                    yes={t("room.leave")}
                    danger
                    onYes={async () => {
                        await engine.client.leave(leaving.roomId);
                        if (activeRoomId === leaving.roomId) navigate({ page: "chats" }, "replace");
                    }}
                    onClose={() => setLeaving(null)}
                />
            )}
        </div>
    );
}
