import { ClientEvent, createClient, MemoryStore, NotificationCountType, SyncState, type MatrixClient } from "matrix-js-sdk";
import { logger } from "matrix-js-sdk/lib/logger";
import type { ISavedSync } from "matrix-js-sdk/lib/store";
import type { ISyncResponse } from "matrix-js-sdk/lib/sync-accumulator";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { divided, isPortion, Portions, rooms_a_portion, takeStored } from "@/features/chat/engine/portions";

Object.assign(logger, { getChild: () => logger }); // each room would have one of its own
(logger as unknown as { setLevel(level: string): void }).setLevel("silent"); // it tells of all that this server does not have
const me = "@wang:test";
const origin = "http://lingxi.test";
let events = 0;
const event = (type: string, at: number, content: object, more: object = {}) => ({ event_id: `$${(events += 1)}`, type, sender: "@emma:test", origin_server_ts: at, content, ...more });

function joined(index: number, more: object = {}) {
    const member = (userId: string) => event("m.room.member", 1, { membership: "join", displayname: userId.slice(1, 5) }, { state_key: userId });
    return {
        summary: { "m.heroes": ["@emma:test"], "m.joined_member_count": 2, "m.invited_member_count": 0 },
        state: { events: [event("m.room.create", 1, { room_version: "12" }, { state_key: "" }), member(me), member("@emma:test"), ...(index % 3 ? [event("m.room.name", 1, { name: `Group ${index}` }, { state_key: "" })] : [])] },
        timeline: { events: [event("m.room.message", 1_000 + index, { msgtype: "m.text", body: `words ${index}` })], limited: true, prev_batch: `before${index}` },
        ephemeral: { events: [] },
        account_data: { events: [] },
        unread_notifications: { notification_count: index % 7, highlight_count: index % 2 },
        ...more,
    };
}

/** An answer with `count` chats, the oldest of which is pinned, and an invitation. */
function answerOf(count: number): ISyncResponse {
    events = 0;
    const join = Object.fromEntries(Array.from({ length: count }, (_, index) => [`!${index}:test`, joined(index)]));
    join["!0:test"] = joined(0, { account_data: { events: [{ type: "m.tag", content: { tags: { "m.favourite": { order: 0.5 } } } }] } });
    const invite = { "!asked:test": { invite_state: { events: [event("m.room.member", 1, { membership: "invite" }, { state_key: me })] } } };
    const account_data = { events: [{ type: "m.direct", content: { "@emma:test": ["!3:test"] } }] };
    return { next_batch: "s1", account_data, rooms: { invite, join, leave: {}, knock: {} } } as unknown as ISyncResponse;
}

function savedOf(count: number): ISavedSync {
    const { rooms, account_data } = answerOf(count);
    return { nextBatch: "s1", roomsData: rooms, accountData: account_data.events } as unknown as ISavedSync;
}

/** A server that has one answer to each `since`; the rest of what the SDK asks it knows nothing of. */
function serverOf(answers: Record<string, ISyncResponse>) {
    const asked: string[] = [];
    const send = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
        const url = new URL(String(input));
        const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });
        if (url.pathname.endsWith("/sync")) {
            asked.push(url.search);
            const answer = answers[url.searchParams.get("since") ?? ""];
            if (answer) return json(answer);
            return new Promise((_, reject) => init?.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError"))));
        }
        if (url.pathname.endsWith("/filter")) return json({ filter_id: "1" });
        if (url.pathname.endsWith("/versions")) return json({ versions: ["v1.11"] });
        if (url.pathname.endsWith("/pushrules/")) return json({ global: {} });
        return json({ errcode: "M_UNRECOGNIZED" }, 404);
    };
    return { send, asked };
}

const silent = { debug() {}, info() {}, log() {}, trace() {}, warn() {}, error() {}, getChild: () => silent };

const sinces = (asked: readonly string[]) => asked.map((search) => new URLSearchParams(search).get("since"));

/** What a list of chats is made of. */
const known = (client: MatrixClient) =>
    Object.fromEntries(
        client.getRooms().map((room) => [
            room.roomId,
            {
                name: room.name,
                membership: room.getMyMembership(),
                tags: room.tags,
                unread: room.getUnreadNotificationCount(NotificationCountType.Total),
                highlight: room.getUnreadNotificationCount(NotificationCountType.Highlight),
                words: room.getLiveTimeline().getEvents().map((one) => one.getContent()["body"]),
                before: room.getLiveTimeline().getPaginationToken("b" as never),
                members: room.getMembers().map((member) => member.name),
            },
        ]),
    );

