import { MatrixEvent } from "matrix-js-sdk";
import { describe, expect, it, vi } from "vitest";
import { problemOf } from "@/features/assistant/assistant";
import { problemWords } from "@/features/assistant/context";
import { readDestination, readPurposes } from "@/features/assistant/consent";
import { people, shortName } from "@/features/assistant/context";
import { bodyOf, labelFor, labelOf, labelOfEvent, summaryOf, withoutReplyFallback } from "@/features/chat/engine/content";
import { Drafts } from "@/features/chat/engine/drafts";
import { parseMxc } from "@/features/chat/engine/media";
import { compareRooms, type RoomSummary } from "@/features/chat/engine/roomList";
import { systemLine } from "@/features/chat/engine/systemLine";
import { isStarterJoining } from "@/features/chat/engine/timeline";
import { readSettings } from "@/features/chat/engine/settings";
import { forwardContent } from "@/features/chat/ForwardDialog";
import { pictureBox } from "@/features/chat/parts/Attachment";
import { I18n } from "@/i18n";
import { Formats } from "@/i18n/formats";
import { zh } from "@/i18n/zh";
import { avatarColour, avatar_colours, initials } from "@/lib/colour";
import { ApiError } from "@/lib/errors";
import { hostOf, isLoopback } from "@/lib/loopback";
import { sha256 } from "@/lib/sha256";
import { formatRoute, parseRoute } from "@/lib/router";
import { SseParser } from "@/lib/sse";

describe("event stream", () => {
    const text = 'event: delta\r\ndata: {"text":"你"}\r\n\r\n: keep-alive\n\ndata: one\ndata: two\n\nevent: done\ndata: {}\n\n';
    it("reads the same events however the bytes are cut", () => {
        const whole = new SseParser().push(text);
        expect(whole).toEqual([
            { event: "delta", data: '{"text":"你"}' },
            { event: "message", data: "one\ntwo" },
            { event: "done", data: "{}" },
        ]);
        for (let size = 1; size < 12; size += 1) {
            const parser = new SseParser();
            const events = [];
            for (let at = 0; at < text.length; at += size) events.push(...parser.push(text.slice(at, at + size)));
            expect(events).toEqual(whole);
        }
    });
    it("does not take an unfinished event for one", () => {
        expect(new SseParser().push("event: done\ndata: {}\n")).toEqual([]);
    });
    it("refuses a line without end", () => {
        expect(() => new SseParser().push("x".repeat(1_000_001))).toThrow();
    });
});

describe("avatars", () => {
    it("keeps a colour for an id, within the palette", () => {
        expect(avatarColour("@a:b")).toBe(avatarColour("@a:b"));
        const colours = new Set(Array.from({ length: 200 }, (_, index) => avatarColour(`@user${index}:server`)));
        expect(colours.size).toBe(avatar_colours);
    });
    it("calls Chinese people by the end of their name and others by initials", () => {
        expect(initials("欧阳娜娜")).toBe("娜娜");
        expect(initials("张伟")).toBe("张伟");
        expect(initials("Ada Lovelace")).toBe("AL");
        expect(initials("@bob")).toBe("B");
        expect(initials("👩‍👩‍👧 family")).toBe("👩‍👩‍👧F");
        expect(initials("  ")).toBe("?");
    });
});

describe("loopback", () => {
    it("tells the addresses that mean this machine from those that others can open", () => {
        for (const address of ["http://127.0.0.1:8008/invite#x", "http://localhost/", "https://chat.localhost:1/", "http://[::1]:8008/", "127.0.0.1:8008", "LOCALHOST", "127.8.9.10"]) expect([address, isLoopback(hostOf(address))]).toEqual([address, true]);
        for (const address of ["http://192.168.1.20:8008/", "chat.example.org", "https://127.0.0.1.example.org/", "localhost.example", "", "not a name"]) expect([address, isLoopback(hostOf(address))]).toEqual([address, false]);
    });
});

