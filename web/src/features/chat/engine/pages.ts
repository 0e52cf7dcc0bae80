import { NetworkError } from "@/lib/errors";

type FetchLike = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;

const patience_ms = 20_000;

/**
 * Requests for a chat's older messages. A server that accepts and never answers would hold one for minutes, and while
 * one is under way the SDK asks for no other: so each is given up on after a while, or when somebody wants to try again.
 */
export class Pages {
    private readonly underWay = new Set<AbortController>();

    constructor(private readonly send: FetchLike) {}

    giveUp(): void {
        for (const abort of this.underWay) abort.abort();
    }

    readonly fetch: FetchLike = async (input, init) => {
        const { pathname } = new URL(String(input instanceof Request ? input.url : input), location.origin);
        if (!pathname.endsWith("/messages")) return this.send(input, init);
        const abort = new AbortController();
        const byCaller = () => abort.abort();
        init?.signal?.addEventListener("abort", byCaller, { once: true });
        const late = setTimeout(byCaller, patience_ms);
        this.underWay.add(abort);
        try {
            return await this.send(input, { ...init, signal: abort.signal });
        } catch (error) {
            if (abort.signal.aborted && !init?.signal?.aborted) throw new NetworkError("the server is late");
            throw error;
        } finally {
            clearTimeout(late);
            init?.signal?.removeEventListener("abort", byCaller);
            this.underWay.delete(abort);
        }
    };
}
