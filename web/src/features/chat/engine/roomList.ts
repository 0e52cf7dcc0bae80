import { ClientEvent, KnownMembership, NotificationCountType, RoomEvent, RoomStateEvent, RoomMemberEvent, type MatrixClient, type MatrixEvent, type Room } from "matrix-js-sdk";
import { consentRequestType, isMessage, labelOf, labelOfEvent, summaryOf } from "@/features/chat/engine/content";
import type { Drafts } from "@/features/chat/engine/drafts";
import { directRooms, personName } from "@/features/chat/engine/names";
import { editedBy, type Outbox } from "@/features/chat/engine/outbox";
import type { AccountSettings } from "@/features/chat/engine/settings";
import { systemLine } from "@/features/chat/engine/systemLine";
import { currentI18n } from "@/i18n";
import { Store } from "@/lib/store";

export interface RoomSummary {
    roomId: string;
    name: string;
    /** What the avatar's colour hangs on: the other person in a direct chat. */
    colourId: string;
    avatarMxc: string | null;
    directUserId: string | null;
    /** Who said the last words, where that is not clear (groups). */
    lastSender: string | null;
    lastText: string;
    lastIsAi: boolean;
    lastAtMs: number;
    unread: number;
    highlight: number;
    /** Something unread, counted or not. */
    hasUnread: boolean;
    muted: boolean;
    pinned: boolean;
    draft: string;
    draftIsAi: boolean;
    failed: boolean;
    invite: { inviter: string } | null;
}

/** Invitations first, then what is pinned, then by the last words. */
export function compareRooms(a: RoomSummary, b: RoomSummary): number {
    return (
        Number(b.invite !== null) - Number(a.invite !== null) ||
        Number(b.pinned) - Number(a.pinned) ||
        b.lastAtMs - a.lastAtMs ||
        (a.roomId < b.roomId ? -1 : 1)
    );
}

export function isMuted(client: MatrixClient, roomId: string): boolean {
    const rules = client.pushRules?.global;
    const own = rules?.room?.find((rule) => rule.rule_id === roomId) ?? rules?.override?.find((rule) => rule.rule_id === roomId);
    if (!own || own.enabled === false) return false;
    return !own.actions.some((action) => action === "notify" || action === "coalesce");
}

const isShown = (membership: string): boolean => membership === KnownMembership.Join || membership === KnownMembership.Invite;

/** What the list of chats shows. Until it is `live` it is what was kept: to look at and to open, nothing else. */
export interface ShownChats {
    readonly rooms: readonly RoomSummary[];
    readonly live: boolean;
    /** Only the upper part of it, of which nothing is to be summed up. */
    readonly partial: boolean;
}

/** What waits to be read: messages of chats that are not muted, and invitations. */
export function unreadIn({ rooms, partial }: ShownChats): number {
    return partial ? 0 : rooms.reduce((sum, room) => sum + (room.muted ? 0 : room.unread) + (room.invite ? 1 : 0), 0);
}

/** Of the list, at most so much is kept for the next start. */
export const keptRows_limit = 200;

/** What was kept may be younger than the client's store: the server's first answer is given this long to come before. */
const liveAfterMs = 2_000;

/** Summaries of all chats, made again only for those of which there is news, and at most once a frame. */
export class RoomList {
    readonly list = new Store<readonly RoomSummary[]>([]);
    readonly shown: Store<ShownChats>;
    private readonly summaries = new Map<string, RoomSummary>();
    private readonly dirty = new Set<string>();
    private allDirty = true;
    private scheduled = false;
    private started = false;
    private liveTimer: ReturnType<typeof setTimeout> | null = null;
    private lastTook_ms = 0;
    private direct = new Map<string, string>();
    /** The chats that `preview` shows. */
    private upper: readonly string[] | null = null;