describe("times", () => {
    const now = Date.parse("2026-11-23T04:00:00Z"); // noon in Shanghai, the evening before in Los Angeles
    it("counts days by the person's zone", () => {
        const shanghai = new Formats("zh", "Asia/Shanghai");
        const angeles = new Formats("en", "America/Los_Angeles");
        const at = Date.parse("2026-11-22T20:00:00Z");
        expect(shanghai.daysAgo(at, now)).toBe(0);
        expect(angeles.daysAgo(at, now)).toBe(0);
        expect(shanghai.short(Date.parse("2026-11-22T15:59:00Z"), now, "昨天")).toBe("昨天");
        expect(shanghai.time(at)).toBe("04:00");
        expect(angeles.time(at)).toBe("12:00");
    });
    it("names the weekday within a week and the date before", () => {
        const english = new Formats("en", "UTC");
        expect(english.short(Date.parse("2026-11-20T10:00:00Z"), now, "Yesterday")).toBe("Fri");
        expect(english.short(Date.parse("2026-03-05T10:00:00Z"), now, "Yesterday")).toMatch(/5/);
        expect(english.short(Date.parse("2024-03-05T10:00:00Z"), now, "Yesterday")).toMatch(/2024/);
    });
    it("says of what was within the last minute that it was just now", () => {
        const said = (language: "zh" | "en", ago_s: number) => new Formats(language, "UTC").relative(1e12 - ago_s * 1000, 1e12);
        expect([said("zh", 5), said("en", 5), said("en", 120)]).toEqual(["刚刚", "just now", "2 minutes ago"]);
        expect([zh["admin.seen"](said("zh", 5)), zh["admin.seen"](said("zh", 120))]).toEqual(["在线", "2分钟前在线"]);
    });
    it("falls back where a zone or currency is unknown", () => {
        expect(new Formats("en", "Mars/Olympus").time(now)).toBe("04:00");
        expect(new Formats("en", "UTC").money(1500, "??")).toBe("0.0015 ??");
        expect(new Formats("en", "UTC").money(1500, "USD")).toMatch(/0\.0015/);
    });
    it("offers every currency, and keeps one that it does not know", () => {
        const offered = new Formats("zh", "UTC").currencies("QQ?");
        expect(offered).toContainEqual({ code: "CNY", words: "CNY · 人民币" });
        expect(offered).toContainEqual({ code: "QQ?", words: "QQ?" });
        expect(offered.length).toBeGreaterThan(100);
    });
});

const room = (change: Partial<RoomSummary>): RoomSummary => ({
    roomId: "!r",
    name: "r",
    colourId: "!r",
    avatarMxc: null,
    directUserId: null,
    lastSender: null,
    lastText: "",
    lastIsAi: false,
    lastAtMs: 0,
    unread: 0,
    highlight: 0,
    hasUnread: false,
    muted: false,
    pinned: false,
    draft: "",
    draftIsAi: false,
    failed: false,
    invite: null,
    ...change,
});

describe("list of chats", () => {
    it("puts invitations first, then what is pinned, then the newest", () => {
        const rooms = [
            room({ roomId: "!old", lastAtMs: 1 }),
            room({ roomId: "!new", lastAtMs: 9 }),
            room({ roomId: "!pinned", lastAtMs: 2, pinned: true }),
            room({ roomId: "!invited", invite: { inviter: "x" } }),
        ];
        expect(rooms.sort(compareRooms).map((one) => one.roomId)).toEqual(["!invited", "!pinned", "!new", "!old"]);
    });
});

