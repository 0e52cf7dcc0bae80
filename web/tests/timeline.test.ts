import { MatrixEvent, type Room } from "matrix-js-sdk";
import { describe, expect, it } from "vitest";
import type { OutboxItem } from "@/features/chat/engine/outbox";
import { buildTimeline, firstUnread, openingAt } from "@/features/chat/engine/timeline";
import { I18n } from "@/i18n";

const me = "@me:s";
const relation = { rel_type: "m.annotation", event_id: "$words", key: "👍" };
const reaction = (sender: string, transaction_id?: string) =>
    new MatrixEvent({ type: "m.reaction", event_id: `$${sender}`, room_id: "!r", sender, content: { "m.relates_to": relation }, unsigned: transaction_id ? { transaction_id } : {} });

describe("a reaction of mine that is on its way", () => {
    const shown = (there: MatrixEvent[], outgoing: Partial<OutboxItem>[]) => {
        const words = new MatrixEvent({ type: "m.room.message", event_id: "$words", room_id: "!r", sender: "@emma:s", content: { msgtype: "m.text", body: "words" } });
        const room = {
            getLiveTimeline: () => ({ getEvents: () => [words] }),
            getReceiptsForEvent: () => [],
            currentState: { getStateEvents: () => null },
            relations: { getChildEventsForEvent: () => ({ getRelations: () => there }) },
        } as unknown as Room;
        const items = outgoing.map((item) => ({ txnId: "t", roomId: "!r", type: "m.reaction", content: { "m.relates_to": relation }, file: null, createdAtMs: 2, sequence: 0, state: "sending", progress: null, errcode: null, eventId: null, ...item }) as OutboxItem);
        const [row] = buildTimeline({ room, me, name: (id) => id, i18n: new I18n("en", "Asia/Shanghai"), outgoing: items, unreadFromId: null });
        return row?.kind === "message" ? row.reactions.map(({ key, count, mine, pending }) => ({ key, count, mine, pending })) : null;
    };
    it("is counted at once, and no more once it is taken back, whether the server has it or not", () => {
        expect(shown([reaction("@emma:s")], [{}])).toEqual([{ key: "👍", count: 2, mine: "t", pending: true }]);
        expect(shown([reaction("@emma:s")], [{ withdrawn: true }])).toEqual([{ key: "👍", count: 1, mine: null, pending: false }]);
        expect(shown([reaction("@emma:s"), reaction(me, "t")], [{ withdrawn: true }])).toEqual([{ key: "👍", count: 1, mine: null, pending: false }]);
    });
    it("that comes anew after one was taken back is counted", () => {
        expect(shown([reaction(me, "t")], [{ withdrawn: true }, { txnId: "second", state: "queued" }])).toEqual([{ key: "👍", count: 1, mine: "second", pending: true }]);
    });
});

describe("the line for new messages", () => {
    it("stands where reading ended, and nowhere where that is not loaded", () => {
        const events = ["$1", "$2", "$3"].map((event_id) => new MatrixEvent({ type: "m.room.message", event_id, room_id: "!r", sender: "@emma:s", content: { msgtype: "m.text", body: "words" } }));
        const room = { getLiveTimeline: () => ({ getEvents: () => events }) } as unknown as Room;
        expect(openingAt(firstUnread(room, me, ["$1"]))).toEqual({ atId: "$2", unreadFromId: "$2" });
        expect(openingAt(firstUnread(room, me, ["$long ago"]))).toEqual({ atId: "$1", unreadFromId: null });
        expect(openingAt(firstUnread(room, me, []))).toEqual({ atId: null, unreadFromId: null });
    });
});