    constructor(
        private readonly client: MatrixClient,
        private readonly account: AccountSettings,
        private readonly drafts: Drafts,
        private readonly outbox: Outbox,
        kept: readonly RoomSummary[],
    ) {
        this.shown = new Store<ShownChats>({ rooms: kept, live: false, partial: kept.length >= keptRows_limit });
        const touchRoom = (room: Room | undefined | null) => room && this.touch(room.roomId);
        client.on(RoomEvent.Timeline, (_event, room) => touchRoom(room));
        client.on(RoomEvent.TimelineReset, (room) => touchRoom(room));
        client.on(RoomEvent.Name, touchRoom);
        client.on(RoomEvent.MyMembership, touchRoom);
        client.on(RoomEvent.Receipt, (_event, room) => touchRoom(room));
        client.on(RoomEvent.Tags, (_event, room) => touchRoom(room));
        client.on(RoomEvent.Redaction, (_event, room) => touchRoom(room));
        // The client passes it on from its rooms, the room last, though its type does not say so.
        (client as unknown as { on(event: string, listener: (...values: unknown[]) => void): void }).on(RoomEvent.UnreadNotifications, (...values) =>
            touchRoom(values.at(-1) as Room | undefined),
        );
        client.on(RoomStateEvent.Events, (event) => {
            const type = event.getType();
            if (type === "m.room.avatar" || type === "m.room.name" || type === "m.room.member") this.touch(event.getRoomId());
        });
        client.on(RoomMemberEvent.Name, (_event, member) => this.touch(member.roomId));
        client.on(ClientEvent.Room, touchRoom);
        client.on(ClientEvent.DeleteRoom, () => this.touchAll());
        client.on(ClientEvent.AccountData, (event) => {
            if (["m.direct", "m.push_rules", "im.lingxi.remarks"].includes(event.getType())) this.touchAll();
        });
        account.remarks.subscribe(() => this.touchAll());
        outbox.subscribe(() => this.touchAll());
    }

    touch(roomId: string | undefined): void {
        if (!roomId) return;
        if (!this.allDirty) this.dirty.add(roomId); // a first answer's every event comes by here
        this.schedule();
    }

    touchAll(): void {
        this.allDirty = true;
        if (this.started) this.schedule();
        else if (this.upper) this.showUpper();
    }

    /** Of the first answer only the upper chats are there: they are shown, where nothing was kept to show. */
    preview(): void {
        if (this.started || this.upper || this.shown.get().rooms.length > 0) return;
        this.upper = this.client.getRooms().map((room) => room.roomId);
        this.showUpper();
    }

    /** Until the first answer is whole, every room of it is news: one list is made of it at the end. */
    start(): void {
        this.started = true;
        this.rebuild();
        if (this.shown.get().rooms.length === 0 || this.upper) this.goLive();
        else this.liveTimer = setTimeout(() => this.goLive(), liveAfterMs);
    }

    /** From here on what is shown is what is. */
    goLive(): void {
        if (!this.started || this.shown.get().live) return;
        if (this.liveTimer !== null) clearTimeout(this.liveTimer);
        if (this.allDirty || this.dirty.size > 0) this.rebuild();
        this.shown.set({ rooms: this.list.get(), live: true, partial: false });
    }

    stop(): void {
        if (this.liveTimer !== null) clearTimeout(this.liveTimer);
    }

    private schedule(): void {
        if (this.scheduled || !this.started) return;
        this.scheduled = true;
        // Not a frame: a hidden tab has none, and its title counts too. A long list leaves time for the rest.
        setTimeout(() => {
            this.scheduled = false;
            this.rebuild();
        }, Math.min(250, 16 + 4 * this.lastTook_ms));
    }

    private showUpper(): void {
        this.direct = directRooms(this.client);
        const rooms = (this.upper ?? []).flatMap((roomId) => {
            const room = this.client.getRoom(roomId);
            const membership = room?.getMyMembership();
            return room && membership && isShown(membership) ? [this.summarise(room, membership)] : [];
        });
        this.shown.set({ rooms: rooms.sort(compareRooms), live: false, partial: true });
    }

