// A stand-in for the server: enough of the Matrix and /_lingxi surfaces, in memory, to look at the client's pages
// and to try it without building C++. What the real server does is the judge; this only has its shape.
import { createServer } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import { extname, join, normalize } from "node:path";

const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png" };
const serverName = "lingxi.test";
const label = (text) => ({ call_id: "call1", kind: "generated", model: "qwen3-8b", sha256: Buffer.from(text).toString("hex").slice(0, 64), signature: "sig" });

export function startFake({ dist, port = 0, host = "127.0.0.1", now = Date.now() }) {
    const users = new Map();
    const rooms = new Map();
    const media = new Map();
    const waiters = new Set();
    const txns = new Map();
    let position = 1;
    let nextId = 1;
    let down = false;
    let model = true;
    const requests = [];

    const wake = () => {
        for (const waiter of [...waiters]) waiter();
    };
    const user = (id) => {
        if (!users.has(id)) users.set(id, { id, name: id.slice(1).split(":")[0], avatar: null, account: new Map(), roomAccount: new Map(), tags: new Map() });
        return users.get(id);
    };
    const accountData = (owner, map, type, content) => map.set(type, { content, position: position++ }) && owner;

    function addEvent(room, sender, type, content, { stateKey, at, txn } = {}) {
        const event = { type, sender, content, event_id: `$${String(nextId++).padStart(6, "0")}`, origin_server_ts: at ?? Date.now(), room_id: room.id, position: position++ };
        if (stateKey !== undefined) {
            event.state_key = stateKey;
            const previous = room.state.get(`${type} ${stateKey}`);
            if (previous) event.unsigned = { prev_content: previous.content };
            room.state.set(`${type} ${stateKey}`, event);
        }
        if (txn) event.txn = txn;
        room.timeline.push(event);
        if (type === "m.room.message") for (const member of members(room)) if (member !== sender) room.unread.set(member, (room.unread.get(member) ?? 0) + 1);
        wake();
        return event;
    }
    const members = (room) => [...room.state.values()].filter((event) => event.type === "m.room.member" && event.content.membership === "join").map((event) => event.state_key);
    function createRoom(creator, { name, invite = [], at, join: joins = [] } = {}) {
        const room = { id: `!room${nextId++}:${serverName}`, state: new Map(), timeline: [], unread: new Map(), receipts: new Map(), typing: new Set(), typingPosition: 0 };
        rooms.set(room.id, room);
        const member = (id, membership, sender = id) => addEvent(room, sender, "m.room.member", { membership, displayname: user(id).name, ...(user(id).avatar ? { avatar_url: user(id).avatar } : {}) }, { stateKey: id, at });
        addEvent(room, creator, "m.room.create", { room_version: "11", creator }, { stateKey: "", at });
        member(creator, "join");
        addEvent(room, creator, "m.room.power_levels", { users: { [creator]: 100 }, events: { "im.lingxi.consent": 0, "im.lingxi.ai_policy": 50 } }, { stateKey: "", at });
        addEvent(room, creator, "m.room.join_rules", { join_rule: "invite" }, { stateKey: "", at });
        if (name) addEvent(room, creator, "m.room.name", { name }, { stateKey: "", at });
        for (const id of joins) member(id, "join");
        for (const id of invite) member(id, "invite", creator);
        room.unread.clear();
        return room;
    }

    const clientEvent = (event, device) => {
        const { position: _position, room_id: _room, txn, ...rest } = event;
        return txn && txn.device === device ? { ...rest, unsigned: { ...rest.unsigned, transaction_id: txn.id } } : rest;
    };
    function sync(me, device, since) {
        const joined = {};
        const invited = {};
        let any = since === 0;
        const newAccount = [...user(me).account].filter(([, value]) => value.position > since).map(([type, { content }]) => ({ type, content }));
        any ||= newAccount.length > 0;
        for (const room of rooms.values()) {
            const membership = room.state.get(`m.room.member ${me}`)?.content.membership;
            if (membership === "invite") {
                if (room.timeline.some((event) => event.position > since)) {
                    any = true;
                    invited[room.id] = { invite_state: { events: [...room.state.values()].map((event) => clientEvent(event)) } };
                }
                continue;
            }
            if (membership !== "join") continue;
            const joinPosition = room.state.get(`m.room.member ${me}`).position;
            const fresh = since === 0 || joinPosition > since;
            const events = fresh ? room.timeline.slice(-20) : room.timeline.filter((event) => event.position > since);
            const ephemeral = [];
            const receipts = [...room.receipts].filter(([, receipt]) => receipt.position > since);
            if (receipts.length > 0) {
                const content = {};
                for (const [id, receipt] of receipts) {
                    content[receipt.event] ??= { "m.read": {} };
                    content[receipt.event]["m.read"][id] = { ts: receipt.at };
                }
                ephemeral.push({ type: "m.receipt", content });
            }
            if (room.typingPosition > since) ephemeral.push({ type: "m.typing", content: { user_ids: [...room.typing] } });
            const roomAccount = [...(user(me).roomAccount.get(room.id) ?? new Map())].filter(([, value]) => value.position > since).map(([type, { content }]) => ({ type, content }));
            if (events.length + ephemeral.length + roomAccount.length === 0) continue;
            any = true;
            joined[room.id] = {
                timeline: { events: events.map((event) => clientEvent(event, device)), limited: fresh && room.timeline.length > 20, prev_batch: `t${room.timeline.indexOf(events[0] ?? room.timeline[0])}` },
                state: { events: fresh ? [...room.state.values()].filter((event) => !events.includes(event)).map((event) => clientEvent(event)) : [] },
                ephemeral: { events: ephemeral },
                account_data: { events: roomAccount },
                unread_notifications: { notification_count: room.unread.get(me) ?? 0, highlight_count: 0 },
                summary: { "m.heroes": members(room).filter((id) => id !== me).slice(0, 5), "m.joined_member_count": members(room).length, "m.invited_member_count": 0 },
            };
        }
        return { any, body: { next_batch: String(position - 1), rooms: { join: joined, invite: invited, leave: {} }, account_data: { events: newAccount } } };
    }

    const error = (status, errcode, text = errcode, more = {}) => ({ status, body: { errcode, error: text, ...more } });
    const ok = (body = {}) => ({ status: 200, body });
    const login = (id, device = `DEV${nextId++}`) => ok({ user_id: id, access_token: `${id}|${device}`, device_id: device, home_server: serverName });

    const routes = [
        ["GET", "/_matrix/client/versions", () => ok({ versions: ["v1.1", "v1.11"], unstable_features: {} })],
        ["GET", "/_matrix/client/v3/login", () => ok({ flows: [{ type: "m.login.password" }] })],
        ["POST", "/_matrix/client/v3/login", ({ body }) => {
            if (body.type === "m.login.token") return body.token === "demo" ? login(`@zhangwei:${serverName}`) : error(403, "M_FORBIDDEN");
            const id = body.identifier.user.startsWith("@") ? body.identifier.user : `@${body.identifier.user}:${serverName}`;
            return body.password === "password" && users.has(id) ? login(id) : error(403, "M_FORBIDDEN");
        }],
        ["POST", "/_matrix/client/v3/register", ({ body }) => {
            if (!body.auth) return { status: 401, body: { session: "s", flows: [{ stages: ["m.login.registration_token"] }], params: {} } };
            const id = `@${body.username}:${serverName}`;
            user(id);
            join_(id, [...rooms.keys()][0]);
            return login(id);
        }],
        ["GET", "/_matrix/client/v3/pushrules/", ({ me }) => ok({ global: { room: user(me).muted ?? [] } })],
        ["PUT", "/_matrix/client/v3/pushrules/global/room/:room", ({ me, params, body }) => {
            user(me).muted = [...(user(me).muted ?? []), { rule_id: params.room, actions: body.actions, enabled: true, default: false }];
            accountData(user(me), user(me).account, "m.push_rules", { global: { room: user(me).muted } });
            wake();
            return ok();
        }],
        ["DELETE", "/_matrix/client/v3/pushrules/global/room/:room", ({ me, params }) => {
            user(me).muted = (user(me).muted ?? []).filter((rule) => rule.rule_id !== params.room);
            accountData(user(me), user(me).account, "m.push_rules", { global: { room: user(me).muted } });
            wake();
            return ok();
        }],
        ["POST", "/_matrix/client/v3/user/:user/filter", () => ok({ filter_id: "f1" })],
        ["GET", "/_matrix/client/v3/user/:user/filter/:filter", () => ok({})],
        ["GET", "/_matrix/client/v3/capabilities", () => ok({ capabilities: {} })],
        ["GET", "/_matrix/client/v3/profile/:user", ({ params }) => ok({ displayname: user(params.user).name, ...(user(params.user).avatar ? { avatar_url: user(params.user).avatar } : {}) })],
        ["PUT", "/_matrix/client/v3/profile/:user/displayname", ({ me, body }) => ((user(me).name = body.displayname), ok())],
        ["PUT", "/_matrix/client/v3/user/:user/account_data/:type", ({ me, params, body }) => (accountData(user(me), user(me).account, params.type, body), wake(), ok())],
        ["PUT", "/_matrix/client/v3/user/:user/rooms/:room/account_data/:type", ({ me, params, body }) => {
            const map = user(me).roomAccount.get(params.room) ?? new Map();
            user(me).roomAccount.set(params.room, map);
            accountData(user(me), map, params.type, body);
            wake();
            return ok();
        }],
        ["PUT", "/_matrix/client/v3/user/:user/rooms/:room/tags/:tag", ({ me, params, body }) => (setTag(me, params.room, params.tag, body), ok())],
        ["DELETE", "/_matrix/client/v3/user/:user/rooms/:room/tags/:tag", ({ me, params }) => (setTag(me, params.room, params.tag, null), ok())],
        ["POST", "/_matrix/client/v3/createRoom", ({ me, body }) => ok({ room_id: createRoom(me, { name: body.name, invite: body.invite ?? [] }).id })],
        ["POST", "/_matrix/client/v3/join/:room", ({ me, params }) => join_(me, params.room)],
        ["POST", "/_matrix/client/v3/rooms/:room/join", ({ me, params }) => join_(me, params.room)],
        ["POST", "/_matrix/client/v3/rooms/:room/leave", ({ me, params }) => (addEvent(rooms.get(params.room), me, "m.room.member", { membership: "leave" }, { stateKey: me }), ok())],
        ["POST", "/_matrix/client/v3/rooms/:room/invite", ({ me, params, body }) => (addEvent(rooms.get(params.room), me, "m.room.member", { membership: "invite", displayname: user(body.user_id).name }, { stateKey: body.user_id }), ok())],
        ["GET", "/_matrix/client/v3/rooms/:room/members", ({ params }) => ok({ chunk: [...rooms.get(params.room).state.values()].filter((event) => event.type === "m.room.member") })],
        ["GET", "/_matrix/client/v3/rooms/:room/messages", ({ params, query, device }) => {
            const room = rooms.get(params.room);
            const end = Number((query.get("from") ?? "t0").slice(1));
            const start = Math.max(0, end - Number(query.get("limit") ?? 20));
            return ok({ chunk: room.timeline.slice(start, end).toReversed().map((event) => clientEvent(event, device)), start: `t${end}`, ...(start > 0 ? { end: `t${start}` } : {}), state: [] });
        }],
        ["PUT", "/_matrix/client/v3/rooms/:room/send/:type/:txn", ({ me, device, params, body }) => {
            const key = `${device} ${params.txn}`;
            if (!txns.has(key)) txns.set(key, addEvent(rooms.get(params.room), me, params.type, body, { txn: { device, id: params.txn } }).event_id);
            return ok({ event_id: txns.get(key) });
        }],
        ["PUT", "/_matrix/client/v3/rooms/:room/state/:type/:key", ({ me, params, body }) => ok({ event_id: addEvent(rooms.get(params.room), me, params.type, body, { stateKey: params.key ?? "" }).event_id })],
        ["PUT", "/_matrix/client/v3/rooms/:room/redact/:event/:txn", ({ me, params }) => {
            const room = rooms.get(params.room);
            const target = room.timeline.find((event) => event.event_id === params.event);
            const redaction = addEvent(room, me, "m.room.redaction", { redacts: params.event });
            redaction.redacts = params.event;
            if (target) {
                target.content = {};
                target.unsigned = { redacted_because: redaction };
            }
            return ok({ event_id: redaction.event_id });
        }],
        ["POST", "/_matrix/client/v3/rooms/:room/read_markers", ({ me, params, body }) => {
            const room = rooms.get(params.room);
            if (body["m.read"]) room.receipts.set(me, { event: body["m.read"], at: Date.now(), position: position++ });
            room.unread.set(me, 0);
            wake();
            return ok();
        }],
        ["PUT", "/_matrix/client/v3/rooms/:room/typing/:user", ({ me, params, body }) => {
            const room = rooms.get(params.room);
            if (body.typing) room.typing.add(me);
            else room.typing.delete(me);
            room.typingPosition = position++;
            wake();
            return ok();
        }],
        ["POST", "/_matrix/client/v3/user_directory/search", ({ body, me }) => {
            const wanted = body.search_term.toLowerCase();
            return ok({ limited: false, results: [...users.values()].filter((one) => one.id !== me && (one.name.toLowerCase().includes(wanted) || one.id.includes(wanted))).map((one) => ({ user_id: one.id, display_name: one.name })) });
        }],
        ["GET", "/_matrix/client/v1/media/config", () => ok({ "m.upload.size": 50_000_000 })],
        ["GET", "/_matrix/media/v3/config", () => ok({ "m.upload.size": 50_000_000 })],
        ["GET", "/_matrix/client/v3/devices", ({ device }) => ok({ devices: [{ device_id: device, display_name: "Lingxi Web (Chrome, Linux)", last_seen_ts: Date.now() }, { device_id: "OLD", display_name: "Element (iOS)", last_seen_ts: Date.now() - 3 * 86_400_000 }] })],
        ["POST", "/_matrix/client/v3/logout", () => ok()],

        ["GET", "/_lingxi/client/v1/server", () => ok({ server_name: serverName, setup_needed: false, registration: "invitation", version: "0.1.0", public_url: "http://127.0.0.1", max_upload_bytes: 50_000_000 })],
        ["POST", "/_lingxi/client/v1/setup/check", ({ body }) => (body.token ? ok({ server_name: serverName, server_name_fixed: false }) : error(403, "IM.LINGXI.BAD_SETUP_TOKEN"))],
        ["POST", "/_lingxi/client/v1/invitations/preview", ({ body }) => ok({ valid: body.token === "good", server_name: serverName, inviter: { user_id: `@zhangwei:${serverName}`, display_name: "张伟", avatar_url: null }, rooms: [{ room_id: [...rooms.keys()][0], name: "周末爬山" }], expires_at_ms: Date.now() + 5 * 86_400_000 })],
        ["GET", "/_lingxi/client/v1/localpart", ({ query }) => ok({ localpart: query.get("name") === "李娜" ? "lina" : query.get("name").toLowerCase().replace(/[^a-z0-9]/g, "") || "person" })],
        ["POST", "/_lingxi/client/v1/password-reset/check", ({ body }) => (body.token ? ok({ user_id: `@lina:${serverName}`, display_name: "李娜" }) : error(404, "M_NOT_FOUND"))],
        ["POST", "/_lingxi/client/v1/invitations", ({ me, body }) => ok({ token: "tok123", url: `http://${serverName}/invite#tok123`, uses_left: body.uses, expires_at_ms: Date.now() + 7 * 86_400_000, room_ids: body.room_ids, inviter: me })],
        ["GET", "/_lingxi/client/v1/invitations", ({ me }) => ok({ invitations: [{ token: "tok123", url: `http://${serverName}/invite#tok123`, uses_left: 3, expires_at_ms: Date.now() + 7 * 86_400_000, room_ids: [[...rooms.keys()][0]], inviter: me }] })],
        ["GET", "/_lingxi/admin/v1/users", () => ok({ users: [...users.values()].map((one, index) => ({ user_id: one.id, display_name: one.name, is_admin: index === 0, deactivated: false, created_at_ms: now, last_seen_ms: now - index * 7_200_000 })), next: null })],
        ["POST", "/_lingxi/admin/v1/users/:user/reset-link", () => ok({ url: `http://${serverName}/reset#abc`, expires_at_ms: Date.now() + 86_400_000 })],
        ["GET", "/_lingxi/admin/v1/models", () => ok({ read_only: false, file: "gateway.toml", gateway: "up", providers: [{ id: "local", name: "Ollama", base_url: "http://127.0.0.1:11434/v1", model: "qwen3:8b", has_key: false, on_this_machine: true, enabled: true, circuit: "closed" }, { id: "deepseek", name: "DeepSeek", base_url: "https://api.deepseek.com/v1", model: "deepseek-chat", has_key: true, on_this_machine: false, enabled: true, circuit: "open", currency: "CNY" }] })],
        ["POST", "/_lingxi/admin/v1/models/discover", () => ok({ found: [{ kind: "llama-server", base_url: "http://127.0.0.1:8080/v1", models: ["qwen2.5-7b"] }] })],
        ["GET", "/_lingxi/admin/v1/budget", () => ok({ ai_enabled: true, person_tokens_per_day: 100_000, server_tokens_per_day: 2_000_000, time_zone: "Asia/Shanghai", used_today_tokens: 48_210, cost_today: [{ currency: "CNY", micros: 123_400 }] })],
        ["GET", "/_lingxi/client/v1/assist/status", () => ok({ ai_enabled: true, model: model ? { available: true, provider: "Ollama", model: "qwen3-8b", on_this_machine: true } : null, budget: { used_tokens: 1234, cap_tokens: 100_000, resets_at_ms: now + 40_000_000 }, policy: "allowed", consents: [], assistant_user_id: `@assistant:${serverName}` })],
        ["POST", "/_lingxi/client/v1/assist/chips", ({ browserLanguage }) => ok({ method: "offline", suggestions: browserLanguage.startsWith("zh") ? [{ text: "好啊，几点出发？", stance: "accept", intent: "invite" }, { text: "这次去不了，下次吧", stance: "decline", intent: "invite" }, { text: "都有谁去？", stance: "ask", intent: "invite" }] : [{ text: "Sounds good, what time?", stance: "accept", intent: "invite" }, { text: "I can’t make it this time", stance: "decline", intent: "invite" }, { text: "Who else is coming?", stance: "ask", intent: "invite" }] })],
        ["GET", "/_lingxi/client/v1/assist/receipts", () => ok({ receipts: [receipt("call1"), { ...receipt("call2"), purpose: "suggest_replies", outcome: "cancelled" }], next: null })],
        ["GET", "/_lingxi/client/v1/assist/receipts/:call", ({ params }) => ok(receipt(params.call))],
    ];
    const receipt = (call_id) => ({ call_id, purpose: "translate", room_id: [...rooms.keys()][0], at_ms: now - 600_000, provider: "Ollama", model: "qwen3-8b", on_this_machine: true, outbound_sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", outbound_bytes: 1832, whose: [`@zhangwei:${serverName}`], input_tokens: 420, output_tokens: 36, cost_micros: 0, currency: "CNY", outcome: "done" });
    const setTag = (me, roomId, tag, content) => {
        const map = user(me).roomAccount.get(roomId) ?? new Map();
        user(me).roomAccount.set(roomId, map);
        const tags = { ...(map.get("m.tag")?.content.tags ?? {}) };
        if (content) tags[tag] = content;
        else delete tags[tag];
        accountData(user(me), map, "m.tag", { tags });
        wake();
    };
    const join_ = (me, roomId) => (addEvent(rooms.get(roomId), me, "m.room.member", { membership: "join", displayname: user(me).name }, { stateKey: me }), ok({ room_id: roomId }));
    const compiled = routes.map(([method, path, run]) => ({ method, run, names: [...path.matchAll(/:(\w+)/g)].map((match) => match[1]), pattern: new RegExp(`^${path.replace(/:(\w+)/g, "([^/]*)")}/?$`) }));

    async function sse(response, events) {
        response.writeHead(200, { "Content-Type": "text/event-stream" });
        for (const [event, data] of events) {
            response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
            await new Promise((resolve) => setTimeout(resolve, 40));
        }
        response.end();
    }

    const server = createServer(async (request, response) => {
        if (down) return void request.socket.destroy();
        const url = new URL(request.url, "http://x");
        const chunks = [];
        for await (const chunk of request) chunks.push(chunk);
        const bytes = Buffer.concat(chunks);
        const [me, device] = (request.headers.authorization ?? "").replace("Bearer ", "").split("|");
        if (!url.pathname.startsWith("/_")) return void serveFile(url.pathname, response);
        requests.push({ method: request.method, path: url.pathname, query: url.search, device });
        const send = ({ status, body }) => {
            response.writeHead(status, { "Content-Type": "application/json" });
            response.end(JSON.stringify(body));
        };
        if (url.pathname === "/_matrix/client/v3/sync") {
            const since = Number(url.searchParams.get("since") ?? 0);
            const timeout = Number(url.searchParams.get("timeout") ?? 0);
            const first = sync(me, device, since);
            if (first.any || timeout === 0) return void send(ok(first.body));
            const finish = () => {
                const next = sync(me, device, since);
                if (!next.any && Date.now() < until) return;
                waiters.delete(finish);
                clearTimeout(timer);
                send(ok(next.body));
            };
            const until = Date.now() + timeout - 5;
            const timer = setTimeout(finish, timeout);
            waiters.add(finish);
            response.on("close", () => {
                waiters.delete(finish);
                clearTimeout(timer);
            });
            return;
        }
        if (url.pathname === "/_matrix/media/v3/upload") {
            const id = `media${nextId++}`;
            media.set(id, { bytes, type: request.headers["content-type"] });
            return void send(ok({ content_uri: `mxc://${serverName}/${id}` }));
        }
        const file = /^\/_matrix\/client\/v1\/media\/(?:download|thumbnail)\/[^/]+\/([^/]+)/.exec(url.pathname);
        if (file) {
            const found = media.get(file[1]);
            if (!found || !me) return void send(error(404, "M_NOT_FOUND"));
            response.writeHead(200, { "Content-Type": found.type });
            return void response.end(found.bytes);
        }
        const json = () => {
            try {
                return JSON.parse(bytes.toString() || "{}");
            } catch {
                return {};
            }
        };
        if (url.pathname === "/_lingxi/client/v1/assist/suggestions" || url.pathname === "/_lingxi/client/v1/assist/translations") {
            if (!model) return void send(error(503, "IM.LINGXI.MODEL_UNAVAILABLE"));
            const body = json();
            const prepared = ["prepared", { call_id: "call1", provider: "Ollama", model: "qwen3-8b", on_this_machine: true, used: body.event_ids ?? [], dropped: body.event_ids ? [{ event_id: "$1", reason: "no_consent" }] : [] }];
            const done = (text) => ["done", { call_id: "call1", label: label(text), usage: { input_tokens: 1, output_tokens: 1, estimated: false }, cost: { micros: 0, currency: "CNY" } }];
            if (url.pathname.endsWith("suggestions")) {
                const texts = body.language === "zh" ? ["八点北门见，我带水", "我可能晚到十分钟", "要不要带点吃的？"] : ["See you at eight, I’ll bring water", "I may be ten minutes late", "Shall I bring snacks?"];
                return void sse(response, [prepared, ...texts.map((text, index) => ["suggestion", { index, text, label: label(text) }]), done("")]);
            }
            const text = body.target_language === "zh" ? "听起来不错！要我带点吃的吗？" : "Sounds good! See you at the north gate at eight.";
            return void sse(response, [prepared, ...text.match(/.{1,6}/gu).map((part) => ["delta", { text: part }]), done(text)]);
        }
        for (const { method, pattern, names, run } of compiled) {
            const match = method === request.method && pattern.exec(url.pathname);
            if (!match) continue;
            const params = Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(match[index + 1])]));
            return void send(run({ me, device, params, query: url.searchParams, body: json(), browserLanguage: request.headers["accept-language"] ?? "" }));
        }
        if (process.env.FAKE_VERBOSE) console.log("fake: no route", request.method, url.pathname);
        send(error(404, "M_UNRECOGNIZED"));
    });

    function serveFile(path, response) {
        let file = join(dist, normalize(path));
        if (!existsSync(file) || path === "/") file = existsSync(`${file}.html`) ? `${file}.html` : join(dist, "index.html");
        response.writeHead(200, {
            "Content-Type": types[extname(file)] ?? "application/octet-stream",
            "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
        });
        response.end(readFileSync(file));
    }

    return new Promise((resolve) =>
        server.listen(port, host, () =>
            resolve({
                url: `http://${host}:${server.address().port}`,
                serverName,
                user,
                createRoom,
                addEvent,
                rooms,
                requests,
                parked: () => waiters.size,
                label,
                putMedia(type, bytes) {
                    const id = `media${nextId++}`;
                    media.set(id, { type, bytes });
                    return `mxc://${serverName}/${id}`;
                },
                setAccount: (id, type, content) => accountData(user(id), user(id).account, type, content),
                setTag,
                setDown(value) {
                    down = value;
                    if (value) server.closeAllConnections();
                },
                setModel(value) {
                    model = value;
                },
                typing(room, id) {
                    room.typing.add(id);
                    room.typingPosition = position++;
                    wake();
                },
                receipt(room, id, eventId) {
                    room.receipts.set(id, { event: eventId, at: Date.now(), position: position++ });
                    wake();
                },
                stop: () => new Promise((done) => (server.closeAllConnections(), server.close(done))),
            }),
        ),
    );
}