describe("drafts", () => {
    class Memory {
        readonly values = new Map<string, string>();
        getItem = (key: string) => this.values.get(key) ?? null;
        setItem = (key: string, value: string) => void this.values.set(key, value);
        removeItem = (key: string) => void this.values.delete(key);
    }
    it("keeps words at once and uploads them after a rest, the last only", async () => {
        vi.useFakeTimers();
        const storage = new Memory();
        const uploaded: string[] = [];
        const drafts = new Drafts("@me:s", storage, async (_room, content) => uploaded.push(content.text), () => 100);
        drafts.write("!r", "he");
        drafts.write("!r", "hello");
        expect(new Drafts("@me:s", storage, async () => undefined).of("!r").get().text).toBe("hello");
        await vi.advanceTimersByTimeAsync(3000);
        expect(uploaded).toEqual(["hello"]);
        vi.useRealTimers();
    });
    it("takes another device's younger words, not its older ones, and none while one writes", () => {
        const drafts = new Drafts("@me:s", new Memory(), async () => undefined, () => 100);
        drafts.take("!r", { text: "theirs", at_ms: 50 });
        expect(drafts.of("!r").get().text).toBe("theirs");
        drafts.take("!r", { text: "older", at_ms: 40 });
        expect(drafts.of("!r").get().text).toBe("theirs");
        drafts.inUse.add("!r");
        drafts.take("!r", { text: "younger", at_ms: 60 });
        expect(drafts.of("!r").get().text).toBe("theirs");
        drafts.stop();
    });
    it("takes what another tab of this browser wrote, which has put it into the same storage already", () => {
        const storage = new Memory();
        const [one, other] = [100, 200].map((at) => new Drafts("@me:s", storage, async () => undefined, () => at));
        other?.write("!r", "before");
        one?.of("!r");
        other?.stop();
        const later = new Drafts("@me:s", storage, async () => undefined, () => 300);
        later.write("!r", "younger");
        one?.take("!r", { text: "younger", at_ms: 300 });
        expect(one?.of("!r").get().text).toBe("younger");
        later.stop();
    });

    const label = { call_id: "c", kind: "generated" as const, model: "m", sha256: sha256("See you"), signature: "s" };
    const origin = { label, text: "See you" };
    /** The label with which the words would go out of a device. */
    const labelOn = (drafts: Drafts) => {
        const draft = drafts.of("!r").get();
        return labelFor(draft.origin?.label, draft.text);
    };
    const assisted = { ...label, kind: "assisted" };
    const make = (upload: (content: Record<string, unknown>) => void = () => undefined, storage = new Memory(), at = 100) => new Drafts("@me:s", storage, async (_room, content) => upload(content), () => at);
    it("keeps the label of what AI wrote while something is left of it, over reloads and on every device", async () => {
        vi.useFakeTimers();
        let uploaded: Record<string, unknown> = {};
        const storage = new Memory();
        const drafts = make((content) => (uploaded = content), storage);
        const elsewhere = async () => {
            await vi.advanceTimersByTimeAsync(3000);
            const other = make();
            other.take("!r", JSON.parse(JSON.stringify(uploaded)) as Record<string, unknown>);
            return other;
        };
        drafts.set("!r", { text: "See you", origin });
        expect(labelOn(make(undefined, storage))).toEqual(label);
        expect(labelOn(await elsewhere())).toEqual(label);
        drafts.write("!r", "See you!");
        expect(labelOn(drafts)).toEqual(assisted);
        expect(labelOn(make(undefined, storage))).toEqual(assisted);
        const other = await elsewhere();
        expect(other.of("!r").get().text).toBe("See you!");
        expect(labelOn(other)).toEqual(assisted);
        other.write("!r", "See you");
        expect(labelOn(other)).toEqual(label);
        drafts.write("!r", "");
        drafts.write("!r", "my own");
        expect(labelOn(drafts)).toBeNull();
        expect(labelOn(await elsewhere())).toBeNull();
        drafts.stop();
        vi.useRealTimers();
    });
    it("knows AI's words again when the browser's undo brings them back, and not one's own", () => {
        const drafts = make();
        drafts.set("!r", { text: "See you", origin });
        drafts.write("!r", "");
        drafts.write("!r", "Hello");
        expect(labelOn(drafts)).toBeNull();
        drafts.writeAgain("!r", "Hello there", true);
        expect(labelOn(drafts)).toBeNull();
        drafts.writeAgain("!r", "Hello, See you", true);
        expect(labelOn(drafts)).toEqual(assisted);
        drafts.write("!r", "");
        drafts.writeAgain("!r", "Hello, See you", true);
        expect(labelOn(drafts)).toEqual(assisted);
        drafts.set("!r", { text: "my words", origin: null });
        drafts.writeAgain("!r", "my words: See you", true);
        expect(labelOn(drafts)).toEqual(assisted);
        drafts.stop();
    });
    it("knows AI's words again where they were changed, cut and pasted among one's own", () => {
        const drafts = make();
        drafts.set("!r", { text: "See you", origin });
        drafts.write("!r", "See ya");
        drafts.write("!r", "");
        drafts.write("!r", "Hi, ");
        drafts.writeAgain("!r", "Hi, See ya", false);
        expect(labelOn(drafts)).toEqual(assisted);
        for (const rest of ["See y", "S", ""]) drafts.write("!r", rest);
        drafts.writeAgain("!r", "Something of my own", false);
        expect(labelOn(drafts)).toBeNull();
        drafts.stop();
    });
    it("takes one's own words that are pasted after AI's went out for one's own, and knows those that undo brings back", () => {
        const drafts = make();
        drafts.set("!r", { text: "See you", origin });
        drafts.sent("!r");
        drafts.writeAgain("!r", "See you, I have sent the file", false);
        expect(labelOn(drafts)).toBeNull();
        drafts.write("!r", "");
        drafts.writeAgain("!r", "See you", true);
        expect(labelOn(drafts)).toEqual(label);
        drafts.write("!r", "");
        drafts.write("!r", "my own words, that go out while AI's are cut out");
        drafts.sent("!r");
        drafts.writeAgain("!r", "I say: See you", false);
        expect(labelOn(drafts)).toEqual(assisted);
        drafts.stop();
    });
});

