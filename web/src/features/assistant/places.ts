/** What lets a stream begin: a browser allows a host six connections, for all tabs and accounts together. */
export interface Places {
    /** `queued` is told where others are before it; the answer gives the place back. */
    take(queued: () => void): Promise<() => void>;
    /** For what nobody asked for: a place beside which another stays free at this moment, or null. */
    spare(): Promise<(() => void) | null>;
}

/** As many as the server allows a person, whoever of them asks. */
export const atOnce = 3;
const connections_limit = 6;
/** In a tab that knows nothing of others: one for what a person asks for beside one for what comes by itself. */
const inTab = 2;
/** For what one does: sends, pictures, the start of a page. */
const kept = 1;
const placeName = (index: number): string => `lingxi.stream.${index}`;
/** SyncShare's, of which an account holds one as long as it has a long-poll. */
const pollPrefix = "lingxi.sync.";

/** Holds a lock until what it answers is called; null where it is taken, and `ifAvailable`. */
function hold(locks: LockManager, name: string, options: LockOptions): Promise<(() => void) | null> {
    return new Promise((resolve, reject) => {
        locks
            .request(name, options, (lock) => {
                if (lock) return new Promise<void>((free) => resolve(free));
                resolve(null);
                return undefined;
            })
            .catch(reject);
    });
}

/**
 * Places that all tabs of the origin share, as locks that go with their tab. The long-polls of as many accounts as are
 * open take of the same connections, so that the more there are the fewer streams begin; one always may.
 */
export class SharedPlaces implements Places {
    constructor(private readonly locks: LockManager) {}

    async take(queued: () => void): Promise<() => void> {
        const [free] = await this.available(1);
        if (free) return free;
        queued();
        // One after the other, over all tabs.
        const done = await hold(this.locks, "lingxi.stream_turn", {});
        try {
            for (;;) {
                const { index, free } = await this.first(await this.limit());
                if (index < (await this.limit())) return free;
                free(); // another account was opened meanwhile
            }
        } finally {
            done?.();
        }
    }

    async spare(): Promise<(() => void) | null> {
        const [free, last] = await this.available(2);
        last?.();
        if (free && last) return free;
        free?.();
        return null;
    }

    /** Up to so many that are free at this moment. */
    private async available(count: number): Promise<(() => void)[]> {
        const limit = await this.limit();
        const taken: (() => void)[] = [];
        for (let index = 0; index < limit && taken.length < count; index += 1) {
            const free = await hold(this.locks, placeName(index), { ifAvailable: true });
            if (free) taken.push(free);
        }
        return taken;
    }

    private async limit(): Promise<number> {
        const { held = [] } = await this.locks.query();
        const polls = held.filter(({ name }) => name?.startsWith(pollPrefix)).length;
        return Math.min(atOnce, Math.max(1, connections_limit - kept - polls));
    }

    private async first(limit: number): Promise<{ index: number; free: () => void }> {
        const abort = new AbortController();
        const taken = await new Promise<{ index: number; free: () => void }>((resolve) => {
            let isTaken = false;
            for (let index = 0; index < limit; index += 1)
                hold(this.locks, placeName(index), { signal: abort.signal }).then(
                    (free) => {
                        if (isTaken) free?.();
                        else if (free) {
                            isTaken = true;
                            resolve({ index, free });
                        }
                    },
                    () => undefined, // another came first
                );
        });
        abort.abort();
        return taken;
    }
}

/** Without Web Locks (plain http from another machine) tabs know nothing of each other: each has two. */
export class TabPlaces implements Places {
    private taken = 0;
    private readonly waiting: (() => void)[] = [];

    async take(queued: () => void): Promise<() => void> {
        if (this.taken < inTab) this.taken += 1;
        else {
            queued();
            await new Promise<void>((resolve) => this.waiting.push(resolve)); // its place is handed over
        }
        return () => this.free();
    }

    spare(): Promise<(() => void) | null> {
        if (this.taken + 1 >= inTab) return Promise.resolve(null);
        this.taken += 1;
        return Promise.resolve(() => this.free());
    }

    private free(): void {
        const next = this.waiting.shift();
        if (next) next();
        else this.taken -= 1;
    }
}

export const placesHere = (): Places => (typeof navigator !== "undefined" && "locks" in navigator ? new SharedPlaces(navigator.locks) : new TabPlaces());
