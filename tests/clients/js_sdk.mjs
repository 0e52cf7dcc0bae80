// People who use matrix-js-sdk as an application does: unmodified, without encryption.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const require = createRequire(join(root, "web", "package.json"));
// Parts of the SDK log past every logger that they are given.
for (const level of ["trace", "debug", "info", "log", "warn"]) console[level] = () => {};
export const sdk = await import(pathToFileURL(require.resolve("matrix-js-sdk")));
const { ClientEvent, InteractiveAuth, createClient } = sdk;

export const password = "a long password";
const limitMs = 120_000;
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, getChild: () => silent };

/** The administrator of a server that was started without a name: the first person, through the setup link. */
export async function setUp(server, localpart) {
    const token = /\/setup#(\S+)/.exec(server.output)[1];
    const body = { token, server_name: "test.lingxi", localpart, password, display_name: "王小明", room_name: "我们家", language: "zh", time_zone: "Asia/Shanghai" };
    return call(server, undefined, "POST", "/_lingxi/client/v1/setup", body);
}

/** A request beside the SDK, for what it has no word for and for what is compared with it. */
export async function call(server, token, method, path, body) {
    const answer = await fetch(server.url + path, { method, headers: { ...(token && { Authorization: `Bearer ${token}` }), "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
    const json = await answer.json();
    assert.equal(answer.status, 200, `${method} ${path}: ${JSON.stringify(json)}`);
    return json;
}

/** Registers through the stages that the server names, the invitation's token among them. */
export function register(server, localpart, token) {
    const client = createClient({ baseUrl: server.url, logger: silent });
    const stages = [];
    return new Promise((resolve, reject) => {
        const auth = new InteractiveAuth({
            matrixClient: client,
            doRequest: (dict) => client.registerRequest({ username: localpart, password, initial_device_display_name: "js-sdk", refresh_token: true, auth: dict ?? undefined }),
            stateUpdated: (stage, status) => {
                if (stages.includes(stage)) return reject(new Error(`${stage} was refused: ${status.errcode}`));
                stages.push(stage);
                void auth.submitAuthDict({ type: stage, ...(stage === "m.login.registration_token" && { token }) });
            },
            busyChanged: () => {},
            requestEmailToken: () => Promise.reject(new Error("no e-mail here")),
        });
        auth.attemptAuth().then((login) => resolve({ ...login, stages }), reject);
    });
}

/** A client of a login. Its requests of /sync can be held back, so that a gap opens. */
export function clientOf(server, login, options = {}) {
    const hold = { gate: null, open: null };
    const fetchFn = async (resource, init) => {
        if (String(resource).includes("/sync") && hold.gate) await hold.gate;
        return fetch(resource, init);
    };
    const client = createClient({ baseUrl: server.url, userId: login.user_id, deviceId: login.device_id, accessToken: login.access_token, logger: silent, timelineSupport: true, fetchFn, ...options });
    client.holdSync = () => (hold.gate = new Promise((open) => (hold.open = open)));
    client.letSync = () => {
        hold.gate = null;
        hold.open?.();
    };
    return client;
}

export async function start(client, options = {}) {
    await client.startClient({ initialSyncLimit: 8, pollTimeout: 10_000, ...options });
    await until(client, () => client.isInitialSyncComplete(), "the first sync");
    return client;
}

/** Waits, sync after sync, until the client sees it. */
export function until(client, condition, what) {
    return new Promise((resolve, reject) => {
        const end = (settle, value) => {
            clearTimeout(timer);
            client.off(ClientEvent.Sync, look);
            settle(value);
        };
        const look = () => {
            try {
                const value = condition();
                if (value) end(resolve, value);
            } catch (error) {
                end(reject, error);
            }
        };
        const timer = setTimeout(() => end(reject, new Error(`${client.getUserId()} never saw ${what}`)), limitMs);
        client.on(ClientEvent.Sync, look);
        look();
    });
}

export function stop(...clients) {
    for (const client of clients) {
        client?.letSync();
        client?.stopClient();
    }
}

/** The room as the server has it, and as the client believes it to be: type and key to event id. */
export async function stateOnServer(server, client, roomId) {
    const events = await call(server, client.getAccessToken(), "GET", `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state`);
    return new Map(events.map((event) => [`${event.type} ${event.state_key}`, event.event_id]).sort());
}
export function stateInClient(client, roomId) {
    const state = client.getRoom(roomId).getLiveTimeline().getState(sdk.Direction.Forward);
    const pairs = [];
    for (const [type, events] of state.events) for (const [key, event] of events) pairs.push([`${type} ${key}`, event.getId()]);
    return new Map(pairs.sort());
}

/** Bodies of the messages in the live timeline, oldest first. */
export function bodies(client, roomId) {
    return client.getRoom(roomId).getLiveTimeline().getEvents().filter((event) => event.getType() === "m.room.message" && !event.isRelation("m.replace")).map((event) => event.getContent().body);
}
