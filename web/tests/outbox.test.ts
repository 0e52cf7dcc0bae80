import { describe, expect, it, vi } from "vitest";
import { Outbox, type OutboxDoor, type OutboxItem, type OutboxStorage } from "@/features/chat/engine/outbox";
import { ApiError, NetworkError } from "@/lib/errors";

class Memory implements OutboxStorage {
    readonly items = new Map<string, OutboxItem>();
    load = async () => [...this.items.values()];
    put = async (item: OutboxItem) => void this.items.set(item.txnId, item);
    remove = async (txnId: string) => void this.items.delete(txnId);
}

/** A server that takes each transaction once, as a real one does. */
class Server implements OutboxDoor {
    readonly accepted = new Map<string, { roomId: string; content: unknown }>();
    readonly tries: string[] = [];
    failure: (() => Error | null) | null = null;
    /** Takes the message but loses the answer. */
    loseAnswer = false;
    uploads = 0;
    readonly redacted: string[] = [];
    async redact(_roomId: string, eventId: string) {
        this.tries.push(`redact ${eventId}`);
        const error = this.failure?.();
        if (error) throw error;
        this.redacted.push(eventId);
    }
    async send(roomId: string, _type: string, txnId: string, content: Record<string, unknown>) {
        this.tries.push(txnId);
        const error = this.failure?.();
        if (error) throw error;
        if (!this.accepted.has(txnId)) this.accepted.set(txnId, { roomId, content });
        if (this.loseAnswer) {
            this.loseAnswer = false;
            throw new NetworkError("lost");
        }
        return { event_id: `$${txnId}` };
    }
    async upload() {
        this.uploads += 1;
        return "mxc://server/file";
    }
}

const message = (body: string) => ({ msgtype: "m.text", body });
const settled = async (condition: () => boolean) => vi.waitFor(() => expect(condition()).toBe(true), { timeout: 5000, interval: 5 });

