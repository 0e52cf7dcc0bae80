// matrix-js-sdk against the real executables: what a client that people have does in an ordinary life.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { deflateSync } from "node:zlib";
import { startServer } from "../e2e/server.mjs";
import { bodies, call, clientOf, password, register, sdk, setUp, start, stateInClient, stateOnServer, stop, until } from "./js_sdk.mjs";

const { Direction, EventType, Filter, NotificationCountType, Preset, PushRuleKind, ReceiptType, RelationType, ThreadFilterType, Visibility } = sdk;

let server, admin, alice, bob, carol;
const idOf = (name) => `@${name}:test.lingxi`;
const text = (body, more = {}) => ({ msgtype: "m.text", body, ...more });

async function invitation() {
    const made = await call(server, admin.access_token, "POST", "/_lingxi/client/v1/invitations", { uses: 1, expires_in_seconds: 3600 });
    return made.token;
}
async function person(name) {
    return register(server, name, await invitation());
}
/** A room that all of these have joined, and see. */
async function roomOf(creator, others, options = {}) {
    const { room_id } = await creator.createRoom({ preset: Preset.PrivateChat, invite: others.map((other) => other.getUserId()), ...options });
    for (const other of others) await other.joinRoom(room_id);
    const people = [creator, ...others];
    // A client puts what it sends after what it has seen: each has to have seen all come in.
    const isComplete = (client) => people.every((one) => client.getRoom(room_id)?.getMember(one.getUserId())?.membership === "join");
    for (const client of people) await until(client, () => isComplete(client), "all in the room");
    return room_id;
}
const seen = (client, room, id) => until(client, () => client.getRoom(room)?.findEventById(id), `event ${id}`);
const content = (client, room, type, key = "") => client.getRoom(room)?.currentState.getStateEvents(type, key)?.getContent();

before(async () => {
    server = await startServer("--web-root", "");
    admin = await setUp(server, "wang");
    [alice, bob, carol] = await Promise.all(["alice", "bob", "carol"].map(async (name) => start(clientOf(server, await person(name)), { threadSupport: true })));
});
after(async () => {
    stop(alice, bob, carol);
    if (server?.process.exitCode === null) await server.end();
});

test("an invitation's token makes an account, once; log-in, devices and log-out work", async () => {
    const token = await invitation();
    const anonymous = sdk.createClient({ baseUrl: server.url });
    assert.equal(await anonymous.isUsernameAvailable("dora"), true);
    const dora = await register(server, "dora", token);
    assert.equal(dora.user_id, idOf("dora"));
    assert.ok(dora.stages.includes("m.login.registration_token"), dora.stages.join());
    await assert.rejects(register(server, "dora2", token));
    assert.equal(await anonymous.isUsernameAvailable("dora"), false);

    const login = await anonymous.loginRequest({ type: "m.login.password", identifier: { type: "m.id.user", user: "dora" }, password, device_id: "SECOND", initial_device_display_name: "电话" });
    const second = clientOf(server, login);
    assert.deepEqual(await second.whoami(), { user_id: idOf("dora"), device_id: "SECOND", is_guest: false });
    await second.setDeviceDetails("SECOND", { display_name: "新电话" });
    const { devices } = await second.getDevices();
    assert.deepEqual(devices.map((device) => device.device_id).sort(), [dora.device_id, "SECOND"].sort());
    assert.equal(devices.find((device) => device.device_id === "SECOND").display_name, "新电话");

    let asked;
    await second.deleteDevice(dora.device_id).catch((error) => (asked = error.data));
    assert.ok(asked.session, "a device is deleted only with the password");
    await second.deleteDevice(dora.device_id, { type: "m.login.password", session: asked.session, identifier: { type: "m.id.user", user: "dora" }, password });
    await assert.rejects(clientOf(server, dora).whoami(), (error) => error.errcode === "M_UNKNOWN_TOKEN");
    await assert.rejects(anonymous.loginRequest({ type: "m.login.password", identifier: { type: "m.id.user", user: "dora" }, password: "wrong" }), (error) => error.errcode === "M_FORBIDDEN");
    await second.logout();
    await assert.rejects(second.whoami(), (error) => error.errcode === "M_UNKNOWN_TOKEN");
});