    private rebuild(): void {
        const from = performance.now();
        this.direct = directRooms(this.client);
        const rooms = this.client.getRooms();
        const shown = new Set<string>();
        for (const room of rooms) {
            const membership = room.getMyMembership();
            if (!isShown(membership)) continue;
            shown.add(room.roomId);
            if (this.allDirty || this.dirty.has(room.roomId) || !this.summaries.has(room.roomId)) this.summaries.set(room.roomId, this.summarise(room, membership));
        }
        for (const roomId of this.summaries.keys()) if (!shown.has(roomId)) this.summaries.delete(roomId);
        this.allDirty = false;
        this.dirty.clear();
        this.list.set([...this.summaries.values()].sort(compareRooms));
        if (this.shown.get().live) this.shown.set({ rooms: this.list.get(), live: true, partial: false });
        this.lastTook_ms = performance.now() - from;
    }

    private lastEvent(room: Room): MatrixEvent | null {
        const events = room.getLiveTimeline().getEvents();
        for (let index = events.length - 1; index >= 0; index -= 1) {
            const event = events[index];
            if (event && isMessage(event)) return event;
        }
        return events.at(-1) ?? null;
    }

    private summarise(room: Room, membership: string): RoomSummary {
        const me = this.client.getSafeUserId();
        const i18n = currentI18n();
        const remarks = this.account.remarks.get();
        const name = (userId: string) => personName(this.client, remarks, userId, room);
        const other = this.direct.get(room.roomId) ?? null;
        const last = this.lastEvent(room);
        const invited = membership === KnownMembership.Invite;
        const outgoing = this.outbox.inRoom(room.roomId);
        const waiting = outgoing.filter((item) => item.type === consentRequestType || (item.type === "m.room.message" && editedBy(item.content) === null)).at(-1);

        let lastText = "";
        let lastSender: string | null = null;
        let lastIsAi = false;
        let lastAtMs = last?.getTs() ?? 0;
        if (last && isMessage(last)) {
            const sender = last.getSender() ?? "";
            const isCard = last.getType() === consentRequestType && !last.isRedacted();
            if (last.isRedacted()) lastText = i18n.t("chat.redacted");
            else if (isCard) lastText = sender === me ? i18n.t("ai.consent_row_own") : i18n.t("ai.consent_row", name(sender));
            else lastText = summaryOf(last.getType(), last.getContent(), i18n);
            lastIsAi = !last.isRedacted() && labelOfEvent(last) !== null;
            if (!other && sender !== me && !last.isRedacted() && !isCard) lastSender = name(sender);
        } else if (last?.isState()) lastText = systemLine(last, me, name, i18n) ?? "";
        if (waiting && waiting.createdAtMs > lastAtMs) {
            lastText = waiting.type === consentRequestType ? i18n.t("ai.consent_row_own") : summaryOf(waiting.type, waiting.content, i18n);
            lastIsAi = labelOf(waiting.content) !== null;
            lastSender = null;
            lastAtMs = waiting.createdAtMs;
        }

        const draft = this.drafts.of(room.roomId).get();
        const inviteEvent = invited ? room.getMember(me)?.events.member : undefined;
        const inviter = inviteEvent?.getSender() ?? "";
        const unread = room.getUnreadNotificationCount(NotificationCountType.Total);
        const lastMessage = last && isMessage(last) ? last : null;
        const lastId = lastMessage?.getId();
        const hasUnread = unread > 0 || (!!lastId && lastMessage?.getSender() !== me && !room.hasUserReadEvent(me, lastId));
        const avatarMxc = room.getMxcAvatarUrl() ?? (other ? (room.getMember(other)?.getMxcAvatarUrl() ?? this.client.getUser(other)?.avatarUrl ?? null) : null);
        return {
            roomId: room.roomId,
            name: (other && remarks[other]) || room.name,
            colourId: other ?? room.roomId,
            avatarMxc,
            directUserId: other,
            lastSender,
            lastText,
            lastIsAi,
            lastAtMs,
            unread,
            highlight: room.getUnreadNotificationCount(NotificationCountType.Highlight),
            hasUnread,
            muted: isMuted(this.client, room.roomId),
            pinned: "m.favourite" in room.tags,
            draft: draft.text,
            draftIsAi: draft.origin !== null,
            failed: outgoing.some((item) => item.state === "failed"),
            invite: invited ? { inviter: inviter ? name(inviter) : "" } : null,
        };
    }
}
