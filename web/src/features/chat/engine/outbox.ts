import { ApiError, errcodeOf, statusOf } from "@/lib/errors";
import type { Json } from "@/lib/http";

/** A picture or file that goes out with its message. */
export interface OutgoingFile {
    blob: Blob;
    name: string;
    type: string;
    /** Where it is once uploaded, so that a retry does not upload again. */
    mxc: string | null;
}

export interface OutboxItem {
    /** The transaction id: the server takes it once per device, however often it is sent. */
    txnId: string;
    roomId: string;
    type: string;
    content: Json;
    file: OutgoingFile | null;
    createdAtMs: number;
    /** Orders items of one millisecond. */
    sequence: number;
    state: "queued" | "sending" | "failed" | "sent";
    /** Of an upload; not stored. */
    progress: number | null;
    errcode: string | null;
    eventId: string | null;
    /** It went out at least once: the server may have it, whatever was heard of that. */
    tried?: boolean;
    /** Taken back when the server may have had it: what it has of it is redacted there. Kept until that is seen here. */
    withdrawn?: boolean;
}

export interface OutboxStorage {
    load(): Promise<OutboxItem[]>;
    put(item: OutboxItem): Promise<void>;
    remove(txnId: string): Promise<void>;
}

export interface OutboxDoor {
    send(roomId: string, type: string, txnId: string, content: Json): Promise<{ event_id: string }>;
    upload(file: OutgoingFile, onProgress: (share: number) => void): Promise<string>;
    redact(roomId: string, eventId: string, txnId: string): Promise<unknown>;
}

/** The message that a content changes, if it does. */
export function editedBy(content: Json): string | null {
    const relation = content["m.relates_to"] as { rel_type?: unknown; event_id?: unknown } | undefined;
    return relation?.rel_type === "m.replace" && typeof relation.event_id === "string" ? relation.event_id : null;
}

/** Failures that another try may cure: no connection, an overloaded or failing server. */
export function isPassing(error: unknown): boolean {
    const status = statusOf(error);
    if (errcodeOf(error) === "NETWORK") return true;
    return status === 0 ? !(error instanceof ApiError) : status === 429 || status >= 500 || status === 401;
}

export const firstPauseMs = 1_000;
export const longestPauseMs = 15_000;

/**
 * Messages on their way. What is written is stored before it is sent, is sent in order within a chat, and
 * stays until the server has acknowledged it, through reloads and restarts of either side. Shown until the
 * message comes back in the timeline.
 */
export class Outbox {
    private items: readonly OutboxItem[] = [];
    private readonly listeners = new Set<() => void>();
    private readonly busyRooms = new Set<string>();
    /** Ends the pause of a chat whose last try failed. */
    private readonly pauses = new Map<string, () => void>();
    private sequence = 0;
    private stopped = false;

    constructor(
        private readonly storage: OutboxStorage,
        private readonly door: OutboxDoor,
        private readonly now: () => number = Date.now,
    ) {}

    async start(): Promise<void> {
        const stored = await this.storage.load();
        const known = new Set(this.items.map((item) => item.txnId));
        const revived = stored
            .filter((item) => !known.has(item.txnId))
            .map((item): OutboxItem => ({ ...item, state: item.state === "failed" ? "failed" : "queued", progress: null }));
        this.items = [...revived, ...this.items].sort((a, b) => a.createdAtMs - b.createdAtMs || a.sequence - b.sequence);
        this.sequence = Math.max(this.sequence, ...stored.map((item) => item.sequence + 1), 0);
        this.changed();
        this.flush();
    }

    stop(): void {
        this.stopped = true;
        for (const end of [...this.pauses.values()]) end();
    }

