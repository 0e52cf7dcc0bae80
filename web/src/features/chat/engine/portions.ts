import { IndexedDBStore, type MatrixClient } from "matrix-js-sdk";
import type { ISavedSync } from "matrix-js-sdk/lib/store";
import type { ISyncResponse } from "matrix-js-sdk/lib/sync-accumulator";
import { isMessageContent } from "@/features/chat/engine/content";

type FetchLike = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;
type Kind = "invite" | "join" | "knock" | "leave";
type Rooms = Partial<Record<Kind, Record<string, object>>>;

/** An answer of /sync, as far as this looks into it. */
export interface Answer {
    next_batch: string;
    rooms?: Rooms;
}

/** What the SDK takes in without a pause that is felt, on a small laptop too: it has half a millisecond of work a room. */
export const rooms_a_portion = 50;

const mark = "lingxi.portion.";

/** Whether more of the same answer follows one that ends at `token`. */
export const isPortion = (token: string | undefined): boolean => token?.startsWith(mark) === true;

interface RawEvent {
    type: string;
    state_key?: string;
    content?: Record<string, unknown>;
    origin_server_ts?: number;
}
interface RawRoom {
    timeline?: { events?: RawEvent[] };
    account_data?: { events?: RawEvent[] };
}

/** The order of the list of chats (compareRooms), read from the answer. */
function orderOf(kind: Kind, roomId: string, room: object): [kind: number, pinned: number, atMs: number, roomId: string] {
    const { timeline, account_data } = room as RawRoom;
    const events = timeline?.events ?? [];
    const last = events.findLast((event) => isMessageContent(event.type, event.state_key !== undefined, event.content ?? {})) ?? events.at(-1);
    const tags = account_data?.events?.find((event) => event.type === "m.tag")?.content?.["tags"];
    const pinned = typeof tags === "object" && tags !== null && "m.favourite" in tags;
    return [kind === "invite" ? 0 : kind === "join" ? 1 : 2, pinned ? 0 : 1, -(last?.origin_server_ts ?? 0), roomId];
}

/** The same answer in parts, those chats first that stand first in the list. One, where there are few. */
export function divided<A extends Answer>(answer: A, tokenOf: (part: number) => string): A[] {
    const kinds = Object.entries(answer.rooms ?? {}) as [Kind, Record<string, object>][];
    const rooms = kinds.flatMap(([kind, all]) => Object.entries(all).map(([id, room]) => ({ kind, id, room, order: orderOf(kind, id, room) })));
    if (rooms.length <= rooms_a_portion) return [answer];
    rooms.sort((a, b) => {
        const at = a.order.findIndex((value, index) => value !== b.order[index]);
        return at < 0 || a.order[at]! < b.order[at]! ? -1 : 1;
    });
    const parts: A[] = [];
    for (let from = 0; from < rooms.length; from += rooms_a_portion) {
        const some: Rooms = {};
        for (const { kind, id, room } of rooms.slice(from, from + rooms_a_portion)) (some[kind] ??= {})[id] = room;
        const next_batch = from + rooms_a_portion < rooms.length ? tokenOf(parts.length + 1) : answer.next_batch;
        // What is not of a chat (whom one writes with directly, who is here) is known before the chats are.
        parts.push(parts.length === 0 ? { ...answer, next_batch, rooms: some } : ({ next_batch, rooms: some } as A));
    }
    return parts;
}

class JsonResponse extends Response {
    constructor(private readonly value: unknown) {
        super(null, { headers: { "Content-Type": "application/json" } });
    }
    override json = async (): Promise<unknown> => this.value; // as it is: it was parsed already
    override text = async (): Promise<string> => JSON.stringify(this.value);
}

/** Lets the page be drawn, and what one did in the meantime come to its right. */
function pause(untilDrawn: boolean): Promise<void> {
    return new Promise((resolve) => {
        const soon = () => {
            const { port1, port2 } = new MessageChannel(); // a timer would be held back
            port1.onmessage = () => {
                port1.close();
                resolve();
            };
            port2.postMessage(null);
        };
        if (!untilDrawn || document.hidden) return soon();
        const timer = setTimeout(soon, 100); // a page that is covered draws nothing
        requestAnimationFrame(() => {
            clearTimeout(timer);
            soon();
        });
    });
}

type TakeStored = (part: ISavedSync) => Promise<void>;

/** How the SDK takes in what was kept, for which it has no name outside; nothing where it has none inside either. */
export function takeStored(client: MatrixClient): TakeStored | null {
    const { syncApi } = client as unknown as { syncApi?: { syncFromCache?: TakeStored } };
    return syncApi?.syncFromCache ? (part) => syncApi.syncFromCache!(part) : null;
}

/** Two requests that differ in how long they wait only ask the same. */
function questionOf(url: URL): string {
    const asked = [...url.searchParams].filter(([name]) => name !== "timeout" && name !== "_cacheBuster");
    return `${url.pathname} ${JSON.stringify(asked.sort(([a], [b]) => (a < b ? -1 : 1)))}`;
}

