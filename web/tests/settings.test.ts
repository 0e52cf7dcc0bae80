import { MatrixEvent, type MatrixClient } from "matrix-js-sdk";
import { describe, expect, it, vi } from "vitest";
import { AccountSettings } from "@/features/chat/engine/settings";

interface Put {
    type: string;
    content: Record<string, unknown>;
    signal: AbortSignal;
    answer(error?: Error): void;
}

/** A server that answers when it is told to, and tells what it has when it is told to. */
function account() {
    const puts: Put[] = [];
    let listener: (event: MatrixEvent) => void = () => undefined;
    const client = {
        on: (_name: string, heard: typeof listener) => (listener = heard),
        getAccountData: () => undefined,
        getSafeUserId: () => "@me:s",
        http: {
            authedRequest: (_method: string, path: string, _query: unknown, content: Record<string, unknown>, { abortSignal: signal }: { abortSignal: AbortSignal }) =>
                new Promise<void>((resolve, reject) => puts.push({ type: path.split("/").at(-1) ?? "", content: structuredClone(content), signal, answer: (error) => (error ? reject(error) : resolve()) })),
        },
    };
    const tell = (content: Record<string, unknown>, type = "im.lingxi.settings") => listener(new MatrixEvent({ type, content: structuredClone(content) }));
    return { account: new AccountSettings(client as unknown as MatrixClient), puts, tell };
}
const came = (puts: Put[], count: number) => vi.waitFor(() => expect(puts.length).toBe(count));
const tick = () => new Promise((resolve) => setTimeout(resolve));

describe("what a person sets", () => {
    it("goes out one change after the other, so that none is overtaken and lost", async () => {
        const { account: own, puts, tell } = account();
        const changes = [own.change({ enter_sends: false }), own.change({ ai_enabled: false }), own.setRemark("@a:s", "A"), own.setRemark("@b:s", "B")];
        expect([own.settings.get().enter_sends, own.settings.get().ai_enabled, own.remarks.get()]).toEqual([false, false, { "@a:s": "A", "@b:s": "B" }]);
        await came(puts, 2); // one of each record
        await tick();
        expect(puts.map((put) => put.type)).toEqual(["im.lingxi.settings", "im.lingxi.remarks"]);
        for (const put of puts.slice(0, 2)) put.answer();
        await came(puts, 4);
        expect(puts[2]?.content).toMatchObject({ enter_sends: false, ai_enabled: false });
        expect(puts[3]?.content).toEqual({ "@a:s": "A", "@b:s": "B" });
        // The news of the first ones comes now, and undoes nothing.
        tell(puts[0]?.content ?? {});
        tell(puts[1]?.content ?? {}, "im.lingxi.remarks");
        expect([own.settings.get().ai_enabled, own.remarks.get()["@b:s"], own.saving]).toEqual([false, "B", 1]);
        for (const put of puts.slice(2)) put.answer();
        await Promise.all(changes);
        expect([own.settings.get().enter_sends, own.settings.get().ai_enabled, own.saving]).toEqual([false, false, 0]);
    });

    it("is not undone by late news of an earlier change, and is by another device's", async () => {
        const { account: own, puts, tell } = account();
        const changes = [own.change({ enter_sends: false }), own.change({ enter_sends: true })];
        await came(puts, 1);
        puts[0]?.answer();
        await came(puts, 2);
        puts[1]?.answer();
        await Promise.all(changes);
        tell(puts[0]?.content ?? {});
        expect(own.settings.get().enter_sends).toBe(true);
        tell(puts[1]?.content ?? {});
        expect(own.settings.get().enter_sends).toBe(true);
        tell(puts[0]?.content ?? {});
        expect(own.settings.get().enter_sends).toBe(false);
    });

    it("keeps what another device set while it was on its way", async () => {
        const { account: own, puts, tell } = account();
        const changes = [own.change({ enter_sends: false }), own.change({ ai_enabled: false })];
        await came(puts, 1);
        puts[0]?.answer();
        tell(puts[0]?.content ?? {});
        tell({ ...puts[0]?.content, time_zone: "Europe/Paris" });
        await came(puts, 2);
        puts[1]?.answer(new Error("no"));
        await changes[0];
        await expect(changes[1]).rejects.toThrow("no");
        expect(own.settings.get()).toMatchObject({ enter_sends: false, ai_enabled: true, time_zone: "Europe/Paris" });
    });

    it("for one chat does not go with what is set for another: the first failed, and is not written by the second", async () => {
        const { account: own, puts } = account();
        const [first, second] = [own.setAutoSuggest("!one", 1), own.setAutoSuggest("!two", 2)];
        expect(own.settings.get().auto_suggest_since_ms).toEqual({ "!one": 1, "!two": 2 });
        await came(puts, 1);
        puts[0]?.answer(new Error("no"));
        await expect(first).rejects.toThrow("no");
        await came(puts, 2);
        expect(puts[1]?.content["auto_suggest_since_ms"]).toEqual({ "!two": 2 });
        puts[1]?.answer();
        await second;
        expect(own.settings.get().auto_suggest_since_ms).toEqual({ "!two": 2 });
    });

    it("does not wait for ever behind one that the server is silent about", async () => {
        vi.useFakeTimers();
        const { account: own, puts } = account();
        const failed = expect(own.change({ enter_sends: false })).rejects.toThrow();
        const second = own.change({ ai_enabled: false });
        await vi.advanceTimersToNextTimerAsync();
        vi.useRealTimers();
        await failed;
        await came(puts, 2);
        expect([puts[0]?.signal.aborted, puts.length]).toEqual([true, 2]);
        expect(puts[1]?.content).toMatchObject({ enter_sends: true, ai_enabled: false });
        puts[1]?.answer();
        await second;
    });

    it("that fails is undone alone", async () => {
        const { account: own, puts } = account();
        const [first, second] = [own.setRemark("@a:s", "A"), own.setRemark("@b:s", "B")];
        await came(puts, 1);
        puts[0]?.answer(new Error("no"));
        await expect(first).rejects.toThrow("no");
        await came(puts, 2);
        expect(puts[1]?.content).toEqual({ "@b:s": "B" });
        puts[1]?.answer();
        await second;
        expect(own.remarks.get()).toEqual({ "@b:s": "B" });
        const third = own.setRemark("@b:s", " ");
        await came(puts, 3);
        puts[2]?.answer();
        await third;
        expect(own.remarks.get()).toEqual({});
    });
});
