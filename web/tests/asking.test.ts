import { MatrixEvent, type Room } from "matrix-js-sdk";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Assistant, translationKey } from "@/features/assistant/assistant";
import { SharedPlaces } from "@/features/assistant/places";
import { Streams } from "@/features/assistant/streams";
import type { Draft } from "@/features/chat/engine/drafts";
import type { Engine } from "@/features/chat/engine/engine";
import { StoreMap } from "@/lib/store";
import { Locks, locksOf } from "./locks";

const label = { kind: "generated", call_id: "c", model: "m", sha256: "s", signature: "s" };
let count = 0;
const message = (sender: string) => {
    count += 1;
    return new MatrixEvent({ type: "m.room.message", event_id: `$${count}`, room_id: "!r", sender, origin_server_ts: 1_000 + count, content: { msgtype: "m.text", body: "Tonight?" } });
};
/** Until what was written has gone through the streams. */
async function settled(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve));
}

/** A chat, its last message first of all by somebody else. */
function chat(roomId: string) {
    const events = [message("@her:s")];
    const room = { roomId, getLiveTimeline: () => ({ getEvents: () => events }) } as unknown as Room;
    return { room, say: (sender: string) => events.push(message(sender)) };
}

/** A model whose streams the test writes; `refusals` answers come first. */
class Model {
    readonly streams: { body: Record<string, unknown>; signal: AbortSignal; write(event: string, data: object): Promise<unknown> }[] = [];
    refusals = 0;
    readonly fetch = (url: string, init: RequestInit): Promise<Response> => {
        if (!/suggestions|translations/.test(url)) return Promise.resolve(new Response("{}", { status: 404 }));
        if (this.refusals > 0) {
            this.refusals -= 1;
            return Promise.resolve(new Response(JSON.stringify({ errcode: "M_LIMIT_EXCEEDED", error: "" }), { status: 429 }));
        }
        const signal = init.signal as AbortSignal;
        const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
        const writer = writable.getWriter();
        signal.addEventListener("abort", () => void writer.abort(signal.reason).catch(() => undefined));
        const write = (event: string, data: object) => {
            writer.write(new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)).catch(() => undefined);
            return settled();
        };
        this.streams.push({ body: JSON.parse(String(init.body)) as Record<string, unknown>, signal, write });
        return Promise.resolve(new Response(readable));
    };
    get last() {
        const stream = this.streams.at(-1);
        if (!stream) throw new Error("nothing was asked");
        return stream;
    }
}

function begin() {
    const model = new Model();
    const drafts = new StoreMap<Draft>(() => ({ text: "", origin: null }));
    const engine = {
        me: "@me:s",
        transport: { fetch: model.fetch },
        account: { loaded: false, saving: 0, settings: { get: () => ({ ai_enabled: true, auto_suggest_since_ms: { "!r": 1, "!other": 1 } }) }, change: () => Promise.resolve() },
        drafts: { of: (id: string) => drafts.of(id), set: (id: string, draft: Draft) => drafts.of(id).set(draft) },
        rooms: { touch: () => undefined },
    } as unknown as Engine;
    const assistant = new Assistant(engine, new Streams(new SharedPlaces(locksOf(new Locks()))));
    return { assistant, model, draft: drafts.of("!r"), shown: (roomId = "!r") => assistant.suggestions.of(roomId).get() };
}

