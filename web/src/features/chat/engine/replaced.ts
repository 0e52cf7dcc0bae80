import type { Draft, DraftStorage } from "@/features/chat/engine/drafts";
import { Store, StoreMap } from "@/lib/store";

export interface Replaced {
    /** What one had written. */
    readonly before: Draft;
    /** What was put in its place. */
    readonly put: string;
}

type All = readonly Replaced[];

const depth_limit = 3;

/**
 * What one had written where a suggestion or a translation was put in its place. It is kept on this device until what
 * stands there goes out, so that a mistaken tap loses nothing.
 */
export class ReplacedWords {
    private readonly kept: StoreMap<All>;

    constructor(
        private readonly userId: string,
        private readonly storage: DraftStorage,
    ) {
        this.kept = new StoreMap((roomId) => parse(storage.getItem(this.key(roomId))));
    }

    /** Begins as the drafts' own keys do: it is erased with them. */
    private key(roomId: string): string {
        return `lingxi.draft.${this.userId}.before.${roomId}`;
    }

    /** The last one is on top. */
    of(roomId: string): Store<All> {
        return this.kept.of(roomId);
    }

    /** `now` was put in the place of `before`. A chip in the place of another's untouched words replaces nothing of one's own. */
    put(roomId: string, before: Draft, now: Draft, isChip: boolean): void {
        const all = this.of(roomId).get();
        const top = all.at(-1);
        const own = isChip && top?.put === before.text ? top.before : before;
        const rest = own === before ? all : all.slice(0, -1);
        this.keep(roomId, [...rest, { before: own, put: now.text }].slice(-depth_limit));
    }

    /** One's own words back; null where there are none. */
    take(roomId: string): Draft | null {
        const all = this.of(roomId).get();
        this.keep(roomId, all.slice(0, -1));
        return all.at(-1)?.before ?? null;
    }

    sent(roomId: string): void {
        if (this.of(roomId).get().length > 0) this.keep(roomId, []);
    }

    private keep(roomId: string, all: All): void {
        this.of(roomId).set(all);
        try {
            if (all.length > 0) this.storage.setItem(this.key(roomId), JSON.stringify(all));
            else this.storage.removeItem(this.key(roomId));
        } catch {
            // The storage is full: it is kept as long as this tab is.
        }
    }
}

/** Whether one's own words are offered: while what was put there stands as it was, or nothing at all. What was written since would be lost. */
export function isOffered(all: All, draft: Draft): boolean {
    const top = all.at(-1);
    if (!top || top.before.text.trim() === "") return false;
    return draft.text === "" || draft.text === top.put;
}

function parse(json: string | null): All {
    try {
        const value: unknown = JSON.parse(json ?? "[]");
        const isDraft = (one: Partial<Draft> | undefined): boolean => typeof one?.text === "string" && (one.origin === null || typeof one.origin?.label?.call_id === "string");
        return Array.isArray(value) ? value.filter((one: Replaced) => isDraft(one?.before) && typeof one.put === "string") : [];
    } catch {
        return [];
    }
}
