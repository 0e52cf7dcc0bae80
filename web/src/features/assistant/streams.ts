import { atOnce, placesHere, type Places } from "@/features/assistant/places";

/** Why a stream ended before its end: by a tap, by the deadline, or since nobody waits for what would come of it. */
export type Ending = "stopped" | "late" | "given_up";

export interface Turn {
    /** Its reason is an Ending. */
    readonly signal: AbortSignal;
    /** Comes with whether others are before it, here or in another tab. */
    readonly waits: Promise<boolean>;
    /** Comes when it may begin or was ended. */
    readonly begin: Promise<void>;
    end(why: Ending): void;
    /** Must be called when it is over: the place is another's then. */
    leave(): void;
}

interface Entered extends Turn {
    readonly key: string;
    readonly byItself: boolean;
    tell(waits: boolean): void;
    start(): void;
    /** Gives the place back. */
    free(): void;
}

const waiting_limit = 30;

/**
 * Streams of a model's words in this tab, each under a key of its own; they begin as places for them come, at most three at
 * once, and the others wait their turn. One that comes by itself never takes the place of what a person asked for: it waits
 * behind all of that in its tab, and only one has a place.
 */
export class Streams {
    private readonly open = new Map<string, Entered>();
    private waiting: Entered[] = [];
    /** Places that were asked for and have not come, and of those how many are said not to come at once. */
    private asked = 0;
    private queued = 0;

    constructor(private readonly places: Places = placesHere()) {}

    /** Null where too many wait already. What has this key gives way. */
    enter(key: string, byItself: boolean): Turn | null {
        this.end(key, "given_up");
        if (this.waiting.length >= waiting_limit) return null;
        const abort = new AbortController();
        let tell = (_waits: boolean) => undefined as void;
        const waits = new Promise<boolean>((resolve) => (tell = resolve));
        let begun = () => undefined as void;
        const begin = new Promise<void>((resolve) => (begun = resolve));
        const start = () => {
            tell(false); // unless it was told already
            begun();
        };
        const leave = () => this.remove(entered);
        const end = (why: Ending) => {
            abort.abort(why);
            start();
            leave();
        };
        const entered: Entered = { key, byItself, signal: abort.signal, waits, begin, tell, start, end, leave, free: () => undefined };
        this.waiting.push(entered);
        this.next();
        if (!this.inOrder().slice(0, this.asked).includes(entered)) tell(true);
        return entered;
    }

    end(key: string, why: Ending): void {
        (this.open.get(key) ?? this.waiting.find((one) => one.key === key))?.end(why);
    }

    endAll(why: Ending): void {
        for (const one of [...this.waiting, ...this.open.values()]) one.end(why);
    }

    private remove(entered: Entered): void {
        this.waiting = this.waiting.filter((one) => one !== entered);
        if (this.open.get(entered.key) === entered) {
            this.open.delete(entered.key);
            entered.free();
        }
        this.next();
    }

    /** Asks for as many places as there is use for. Which stream gets one is decided when it comes. */
    private next(): void {
        while (this.asked < Math.min(atOnce - this.open.size, this.inOrder().length)) {
            this.asked += 1;
            let isQueued = false;
            void this.places
                .take(() => {
                    isQueued = true;
                    this.queued += 1;
                    for (const one of this.inOrder().slice(this.asked - this.queued)) one.tell(true);
                })
                .then((free) => {
                    this.asked -= 1;
                    if (isQueued) this.queued -= 1;
                    this.begin(free);
                });
        }
    }

    private begin(free: () => void): void {
        const first = this.inOrder()[0];
        if (!first) return free();
        this.waiting = this.waiting.filter((one) => one !== first);
        this.open.set(first.key, first);
        first.free = free;
        first.start();
    }

    /** Those that wait and may begin. */
    private inOrder(): Entered[] {
        const hasOneByItself = [...this.open.values()].some((one) => one.byItself);
        return [...this.waiting.filter((one) => !one.byItself), ...(hasOneByItself ? [] : this.waiting.filter((one) => one.byItself).slice(0, 1))];
    }
}
