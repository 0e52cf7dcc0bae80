import type { MatrixClient } from "matrix-js-sdk";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Drafts } from "@/features/chat/engine/drafts";
import type { Outbox } from "@/features/chat/engine/outbox";
import { RoomList, type RoomSummary } from "@/features/chat/engine/roomList";
import type { AccountSettings } from "@/features/chat/engine/settings";
import { Store } from "@/lib/store";

const kept = [{ roomId: "!kept:test", name: "As it was" } as RoomSummary];

/** A list over a client that is in no chat: enough to see when it takes the place of what was kept. */
function listOver(rows: readonly RoomSummary[]): RoomList {
    const client = { on: () => undefined, getRooms: () => [], getAccountData: () => undefined } as unknown as MatrixClient;
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
