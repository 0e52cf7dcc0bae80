import { describe, expect, it } from "vitest";
import { SharedPlaces, TabPlaces } from "@/features/assistant/places";
import { Streams, type Turn } from "@/features/assistant/streams";
import { Locks, locksOf } from "./locks";

/** A tab of an account that is there to be shown: it holds the long-poll. */
function tab(locks: Locks, account: string): Streams {
    void locks.request(`lingxi.sync.${account}`, {}, () => new Promise(() => undefined));
    return new Streams(new SharedPlaces(locksOf(locks)));
}
/** Until all that is to come of itself has come. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Enters and notes when it begins. */
function enter(streams: Streams, key: string, byItself = false): { turn: Turn; began(): Promise<boolean> } {
    const turn = streams.enter(key, byItself) as Turn;
    let begun = false;
    void turn.begin.then(() => (begun = !turn.signal.aborted));
    return {
        turn,
        began: async () => {
            await settled();
            return begun;
        },
    };
}

describe("streams", () => {
    it("are three at once, and the next begins when one is over", async () => {
        const streams = tab(new Locks(), "wang");
        const [a, b, c, d, e] = [enter(streams, "a"), enter(streams, "b"), enter(streams, "c"), enter(streams, "d"), enter(streams, "e")];
        expect(await Promise.all([a, b, c, d, e].map((one) => one.turn.waits))).toEqual([false, false, false, true, true]);
        expect(await d.began()).toBe(false);
        b.turn.leave();
        expect(await d.began()).toBe(true);
        expect(await e.began()).toBe(false);
        c.turn.end("stopped");
        expect(await e.began()).toBe(true);
        expect([a, b, d, e].some((one) => one.turn.signal.aborted)).toBe(false);
    });
    it("under one key give way to the newer, and are stopped one by one, also those that wait", async () => {
        const streams = tab(new Locks(), "wang");
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
    it("that come by themselves wait behind those that were asked for, have one place, and never the last", async () => {
        const streams = tab(new Locks(), "wang");
        const own = enter(streams, "auto 1", true);
        const another = enter(streams, "auto 2", true);
        expect([await own.began(), await another.began()]).toEqual([true, false]);
        const asked = ["a", "b", "c"].map((key) => enter(streams, key));
        expect(await Promise.all(asked.map((one) => one.turn.waits))).toEqual([false, false, true]);
        own.turn.leave();
        expect(await asked[2]?.began()).toBe(true);
        expect(await another.began()).toBe(false);
        asked[0]?.turn.leave();
        expect(await another.began()).toBe(false);
        asked[1]?.turn.leave();
        expect(await another.began()).toBe(true);
    });
    it("that come by themselves are given up where they would have the only place, which a person's has at once", async () => {
        const locks = new Locks();
        const tabs = ["a", "b", "c", "d"].map((account) => tab(locks, account)); // long-polls leave one place
        const own = enter(tabs[0] as Streams, "auto", true);
        expect([await own.began(), own.turn.signal.reason]).toEqual([false, "given_up"]);
        const asked = enter(tabs[1] as Streams, "a");
        expect([await asked.turn.waits, await asked.began()]).toEqual([false, true]);
    });
    it("begin where the browser refuses its locks", async () => {
        const fails = () => Promise.reject(new DOMException("", "SecurityError"));
        const streams = new Streams({ take: fails, spare: fails });
        const [a, b, c] = [enter(streams, "a"), enter(streams, "b"), enter(streams, "c")];
        expect([await a.turn.waits, await b.turn.waits, await c.turn.waits]).toEqual([false, false, true]);
        expect([await a.began(), await b.began(), await c.began()]).toEqual([true, true, false]);
        streams.endAll("stopped");
        expect(await enter(streams, "auto", true).began()).toBe(true);
    });
    it("are refused where too many wait", async () => {
        const streams = tab(new Locks(), "wang");
        const turns = Array.from({ length: 40 }, (_, index) => streams.enter(String(index), false));
        expect(turns.filter((turn) => turn === null)).toHaveLength(10);
        streams.endAll("stopped");
        expect(turns.every((turn) => turn === null || turn.signal.aborted)).toBe(true);
        expect(await streams.enter("again", false)?.waits).toBe(false);
    });
});

describe("streams of several tabs and accounts", () => {
    it("leave chat a connection: three at once of all tabs, and fewer where more accounts have a long-poll", async () => {
        for (const [accounts, most] of [[1, 3], [2, 3], [3, 2], [4, 1], [7, 1]] as const) {
            const locks = new Locks();
            const tabs = Array.from({ length: accounts }, (_, index) => tab(locks, `account ${index}`));
            const turns = tabs.flatMap((one) => ["a", "b", "c"].map((key) => enter(one, key)));
            await settled();
            const open = async () => (await Promise.all(turns.map((one) => one.began()))).filter(Boolean).length;
            expect(await open()).toBe(most);
            expect(locks.count("lingxi.sync.") + most).toBeLessThanOrEqual(Math.max(5, accounts + 1));
            // Each that ends lets one begin, until all have had their turn.
            for (let begun = most; begun < turns.length; begun += 1) {
                for (const one of turns) if ((await one.began()) && !one.turn.signal.aborted) one.turn.leave();
                await settled();
            }
            expect(await open()).toBe(turns.length);
        }
    });
    it("wait for those of another tab, and begin when one of them ends or its place is given back unused", async () => {
        const locks = new Locks();
        const [one, other] = [tab(locks, "wang"), tab(locks, "emma")];
        const first = ["a", "b", "c"].map((key) => enter(one, key));
        await settled();
        const waiting = enter(other, "d");
        const behind = enter(other, "e");
        expect([await waiting.turn.waits, await waiting.began()]).toEqual([true, false]);
        waiting.turn.end("stopped");
        behind.turn.end("stopped");
        // The places that these asked for have not come: who takes their turn waits as they did.
        const last = enter(other, "f");
        expect(await Promise.race([last.turn.waits, settled().then(() => "untold")])).toBe(true);
        first[0]?.turn.leave();
        expect(await last.began()).toBe(true);
        expect(locks.count("lingxi.stream.")).toBe(3);
        for (const turn of [first[1], first[2], last]) turn?.turn.leave();
        await settled();
        expect(locks.count("lingxi.stream.")).toBe(0);
    });
    it("without locks are two a tab, one of them at most by itself", async () => {
        const streams = new Streams(new TabPlaces());
        const [a, b, c] = [enter(streams, "a"), enter(streams, "b"), enter(streams, "c")];
        expect([await a.turn.waits, await b.turn.waits, await c.turn.waits]).toEqual([false, false, true]);
        expect([await a.began(), await b.began(), await c.began()]).toEqual([true, true, false]);
        a.turn.leave();
        expect(await c.began()).toBe(true);
        const own = enter(streams, "auto", true);
        b.turn.leave();
        expect(await own.began()).toBe(false);
        c.turn.leave();
        expect(await own.began()).toBe(true);
        expect(await enter(streams, "d").began()).toBe(true);
    });
});
