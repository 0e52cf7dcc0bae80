import { describe, expect, it } from "vitest";
import { Streams, type Turn } from "@/features/assistant/streams";

/** Enters and notes when it begins. */
function enter(streams: Streams, key: string, byItself = false): { turn: Turn; began(): Promise<boolean> } {
    const turn = streams.enter(key, byItself) as Turn;
    let begun = false;
    void turn.begin.then(() => (begun = !turn.signal.aborted));
    return {
        turn,
        began: async () => {
            await Promise.resolve();
            return begun;
        },
    };
}

describe("streams", () => {
    it("are three at once, and the next begins when one is over", async () => {
        const streams = new Streams();
        const [a, b, c, d, e] = [enter(streams, "a"), enter(streams, "b"), enter(streams, "c"), enter(streams, "d"), enter(streams, "e")];
        expect([a, b, c, d, e].map((one) => one.turn.waits)).toEqual([false, false, false, true, true]);
        expect(await d.began()).toBe(false);
        b.turn.leave();
        expect(await d.began()).toBe(true);
        expect(await e.began()).toBe(false);
        c.turn.end("stopped");
        expect(await e.began()).toBe(true);
        expect([a, b, d, e].some((one) => one.turn.signal.aborted)).toBe(false);
    });
    it("under one key give way to the newer, and are stopped one by one, also those that wait", async () => {
        const streams = new Streams();
        const first = enter(streams, "a");
        const second = enter(streams, "a");
        expect(first.turn.signal.reason).toBe("given_up");
        expect(await second.began()).toBe(true);
        enter(streams, "b");
        enter(streams, "c");
        const fourth = enter(streams, "d");
        streams.end("d", "stopped");
        expect(fourth.turn.signal.reason).toBe("stopped");
        expect(await fourth.began()).toBe(false);
        expect(second.turn.signal.aborted).toBe(false);
        const fifth = enter(streams, "e");
        first.turn.leave(); // what has left already gives no place away
        expect(await fifth.began()).toBe(false);
        streams.end("a", "stopped");
        expect(await fifth.began()).toBe(true);
    });
    it("that come by themselves wait behind those that were asked for, and have one place", async () => {
        const streams = new Streams();
        const own = enter(streams, "auto 1", true);
        const another = enter(streams, "auto 2", true);
        expect([await own.began(), await another.began()]).toEqual([true, false]);
        const asked = ["a", "b", "c"].map((key) => enter(streams, key));
        expect(asked.map((one) => one.turn.waits)).toEqual([false, false, true]);
        own.turn.leave();
        expect(await asked[2]?.began()).toBe(true);
        expect(await another.began()).toBe(false);
        asked[0]?.turn.leave();
        expect(await another.began()).toBe(true);
    });
    it("are refused where too many wait", () => {
        const streams = new Streams();
        const turns = Array.from({ length: 40 }, (_, index) => streams.enter(String(index), false));
        expect(turns.filter((turn) => turn === null)).toHaveLength(7);
        streams.endAll("stopped");
        expect(turns.every((turn) => turn === null || turn.signal.aborted)).toBe(true);
        expect(streams.enter("again", false)?.waits).toBe(false);
    });
});