describe("AI labels", () => {
    const label = { call_id: "c", kind: "generated" as const, model: "m", sha256: sha256("Hello"), signature: "s" };
    it("says generated only of the model's exact words", () => {
        expect(labelFor({ ...label, kind: "assisted" }, "Hello")).toEqual(label);
        expect(labelFor(label, "Hello!")).toEqual({ ...label, kind: "assisted" });
        expect(labelFor(null, "Hello")).toBeNull();
    });
    it("survives a forward, which drops what hangs on the old chat", () => {
        const content = { msgtype: "m.text", body: "Hello", "im.lingxi.ai": label, "m.relates_to": { "m.in_reply_to": { event_id: "$e" } }, "m.mentions": { user_ids: ["@a:b"] } };
        const forwarded = forwardContent(new MatrixEvent({ type: "m.room.message", event_id: "$1", sender: "@a:b", content }), "@a:b");
        expect(labelOf(forwarded)).toEqual(label);
        expect(forwarded).not.toHaveProperty("m.relates_to");
        expect(forwarded["m.mentions"]).toEqual({});
    });
    it("survives an edit by a client that knows nothing of labels, as AI-assisted", () => {
        const message = { type: "m.room.message", sender: "@a:b" };
        const event = new MatrixEvent({ ...message, event_id: "$1", content: { msgtype: "m.text", body: "Hello", "im.lingxi.ai": label } });
        expect(labelOfEvent(event)).toEqual(label);
        const fresh = { msgtype: "m.text", body: "y" };
        event.makeReplaced(new MatrixEvent({ ...message, event_id: "$2", content: { ...fresh, "m.new_content": fresh, "m.relates_to": { rel_type: "m.replace", event_id: "$1" } } }));
        expect(bodyOf(event)).toBe("y");
        expect(labelOfEvent(event)).toEqual({ ...label, kind: "assisted" });
        expect(labelOf(forwardContent(event, "@a:b"))).toEqual({ ...label, kind: "assisted" });
        expect(labelOfEvent(new MatrixEvent({ ...message, event_id: "$3", content: fresh }))).toBeNull();
    });
    it("is forwarded as what the words are now, and not at all where it is none", () => {
        const forwarded = (content: Record<string, unknown>) => forwardContent(new MatrixEvent({ type: "m.room.message", event_id: "$1", sender: "@a:b", content: { msgtype: "m.text", ...content } }), "@a:b");
        expect(labelOf(forwarded({ body: "Hello", "im.lingxi.ai": { ...label, kind: "assisted" } }))).toEqual(label);
        expect(labelOf(forwarded({ body: "Hello!", "im.lingxi.ai": label }))).toEqual({ ...label, kind: "assisted" });
        expect(forwarded({ body: "x", "im.lingxi.ai": "nonsense" })).not.toHaveProperty("im.lingxi.ai");
    });
    it("says of another's words that they were forwarded, however often they are, and not whose they are", () => {
        const event = (sender: string, content: Record<string, unknown>) => new MatrixEvent({ type: "m.room.message", event_id: "$1", sender, content });
        const mine = forwardContent(event("@me:b", { msgtype: "m.text", body: "x" }), "@me:b");
        expect(mine).not.toHaveProperty("im.lingxi.forwarded");
        const once = forwardContent(event("@a:b", { msgtype: "m.text", body: "x" }), "@me:b");
        expect(once["im.lingxi.forwarded"]).toBe(true);
        expect(JSON.stringify(once)).not.toContain("@a:b");
        const passedOn = event("@me:b", once);
        const fresh = { msgtype: "m.text", body: "y" };
        passedOn.makeReplaced(event("@me:b", { ...fresh, "m.new_content": fresh, "m.relates_to": { rel_type: "m.replace", event_id: "$1" } }));
        expect(forwardContent(passedOn, "@me:b")["im.lingxi.forwarded"]).toBe(true);
    });
    it("takes no nonsense for a label", () => {
        for (const nonsense of [null, 1, "x", [], {}, { call_id: 5 }]) expect(labelOf({ "im.lingxi.ai": nonsense })).toBeNull();
    });
});

