import { MatrixEvent, type Room } from "matrix-js-sdk";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Assistant, translationKey } from "@/features/assistant/assistant";
import type { Draft } from "@/features/chat/engine/drafts";
import type { Engine } from "@/features/chat/engine/engine";
import { StoreMap } from "@/lib/store";

const room = { roomId: "!r" } as unknown as Room;
const message = (id: string, body: string, more = {}) =>
    new MatrixEvent({ type: "m.room.message", event_id: id, room_id: "!r", sender: "@her:s", origin_server_ts: 50, content: { msgtype: "m.text", body, ...more } });

async function translated(event: MatrixEvent, done: object): Promise<Assistant> {
    const stream = `event: delta\ndata: {"text":"今晚？"}\n\nevent: done\ndata: ${JSON.stringify(done)}\n\n`;
    const fetch = () => Promise.resolve(new Response(stream, { headers: { "Content-Type": "text/event-stream" } }));
    const assistant = new Assistant({ me: "@me:s", transport: { fetch } } as unknown as Engine);
    await assistant.translate(room, event, "zh");
    return assistant;
}

describe("a translation", () => {
    beforeEach(() => vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined }));
    afterEach(() => vi.unstubAllGlobals());

    it("goes with the words that it is of: an edited message has none", async () => {
        const event = message("$1", "Tonight?");
        const assistant = await translated(event, { label: null });
        const shown = () => assistant.translations.of(translationKey(event)).get();
        expect(shown()).toMatchObject({ state: "ready", text: "今晚？", cut: false });
        event.makeReplaced(message("$2", "* Tomorrow?", { "m.new_content": { msgtype: "m.text", body: "Tomorrow?" }, "m.relates_to": { rel_type: "m.replace", event_id: "$1" } }));
        expect(shown()).toBeNull();
        await assistant.translate(room, event, "zh");
        expect(shown()).toMatchObject({ state: "ready" });
    });
    it("of a draft that reached its limit stands in the composer, and that it is cut is said", async () => {
        const drafts = new StoreMap<Draft>(() => ({ text: "Tonight?", origin: null }));
        const label = { kind: "generated", call_id: "c", model: "m", sha256: "s", sig: "s" };
        const stream = `event: delta\ndata: {"text":"今晚？"}\n\nevent: done\ndata: ${JSON.stringify({ label, cut: true })}\n\n`;
        const engine = {
            me: "@me:s",
            transport: { fetch: () => Promise.resolve(new Response(stream)) },
            drafts: { of: (id: string) => drafts.of(id), set: (id: string, draft: Draft) => drafts.of(id).set(draft) },
            rooms: { touch: () => undefined },
        } as unknown as Engine;
        expect(await new Assistant(engine).translateDraft("!r", "zh")).toEqual({ kind: "cut", errcode: "" });
        expect(drafts.of("!r").get().text).toBe("今晚？");
    });
    it("that reached its limit is known to be no whole one", async () => {
        const event = message("$1", "Tonight?");
        const assistant = await translated(event, { label: null, cut: true });
        expect(assistant.translations.of(translationKey(event)).get()).toMatchObject({ state: "ready", cut: true });
    });
});
