import type { MatrixClient, MatrixEvent } from "matrix-js-sdk";
import { aiPartAfter, placeOf, type Edit, type Span } from "@/features/chat/engine/aiPart";
import { bodyOf, labelFor, labelKey, labelOf, labelOfEvent, type AiLabel, type Origin } from "@/features/chat/engine/content";
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
const uploadAfterMs = 2_000;
const longest_chars = 20_000;
/** Of a composer's former texts so many are known again by what AI wrote of them. */
const formerTexts = 50;
const nothing: Draft = { text: "", origin: null };

export interface StoredDraft {
    [key: string]: unknown;
    text: string;
    at_ms: number;
}

/** The label is that of a message. */
function stored({ text, origin }: Draft, at_ms: number): StoredDraft {
    const label = labelFor(origin?.label, text);
    return { text, at_ms, ...(label ? { [labelKey]: label } : {}) };
}

function draftOf(content: Record<string, unknown>): Draft {
    const text = typeof content["text"] === "string" ? content["text"].slice(0, longest_chars) : "";
    const label = labelOf(content);
    if (text === "") return nothing;
    return { text, origin: label && { label, text } };
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
    /** Where AI's words are in a draft that has some; without an entry they may be anywhere in it. */
    private readonly parts = new Map<string, Span>();
    /** What AI wrote last of what stood there before (`part`): pasted, it is there again, unless it went out. */
    private readonly before = new Map<string, { part: string; origin: Origin; sent: boolean }>();
    /** The texts that stood there with words of AI's: undo brings them back. */
    private readonly former = new Map<string, Map<string, Origin>>();

    constructor(
        private readonly userId: string,
        private readonly storage: DraftStorage,
        private readonly upload: (roomId: string, content: StoredDraft) => Promise<unknown>,
        private readonly now: () => number = Date.now,
        private readonly limit_chars = longest_chars,
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
    write(roomId: string, text: string, edit: Edit | null = null): void {
        const { origin } = this.of(roomId).get();
        const part = origin && this.partAfter(roomId, text, edit);
        this.set(roomId, { text, origin: part ? origin : null }, part);
    }

    /** Words that come back by the browser's undo or from the clipboard bring back what was known of them. */
    writeAgain(roomId: string, text: string, undone: boolean, edit: Edit | null = null): void {
        const { origin } = this.of(roomId).get();
        const part = origin && this.partAfter(roomId, text, undone ? null : edit);
        if (part) return this.set(roomId, { text, origin }, part);
        // What was pasted over AI's words may be these words.
        if (origin) this.remember(roomId, { text: this.of(roomId).get().text, origin }, true);
        this.set(roomId, { text, origin: this.knownIn(roomId, text, undone) });
    }

    /** Words that the clipboard says are of AI's were put in. One draft has one label: of several, the first. */
    writeCarried(roomId: string, text: string, carried: AiLabel, edit: Edit | null): void {
        const last = this.of(roomId).get();
        if (last.origin && this.partAfter(roomId, text, edit)) return this.set(roomId, { text, origin: last.origin });
        const place = placeOf(last.text, text, edit);
        this.set(roomId, { text, origin: { label: carried, text: place ? text.slice(place.from, place.to) : text } }, place);
    }

    /** The label of what is AI's in a part of the draft, which is copied. */
    labelIn(roomId: string, { from, to }: Span): AiLabel | null {
        const { origin, text } = this.of(roomId).get();
        const part = this.parts.get(roomId) ?? { from: 0, to: text.length };
        return origin && from < part.to && to > part.from ? origin.label : null;
    }

    /** The AI's words that `text` has again. */
    private knownIn(roomId: string, text: string, undone: boolean): Origin | null {
        const former = this.former.get(roomId)?.get(text);
        if (undone && former) return former;
        const before = this.before.get(roomId);
        if (!before || (before.sent && !undone)) return null;
        const { part, origin } = before;
        return text.includes(origin.text) || (isMuchOf(part, origin.text) && text.includes(part)) ? origin : null;
    }

    private partAfter(roomId: string, text: string, edit: Edit | null): Span | null {
        const before = this.of(roomId).get().text;
        return aiPartAfter(this.parts.get(roomId) ?? { from: 0, to: before.length }, before, text, edit);
    }

    /** Other words in the place of what was there; none, once they went out. */
    set(roomId: string, { text, origin }: Draft, part: Span | null = null): void {
        const store = this.of(roomId);
        const last = store.get();
        const kept = text.slice(0, this.limit_chars);
        if (last.text === kept && last.origin === origin) return;
        if (last.origin) this.remember(roomId, { text: last.text, origin: last.origin }, kept === "" || !origin);
        if (part) this.parts.set(roomId, part);
        else this.parts.delete(roomId);
        store.set(kept === "" ? nothing : { text: kept, origin });
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

    private remember(roomId: string, { text, origin }: { text: string; origin: Origin }, gone: boolean): void {
        const former = this.former.get(roomId) ?? new Map<string, Origin>();
        this.former.set(roomId, former.set(text, origin));
        for (const oldest of former.keys()) if (former.size > formerTexts) former.delete(oldest);
        const { from, to } = this.parts.get(roomId) ?? { from: 0, to: text.length };
        if (gone) this.before.set(roomId, { part: text.slice(from, to), origin, sent: false });
    }

    /** A version from the account: this device's own, come back, or another's. */
    take(roomId: string, content: Record<string, unknown>): void {
        const store = this.of(roomId);
        const at = typeof content["at_ms"] === "number" ? content["at_ms"] : 0;
        if (this.timers.has(roomId) || this.inUse.has(roomId)) return;
        if ((this.writtenAtMs.get(roomId) ?? -1) >= at) return;
        const draft = draftOf(content);
        this.parts.delete(roomId);
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

/** A message that is being changed: known as a draft is, and kept nowhere. */
export function draftOfEdit(userId: string, event: MatrixEvent): Drafts {
    const nowhere: DraftStorage = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
    const drafts = new Drafts(userId, nowhere, () => Promise.resolve(), Date.now, Infinity);
    const [text, label] = [bodyOf(event), labelOfEvent(event)];
    drafts.set(event.getRoomId() ?? "", { text, origin: label && { label, text } });
    return drafts;
}