describe("what others send", () => {
    it("reads consent in both shapes, and no place where none is said", () => {
        expect(readPurposes({ suggest_replies: true, translate: false })).toEqual(["suggest_replies"]);
        expect(readPurposes(["translate", "steal"])).toEqual(["translate"]);
        expect(readPurposes(null)).toEqual([]);
        expect(readDestination({ kind: "provider", name: "X" })).toEqual({ kind: "provider", name: "X" });
        expect(readDestination({ kind: "this_machine" })).toEqual({ kind: "this_machine" });
        for (const nothing of [null, "nonsense", {}, { kind: "provider" }, { kind: "provider", name: "" }, { kind: "elsewhere" }]) expect(readDestination(nothing)).toBeNull();
    });
    it("cuts the quoted lines of old replies", () => {
        expect(withoutReplyFallback("> <@a:b> hi\n> there\n\nyes")).toBe("yes");
        expect(withoutReplyFallback("> quoted by hand")).toBe("");
        expect(withoutReplyFallback("no > quote")).toBe("no > quote");
    });
    it("takes no path out of a media address", () => {
        expect(parseMxc("mxc://server:8008/abc_-1")).toEqual({ server: "server:8008", id: "abc_-1" });
        for (const bad of ["mxc://server/../x", "mxc://server/a/b", "https://x/y", "mxc://server/", "", null]) expect(parseMxc(bad)).toBeNull();
    });
    it("keeps pictures within bounds whatever they claim", () => {
        for (const info of [null, {}, { w: -1, h: 1e9 }, { w: "x", h: NaN }, { w: 10_000, h: 10 }, { w: 10, h: 10_000 }]) {
            const box = pictureBox(info);
            expect(box.width).toBeGreaterThanOrEqual(72);
            expect(box.width).toBeLessThanOrEqual(280);
            expect(box.height).toBeGreaterThanOrEqual(56);
            expect(box.height).toBeLessThanOrEqual(340);
        }
    });
    it("reads settings of any shape", () => {
        expect(readSettings({ language: "fr", enter_sends: "no", auto_suggest_since_ms: { "!a": 5, "!b": "x" } })).toEqual({ language: null, time_zone: null, enter_sends: true, ai_enabled: true, auto_suggest_since_ms: { "!a": 5 } });
    });
    it("turns the server's refusals into what the person is told", () => {
        expect(problemOf(new ApiError(403, "IM.LINGXI.CONSENT_NEEDED", "", { users: ["@a:b", 5] }), true)).toEqual({ kind: "consent", errcode: "IM.LINGXI.CONSENT_NEEDED", users: ["@a:b"], place: null });
        expect(problemOf(new ApiError(429, "IM.LINGXI.BUDGET_EXHAUSTED", "", { resets_at_ms: 7 }), true)).toMatchObject({ kind: "budget", resetsAtMs: 7 });
        expect(problemOf(new ApiError(503, "IM.LINGXI.MODEL_UNAVAILABLE", ""), false).kind).toBe("no_model");
        expect(problemOf(new ApiError(503, "IM.LINGXI.MODEL_UNAVAILABLE", ""), true).kind).toBe("no_answer");
        expect(problemOf(new ApiError(400, "IM.LINGXI.WORDS_CHANGED", ""), true).kind).toBe("changed");
        expect(problemOf(new ApiError(403, "IM.LINGXI.NOBODY_TO_ASK", ""), true).kind).toBe("forwarded");
        expect(problemOf(new Error("x"), true).kind).toBe("failed");
        expect(problemOf(new ApiError(200, "IM.LINGXI.CUT", ""), true).kind).toBe("failed");
        const said = ["M_LIMIT_EXCEEDED", "M_TOO_LARGE", "M_NOT_FOUND", "M_FORBIDDEN", "M_UNKNOWN_TOKEN", "M_INVALID_PARAM", "M_UNKNOWN"].map((errcode) => problemWords(problemOf(new ApiError(400, errcode, ""), true), new I18n("en", "UTC"), false, (user) => user));
        expect(new Set(said).size).toBe(said.length);
        expect(said.filter((words) => words.startsWith("The model"))).toEqual([]);
    });
});

