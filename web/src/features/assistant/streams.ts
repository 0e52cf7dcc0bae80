import { atOnce, placesHere, TabPlaces, type Places } from "@/features/assistant/places";

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
 * once, and the others wait their turn. One that comes by itself never takes the place of what a person asks for: it waits
 * behind all of that in its tab, only one has a place, and never the last that is free. Where none comes free in this tab
 * it is given up.
 */
export class Streams {
    private readonly open = new Map<string, Entered>();
    private waiting: Entered[] = [];
    /** Places that were asked for and have not come, and of those how many are said not to come at once. */
    private asked = 0;
    private queued = 0;
    private asksSpare = false;
    /** Whether a stream came or went since that was asked. */
    private isOtherwise = false;
    /** Where the browser refuses its locks. */
    private readonly ownPlaces = new TabPlaces();

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
        if (!this.asking().slice(0, Math.max(0, this.asked - this.queued)).includes(entered)) tell(true);
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
        this.isOtherwise = true;
        while (this.asked < Math.min(atOnce - this.open.size, this.asking().length)) {
            this.asked += 1;
            void this.take();
        }
        if (!this.asksSpare && this.asking().length === 0 && this.byItself()) void this.takeSpare();
    }

    private async take(): Promise<void> {
        let isQueued = false;
        const queued = () => {
            if (isQueued) return;
            isQueued = true;
            this.queued += 1;
            for (const one of this.asking().slice(this.asked - this.queued)) one.tell(true);
        };
        const free = await this.places.take(queued).catch(() => this.ownPlaces.take(queued));
        this.asked -= 1;
        if (isQueued) this.queued -= 1;
        this.begin(this.asking()[0], free);
    }

    private async takeSpare(): Promise<void> {
        this.asksSpare = true;
        this.isOtherwise = false;
        const free = await this.places.spare().catch(() => this.ownPlaces.spare());
        this.asksSpare = false;
        // What was asked for meanwhile comes first.
        if (free) return this.begin(this.asking()[0] ?? this.byItself(), free);
        // Of a place in another tab nothing would be heard.
        if (this.isOtherwise) this.next();
        else if (this.open.size === 0 && this.asked === 0) this.byItself()?.end("given_up");
    }

    private begin(first: Entered | undefined, free: () => void): void {
        if (first) {
            this.waiting = this.waiting.filter((one) => one !== first);
            this.open.set(first.key, first);
            first.free = free;
            first.start();
        } else free();
        this.next();
    }

    /** Those that a person asked for and that wait. */
    private asking(): Entered[] {
        return this.waiting.filter((one) => !one.byItself);
    }

    /** The one of those that come by themselves that may begin. */
    private byItself(): Entered | undefined {
        return [...this.open.values()].some((one) => one.byItself) ? undefined : this.waiting.find((one) => one.byItself);
    }
}
