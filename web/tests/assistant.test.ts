import { MatrixEvent, Room } from "matrix-js-sdk";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Assistant, lastWords } from "@/features/assistant/assistant";
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

function assistantOver(answers: Answer[]): { assistant: Assistant; engine: Engine; calls(): number } {
    let calls = 0;
    const fetch = (_url: string, init: RequestInit) => {
        const answer = answers[Math.min(calls, answers.length - 1)] as Answer;
        calls += 1;
        return answer(init.signal as AbortSignal);
    };
    const engine = { me: "@me:s", transport: { fetch } } as unknown as Engine;
    return { assistant: new Assistant(engine), engine, calls: () => calls };
}

beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined });
});
afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
});

describe("offline chips", () => {
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

describe("the message that an answer would be to", () => {
    it("is the one before a card that asks for consent, whoever asks, also for the offline chips", async () => {
        const card = (sender: string) => new MatrixEvent({ type: "im.lingxi.consent.request", event_id: "$2", room_id: "!r", sender, origin_server_ts: 60, content: { body: "May it read here?" } });
        for (const sender of ["@me:s", "@her:s"]) {
            const withCard = { roomId: "!r", getLiveTimeline: () => ({ getEvents: () => [asked, card(sender)] }) } as unknown as Room;
            expect(lastWords(withCard)?.getId()).toBe("$1");
            const { assistant } = assistantOver([after(10, chips)]);
            void assistant.refreshChips(withCard);
            await vi.advanceTimersByTimeAsync(1_000);
            expect(assistant.chips.of("!r").get()).toMatchObject({ eventId: "$1", items: [{ text: "Yes" }] });
        }
    });
});

describe("the consents that are in force", () => {
    const refused = (status: number) => after(10, () => new Response(JSON.stringify({ errcode: "M_UNKNOWN", error: "" }), { status }));
    const never = after(1e9, chips);
    const status = after(10, () => new Response(JSON.stringify({ ai_enabled: true, model: null, budget: null, policy: "allowed", consents: [{ user_id: "@her:s" }], assistant_user_id: "" })));
    const over = (answers: Answer[]) => {
        const { assistant, calls, engine } = assistantOver(answers);
        const chat = new Room("!r", {} as never, "@me:s");
        Object.assign(engine, { client: { getRoom: () => chat }, account: { loaded: false } });
        return { assistant, calls, chat, known: () => assistant.inForce.of("!r").get()?.users.has("@her:s") ?? null };
    };

    it("are asked for until they are known: past too many requests, a broken server, and one that is silent", async () => {
        const { assistant, chat, calls, known } = over([refused(429), refused(503), never, status]);
        assistant.followConsents(chat);
        assistant.followConsents(chat); // shown in two places, and asked for once
        await vi.advanceTimersByTimeAsync(300_000);
        expect([known(), calls()]).toEqual([true, 4]);
    });
    it("are asked for at once where somebody comes to look, and no more when nobody does", async () => {
        const { assistant, chat, calls, known } = over([refused(503), refused(503), status]);
        const leave = assistant.followConsents(chat);
        await vi.advanceTimersByTimeAsync(20);
        leave();
        await vi.advanceTimersByTimeAsync(300_000);
        expect([known(), calls()]).toEqual([null, 1]);
        const leaveAgain = assistant.followConsents(chat);
        await vi.advanceTimersByTimeAsync(20);
        assistant.followConsents(chat);
        leaveAgain();
        await vi.advanceTimersByTimeAsync(20);
        expect([known(), calls()]).toEqual([true, 3]);
    });
    it("are doubted where a call is refused for want of one of them, until the server has said", async () => {
        const wanting = after(10, () => new Response(JSON.stringify({ errcode: "IM.LINGXI.CONSENT_NEEDED", error: "", users: ["@her:s"], destination: { kind: "this_machine" } }), { status: 403 }));
        const { assistant, chat, known } = over([status, wanting, never]);
        vi.stubGlobal("navigator", {});
        vi.stubGlobal("document", { hidden: false, addEventListener: () => undefined });
        assistant.followConsents(chat);
        await vi.advanceTimersByTimeAsync(20);
        expect(known()).toBe(true);
        void assistant.translate(chat, asked, "zh");
        await vi.advanceTimersByTimeAsync(2_000);
        expect(assistant.translations.of("$1 ").get()).toMatchObject({ problem: { kind: "consent" } });
        expect(known()).toBe(null);
    });
    it("are not asked for again where the answer is no", async () => {
        const { assistant, chat, calls } = over([refused(403), status]);
        assistant.followConsents(chat);
        await vi.advanceTimersByTimeAsync(300_000);
        expect(calls()).toBe(1);
    });
});
