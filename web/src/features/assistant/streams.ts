/** Why a stream ended before its end: by a tap, by the deadline, or since nobody waits for what would come of it. */
export type Ending = "stopped" | "late" | "given_up";

export interface Turn {
    /** Its reason is an Ending. */
    readonly signal: AbortSignal;
    /** Whether others were before it when it came. */
    readonly waits: boolean;
    /** Comes when it may begin or was ended. */
    readonly begin: Promise<void>;
    end(why: Ending): void;
    /** Must be called when it is over: the place is another's then. */
    leave(): void;
}

interface Place extends Turn {
    readonly key: string;
    readonly byItself: boolean;
    start(): void;
}

/** As many as the server allows a person. With the long-poll they leave two of the six connections that a browser allows a host. */
const atOnce = 3;
const waiting_limit = 30;

/**
 * Streams of a model's words in this tab, each under a key of its own: three at once, the others wait their turn. One that
 * comes by itself never takes the place of what a person asked for: it waits behind all of that, and only one has a place.
 */
export class Streams {
    private readonly open = new Map<string, Place>();
    private waiting: Place[] = [];

    /** Null where too many wait already. What has this key gives way. */
    enter(key: string, byItself: boolean): Turn | null {
        this.end(key, "given_up");
        if (this.waiting.length >= waiting_limit) return null;
        const abort = new AbortController();
        let start = () => undefined as void;
        const begin = new Promise<void>((resolve) => (start = resolve));
        const leave = () => this.remove(place);
        const end = (why: Ending) => {
            abort.abort(why);
            start();
            leave();
        };
        const place = { key, byItself, signal: abort.signal, waits: true, begin, start, end, leave };
        this.waiting.push(place);
        this.next();
        place.waits = !this.open.has(key);
        return place;
    }

    end(key: string, why: Ending): void {
        (this.open.get(key) ?? this.waiting.find((place) => place.key === key))?.end(why);
    }

    endAll(why: Ending): void {
        for (const place of [...this.waiting, ...this.open.values()]) place.end(why);
    }

    private remove(place: Place): void {
        this.waiting = this.waiting.filter((one) => one !== place);
        if (this.open.get(place.key) === place) this.open.delete(place.key);
        this.next();
    }

    private next(): void {
        while (this.open.size < atOnce) {
            const place = this.first();
            if (!place) return;
            this.waiting = this.waiting.filter((one) => one !== place);
            this.open.set(place.key, place);
            place.start();
        }
    }

    private first(): Place | undefined {
        return this.waiting.find((one) => !one.byItself) ?? (this.hasOneByItself() ? undefined : this.waiting[0]);
    }

    private hasOneByItself(): boolean {
        return [...this.open.values()].some((place) => place.byItself);
    }
}
