import type { MatrixClient } from "matrix-js-sdk";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Drafts } from "@/features/chat/engine/drafts";
import type { Outbox } from "@/features/chat/engine/outbox";
import { keptRows_limit, RoomList, unreadIn, type RoomSummary } from "@/features/chat/engine/roomList";
import type { AccountSettings } from "@/features/chat/engine/settings";
import { Store } from "@/lib/store";

const kept = [{ roomId: "!kept:test", name: "As it was" } as RoomSummary];

/** A list over a client that is in no chat, or has left some: enough to see when it takes the place of what was kept. */
function listOver(rows: readonly RoomSummary[], left: readonly string[] = []): RoomList {
    const getRoom = (roomId: string) => ({ roomId, getMyMembership: () => "leave" });
    const client = { on: () => undefined, getRooms: () => left.map(getRoom), getRoom, getAccountData: () => undefined } as unknown as MatrixClient;
    const account = { remarks: new Store({}) } as unknown as AccountSettings;
    const outbox = { subscribe: () => () => undefined } as unknown as Outbox;
    return new RoomList(client, account, {} as Drafts, outbox, rows);
}

describe("what the list shows at the start", () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    it("is what was kept, until the server has answered: the client's store may be older", () => {
        const list = listOver(kept);
        expect(list.shown.get()).toEqual({ rooms: kept, live: false, partial: false });
        list.goLive(); // nothing is known yet
        expect(list.shown.get()).toEqual({ rooms: kept, live: false, partial: false });
        list.start();
        expect(list.shown.get()).toEqual({ rooms: kept, live: false, partial: false });
        list.goLive();
        expect(list.shown.get()).toEqual({ rooms: [], live: true, partial: false });
    });

    it("is not what was kept for longer than a moment after the client is ready", () => {
        const list = listOver(kept);
        list.start();
        vi.advanceTimersByTime(60_000);
        expect(list.shown.get()).toEqual({ rooms: [], live: true, partial: false });
    });

    it("is the upper part of a first answer, with nothing summed up, until all of it is there", () => {
        const list = listOver([], ["!left:test"]);
        const seen: unknown[] = [];
        list.shown.subscribe(() => seen.push(list.shown.get()));
        list.preview();
        list.preview();
        expect(seen).toEqual([{ rooms: [], live: false, partial: true }]); // a chat that was left is none
        list.start();
        expect(list.shown.get()).toEqual({ rooms: [], live: true, partial: false });
        list.preview();
        expect(seen).toHaveLength(2);
    });

    it("stays what was kept while the store is taken in", () => {
        const list = listOver(kept);
        list.preview();
        expect(list.shown.get()).toEqual({ rooms: kept, live: false, partial: false });
        list.start();
        expect(list.shown.get().live).toBe(false);
    });

    it("counts nothing where only the upper part is known", () => {
        const row = { unread: 3, muted: false, invite: null } as RoomSummary;
        expect(unreadIn({ rooms: [row, { ...row, muted: true }, { ...row, unread: 0, invite: { inviter: "Emma" } }], live: false, partial: false })).toBe(4);
        expect(unreadIn({ rooms: [row], live: false, partial: true })).toBe(0);
        expect(listOver(Array.from({ length: keptRows_limit }, () => row)).shown.get().partial).toBe(true);
    });

    it("changes no more once it is stopped", () => {
        const list = listOver(kept);
        list.start();
        list.stop();
        vi.advanceTimersByTime(60_000);
        expect(list.shown.get()).toEqual({ rooms: kept, live: false, partial: false });
    });

    it("is live at once where nothing was kept", () => {
        const list = listOver([]);
        list.start();
        expect(list.shown.get().live).toBe(true);
    });
});

describe("the last words of a chat in the list", () => {
    beforeEach(() => void vi.stubGlobal("localStorage", { getItem: () => "en" }));
    afterEach(() => void vi.unstubAllGlobals());

    it("are told of one's own card for consent also while it is on its way", () => {
        const room = { roomId: "!r:test", name: "R", tags: {}, getMyMembership: () => "join", getLiveTimeline: () => ({ getEvents: () => [] }), getUnreadNotificationCount: () => 0, getMxcAvatarUrl: () => null };
        const client = { on: () => undefined, getRooms: () => [room], getRoom: () => room, getAccountData: () => undefined, getSafeUserId: () => "@me:test" } as unknown as MatrixClient;
        const account = { remarks: new Store({}) } as unknown as AccountSettings;
        const drafts = { of: () => new Store({ text: "", origin: null }) } as unknown as Drafts;
        const card = { type: "im.lingxi.consent.request", content: { body: "May the assistant read?" }, createdAtMs: 10, state: "queued" };
        const outbox = { subscribe: () => () => undefined, inRoom: () => [card] } as unknown as Outbox;
        const list = new RoomList(client, account, drafts, outbox, []);
        list.start();
        list.stop();
        expect(list.list.get().map((one) => one.lastText)).toEqual(["You asked for agreement"]);
    });
});