describe("routes", () => {
    it("reads what it writes", () => {
        const routes = [
            { page: "chats" },
            { page: "chat", roomId: "!a/b:c", eventId: null },
            { page: "chat", roomId: "!a:c", eventId: "$e/1" },
            { page: "contacts", userId: "@u:s" },
            { page: "me", section: "devices" },
            { page: "admin", section: null },
        ] as const;
        for (const route of routes) expect(parseRoute(formatRoute(route))).toEqual(route);
    });
    it("goes home from what it does not know", () => {
        for (const fragment of ["", "#", "#/x/y", "#/chat", "#/chat/%E0%A4%A"]) expect(parseRoute(fragment)).toEqual({ page: "chats" });
    });
});

describe("what a person is called", () => {
    const i18n = new I18n("en", "UTC");
    const named = (displayname: string, before?: string) =>
        new MatrixEvent({ type: "m.room.member", event_id: "$3", sender: "@e:b", state_key: "@e:b", content: { membership: "join", displayname }, unsigned: { prev_content: { membership: "join", ...(before ? { displayname: before } : {}) } } });
    it("is told when it changes, and not when a new account gets its first name", () => {
        expect(systemLine(named("Emma Hart", "Emma"), "@me:b", (id) => id, i18n)).toBe("Emma is now called Emma Hart");
        expect(systemLine(named("Emma Hart"), "@me:b", () => "Emma Hart", i18n)).toBeNull();
    });
});