test("a refresh token gives new tokens, and the old ones end when the new are used", async () => {
    const login = await person("fred");
    assert.ok(login.refresh_token && login.expires_in_ms > 0);
    const client = clientOf(server, login);
    const fresh = await client.refreshToken(login.refresh_token);
    assert.notEqual(fresh.access_token, login.access_token);
    const renewed = clientOf(server, { ...login, access_token: fresh.access_token });
    assert.equal((await renewed.whoami()).user_id, idOf("fred"));
    await assert.rejects(client.whoami(), (error) => error.errcode === "M_UNKNOWN_TOKEN");
    await assert.rejects(client.refreshToken(login.refresh_token));
    assert.ok((await renewed.refreshToken(fresh.refresh_token)).access_token);
});

test("every preset makes the room that the specification says", async () => {
    const expected = {
        [Preset.PrivateChat]: ["invite", "shared", "can_join"],
        [Preset.TrustedPrivateChat]: ["invite", "shared", "can_join"],
        [Preset.PublicChat]: ["public", "shared", "forbidden"],
    };
    for (const version of ["11", "12"]) {
        for (const [preset, [joinRule, visibility, guests]] of Object.entries(expected)) {
            const { room_id } = await alice.createRoom({
                preset,
                room_version: version,
                name: "灵犀",
                topic: "一件事",
                invite: [idOf("bob")],
                initial_state: [{ type: "im.lingxi.test", state_key: "a", content: { b: 1 } }],
            });
            await until(alice, () => content(alice, room_id, "m.room.topic"), "the topic");
            assert.equal(content(alice, room_id, "m.room.join_rules").join_rule, joinRule);
            assert.equal(content(alice, room_id, "m.room.history_visibility").history_visibility, visibility);
            assert.equal(content(alice, room_id, "m.room.guest_access").guest_access, guests);
            assert.deepEqual(content(alice, room_id, "im.lingxi.test", "a"), { b: 1 });
            assert.equal(alice.getRoom(room_id).name, "灵犀");
            const levels = content(alice, room_id, "m.room.power_levels");
            assert.equal(levels.events["im.lingxi.consent"], 0);
            const create = content(alice, room_id, "m.room.create");
            assert.equal(create.room_version, version);
            const trusted = preset === Preset.TrustedPrivateChat;
            if (version === "11") {
                assert.deepEqual(levels.users, trusted ? { [idOf("alice")]: 100, [idOf("bob")]: 100 } : { [idOf("alice")]: 100 });
            } else {
                assert.deepEqual(levels.users, {});
                assert.deepEqual(create.additional_creators, trusted ? [idOf("bob")] : undefined);
            }
            const invite = await until(bob, () => bob.getRoom(room_id)?.getMyMembership() === "invite" && bob.getRoom(room_id), "the invitation");
            assert.equal(invite.name, "灵犀");
            await bob.leave(room_id);
        }
    }
});

test("invite, join, kick, ban, unban, leave and forget are seen on both sides", async () => {
    const room = await roomOf(alice, [bob]);
    const membership = (client) => client.getRoom(room)?.getMyMembership();
    const bobIs = (word) => until(alice, () => alice.getRoom(room).getMember(idOf("bob"))?.membership === word, `bob's ${word}`);
    await alice.kick(room, idOf("bob"), "a moment");
    await until(bob, () => membership(bob) === "leave", "the kick");
    await assert.rejects(bob.joinRoom(room), (error) => error.errcode === "M_FORBIDDEN");
    await alice.invite(room, idOf("bob"));
    await until(bob, () => membership(bob) === "invite", "the invitation");
    await bob.joinRoom(room);
    await until(bob, () => membership(bob) === "join", "the join");
    await bobIs("join");
    await alice.ban(room, idOf("bob"), "enough");
    await until(bob, () => membership(bob) === "ban", "the ban");
    await bobIs("ban");
    await assert.rejects(alice.invite(room, idOf("bob")));
    await alice.unban(room, idOf("bob"));
    await bobIs("leave");
    await alice.invite(room, idOf("bob"));
    await bob.joinRoom(room);
    await until(bob, () => membership(bob) === "join", "the second join");
    await bob.leave(room);
    await bobIs("leave");
    await bob.forget(room);
    await assert.rejects(bob.fetchRoomEvent(room, alice.getRoom(room).getLiveTimeline().getEvents()[0].getId()));
});

