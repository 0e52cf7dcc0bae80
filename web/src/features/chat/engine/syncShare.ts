type FetchLike = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;

const safetyMs = 25_000;
const hiddenPauseMs = 20_000;

/**
 * One tab of an account holds the long-poll; a browser allows a host six connections, and each tab with a
 * poll of its own would starve pictures and streams. The tab with the lock asks as usual and tells the
 * others whenever an answer came; they then ask for themselves without waiting (`timeout=0`), from their own
 * position, so nothing hangs on the tabs being at the same place. The lock passes on when its tab closes.
 * Without Web Locks (plain http from another machine) a hidden tab asks only now and then.
 */
export class SyncShare {
    private leader = false;
    private readonly channel: BroadcastChannel | null;
    private news = true; // the first request is made at once
    private wake: (() => void) | null = null;
    private readonly stopped = new AbortController();
    private readonly withLocks = typeof navigator !== "undefined" && "locks" in navigator;

    constructor(
        name: string,
        private readonly send: FetchLike,
    ) {
        this.channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(`lingxi.sync.${name}`);
        if (this.channel) this.channel.onmessage = () => this.notify();
        if (!this.withLocks) return;
        navigator.locks
            .request(`lingxi.sync.${name}`, { signal: this.stopped.signal }, () => {
                this.leader = true;
                this.notify();
                return new Promise<void>((resolve) => this.stopped.signal.addEventListener("abort", () => resolve()));
            })
            .catch(() => undefined); // stopped before it was its turn
    }

    stop(): void {
        this.stopped.abort();
        this.channel?.close();
    }

    readonly fetch: FetchLike = async (input, init) => {
        const url = new URL(String(input instanceof Request ? input.url : input), location.origin);
        const waits = url.pathname.endsWith("/sync") && Number(url.searchParams.get("timeout") ?? 0) > 0;
        if (!waits) return this.send(input, init);

        const polls = this.withLocks ? this.leader : !document.hidden;
        if (!polls) {
            await this.untilNews(init?.signal ?? null, this.withLocks ? safetyMs : hiddenPauseMs);
            this.news = false;
            url.searchParams.set("timeout", "0");
            return this.send(url.toString(), init);
        }
        try {
            return await this.send(input, init);
        } finally {
            // Also when it failed: the others then notice that the server is away.
            if (!this.stopped.signal.aborted) this.channel?.postMessage("news");
        }
    };

    private notify(): void {
        this.news = true;
        this.wake?.();
    }

    private async untilNews(signal: AbortSignal | null, limitMs: number): Promise<void> {
        if (this.news) return;
        await new Promise<void>((resolve, reject) => {
            const done = () => {
                clearTimeout(timer);
                signal?.removeEventListener("abort", abort);
                document.removeEventListener("visibilitychange", done);
                this.wake = null;
                resolve();
            };
            const abort = () => {
                done();
                reject(new DOMException("aborted", "AbortError"));
            };
            const timer = setTimeout(done, limitMs);
            signal?.addEventListener("abort", abort);
            if (!this.withLocks) document.addEventListener("visibilitychange", done);
            this.wake = done;
        });
    }
}