describe("outbox", () => {
    it("sends in order within a chat and forgets what the server acknowledged", async () => {
        const storage = new Memory();
        const server = new Server();
        const outbox = new Outbox(storage, server);
        for (const name of ["a", "b", "c"]) outbox.enqueue(name, "!r", "m.room.message", message(name));
        await settled(() => server.accepted.size === 3);
        expect(server.tries).toEqual(["a", "b", "c"]);
        await settled(() => storage.items.size === 0);
        for (const name of ["a", "b", "c"]) outbox.confirm(name, undefined);
        expect(outbox.all()).toEqual([]);
    });

    it("keeps what is written while the server is away, and sends it once when it is back", async () => {
        const storage = new Memory();
        const server = new Server();
        server.failure = () => new NetworkError("down");
        const outbox = new Outbox(storage, server);
        outbox.enqueue("a", "!r", "m.room.message", message("a"));
        outbox.enqueue("b", "!r", "m.room.message", message("b"));
        await settled(() => server.tries.length >= 1 && outbox.all()[0]?.state === "queued");
        expect(storage.items.size).toBe(2);
        server.failure = null;
        outbox.flush();
        await settled(() => server.accepted.size === 2);
        expect([...server.accepted.keys()]).toEqual(["a", "b"]);
    });

    it("survives a reload: another start sends what the first could not", async () => {
        const storage = new Memory();
        const server = new Server();
        server.failure = () => new NetworkError("down");
        const first = new Outbox(storage, server);
        first.enqueue("a", "!r", "m.room.message", message("a"));
        await settled(() => server.tries.length === 1);
        first.stop();
        server.failure = null;
        const second = new Outbox(storage, server);
        await second.start();
        await settled(() => server.accepted.size === 1 && storage.items.size === 0);
    });

    it("does not double a message whose answer was lost", async () => {
        const storage = new Memory();
        const server = new Server();
        server.loseAnswer = true;
        const outbox = new Outbox(storage, server);
        outbox.enqueue("a", "!r", "m.room.message", message("a"));
        await settled(() => server.tries.length === 1 && outbox.all()[0]?.state === "queued");
        outbox.flush();
        await settled(() => outbox.all()[0]?.state === "sent");
        expect(server.tries).toEqual(["a", "a"]);
        expect(server.accepted.size).toBe(1);
    });

    it("stops at a refusal, goes on with the next, and tries again when told", async () => {
        const storage = new Memory();
        const server = new Server();
        let refuse = true;
        server.failure = () => (refuse && server.tries.at(-1) === "a" ? new ApiError(403, "M_FORBIDDEN", "no") : null);
        const outbox = new Outbox(storage, server);
        outbox.enqueue("a", "!r", "m.room.message", message("a"));
        outbox.enqueue("b", "!r", "m.room.message", message("b"));
        await settled(() => server.accepted.has("b"));
        expect(outbox.all().find((item) => item.txnId === "a")).toMatchObject({ state: "failed", errcode: "M_FORBIDDEN" });
        expect(storage.items.get("a")?.state).toBe("failed");
        refuse = false;
        outbox.retry("a");
        await settled(() => server.accepted.has("a"));
    });

    it("takes back what has not gone out, and what is going as soon as the server has it", async () => {
        const storage = new Memory();
        const server = new Server();
        server.failure = () => new NetworkError("down");
        const outbox = new Outbox(storage, server);
        outbox.enqueue("before", "!r", "m.reaction", {});
        outbox.enqueue("a", "!r", "m.reaction", {});
        await settled(() => server.tries.length === 1 && outbox.all()[0]?.state === "queued");
        outbox.withdraw("a");
        expect([outbox.has("a"), outbox.all().length]).toEqual([false, 1]);
        await settled(() => !storage.items.has("a"));
        await outbox.discard("before");
        const answers: ((sent: { event_id: string }) => void)[] = [];
        server.send = () => new Promise((resolve) => answers.push(resolve));
        outbox.enqueue("b", "!other", "m.reaction", {});
        await settled(() => answers.length === 1);
        outbox.withdraw("b");
        // It comes back in the timeline before the answer does.
        outbox.confirm("b", "$b");
        await settled(() => storage.items.get("b")?.withdrawn === true);
        answers[0]?.({ event_id: "$b" });
        await settled(() => server.tries.includes("redact $b") && outbox.all()[0]?.state === "queued");
        server.failure = null;
        outbox.flush();
        await settled(() => answers.length === 2);
        answers[1]?.({ event_id: "$b" });
        await settled(() => server.redacted.includes("$b") && storage.items.size === 0);
        // Hidden as taken back until the timeline has its redaction.
        await settled(() => outbox.all()[0]?.state === "sent");
        expect(outbox.all()).toMatchObject([{ txnId: "b", withdrawn: true, eventId: "$b" }]);
        outbox.redacted("$another");
        expect(outbox.has("b")).toBe(true);
        outbox.redacted("$b");
        expect([outbox.all(), server.redacted]).toEqual([[], ["$b"]]);
    });

    it("takes back what reached the server though the answer was lost, also after a reload", async () => {
        for (const reloads of [false, true]) {
            const storage = new Memory();
            const server = new Server();
            server.loseAnswer = true;
            let outbox = new Outbox(storage, server);
            outbox.enqueue("a", "!r", "m.reaction", {});
            await settled(() => server.accepted.has("a") && outbox.all()[0]?.state === "queued");
            if (reloads) {
                server.failure = () => new NetworkError("down");
                outbox.stop();
                outbox = new Outbox(storage, server);
                await outbox.start();
                await settled(() => server.tries.length === 2 && outbox.all()[0]?.state === "queued");
            }
            outbox.withdraw("a");
            server.failure = null;
            outbox.flush();
            await settled(() => server.redacted.length === 1 && storage.items.size === 0);
            expect(server.redacted).toEqual(["$a"]);
        }
    });

    it("forgets what was taken back where its redaction comes before the answer to it", async () => {
        const server = new Server();
        const outbox = new Outbox(new Memory(), server);
        let answer = () => undefined as void;
        server.send = () => new Promise((resolve) => (answer = () => resolve({ event_id: "$a" })));
        server.redact = async (_roomId: string, eventId: string) => outbox.redacted(eventId);
        outbox.enqueue("a", "!r", "m.reaction", {});
        await settled(() => outbox.all()[0]?.state === "sending" && outbox.all()[0]?.tried === true);
        await settled(() => {
            answer();
            if (outbox.all()[0]?.state === "sending") outbox.withdraw("a");
            return outbox.all().length === 0;
        });
    });

    it("forgets what was taken back while it was going, where the server refuses it", async () => {
        const storage = new Memory();
        const server = new Server();
        let refuse: (() => void) | null = null;
        server.send = () => new Promise((_resolve, reject) => (refuse = () => reject(new ApiError(403, "M_FORBIDDEN", "no"))));
        const outbox = new Outbox(storage, server);
        outbox.enqueue("a", "!r", "m.reaction", {});
        await settled(() => refuse !== null);
        outbox.withdraw("a");
        refuse!();
        await settled(() => outbox.all().length === 0 && storage.items.size === 0);
        expect(server.redacted).toEqual([]);
    });

    it("does not upload a file again when only its message failed", async () => {
        const server = new Server();
        server.failure = () => (server.tries.length < 2 ? new ApiError(503, "M_UNKNOWN", "busy") : null);
        const outbox = new Outbox(new Memory(), server);
        outbox.enqueue("a", "!r", "m.room.message", { msgtype: "m.file", body: "f" }, { blob: new Blob(["x"]), name: "f", type: "text/plain", mxc: null });
        await settled(() => outbox.all()[0]?.state === "queued" && server.tries.length === 1);
        outbox.flush();
        await settled(() => server.accepted.size === 1);
        expect(server.uploads).toBe(1);
        expect(server.accepted.get("a")?.content).toMatchObject({ url: "mxc://server/file" });
    });

    it("holds one chat's trouble back from another", async () => {
        const server = new Server();
        server.failure = () => (server.tries.at(-1) === "a" ? new NetworkError("down") : null);
        const outbox = new Outbox(new Memory(), server);
        outbox.enqueue("a", "!stuck", "m.room.message", message("a"));
        outbox.enqueue("b", "!free", "m.room.message", message("b"));
        await settled(() => server.accepted.has("b"));
        outbox.stop();
    });
});