test("a knock is answered by an invitation", async () => {
    const { room_id: room } = await alice.createRoom({ preset: Preset.PrivateChat, initial_state: [{ type: "m.room.join_rules", state_key: "", content: { join_rule: "knock" } }] });
    await bob.knockRoom(room, { reason: "let me in" });
    await until(bob, () => bob.getRoom(room)?.getMyMembership() === "knock", "the knock");
    await until(alice, () => alice.getRoom(room)?.getMember(idOf("bob"))?.membership === "knock", "bob's knock");
    await alice.invite(room, idOf("bob"));
    await bob.joinRoom(room);
    await until(bob, () => bob.getRoom(room)?.getMyMembership() === "join", "the room");
});

test("a message, its edit, a reply, reactions and a redaction come over, once each", async () => {
    const room = await roomOf(alice, [bob]);
    const { event_id: first } = await alice.sendMessage(room, text("helo"));
    await seen(bob, room, first);
    await seen(alice, room, first);
    assert.equal(bodies(alice, room).filter((body) => body === "helo").length, 1, "the local echo became the event");

    await alice.sendMessage(room, { ...text("* hello"), "m.new_content": text("hello"), "m.relates_to": { rel_type: RelationType.Replace, event_id: first } });
    await until(bob, () => bob.getRoom(room).findEventById(first).getContent().body === "hello", "the edit");
    const { event_id: reply } = await bob.sendMessage(room, { ...text("a reply"), "m.relates_to": { "m.in_reply_to": { event_id: first } } });
    assert.equal((await seen(alice, room, reply)).replyEventId, first);

    const { event_id: thumb } = await bob.sendEvent(room, EventType.Reaction, { "m.relates_to": { rel_type: RelationType.Annotation, event_id: first, key: "👍" } });
    await assert.rejects(bob.sendEvent(room, EventType.Reaction, { "m.relates_to": { rel_type: RelationType.Annotation, event_id: first, key: "👍" } }), (error) => error.errcode === "M_DUPLICATE_ANNOTATION");
    const reactions = () => alice.getRoom(room).relations.getChildEventsForEvent(first, RelationType.Annotation, EventType.Reaction)?.getSortedAnnotationsByKey() ?? [];
    await until(alice, () => reactions().some(([key, events]) => key === "👍" && events.size === 1), "the reaction");
    await bob.redactEvent(room, thumb);
    await until(alice, () => !reactions().some(([, events]) => events.size > 0), "the end of the reaction");

    const { events } = await bob.relations(room, first, RelationType.Replace, EventType.RoomMessage);
    assert.equal(events.length, 1);
    await alice.redactEvent(room, reply);
    const gone = await until(bob, () => bob.getRoom(room).findEventById(reply)?.isRedacted() && bob.getRoom(room).findEventById(reply), "the redaction");
    assert.deepEqual(gone.getContent(), {});
    assert.deepEqual((await bob.fetchRoomEvent(room, reply)).content, {});
    await assert.rejects(bob.redactEvent(room, first), (error) => error.errcode === "M_FORBIDDEN");
});

test("typing, public and private receipts and the read marker", async () => {
    const room = await roomOf(alice, [bob]);
    const { event_id: first } = await alice.sendMessage(room, text("one"));
    const event = await seen(bob, room, first);
    await bob.sendTyping(room, true, 30_000);
    await until(alice, () => alice.getRoom(room).getMember(idOf("bob"))?.typing, "bob typing");
    await bob.sendTyping(room, false, 0);
    await until(alice, () => !alice.getRoom(room).getMember(idOf("bob"))?.typing, "bob's end of typing");

    await bob.sendReadReceipt(event);
    await until(alice, () => alice.getRoom(room).getUsersReadUpTo(alice.getRoom(room).findEventById(first)).includes(idOf("bob")), "the receipt");
    const { event_id: second } = await alice.sendMessage(room, text("two"));
    await bob.sendReadReceipt(await seen(bob, room, second), ReceiptType.ReadPrivate);
    await bob.setRoomReadMarkers(room, second);
    await until(bob, () => bob.getRoom(room).getAccountData("m.fully_read")?.getContent().event_id === second, "the read marker");
    const { event_id: third } = await alice.sendMessage(room, text("three"));
    await seen(alice, room, third);
    assert.ok(!alice.getRoom(room).getUsersReadUpTo(alice.getRoom(room).findEventById(second)).includes(idOf("bob")), "a private receipt is nobody else's");
});