class Kept extends MemoryStore {
    readonly written: ISyncResponse[] = [];
    constructor(private readonly portions: Portions | null, private readonly saved: ISavedSync | null = null) {
        super();
    }
    client: MatrixClient | null = null;
    override getSavedSync = async () => this.saved && (this.portions ? this.portions.ofStore(this.saved, this.client && takeStored(this.client)) : this.saved);
    override getSavedSyncToken = async () => this.saved?.nextBatch ?? null;
    override setSyncData = async (data: ISyncResponse) => void this.written.push(this.portions ? this.portions.toKeep(data) : data);
}

describe("an answer with many chats", () => {
    const clients: MatrixClient[] = [];
    beforeEach(() => {
        vi.stubGlobal("location", { origin });
        vi.stubGlobal("document", { hidden: true });
    });
    afterEach(() => {
        for (const client of clients.splice(0)) client.stopClient();
        vi.unstubAllGlobals();
    });

    /** The SDK itself, until it has all that the server has for it; `states` is what it said on its way. */
    async function started(send: typeof fetch, store: Kept, until: string) {
        const client = createClient({ baseUrl: origin, userId: me, deviceId: "D", accessToken: "t", fetchFn: send, store, disableVoip: true, logger: silent as never });
        clients.push(client);
        store.client = client;
        const states: { next: string | undefined; cached: boolean; rooms: number }[] = [];
        const whole = new Promise<void>((resolve) =>
            client.on(ClientEvent.Sync, (state, _last, data) => {
                states.push({ next: data?.nextSyncToken, cached: data?.fromCache === true, rooms: client.getRooms().length });
                if ((state === SyncState.Syncing || data?.fromCache) && data?.nextSyncToken === until) resolve();
            }),
        );
        await client.startClient({ initialSyncLimit: 10, lazyLoadMembers: true });
        await whole;
        return { client, states };
    }

    it("is divided so that each chat is in one part, the upper ones first, and the token in the last", () => {
        const answer = answerOf(120);
        const parts = divided(answer as never, (part) => `t${part}`) as unknown as ISyncResponse[];
        expect(parts.map((part) => part.next_batch)).toEqual(["t1", "t2", "s1"]);
        const ids = parts.map((part) => Object.keys({ ...part.rooms.invite, ...part.rooms.join }));
        expect(ids[0]!.slice(0, 4)).toEqual(["!asked:test", "!0:test", "!119:test", "!118:test"]);
        expect(ids.flat().sort()).toEqual([...Object.keys(answer.rooms.join), "!asked:test"].sort());
        expect(ids.every((some) => some.length <= rooms_a_portion)).toBe(true);
        expect(parts[0]!.account_data).toEqual(answer.account_data);
        expect(parts[1]!.account_data).toBeUndefined();
    });

    it("is left alone where it has few", () => {
        const answer = answerOf(rooms_a_portion - 1);
        expect(divided(answer as never, () => "t")).toEqual([answer]);
    });

    it("makes of the SDK what it makes undivided, and the server sees only its own tokens", async () => {
        const plain = serverOf({ "": answerOf(120) });
        const undivided = await started(plain.send as typeof fetch, new Kept(null), "s1");
        const server = serverOf({ "": answerOf(120) });
        const portions = new Portions(server.send);
        const store = new Kept(portions);
        const { client, states } = await started(portions.fetch as typeof fetch, store, "s1");
        expect(Object.keys(known(client))).toHaveLength(121);
        expect(known(client)).toEqual(known(undivided.client));
        expect(client.getAccountData("m.direct" as never)?.getContent()).toEqual({ "@emma:test": ["!3:test"] });
        expect(states[0]).toMatchObject({ rooms: rooms_a_portion });
        expect(states.map(({ next }) => isPortion(next))).toEqual([true, true, true, false]); // Prepared and Syncing of the first
        await vi.waitFor(() => expect(sinces(server.asked)).toEqual([null, "s1"]));
        // What is kept of all parts together is the answer, under the server's token.
        expect(store.written.map((data) => data.next_batch)).toEqual(["s1", "s1", "s1"]);
        expect(store.written.flatMap((data) => Object.keys(data.rooms.join ?? {})).sort()).toEqual(Object.keys(answerOf(120).rooms.join).sort());
        expect(portions.pending).toBe(false);
    });

    it("comes from what the browser kept in parts too, while the server is asked for what is new", async () => {
        const saved = savedOf(120);
        const news = { next_batch: "s2", rooms: { join: { "!5:test": { timeline: { events: [event("m.room.message", 9_000, { msgtype: "m.text", body: "news" })] }, unread_notifications: { notification_count: 9 } } } } };
        const server = serverOf({ s1: news as never });
        const portions = new Portions(server.send);
        const store = new Kept(portions, saved);
        const { client, states } = await started(portions.fetch as typeof fetch, store, "s2");
        expect(Object.keys(known(client))).toHaveLength(121);
        expect(known(client)["!5:test"]).toMatchObject({ unread: 9, words: ["words 5", "news"] });
        expect(store.written.map((data) => data.next_batch)).toEqual(["s2"]); // the rest is kept already
        // Only the server's answer is live.
        expect(states.filter(({ cached }) => !cached).every(({ next }) => next === "s2")).toBe(true);
        await vi.waitFor(() => expect(sinces(server.asked)).toEqual(["s1", "s2"]));
        expect(new URLSearchParams(server.asked[0]).get("timeout")).toBe("0");
    });

    it("is all there from what the browser kept where the server answers nothing, and the SDK takes it in parts", async () => {
        const portions = new Portions(() => new Promise(() => undefined));
        const versions = async (input: RequestInfo | URL, init?: RequestInit) => (String(input).endsWith("/versions") ? new Response('{"versions":["v1.11"]}') : portions.fetch(input, init));
        const { client, states } = await started(versions as typeof fetch, new Kept(portions, savedOf(120)), "s1");
        // An update of the SDK that knows takeStored's way no longer would bring them as one.
        expect(states.map(({ rooms, cached }) => ({ rooms, cached }))).toEqual([50, 100, 121].map((rooms) => ({ rooms, cached: true })));
        expect(states.map(({ next }) => isPortion(next))).toEqual([true, true, false]);
        const undivided = await started(versions as typeof fetch, new Kept(null, savedOf(120)), "s1");
        expect(known(client)).toEqual(known(undivided.client));
        expect(client.getAccountData("m.direct" as never)?.getContent()).toEqual({ "@emma:test": ["!3:test"] });
    });

    it("comes whole where the SDK has no way to take parts, and no longer at all once the session has ended", async () => {
        const saved = savedOf(120);
        const portions = new Portions(() => new Promise(() => undefined));
        expect(await portions.ofStore(saved, null)).toBe(saved);
        const taken: ISavedSync[] = [];
        const ended = portions.ofStore(saved, async (part) => void (taken.push(part), portions.stop()));
        expect(await ended).toBeNull();
        expect(taken.length).toBe(1);
    });

    it("asked for ahead is asked once; another question is asked as it is", async () => {
        const server = serverOf({ "": answerOf(1) });
        const portions = new Portions(server.send);
        const ask = (query: string) => new URL(`${origin}/_matrix/client/v3/sync?${query}`);
        portions.ask(ask("filter=a&timeout=0"));
        expect(((await (await portions.fetch(ask("timeout=30000&filter=a&_cacheBuster=1"))).json()) as ISyncResponse).next_batch).toBe("s1");
        expect(server.asked).toEqual(["?filter=a&timeout=0"]);
        portions.ask(ask("filter=a&timeout=0"));
        await portions.fetch(ask("filter=b&timeout=0"));
        expect(server.asked.slice(1)).toEqual(["?filter=a&timeout=0", "?filter=b&timeout=0"]);
    });

    it.each([["an unreachable server", () => Promise.reject(new TypeError("no"))], ["an error", async () => new Response("{}", { status: 502 })]])("asked for ahead of %s is asked again", async (_what, fails) => {
        const answers = [fails, async () => new Response(JSON.stringify(answerOf(1)))];
        const portions = new Portions(() => answers.shift()!());
        const url = new URL(`${origin}/_matrix/client/v3/sync?timeout=0`);
        portions.ask(url);
        await new Promise((resolve) => setTimeout(resolve));
        const response = await portions.fetch(url);
        expect(((await response.json()) as ISyncResponse).next_batch).toBe("s1");
    });
});