describe("what is asked of a model", () => {
    beforeEach(() => vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined, removeItem: () => undefined }));
    afterEach(() => {
        vi.useRealTimers();
        vi.unstubAllGlobals();
    });

    it("stands beside what was asked before: translations of two messages, each with its own stop", async () => {
        const { assistant, model } = begin();
        const { room } = chat("!r");
        const [one, other] = [message("@her:s"), message("@her:s")];
        const state = (event: MatrixEvent) => assistant.translations.of(translationKey(event)).get();
        void assistant.translate(room, one, "zh");
        await settled();
        await model.last.write("delta", { text: "今" });
        void assistant.translate(room, other, "zh");
        await settled();
        expect(state(one)).toMatchObject({ state: "asking", text: "今" });
        assistant.stopTranslation(translationKey(other));
        await settled();
        expect(state(other)).toMatchObject({ state: "problem", problem: { kind: "stopped" }, language: "zh" });
        await model.streams[0]?.write("delta", { text: "晚" });
        await model.streams[0]?.write("done", { label });
        expect(state(one)).toMatchObject({ state: "ready", text: "今晚" });
    });

    it("waits where three are under way, and says so", async () => {
        const { assistant, model } = begin();
        const { room } = chat("!r");
        const events = [1, 2, 3, 4].map(() => message("@her:s"));
        for (const event of events) void assistant.translate(room, event, "zh");
        await settled();
        const fourth = () => assistant.translations.of(translationKey(events[3] as MatrixEvent)).get();
        expect(model.streams).toHaveLength(3);
        expect(fourth()).toMatchObject({ state: "asking", waits: true });
        await model.streams[1]?.write("done", { label });
        expect(model.streams).toHaveLength(4);
        expect(fourth()).toMatchObject({ state: "asking", waits: false });
    });

    it("by a tap is not ended by what comes by itself, here or in another chat", async () => {
        const { assistant, model, shown } = begin();
        const here = chat("!r");
        void assistant.suggest(here.room);
        await assistant.autoSuggest(here.room);
        void assistant.autoSuggest(chat("!other").room);
        await settled();
        expect(model.streams.map(({ body, signal }) => [body["room_id"], body["automatic"] ?? false, signal.aborted])).toEqual([
            ["!r", false, false],
            ["!other", true, false],
        ]);
        await model.streams[0]?.write("suggestion", { text: "Yes", label });
        await model.streams[0]?.write("done", { label });
        expect(shown()).toMatchObject({ state: "ready" });
        await assistant.autoSuggest(here.room);
        expect(model.streams).toHaveLength(2);
        expect(shown()).toMatchObject({ state: "ready" });
    });

    it("by itself is not heard of before the server takes it: on every other device it was asked already", async () => {
        const { assistant, model, shown } = begin();
        void assistant.autoSuggest(chat("!r").room);
        await settled();
        expect([model.streams.length, shown()]).toEqual([1, { state: "idle" }]);
        await model.last.write("prepared", {});
        expect(shown()).toEqual({ state: "asking", items: [], waits: false });
    });

    it("says that it was stopped where its answer would be", async () => {
        const { assistant, model, shown } = begin();
        void assistant.suggest(chat("!r").room);
        await settled();
        assistant.stopSuggesting("!r");
        await settled();
        expect(shown()).toEqual({ state: "problem", problem: { kind: "stopped", errcode: "" } });
        expect(model.last.signal.aborted).toBe(true);
    });

    it("ends with the page that asked: nothing stays open after signing out", async () => {
        const { assistant, model, shown } = begin();
        void assistant.suggest(chat("!r").room);
        void assistant.translate(chat("!other").room, message("@her:s"), "zh");
        await settled();
        assistant.stop();
        await settled();
        expect(model.streams.map(({ signal }) => signal.aborted)).toEqual([true, true]);
        expect(shown()).toMatchObject({ state: "asking" }); // nothing is said to nobody
    });

    it("for a message that one has answered comes to nothing", async () => {
        const { assistant, model, shown } = begin();
        const { room, say } = chat("!r");
        void assistant.suggest(room);
        await settled();
        await model.last.write("suggestion", { text: "Yes", label });
        assistant.clearChips("!r");
        await model.last.write("done", { label });
        expect(shown()).toEqual({ state: "idle" });
        expect(model.last.signal.aborted).toBe(true);
        // Answered from another device.
        void assistant.suggest(room);
        await settled();
        say("@me:s");
        await assistant.refreshChips(room);
        await model.last.write("suggestion", { text: "Yes", label });
        await model.last.write("done", { label });
        expect(shown()).toEqual({ state: "idle" });
    });

    it("goes with its message: who tapped is told, what came by itself makes way for the next", async () => {
        const { assistant, model, shown } = begin();
        const { room, say } = chat("!r");
        void assistant.suggest(room);
        await settled();
        say("@her:s");
        void assistant.refreshChips(room);
        await model.last.write("done", { label });
        expect(shown()).toEqual({ state: "problem", problem: { kind: "moved_on", errcode: "" } });
        void assistant.autoSuggest(room);
        await settled();
        await model.last.write("prepared", {});
        expect(shown()).toMatchObject({ state: "asking" });
        say("@her:s");
        void assistant.refreshChips(room);
        await settled();
        expect(shown()).toEqual({ state: "idle" });
        expect(model.streams.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    });

    it("waits, too, where the person's other devices have all streams; what comes by itself is left out", async () => {
        vi.useFakeTimers();
        const { assistant, model, shown } = begin();
        model.refusals = 3;
        void assistant.suggest(chat("!r").room);
        await vi.advanceTimersByTimeAsync(10_000);
        expect(model.streams).toHaveLength(1);
        expect(shown()).toMatchObject({ state: "asking" });
        model.refusals = 100;
        void assistant.autoSuggest(chat("!other").room);
        await vi.advanceTimersByTimeAsync(0);
        expect(model.refusals).toBe(99);
        expect(shown("!other")).toEqual({ state: "idle" });
        const event = message("@her:s");
        void assistant.translate(chat("!r").room, event, "zh");
        await vi.advanceTimersByTimeAsync(120_000);
        expect(assistant.translations.of(translationKey(event)).get()).toMatchObject({ state: "problem", problem: { kind: "too_often" } });
    });

    it("leaves what one had written a tap away, where a chip was put in its place", async () => {
        const { assistant, model, draft } = begin();
        draft.set({ text: "七点见", origin: null });
        void assistant.translateDraft("!r", "en");
        await settled();
        assistant.takeChip("!r", "Yes", null);
        await model.last.write("delta", { text: "See you" });
        await model.last.write("done", { label });
        expect(draft.get().text).toBe("Yes");
        expect(assistant.draftTranslations.of("!r").get()).toEqual({ state: "idle" });
        assistant.restoreDraft("!r");
        expect(draft.get()).toEqual({ text: "七点见", origin: null });
    });
});