test("unread and highlight counts follow the default push rules, and a muted room stays silent", async () => {
    const room = await roomOf(alice, [bob], { name: "counts" });
    const counts = () => [NotificationCountType.Total, NotificationCountType.Highlight].map((kind) => bob.getRoom(room).getRoomUnreadNotificationCount(kind));
    await alice.sendMessage(room, text("one"));
    await alice.sendMessage(room, text("two", { "m.mentions": { user_ids: [idOf("bob")] } }));
    const { event_id: last } = await alice.sendMessage(room, text("@room three", { "m.mentions": { room: true } }));
    await until(bob, () => counts().join() === "3,2", "three unread, two of them for him");
    await bob.sendReadReceipt(await seen(bob, room, last));
    await until(bob, () => counts().join() === "0,0", "nothing unread");

    await bob.setRoomMutePushRule("global", room, true);
    await until(bob, () => bob.getAccountData("m.push_rules").getContent().global.room.some((rule) => rule.rule_id === room), "the rule");
    const { event_id: quiet } = await alice.sendMessage(room, text("psst"));
    await seen(bob, room, quiet);
    assert.deepEqual(counts(), [0, 0]);
    await bob.setRoomMutePushRule("global", room, false);
    await alice.sendMessage(room, text("loud"));
    await until(bob, () => counts()[0] > 0, "counts again");

    await bob.addPushRule("global", PushRuleKind.ContentSpecific, "im.lingxi.word", { actions: ["notify", { set_tweak: "highlight" }], pattern: "灵犀" });
    await bob.setPushRuleEnabled("global", PushRuleKind.ContentSpecific, "im.lingxi.word", true);
    await alice.sendMessage(room, text("用 灵犀 吧"));
    await until(bob, () => counts()[1] === 1, "the word");
});

test("threads: their own counts and receipts, and the list of them", async () => {
    const room = await roomOf(alice, [bob]);
    const { event_id: root } = await alice.sendMessage(room, text("root"));
    await seen(bob, room, root);
    const { event_id: one } = await alice.sendMessage(room, root, text("in the thread"));
    const unread = () => bob.getRoom(room).getThreadUnreadNotificationCount(root, NotificationCountType.Total);
    await until(bob, () => unread() === 1, "one unread in the thread");
    const thread = await until(bob, () => bob.getRoom(room).getThread(root), "the thread");
    await until(bob, () => thread.findEventById(one), "the event in it");
    await bob.sendReadReceipt(thread.findEventById(one));
    await until(bob, () => unread() === 0, "the thread read");
    await bob.sendMessage(room, root, text("an answer"));
    const { chunk } = await bob.createThreadListMessagesRequest(room, null, 10, Direction.Backward, ThreadFilterType.All);
    assert.equal(chunk[0].event_id, root);
    assert.equal(chunk[0].unsigned["m.relations"]["m.thread"].count, 2);
    assert.equal(chunk[0].unsigned["m.relations"]["m.thread"].current_user_participated, true);
});

test("tags, account data and ignored people reach the other device", async () => {
    const room = await roomOf(alice, [bob]);
    const login = await sdk.createClient({ baseUrl: server.url }).loginRequest({ type: "m.login.password", identifier: { type: "m.id.user", user: "bob" }, password });
    const phone = await start(clientOf(server, login));
    try {
        await bob.setRoomTag(room, "m.favourite", { order: 0.5 });
        await until(phone, () => phone.getRoom(room).tags["m.favourite"]?.order === 0.5, "the tag");
        await bob.deleteRoomTag(room, "m.favourite");
        await until(phone, () => !phone.getRoom(room).tags["m.favourite"], "the end of the tag");
        await bob.setAccountData("im.lingxi.remarks", { [idOf("alice")]: "小艾" });
        await until(phone, () => phone.getAccountData("im.lingxi.remarks")?.getContent()[idOf("alice")] === "小艾", "the remark");
        await bob.setRoomAccountData(room, "im.lingxi.draft", { text: "半句" });
        await until(phone, () => phone.getRoom(room).getAccountData("im.lingxi.draft")?.getContent().text === "半句", "the draft");
        await bob.setIgnoredUsers([idOf("alice")]);
        await until(phone, () => phone.isUserIgnored(idOf("alice")), "the ignored person");
        const { event_id: unheard } = await alice.sendMessage(room, text("do you hear me"));
        await seen(alice, room, unheard);
        await bob.setIgnoredUsers([]);
        await until(phone, () => !phone.isUserIgnored(idOf("alice")), "the end of that");
        assert.equal(phone.getRoom(room).findEventById(unheard), undefined);
    } finally {
        stop(phone);
    }
});

