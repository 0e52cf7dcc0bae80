import type { MatrixClient } from "matrix-js-sdk";
import { labelFor, labelKey, labelOf, type Origin } from "@/features/chat/engine/content";
import { Store, StoreMap } from "@/lib/store";

/** Where drafts lie on this device. */
export interface DraftStorage {
    getItem(key: string): string | null;
    setItem(key: string, value: string): void;
    removeItem(key: string): void;
}

/** What was begun: the words, and what of AI is in them. */
export interface Draft {
    readonly text: string;
    readonly origin: Origin | null;
}

export const draftType = "im.lingxi.draft" as const;
const aiTextKey = "im.lingxi.ai_text";
const uploadAfterMs = 2_000;
const longest_chars = 20_000;
/** What AI wrote is kept beside the words only up to here: both must fit into one event. */
const longestAiText_chars = 4_000;
const nothing: Draft = { text: "", origin: null };

export interface StoredDraft {
    [key: string]: unknown;
    text: string;
    at_ms: number;
}

/** The label is that of a message. Beside changed words stand those that it was given for, since they may come back. */
function stored({ text, origin }: Draft, at_ms: number): StoredDraft {
    const label = labelFor(origin, text);
    if (!origin || !label) return { text, at_ms };
    const mayComeBack = origin.label.kind === "generated" && origin.text !== text && origin.text.length <= longestAiText_chars;
    return { text, at_ms, [labelKey]: label, ...(mayComeBack ? { [aiTextKey]: origin.text } : {}) };
}

function draftOf(content: Record<string, unknown>): Draft {
    const text = typeof content["text"] === "string" ? content["text"].slice(0, longest_chars) : "";
    const label = labelOf(content);
    if (text === "") return nothing;
    if (!label) return { text, origin: null };
    const written = content[aiTextKey];
    return { text, origin: typeof written === "string" && written !== "" ? { label: { ...label, kind: "generated" }, text: written } : { label, text } };
}

function parse(json: string | null): { draft: Draft; atMs: number } | null {
    try {
        const value = JSON.parse(json ?? "null") as Partial<StoredDraft> | null;
        return value && typeof value.text === "string" && typeof value.at_ms === "number" ? { draft: draftOf(value), atMs: value.at_ms } : null;
    } catch {
        return null;
    }
}

/** A rest that was deleted letter by letter is in everybody's words; what was taken out at once is known again. */
const isMuchOf = (rest: string, whole: string): boolean => [...rest].length > 1 && rest.length * 2 >= whole.length;

/**
 * What was begun and not sent, per chat: on this device at once, with the account after two seconds of rest, and with it
 * the label of what AI wrote of it, on every device. Of two versions the younger counts.
 */
export class Drafts {
    private readonly drafts: StoreMap<Draft>;
    /** When each was written: another tab writes to the same storage. */
    private readonly writtenAtMs = new Map<string, number>();
    private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
    /** Rooms whose composer is in use: another device's version must not replace what one is writing. */
    readonly inUse = new Set<string>();
    /** What AI wrote last of what stood there before: undone or pasted, it is there again. What went out comes back by undo alone. */
    private readonly before = new Map<string, Draft & { sent: boolean }>();

    constructor(
        private readonly userId: string,
        private readonly storage: DraftStorage,
        private readonly upload: (roomId: string, content: StoredDraft) => Promise<unknown>,
        private readonly now: () => number = Date.now,
    ) {
        this.drafts = new StoreMap((roomId) => {
            const kept = parse(storage.getItem(this.key(roomId)));
            if (kept) this.writtenAtMs.set(roomId, kept.atMs);
            return kept?.draft ?? nothing;
        });
    }

    private key(roomId: string): string {
        return `lingxi.draft.${this.userId}.${roomId}`;
    }

    of(roomId: string): Store<Draft> {
        return this.drafts.of(roomId);
    }

    /** The words went out. What is pasted from here on is more likely one's own, that begins as they do. */
    sent(roomId: string): void {
        const { origin } = this.of(roomId).get();
        this.write(roomId, "");
        const before = this.before.get(roomId);
        if (before && origin) this.before.set(roomId, { ...before, sent: true });
    }

    /** The words as the person changes them. What AI wrote of them stays so, until nothing is left of it. */
    write(roomId: string, text: string): void {
        this.set(roomId, { text, origin: this.of(roomId).get().origin });
    }

    /** Words that come back by the browser's undo or from the clipboard bring back what was known of them. */
    writeAgain(roomId: string, text: string, undone: boolean): void {
        const before = this.before.get(roomId);
        const known = before?.origin && !this.of(roomId).get().origin && (undone || !before.sent);
        if (known && (text === before.text || text.includes(before.origin.text) || (isMuchOf(before.text, before.origin.text) && text.includes(before.text)))) this.set(roomId, { text, origin: before.origin });
        else this.write(roomId, text);
    }

    /** Other words in the place of what was there; none, once they went out. */
    set(roomId: string, { text, origin }: Draft): void {
        const store = this.of(roomId);
        const last = store.get();
        const kept = text.slice(0, longest_chars);
        if (last.text === kept && last.origin === origin) return;
        store.set(kept === "" ? nothing : { text: kept, origin });
        if (last.origin && !store.get().origin) this.before.set(roomId, { ...last, sent: false });
        const content = stored(store.get(), this.now());
        this.keep(roomId, content);
        clearTimeout(this.timers.get(roomId));
        this.timers.set(
            roomId,
            setTimeout(() => {
                this.timers.delete(roomId);
                this.upload(roomId, content).catch(() => undefined); // stays on this device until the next change
            }, uploadAfterMs),
        );
    }

    /** A version from the account: this device's own, come back, or another's. */
    take(roomId: string, content: Record<string, unknown>): void {
        const store = this.of(roomId);
        const at = typeof content["at_ms"] === "number" ? content["at_ms"] : 0;
        if (this.timers.has(roomId) || this.inUse.has(roomId)) return;
        if ((this.writtenAtMs.get(roomId) ?? -1) >= at) return;
        const draft = draftOf(content);
        store.set(draft);
        this.keep(roomId, stored(draft, at));
    }

    stop(): void {
        for (const timer of this.timers.values()) clearTimeout(timer);
        this.timers.clear();
    }

    private keep(roomId: string, content: StoredDraft): void {
        this.writtenAtMs.set(roomId, content.at_ms);
        try {
            this.storage.setItem(this.key(roomId), JSON.stringify(content));
        } catch {
            // The storage is full: the account's copy remains.
        }
    }
}

export function uploadDraft(client: MatrixClient): (roomId: string, content: StoredDraft) => Promise<unknown> {
    return (roomId, content) => client.setRoomAccountData(roomId, draftType, content);
}