    readonly subscribe = (listener: () => void): (() => void) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
    };
    readonly all = (): readonly OutboxItem[] => this.items;

    inRoom(roomId: string): OutboxItem[] {
        return this.items.filter((item) => item.roomId === roomId);
    }

    unsentCount(): number {
        return this.items.filter((item) => item.state !== "sent").length;
    }

    enqueue(txnId: string, roomId: string, type: string, content: Json, file: OutgoingFile | null = null): void {
        // An older change of the same message that failed must not come after this one.
        const changed = editedBy(content);
        for (const item of this.inRoom(roomId)) if (changed !== null && item.state === "failed" && editedBy(item.content) === changed) void this.discard(item.txnId);
        const item: OutboxItem = {
            txnId,
            roomId,
            type,
            content,
            file,
            createdAtMs: this.now(),
            sequence: this.sequence,
            state: "queued",
            progress: null,
            errcode: null,
            eventId: null,
        };
        this.sequence += 1;
        this.items = [...this.items, item];
        this.changed();
        // Sending waits for the storage: what is on its way must survive a reload.
        this.storage.put(item).then(
            () => this.flushRoom(roomId),
            () => this.flushRoom(roomId), // storage is full or forbidden: sending still works
        );
    }

    retry(txnId: string): void {
        const item = this.find(txnId);
        if (!item || item.state !== "failed") return;
        this.change(txnId, { state: "queued", errcode: null });
        this.pauses.get(item.roomId)?.();
        this.flushRoom(item.roomId);
    }

    async discard(txnId: string): Promise<void> {
        this.items = this.items.filter((item) => item.txnId !== txnId);
        this.changed();
        await this.storage.remove(txnId).catch(() => undefined);
    }

    has(txnId: string): boolean {
        return this.find(txnId) !== undefined;
    }

    /** Takes back what has not gone yet; what is going, or may have come there, goes and is redacted as soon as its id is known. */
    withdraw(txnId: string): void {
        const item = this.find(txnId);
        if (item?.state === "queued" && !item.tried) return void this.discard(txnId);
        if (item?.state !== "sending" && item?.state !== "queued") return;
        this.change(txnId, { withdrawn: true });
        void this.storage.put({ ...item, withdrawn: true }).catch(() => undefined); // without a storage: in this tab
    }

    /** The message came back in the timeline: nothing is left to show. */
    confirm(txnId: string | undefined, eventId: string | undefined): void {
        const found = this.items.find((item) => (txnId !== undefined && item.txnId === txnId) || (eventId !== undefined && item.eventId === eventId));
        if (found && !found.withdrawn) void this.discard(found.txnId);
    }

    /** An event is redacted, as the timeline has it: what was taken back is hidden by that now. */
    redacted(eventId: string | undefined): void {
        const found = this.items.find((item) => item.withdrawn && eventId !== undefined && item.eventId === eventId);
        if (found) void this.discard(found.txnId);
    }

    /** Tries all chats now, for instance when the connection is back. */
    flush(): void {
        for (const roomId of new Set(this.items.map((item) => item.roomId))) {
            this.pauses.get(roomId)?.();
            this.flushRoom(roomId);
        }
    }

    private find(txnId: string): OutboxItem | undefined {
        return this.items.find((item) => item.txnId === txnId);
    }

    private change(txnId: string, change: Partial<OutboxItem>): void {
        this.items = this.items.map((item) => (item.txnId === txnId ? { ...item, ...change } : item));
        this.changed();
    }

    private changed(): void {
        for (const listener of this.listeners) listener();
    }

    private flushRoom(roomId: string): void {
        if (this.stopped || this.busyRooms.has(roomId)) return;
        if (!this.items.some((item) => item.roomId === roomId && item.state === "queued")) return;
        this.busyRooms.add(roomId);
        void this.sendRoom(roomId).finally(() => {
            this.busyRooms.delete(roomId);
            this.flushRoom(roomId); // what came while the last one was finishing
        });
    }

    private async sendRoom(roomId: string): Promise<void> {
        let pauseMs = firstPauseMs;
        for (;;) {
            const item = this.items.find((one) => one.roomId === roomId && one.state === "queued");
            if (!item || this.stopped) return;
            this.change(item.txnId, { state: "sending" });
            try {
                const { event_id } = await this.sendItem(item);
                this.change(item.txnId, { state: "sent", eventId: event_id, progress: null });
                await this.storage.remove(item.txnId).catch(() => undefined);
                pauseMs = firstPauseMs;
            } catch (error) {
                if (!this.find(item.txnId)) continue; // deleted meanwhile
                if (isPassing(error)) {
                    this.change(item.txnId, { state: "queued", progress: null });
                    const asked = error instanceof ApiError ? error.retryAfterMs : null;
                    await this.pause(roomId, Math.min(Math.max(pauseMs, asked ?? 0), 60_000));
                    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
                } else if (this.find(item.txnId)?.withdrawn) {
                    await this.discard(item.txnId);
                } else {
                    this.change(item.txnId, { state: "failed", errcode: errcodeOf(error), progress: null });
                    const failed = this.find(item.txnId);
                    if (failed) await this.storage.put(failed).catch(() => undefined);
                }
            }
        }
    }

    private pause(roomId: string, ms: number): Promise<void> {
        return new Promise((resolve) => {
            const end = () => {
                clearTimeout(timer);
                this.pauses.delete(roomId);
                resolve();
            };
            const timer = setTimeout(end, ms);
            this.pauses.set(roomId, end);
        });
    }

    private async sendItem(item: OutboxItem): Promise<{ event_id: string }> {
        let content = item.content;
        if (item.file) {
            let mxc = item.file.mxc;
            if (mxc === null) {
                mxc = await this.door.upload(item.file, (share) => this.change(item.txnId, { progress: share }));
                const file = { ...item.file, mxc };
                this.change(item.txnId, { file });
                const current = this.find(item.txnId);
                if (current) await this.storage.put(current).catch(() => undefined);
            }
            content = { ...content, url: mxc };
        }
        if (!item.tried) {
            this.change(item.txnId, { tried: true });
            const current = this.find(item.txnId);
            if (current) await this.storage.put(current).catch(() => undefined);
        }
        const sent = await this.door.send(item.roomId, item.type, item.txnId, content);
        if (this.find(item.txnId)?.withdrawn) {
            // Its redaction may be in the timeline before it is answered.
            this.change(item.txnId, { eventId: sent.event_id });
            await this.door.redact(item.roomId, sent.event_id, `${item.txnId}r`);
        }
        return sent;
    }
}
