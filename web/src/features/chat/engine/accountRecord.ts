import { Method, type AccountDataEvents, type MatrixClient } from "matrix-js-sdk";
import { NetworkError } from "@/lib/errors";
import { Store } from "@/lib/store";

type Content = Record<string, unknown>;

/** Of so many that went out the news is waited for. */
const echoes_limit = 32;
/** What is not acknowledged by then has failed: later changes must not wait for it. */
const saveDeadline_ms = 15_000;

/** The same words for the same content, in whatever order its fields come. */
function canonical(value: unknown): string {
    return JSON.stringify(value, (_key, one: unknown) => (one !== null && typeof one === "object" && !Array.isArray(one) ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))) : one));
}

/**
 * One record of the account's data, which is always written whole: changes show at once and go out one after the other,
 * each made to what the server has by then. What the server tells of an earlier one does not undo a later one, and
 * one that failed goes alone.
 */
export class AccountRecord<T> {
    readonly store: Store<T>;
    /** What the server has, as far as is known here. */
    private known: T;
    /** Made here and not acknowledged, oldest first. */
    private pending: readonly ((last: T) => T)[] = [];
    /** What went out, oldest first, as long as the news of it has not come. */
    private echoes: readonly string[] = [];
    private last: Promise<unknown> = Promise.resolve();
    /** How often it was heard of another device's. */
    private foreign = 0;

    constructor(
        private readonly client: MatrixClient,
        private readonly type: keyof AccountDataEvents,
        private readonly read: (content: Content) => T,
        private readonly write: (value: T) => Content,
    ) {
        this.known = read({});
        this.store = new Store(this.known);
    }

    /** How many changes are on their way: until they are there, the server knows less than this tab. */
    get saving(): number {
        return this.pending.length;
    }

    /** What the server tells. */
    take(content: Content): void {
        const echo = this.echoes.lastIndexOf(canonical(content));
        if (echo < 0) this.foreign += 1;
        this.echoes = this.echoes.slice(echo + 1);
        if (echo >= 0 && this.echoes.length > 0) return; // of a later one the news is still to come
        this.known = this.read(content);
        this.show();
    }

    /** Fails where the server does not take it; then it is undone. */
    change(make: (last: T) => T): Promise<void> {
        this.pending = [...this.pending, make];
        this.show();
        const save = this.last.then(() => this.save(make));
        this.last = save.catch(() => undefined);
        return save;
    }

    private async save(make: (last: T) => T): Promise<void> {
        const next = make(this.known);
        const content = this.write(next);
        const echo = canonical(content);
        const { foreign } = this;
        this.echoes = [...this.echoes, echo].slice(-echoes_limit);
        try {
            await this.put(content);
            if (this.foreign === foreign) this.known = next; // else it is told which of the two was later
        } catch (error) {
            this.echoes = this.echoes.filter((one) => one !== echo);
            throw error;
        } finally {
            this.pending = this.pending.filter((one) => one !== make);
            this.show();
        }
    }

    private async put(content: Content): Promise<void> {
        const abort = new AbortController();
        let timer: ReturnType<typeof setTimeout> | undefined;
        const late = new Promise<never>((_, reject) => {
            timer = setTimeout(() => {
                abort.abort(); // it must not come after what is saved next
                reject(new NetworkError("the server is late"));
            }, saveDeadline_ms);
        });
        const path = `/user/${encodeURIComponent(this.client.getSafeUserId())}/account_data/${encodeURIComponent(this.type)}`;
        try {
            await Promise.race([this.client.http.authedRequest(Method.Put, path, undefined, content, { abortSignal: abort.signal }), late]);
        } finally {
            clearTimeout(timer);
        }
    }

    private show(): void {
        this.store.set(this.pending.reduce((value, make) => make(value), this.known));
    }
}