describe("lines about what people did", () => {
    const event = (type: string, sender: string, key: string, content: object, prev_content: object = {}) => new MatrixEvent({ type, event_id: "$4", sender, state_key: key, content, unsigned: { prev_content } });
    const member = (sender: string, key: string, membership: string, before = "") => event("m.room.member", sender, key, { membership, displayname: "Now" }, { membership: before, displayname: "Before" });
    const lines = (language: "zh" | "en", me: string, other: string) => {
        const consent = (agreed: boolean) => event("im.lingxi.consent", me, me, { agreed, destination: { kind: "this_machine" } });
        const renamed = event("m.room.member", me, me, { membership: "join", displayname: "Now" }, { membership: "join", displayname: "Before" });
        return [member(me, other, "invite"), member(other, me, "invite"), member(other, me, "leave", "join"), member(me, me, "join"), renamed, event("m.room.name", me, "", { name: "A" }), consent(true), consent(false)].map((one) => systemLine(one, "@me:b", (id) => id, new I18n(language, "UTC")));
    };
    it("speak to who reads them of what they did, and of others by name", () => {
        expect(lines("en", "@me:b", "@e:b")).toEqual([
            "You invited @e:b",
            "@e:b invited you",
            "@e:b removed you",
            "You joined",
            "You are now called Now",
            "You named the chat “A”",
            "You agreed: the assistant may read your messages here (on this server)",
            "You do not let the assistant read your messages here",
        ]);
        expect(lines("zh", "@me:b", "@e:b")).toEqual(["你邀请了 @e:b", "@e:b 邀请了你", "@e:b 将你移出了聊天", "你加入了聊天", "你改名为 Now", "你将聊天命名为“A”", "你同意助手在这里读你的消息（在本服务器）", "你不让助手在这里读你的消息"]);
        expect(lines("en", "@a:b", "@e:b").slice(3, 7)).toEqual(["Now joined", "Before is now called Now", "@a:b named the chat “A”", "@a:b agreed: the assistant may read their messages here (on this server)"]);
        expect(lines("zh", "@a:b", "@e:b").slice(0, 4)).toEqual(["@a:b 邀请了 @e:b", "@e:b 邀请了 @a:b", "@e:b 将 Before 移出了聊天", "Now 加入了聊天"]);
    });
    it("take nobody else for who reads them, whatever their name", () => {
        const told = (language: "zh" | "en", name: string) =>
            [
                event("im.lingxi.consent", "@e:b", "@e:b", { agreed: true, destination: { kind: "this_machine" } }),
                event("im.lingxi.consent", "@e:b", "@e:b", { agreed: false, destination: { kind: "this_machine" } }),
                member("@a:b", "@e:b", "invite"),
                event("m.room.member", "@e:b", "@e:b", { membership: "join", displayname: "Now" }, { membership: "join", displayname: name }),
            ].map((one) => systemLine(one, "@me:b", (userId) => (userId === "@e:b" ? name : userId), new I18n(language, "UTC")));
        expect(told("en", "You")).toEqual(["You agreed: the assistant may read their messages here (on this server)", "You does not let the assistant read their messages here", "@a:b invited You", "You is now called Now"]);
        expect(told("zh", "你")).toEqual(["你 同意助手在这里读 ta 的消息（在本服务器）", "你 不让助手在这里读 ta 的消息", "@a:b 邀请了 你", "你 改名为 Now"]);
    });
});

describe("a card that asks for consent, in a few words", () => {
    it("is told in the reader’s language, whatever the asker’s client wrote", () => {
        const words = (language: "zh" | "en") => summaryOf("im.lingxi.consent.request", { body: "May the assistant read your messages here?" }, new I18n(language, "UTC"));
        expect([words("en"), words("zh")]).toEqual(["Request for agreement", "征求同意"]);
    });
});

describe("names for a narrow place", () => {
    it("are cut to their first words, and of many people the first stands for all", () => {
        expect(["Emma Hart", "Emma Charlotte Hart-Wellington", "Wolfeschlegelstein", "王小明"].map(shortName)).toEqual(["Emma Hart", "Emma…", "Wolfeschlegel…", "王小明"]);
        expect(people(["A", "B"], new I18n("en", "UTC"))).toBe("A and B");
        expect(people(["A", "B", "C"], new I18n("en", "UTC"))).toBe("A and 2 more");
        expect(people(["甲", "乙", "丙"], new I18n("zh", "UTC"))).toBe("甲和另外 2 人");
    });
});

describe("how a chat begins", () => {
    const create = new MatrixEvent({ type: "m.room.create", event_id: "$1", sender: "@a:b", state_key: "", content: {} });
    const join = (who: string) => new MatrixEvent({ type: "m.room.member", event_id: "$2", sender: who, state_key: who, content: { membership: "join" } });
    it("says once that somebody started it and is in it, and of everybody else that they came", () => {
        expect(isStarterJoining(join("@a:b"), create)).toBe(true);
        expect(isStarterJoining(join("@c:b"), create)).toBe(false);
        expect(isStarterJoining(join("@a:b"), join("@c:b"))).toBe(false); // came back
        expect(isStarterJoining(join("@a:b"), undefined)).toBe(false);
    });
});
