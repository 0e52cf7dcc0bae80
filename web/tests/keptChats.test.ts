import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { KeptChats } from "@/features/chat/engine/keptChats";
import type { RoomSummary } from "@/features/chat/engine/roomList";

const key = "lingxi.chats.@wang:test";
const session = { userId: "@wang:test", deviceId: "PHONE" };

const me = { name: "王小明", avatarMxc: "mxc://test/me" };

function room(index: number, more: Partial<RoomSummary> = {}): RoomSummary {
    return {
        roomId: `!${index}:test`,
        name: `Group ${index}`,
        colourId: `!${index}:test`,
        avatarMxc: "mxc://test/picture",
        directUserId: null,
        lastSender: "Emma",
        lastText: "the last words",
        lastIsAi: false,
        lastAtMs: 1_000_000 - index,
        unread: 2,
        highlight: 0,
        hasUnread: true,
        muted: true,
        pinned: true,
        draft: "begun",
        draftIsAi: true,
        failed: false,
        invite: null,
        ...more,
    };
}

class FakeStorage {
    readonly values = new Map<string, string>();
    full = false;
    writes = 0;
    getItem = (name: string): string | null => this.values.get(name) ?? null;
    removeItem = (name: string): void => void this.values.delete(name);
    setItem = (name: string, value: string): void => {
        if (this.full) throw new DOMException("full", "QuotaExceededError");
        this.writes += 1;
        this.values.set(name, value);
    };
}

describe("the kept list of chats", () => {
    let storage: FakeStorage;
    let current: boolean;
    const open = (as = session) => new KeptChats(as, storage, () => current);
    const keep = (rows: readonly RoomSummary[]) => {
        const kept = open();
        kept.offer(me, rows);
        kept.write();
    };
    const damage = (change: (value: { version: number; device: string; me?: unknown; rows: Record<string, unknown>[] }) => void) => {
        keep([room(1), room(2)]);
        const value = JSON.parse(storage.values.get(key) ?? "") as Parameters<typeof change>[0];
        change(value);
        storage.values.set(key, JSON.stringify(value));
    };
    beforeEach(() => {
        vi.useFakeTimers();
        storage = new FakeStorage();
        current = true;
    });
    afterEach(() => void vi.useRealTimers());

    it("gives back the rows as they stood, in their order", () => {
        const rows = [room(3, { invite: { inviter: "Emma" } }), room(1), room(2, { avatarMxc: null, directUserId: "@emma:test", lastSender: null })];
        keep(rows);
        expect(open().read()).toEqual({ me, rows });
    });

    it("is written once when the list has come to rest, however often it changed", () => {
        const kept = open();
        for (let change = 0; change < 50; change += 1) {
            kept.offer(me, [room(change)]);
            vi.advanceTimersByTime(100);
        }
        expect(storage.writes).toBe(0);
        vi.advanceTimersByTime(10_000);
        expect(storage.writes).toBe(1);
        expect(open().read().rows).toEqual([room(49)]);
    });

    it("writes nothing where nothing waits", () => {
        open().write();
        expect(storage.writes).toBe(0);
    });

    it("keeps the first 200 rows, and of long words the beginning", () => {
        keep(Array.from({ length: 1_000 }, (_, index) => room(index, { lastText: "x".repeat(60_000) })));
        const rows = open().read().rows;
        expect(rows.map((row) => row.roomId)).toEqual(Array.from({ length: 200 }, (_, index) => `!${index}:test`));
        expect(rows[0]?.lastText).toBe("x".repeat(256));
    });

    it("ends before its limit in bytes", () => {
        const long = "很".repeat(5_000);
        keep(Array.from({ length: 200 }, (_, index) => room(index, { name: long, lastText: long, draft: long, lastSender: long })));
        const text = storage.values.get(key) ?? "";
        expect(2 * text.length).toBeLessThanOrEqual(256 * 1024);
        const kept = open().read().rows.length;
        expect(kept).toBeGreaterThan(50);
        expect(kept).toBeLessThan(200);
    });

    it("leaves out a row that could not be read again, and only that", () => {
        keep([room(1), room(2, { lastAtMs: Number.NaN }), room(3, { avatarMxc: `mxc://${"a".repeat(5_000)}` })]);
        expect(open().read().rows).toEqual([room(1), room(3, { avatarMxc: null })]);
    });

    it.each<[string, Parameters<typeof damage>[0]]>([
        ["of another version", (value) => (value.version += 1)],
        ["of another session", (value) => (value.device = "LAPTOP")],
        ["with a field of another type", (value) => (value.rows[1]!["unread"] = "2")],
        ["with a profile that is none", (value) => (value.me = { name: 7 })],
        ["without a profile", (value) => delete value.me],
        ["with a field less", (value) => delete value.rows[0]!["muted"]],
        ["with a time that is none", (value) => (value.rows[0]!["lastAtMs"] = 1e300)],
        ["with a negative count", (value) => (value.rows[0]!["unread"] = -1)],
        ["with a row that is none", (value) => value.rows.push(null as never)],
        ["with an invitation that is none", (value) => (value.rows[0]!["invite"] = { inviter: {} })],
        ["with a chat twice", (value) => value.rows.push(value.rows[0]!)],
        ["with words beyond the limit", (value) => (value.rows[0]!["lastText"] = "x".repeat(5_000))],
        ["with rows beyond the limit", (value) => (value.rows = Array.from({ length: 201 }, (_, index) => room(index) as unknown as Record<string, unknown>))],
        ["without rows", (value) => (value.rows = {} as never)],
    ])("ignores and removes one %s", (_what, change) => {
        damage(change);
        expect(open().read().rows).toEqual([]);
        expect(storage.values.has(key)).toBe(false);
    });

    it.each(["", "null", "[]", "{", '{"version":1,"device":"PHONE","rows":[', `"${"x".repeat(200_000)}"`])("ignores and removes what is no such list, %#", (text) => {
        storage.values.set(key, text);
        expect(open().read().rows).toEqual([]);
        expect(storage.values.has(key)).toBe(false);
    });

    it("is read where it was kept before it said whose a draft's words are", () => {
        damage((value) => value.rows.forEach((row) => delete row["draftIsAi"]));
        expect(open().read().rows).toEqual([room(1, { draftIsAi: false }), room(2, { draftIsAi: false })]);
    });

    it("goes at sign-out, and nothing is written after it", () => {
        const kept = open();
        kept.offer(me, [room(1)]);
        kept.write();
        kept.offer(me, [room(2)]);
        kept.erase();
        kept.offer(me, [room(3)]);
        kept.write();
        vi.advanceTimersByTime(10_000);
        expect(storage.values.size).toBe(0);
    });

    it("is not written by a tab whose session another tab has ended", () => {
        const kept = open();
        kept.offer(me, [room(1)]);
        current = false;
        vi.advanceTimersByTime(10_000);
        kept.offer(me, [room(1)]);
        kept.write();
        expect(storage.values.size).toBe(0);
    });

    it("is of one account", () => {
        keep([room(1)]);
        expect(open({ ...session, userId: "@emma:test" }).read().rows).toEqual([]);
        expect(open().read().rows).toEqual([room(1)]);
    });

    it("goes where its next form has no room", () => {
        keep([room(1)]);
        storage.full = true;
        keep([room(2)]);
        expect(open().read().rows).toEqual([]);
    });
});