test("a filter is kept, and members are loaded when they are needed", async () => {
    await alice.setDisplayName("爱丽丝");
    const { room_id: room } = await alice.createRoom({ preset: Preset.PublicChat, name: "many" });
    for (const client of [bob, carol]) await client.joinRoom(room);
    for (let i = 0; i < 12; ++i) await carol.sendMessage(room, text(`${i}`));
    const login = await sdk.createClient({ baseUrl: server.url }).loginRequest({ type: "m.login.password", identifier: { type: "m.id.user", user: "bob" }, password });
    const lazy = clientOf(server, login);
    try {
        await start(lazy, { lazyLoadMembers: true, initialSyncLimit: 4 });
        const filter = new Filter(idOf("bob"));
        filter.setDefinition({ room: { timeline: { limit: 3 } } });
        const id = await lazy.getOrCreateFilter("mine", filter);
        assert.equal(await lazy.getOrCreateFilter("mine", filter), id);
        const members = () => lazy.getRoom(room).currentState.getMembers().map((member) => member.userId).sort();
        assert.ok(members().includes(idOf("carol")), "whoever speaks is known");
        assert.ok(!members().includes(idOf("alice")), "whoever is silent is not");
        assert.equal(lazy.getRoom(room).getJoinedMemberCount(), 3);
        await lazy.getRoom(room).loadMembersIfNeeded();
        assert.deepEqual(members(), [idOf("alice"), idOf("bob"), idOf("carol")]);
        const { event_id } = await alice.sendMessage(room, text("hello"));
        assert.equal((await seen(lazy, room, event_id)).sender.name, "爱丽丝");
    } finally {
        stop(lazy);
    }
});

test("history is paged both ways, without a gap or a repetition", async () => {
    const { room_id: room } = await alice.createRoom({ preset: Preset.PublicChat });
    const ids = [];
    for (let i = 0; i < 60; ++i) ids.push((await alice.sendMessage(room, text(`${i}`))).event_id);
    await bob.joinRoom(room);
    const mine = await until(bob, () => bob.getRoom(room)?.getMyMembership() === "join" && bob.getRoom(room), "the room");
    while (mine.getLiveTimeline().getPaginationToken(Direction.Backward)) await bob.scrollback(mine, 7);
    const messages = (events) => events.filter((event) => event.getType() === EventType.RoomMessage).map((event) => event.getId());
    assert.deepEqual(messages(mine.getLiveTimeline().getEvents()), ids);
    assert.equal(mine.getLiveTimeline().getEvents()[0].getType(), EventType.RoomCreate);

    const set = new sdk.EventTimelineSet(mine, { timelineSupport: true });
    const middle = await bob.getEventTimeline(set, ids[30]);
    while (await bob.paginateEventTimeline(middle, { backwards: true, limit: 9 }));
    while (await bob.paginateEventTimeline(middle, { backwards: false, limit: 9 }));
    assert.deepEqual(messages(middle.getEvents()), ids);
    assert.equal(new Set(middle.getEvents().map((event) => event.getId())).size, middle.getEvents().length);
    const found = await bob.timestampToEvent(room, Date.now(), Direction.Backward);
    assert.ok(found.event_id.startsWith("$"));
});

