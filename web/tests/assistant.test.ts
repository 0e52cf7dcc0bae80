import { MatrixEvent, type Room } from "matrix-js-sdk";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Assistant } from "@/features/assistant/assistant";
import type { Engine } from "@/features/chat/engine/engine";

const asked = new MatrixEvent({ type: "m.room.message", event_id: "$1", room_id: "!r", sender: "@her:s", origin_server_ts: 50, content: { msgtype: "m.text", body: "Tonight?" } });
const room = { roomId: "!r", getLiveTimeline: () => ({ getEvents: () => [asked] }) } as unknown as Room;
const chips = () => new Response(JSON.stringify({ method: "offline", suggestions: [{ text: "Yes", stance: "accept", intent: "i" }] }));
const notReady = () => new Response(JSON.stringify({ errcode: "M_UNKNOWN", error: "" }), { status: 503 });

type Answer = (signal: AbortSignal) => Promise<Response>;
const after = (ms: number, answer: () => Response): Answer => (signal) =>
    new Promise((resolve, reject) => {
        const timer = setTimeout(() => resolve(answer()), ms);
        signal.addEventListener("abort", () => {
            clearTimeout(timer);
            reject(new DOMException("", "AbortError"));
        });
    });

function assistantOver(answers: Answer[]): { assistant: Assistant; calls(): number } {
    let calls = 0;
    const fetch = (_url: string, init: RequestInit) => {
        const answer = answers[Math.min(calls, answers.length - 1)] as Answer;
        calls += 1;
        return answer(init.signal as AbortSignal);
    };
    const engine = { me: "@me:s", transport: { fetch } } as unknown as Engine;
    return { assistant: new Assistant(engine), calls: () => calls };
}

describe("offline chips", () => {
    beforeEach(() => {
        vi.useFakeTimers();
        vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined });
    });
    afterEach(() => {
        vi.useRealTimers();
        vi.unstubAllGlobals();
    });

    it("appear within a second", async () => {
        const { assistant } = assistantOver([after(900, chips)]);
        void assistant.refreshChips(room);
        await vi.advanceTimersByTimeAsync(1_000);
        expect(assistant.chips.of("!r").get().items).toHaveLength(1);
    });
    it("or not at all: an answer that is late is not asked for again while one looks", async () => {
        const { assistant, calls } = assistantOver([after(1_100, chips), after(10, chips)]);
        void assistant.refreshChips(room);
        await vi.advanceTimersByTimeAsync(120_000);
        expect(assistant.chips.of("!r").get().items).toEqual([]);
        expect(calls()).toBe(1);
        void assistant.refreshChips(room); // the chat is opened again
        await vi.advanceTimersByTimeAsync(1_000);
        expect(assistant.chips.of("!r").get().items).toHaveLength(1);
    });
    it("are asked for again while the server makes its index, within that second only", async () => {
        const soon = assistantOver([after(10, notReady), after(10, notReady), after(10, chips)]);
        void soon.assistant.refreshChips(room);
        await vi.advanceTimersByTimeAsync(1_000);
        expect(soon.assistant.chips.of("!r").get().items).toHaveLength(1);
        const late = assistantOver([...Array.from({ length: 8 }, () => after(10, notReady)), after(10, chips)]);
        void late.assistant.refreshChips(room);
        await vi.advanceTimersByTimeAsync(120_000);
        expect(late.assistant.chips.of("!r").get().items).toEqual([]);
        expect(late.calls()).toBeLessThan(8);
    });
});
