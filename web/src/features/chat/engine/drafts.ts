import type { MatrixClient } from "matrix-js-sdk";
import { Store, StoreMap } from "@/lib/store";

/** Where drafts lie on this device. */
export interface DraftStorage {
    getItem(key: string): string | null;
    setItem(key: string, value: string): void;
    removeItem(key: string): void;
}

export const draftType = "im.lingxi.draft" as const;
const uploadAfterMs = 2_000;
const longest_chars = 20_000;

interface Stored {
    text: string;
    at_ms: number;
}

function parse(text: string | null): Stored | null {
    try {
        const value = JSON.parse(text ?? "null") as Partial<Stored> | null;
        return value && typeof value.text === "string" && typeof value.at_ms === "number" ? { text: value.text, at_ms: value.at_ms } : null;
    } catch {
        return null;
    }
}

/**
 * What was begun and not sent, per chat: on this device at once, with the account after two seconds of rest.
 * Of two versions the younger counts.
 */
export class Drafts {
    readonly texts: StoreMap<string>;
    private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
    /** Rooms whose composer is in use: another device's version must not replace what one is writing. */
    readonly inUse = new Set<string>();

    constructor(
        private readonly userId: string,
        private readonly storage: DraftStorage,
        private readonly upload: (roomId: string, content: Stored) => Promise<unknown>,
        private readonly now: () => number = Date.now,
    ) {
        this.texts = new StoreMap((roomId) => parse(storage.getItem(this.key(roomId)))?.text ?? "");
    }

    private key(roomId: string): string {
        return `lingxi.draft.${this.userId}.${roomId}`;
    }

    of(roomId: string): Store<string> {
        return this.texts.of(roomId);
    }

    set(roomId: string, text: string): void {
        const store = this.of(roomId);
        const kept = text.slice(0, longest_chars);
        if (store.get() === kept) return;
        store.set(kept);
        const stored: Stored = { text: kept, at_ms: this.now() };
        this.keep(roomId, stored);
        clearTimeout(this.timers.get(roomId));
        this.timers.set(
            roomId,
            setTimeout(() => {
                this.timers.delete(roomId);
                this.upload(roomId, stored).catch(() => undefined); // stays on this device until the next change
            }, uploadAfterMs),
        );
    }

    /** A version from the account: this device's own, come back, or another's. */
    take(roomId: string, content: Record<string, unknown>): void {
        const text = typeof content["text"] === "string" ? content["text"].slice(0, longest_chars) : "";
        const at = typeof content["at_ms"] === "number" ? content["at_ms"] : 0;
        const own = parse(this.storage.getItem(this.key(roomId)));
        if (this.timers.has(roomId) || this.inUse.has(roomId)) return;
        if (own && own.at_ms >= at) return;
        this.of(roomId).set(text);
        this.keep(roomId, { text, at_ms: at });
    }

    stop(): void {
        for (const timer of this.timers.values()) clearTimeout(timer);
        this.timers.clear();
    }

    private keep(roomId: string, stored: Stored): void {
        try {
            this.storage.setItem(this.key(roomId), JSON.stringify(stored));
        } catch {
            // The storage is full: the account's copy remains.
        }
    }
}

export function uploadDraft(client: MatrixClient): (roomId: string, content: Stored) => Promise<unknown> {
    return (roomId, content) => client.setRoomAccountData(roomId, draftType, content);
}