function png(side) {
    const chunk = (kind, data) => {
        const body = Buffer.concat([Buffer.from(kind), data]);
        let crc = ~0;
        for (const byte of body) {
            crc ^= byte;
            for (let bit = 0; bit < 8; ++bit) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
        }
        const out = Buffer.alloc(body.length + 8);
        out.writeUInt32BE(data.length);
        body.copy(out, 4);
        out.writeUInt32BE(~crc >>> 0, body.length + 4);
        return out;
    };
    const head = Buffer.alloc(13);
    head.writeUInt32BE(side, 0);
    head.writeUInt32BE(side, 4);
    head.set([8, 2, 0, 0, 0], 8);
    const rows = Buffer.concat(Array.from({ length: side }, () => Buffer.concat([Buffer.from([0]), Buffer.alloc(side * 3, 0x60)])));
    return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

test("a picture goes up, comes down, and has a thumbnail; when its message is redacted it is gone", async () => {
    const room = await roomOf(alice, [bob]);
    const picture = png(300);
    assert.ok((await alice.getMediaConfig(true))["m.upload.size"] > 0);
    const { content_uri: uri } = await alice.uploadContent(new Blob([picture], { type: "image/png" }), { name: "照片.png", type: "image/png" });
    const { event_id } = await alice.sendMessage(room, { msgtype: "m.image", body: "照片.png", url: uri, info: { mimetype: "image/png", size: picture.length, w: 300, h: 300 } });
    const event = await seen(bob, room, event_id);
    assert.equal(event.getContent().url, uri);
    const get = (client, ...size) => fetch(client.mxcUrlToHttp(uri, ...(size.length ? size : [undefined, undefined, undefined]), false, true, true), { headers: { Authorization: `Bearer ${client.getAccessToken()}` } });
    const whole = await get(bob);
    assert.deepEqual(Buffer.from(await whole.arrayBuffer()), picture);
    const small = await get(bob, 96, 96, "crop");
    assert.equal(small.status, 200);
    assert.match(small.headers.get("content-type"), /^image\//);
    const bytes = Buffer.from(await small.arrayBuffer());
    assert.ok(bytes.length > 0 && !bytes.equals(picture));

    await alice.redactEvent(room, event_id);
    await until(bob, () => bob.getRoom(room).findEventById(event_id).isRedacted(), "the redaction");
    let status = 200;
    for (let i = 0; i < 600 && status === 200; ++i) {
        const answer = await get(bob);
        await answer.arrayBuffer();
        status = answer.status;
        if (status === 200) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal(status, 404);
});

test("people are found by any part of a Chinese name and by its pinyin; names and faces reach the rooms", async () => {
    const room = await roomOf(alice, [bob]);
    await bob.setDisplayName("欧阳娜娜");
    for (const term of ["欧阳", "娜娜", "ouyang", "oynn"]) {
        const { results } = await alice.searchUserDirectory({ term });
        assert.ok(results.some((result) => result.user_id === idOf("bob")), term);
    }
    await until(alice, () => alice.getRoom(room).getMember(idOf("bob")).rawDisplayName === "欧阳娜娜", "the name in the room");
    const { content_uri } = await bob.uploadContent(new Blob([png(40)], { type: "image/png" }), { type: "image/png" });
    await bob.setAvatarUrl(content_uri);
    await until(alice, () => alice.getRoom(room).getMember(idOf("bob")).getMxcAvatarUrl() === content_uri, "the face");
    assert.deepEqual(await alice.getProfileInfo(idOf("bob")), { displayname: "欧阳娜娜", avatar_url: content_uri });
});

test("presence is seen by those who share a room", async () => {
    await roomOf(alice, [bob]);
    await bob.setPresence({ presence: "unavailable", status_msg: "在开会" });
    await until(alice, () => alice.getUser(idOf("bob"))?.presenceStatusMsg === "在开会", "the status");
});

test("aliases, the directory, and an upgrade that leads on", async () => {
    const { room_id: room } = await alice.createRoom({ preset: Preset.PublicChat, visibility: Visibility.Public, room_alias_name: "square", room_version: "11", name: "广场" });
    assert.equal((await bob.getRoomIdForAlias("#square:test.lingxi")).room_id, room);
    await alice.createAlias("#plaza:test.lingxi", room);
    await bob.joinRoom("#plaza:test.lingxi");
    await alice.deleteAlias("#plaza:test.lingxi");
    await assert.rejects(bob.getRoomIdForAlias("#plaza:test.lingxi"), (error) => error.errcode === "M_NOT_FOUND");
    const { chunk } = await bob.publicRooms({ limit: 20 });
    assert.ok(chunk.some((entry) => entry.room_id === room && entry.name === "广场"));
    const { replacement_room: next } = await alice.upgradeRoom(room, "12");
    await until(bob, () => content(bob, room, "m.room.tombstone")?.replacement_room === next, "the tombstone");
    await bob.joinRoom(next);
    const create = await until(bob, () => content(bob, next, "m.room.create"), "the new room");
    assert.equal(create.predecessor.room_id, room);
    assert.equal((await bob.getRoomIdForAlias("#square:test.lingxi")).room_id, next);
});

test("across a gap the client's idea of a room is the server's", async () => {
    const room = await roomOf(alice, [bob], { name: "before" });
    await alice.invite(room, idOf("carol"));
    bob.holdSync();
    await alice.sendMessage(room, text("the last before the gap"));
    await carol.joinRoom(room);
    await alice.setRoomName(room, "during");
    await alice.setRoomTopic(room, "gone by");
    for (let i = 0; i < 5; ++i) await alice.sendStateEvent(room, "im.lingxi.test", { i }, `${i % 3}`);
    const all = [];
    for (let i = 0; i < 40; ++i) all.push((await alice.sendMessage(room, text(`gap ${i}`))).event_id);
    await carol.leave(room);
    await alice.setRoomName(room, "after");
    const { event_id: last } = await alice.sendMessage(room, text("the end"));
    bob.letSync();
    await seen(bob, room, last);
    assert.deepEqual(stateInClient(bob, room), await stateOnServer(server, bob, room));
    assert.equal(bob.getRoom(room).name, "after");
    const mine = bob.getRoom(room);
    while (mine.getLiveTimeline().getPaginationToken(Direction.Backward)) await bob.scrollback(mine, 11);
    const ids = mine.getLiveTimeline().getEvents().map((event) => event.getId());
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(ids.filter((id) => all.includes(id)), all);
});

test("a server that dies in the middle of it loses nothing and says nothing twice", async () => {
    const room = await roomOf(alice, [bob]);
    const acknowledged = [];
    let isOver = false;
    const send = async () => {
        for (let i = 0; !isOver; ++i) {
            const id = `m${i}`;
            // As an application does: again with the same transaction id until it is answered.
            for (;;) {
                try {
                    const { event_id } = await call(server, alice.getAccessToken(), "PUT", `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/${id}`, text(id));
                    acknowledged.push([id, event_id]);
                    break;
                } catch (error) {
                    if (error instanceof assert.AssertionError) throw error;
                    await new Promise((resolve) => setTimeout(resolve, 20));
                }
            }
        }
    };
    const sending = send();
    for (const end of [server.kill, server.stop, server.kill]) {
        const enough = acknowledged.length + 12;
        while (acknowledged.length < enough) await new Promise((resolve) => setTimeout(resolve, 10));
        await end();
        await server.start();
        bob.retryImmediately();
    }
    isOver = true;
    await sending;
    const last = acknowledged.at(-1)[1];
    await until(bob, () => {
        bob.retryImmediately();
        return bob.getRoom(room).findEventById(last);
    }, "the last of them");
    const mine = bob.getRoom(room);
    while (mine.getLiveTimeline().getPaginationToken(Direction.Backward)) await bob.scrollback(mine, 50);
    const heard = mine.getLiveTimeline().getEvents().filter((event) => /^m\d+$/.test(event.getContent().body)).map((event) => [event.getContent().body, event.getId()]);
    assert.deepEqual(heard, acknowledged);
    assert.deepEqual(stateInClient(bob, room), await stateOnServer(server, bob, room));
});

test("an account that ends leaves its rooms, and takes its words along", async () => {
    const login = await person("gina");
    const gina = await start(clientOf(server, login));
    const room = await roomOf(alice, [gina]);
    const { event_id } = await gina.sendMessage(room, text("remember me"));
    await seen(alice, room, event_id);
    let asked;
    await gina.deactivateAccount(undefined, true).catch((error) => (asked = error.data));
    stop(gina);
    await gina.deactivateAccount({ type: "m.login.password", session: asked.session, identifier: { type: "m.id.user", user: "gina" }, password }, true);
    await until(alice, () => alice.getRoom(room).getMember(idOf("gina")).membership === "leave", "gina's end");
    for (let i = 0; i < 600; ++i) {
        if (!Object.keys((await alice.fetchRoomEvent(room, event_id)).content).length) break;
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.deepEqual((await alice.fetchRoomEvent(room, event_id)).content, {});
    await assert.rejects(sdk.createClient({ baseUrl: server.url }).loginRequest({ type: "m.login.password", identifier: { type: "m.id.user", user: "gina" }, password }));
});