/**
 * Between the SDK and the server. An answer with very many chats (the first one, and what the browser kept of it) would
 * hold the page for half a second and more while the SDK takes it in. It is handed on as several, as if the server had
 * sent them one after the other, with pauses between: their tokens are made here and never reach the server or the disk.
 * What was kept waits for no request: without a server, all chats are there.
 */
export class Portions {
    private parts: (Answer | undefined)[] = [];
    private ahead: { question: string; answer: Promise<Response>; abort: AbortController } | null = null;
    /** What was handed on, and is not to be kept as it is: the token after the last part belongs to it. */
    private readonly handedOn = new WeakMap<object, { last: boolean; end: string }>();
    private stopped = false;
    /** An answer is on its way to the SDK in parts: what it has is not the whole. */
    pending = false;

    constructor(private readonly send: FetchLike) {}

    /** Asks now what the SDK will ask in a moment. */
    ask(url: URL): void {
        this.forget();
        const abort = new AbortController();
        const answer = this.send(url.toString(), { signal: abort.signal });
        const ahead = { question: questionOf(url), answer, abort };
        this.ahead = ahead;
        const drop = () => {
            if (this.ahead === ahead) this.ahead = null; // a failure is old by the time it is asked for
        };
        answer.then((response) => response.ok || drop(), drop);
    }

    stop(): void {
        this.stopped = true;
        this.forget();
        this.parts = [];
    }

    /** What the browser kept is handed to `take` but for its last part, which comes back and has the token. */
    async ofStore(saved: ISavedSync, take: TakeStored | null): Promise<ISavedSync | null> {
        const parts = take ? divided({ next_batch: saved.nextBatch, rooms: saved.roomsData as unknown as Rooms }, (part) => mark + part) : [];
        if (!take || parts.length < 2) return saved;
        const stored = parts.map(({ next_batch, rooms }, index) => ({ nextBatch: next_batch, roomsData: rooms as unknown as ISavedSync["roomsData"], accountData: index === 0 ? saved.accountData : [] }));
        for (const [index, part] of stored.slice(0, -1).entries()) {
            if (this.stopped) return null;
            await take(part);
            await pause(index === 0);
        }
        return this.stopped ? null : stored.at(-1)!;
    }

    /** What the store is to keep of `data`: with the truth about its token. */
    toKeep(data: ISyncResponse): ISyncResponse {
        const part = this.handedOn.get(data);
        if (!part) return data;
        if (part.last) this.pending = false;
        return { ...data, next_batch: part.end };
    }

    readonly fetch: FetchLike = async (input, init) => {
        const url = new URL(String(input instanceof Request ? input.url : input), location.origin);
        if (!url.pathname.endsWith("/sync")) return this.send(input, init);
        const since = url.searchParams.get("since") ?? undefined;
        if (since !== undefined && isPortion(since)) return this.next(since);
        const response = await this.answerTo(url, input, init);
        if (since !== undefined || !response.ok) return response;
        const answer = (await response.json()) as Answer;
        return new JsonResponse(this.begin(answer));
    };

    private answerTo(url: URL, input: RequestInfo | URL, init: RequestInit | undefined): Promise<Response> {
        const { ahead } = this;
        if (ahead?.question !== questionOf(url)) {
            this.forget();
            return this.send(input, init);
        }
        this.ahead = null;
        if (init?.signal?.aborted) ahead.abort.abort();
        init?.signal?.addEventListener("abort", () => ahead.abort.abort(), { once: true });
        return ahead.answer;
    }

    private async next(since: string): Promise<Response> {
        const at = Number(since.slice(since.lastIndexOf(".") + 1));
        const part = this.parts[at];
        if (!part) throw new Error("a part of an answer that is not there");
        await pause(at === 1);
        this.parts[at - 1] = undefined;
        return new JsonResponse(part);
    }

    private begin(answer: Answer): Answer {
        const parts = divided(answer, (part) => mark + part);
        this.parts = parts.length > 1 ? [...parts] : [];
        this.pending = parts.length > 1;
        if (this.pending) parts.forEach((part, index) => this.handedOn.set(part, { last: index === parts.length - 1, end: answer.next_batch }));
        return parts[0]!;
    }

    private forget(): void {
        this.ahead?.abort.abort();
        this.ahead = null;
    }
}

/** The SDK's store, which hands on in portions what it kept, and writes down only what is whole. */
export class PortionedStore extends IndexedDBStore {
    /** `take` is asked for when the SDK reads what was kept: it is made before its client, and has nothing to take it with. */
    constructor(
        options: ConstructorParameters<typeof IndexedDBStore>[0],
        private readonly portions: Portions,
        take: () => TakeStored | null,
    ) {
        super(options);
        const [read, keep] = [this.getSavedSync, this.setSyncData];
        this.getSavedSync = async () => {
            const kept = await read();
            return kept && portions.ofStore(kept, take());
        };
        this.setSyncData = async (data) => {
            const whole = portions.toKeep(data);
            if (whole === data) return keep(data);
            void keep(whole); // it is the worker's work, in this order: the next part need not wait for it
        };
    }

    override wantsSave(): boolean {
        return !this.portions.pending && super.wantsSave();
    }

    override save(force = false): Promise<void> {
        return this.portions.pending ? Promise.resolve() : super.save(force);
    }
}
