// People of a test, over HTTP: quick to make, and a page signs in as one of them without typing.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

const encode = encodeURIComponent;

export class Person {
    constructor(server, login, name) {
        this.server = server;
        this.userId = login.user_id;
        this.deviceId = login.device_id;
        this.token = login.access_token;
        this.name = name;
    }

    async call(method, path, body, expect = 200) {
        const answer = await fetch(this.server.url + (path.startsWith("/_") ? path : `/_matrix/client/v3${path}`), {
            method,
            headers: { Authorization: `Bearer ${this.token}`, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        const text = await answer.text();
        if (expect !== null) assert.equal(answer.status, expect, `${method} ${path}: ${text.slice(0, 400)}`);
        return text ? JSON.parse(text) : {};
    }

    async createRoom(name, people = [], more = {}) {
        const { room_id } = await this.call("POST", "/createRoom", { preset: "private_chat", ...(name ? { name } : {}), invite: people.map((person) => person.userId), ...more });
        for (const person of people) await person.call("POST", `/join/${encode(room_id)}`, {});
        return room_id;
    }

    async direct(other) {
        const roomId = await this.createRoom(null, [other], { preset: "trusted_private_chat", is_direct: true });
        await this.call("PUT", `/user/${encode(this.userId)}/account_data/m.direct`, { [other.userId]: [roomId] });
        await other.call("PUT", `/user/${encode(other.userId)}/account_data/m.direct`, { [this.userId]: [roomId] });
        return roomId;
    }

    async send(roomId, content, type = "m.room.message") {
        const body = typeof content === "string" ? { msgtype: "m.text", body: content } : content;
        return (await this.call("PUT", `/rooms/${encode(roomId)}/send/${type}/${randomUUID()}`, body)).event_id;
    }

    /** Several messages, one after the other. */
    async say(roomId, ...texts) {
        const ids = [];
        for (const text of texts) ids.push(await this.send(roomId, text));
        return ids;
    }

    state(roomId, type, content, key = "") {
        return this.call("PUT", `/rooms/${encode(roomId)}/state/${type}/${encode(key)}`, content);
    }

    read(roomId, eventId) {
        return this.call("POST", `/rooms/${encode(roomId)}/read_markers`, { "m.fully_read": eventId, "m.read": eventId });
    }

    async timeline(roomId, limit = 100) {
        return (await this.call("GET", `/rooms/${encode(roomId)}/messages?dir=b&limit=${limit}`)).chunk;
    }

    async upload(bytes, type, name) {
        const answer = await fetch(`${this.server.url}/_matrix/media/v3/upload?filename=${encode(name)}`, { method: "POST", headers: { Authorization: `Bearer ${this.token}`, "Content-Type": type }, body: bytes });
        assert.equal(answer.status, 200);
        return (await answer.json()).content_uri;
    }

    async login() {
        const login = await fetch(`${this.server.url}/_matrix/client/v3/login`, { method: "POST", body: JSON.stringify({ type: "m.login.password", identifier: { type: "m.id.user", user: this.userId }, password }) });
        return new Person(this.server, await login.json(), this.name);
    }

    /** Signs a page in as this person (a device of its own each time) and opens it at `fragment`. */
    async enter(page, fragment = "#/") {
        const session = await this.login();
        const stored = { userId: session.userId, deviceId: session.deviceId, accessToken: session.token, refreshToken: null, expiresAtMs: null };
        await page.goto(`${this.server.url}/favicon.svg`);
        await page.evaluate((value) => {
            localStorage.setItem(`lingxi.session.${value.userId}`, JSON.stringify(value));
            localStorage.setItem("lingxi.last_user", value.userId);
            sessionStorage.setItem("lingxi.user", value.userId);
        }, stored);
        await page.goto(`${this.server.url}/${fragment}`);
        return session;
    }
}

export const password = "a long password";

export async function register(server, localpart, name) {
    const post = async (body) => {
        const answer = await fetch(`${server.url}/_matrix/client/v3/register`, { method: "POST", body: JSON.stringify({ username: localpart, password, ...body }) });
        return { status: answer.status, body: await answer.json() };
    };
    let answer = await post({});
    if (answer.status === 401) answer = await post({ auth: { type: "m.login.dummy", session: answer.body.session } });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const person = new Person(server, answer.body, name);
    await person.call("PUT", `/profile/${encode(person.userId)}/displayname`, { displayname: name });
    return person;
}

/** Sets an empty server up by its link, as the administrator's page does. */
export async function setUp(server, { localpart = "wang", name = "王小明", room = "大家", language = "zh" } = {}) {
    const token = /\/setup#(\S+)/.exec(server.output)[1];
    const answer = await fetch(`${server.url}/_lingxi/client/v1/setup`, { method: "POST", body: JSON.stringify({ token, server_name: "test.lingxi", localpart, password, display_name: name, room_name: room, language, time_zone: "Asia/Shanghai" }) });
    const body = await answer.json();
    assert.equal(answer.status, 200, JSON.stringify(body));
    const admin = new Person(server, body, name);
    admin.roomId = body.room_id;
    return admin;
}

/** What `check` answers as soon as that is something. It is asked again and again, and at the limit the test fails with what it is. */
export async function until(check, limit_ms = 60_000) {
    for (const end = Date.now() + limit_ms; ; ) {
        const found = await check();
        if (found) return found;
        if (Date.now() > end) throw new Error(`still not so after ${limit_ms / 1000} s: ${check}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

export const chatLink = (roomId, eventId) => `#/chat/${encode(roomId)}${eventId ? `/${encode(eventId)}` : ""}`;
export const bubble = (page, text) => page.locator(".bubble", { hasText: text }).last();

/** The words of a control in the page's language. */
export const words = {
    zh: { write: "写消息", send: "发送", menu: "消息操作", suggest: "请助手建议回复", info: "聊天信息", back: "返回" },
    en: { write: "Write a message", send: "Send", menu: "Message actions", suggest: "Suggest replies", info: "About this chat", back: "Back" },
};
