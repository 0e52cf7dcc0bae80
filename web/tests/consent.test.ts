import { describe, expect, it } from "vitest";
import { MatrixEvent, Room, type IEvent } from "matrix-js-sdk";
import type { AssistStatus } from "@/features/assistant/api";
import { problemOf } from "@/features/assistant/assistant";
import { answerTo as answerStanding, askedFor, hasAgreed, inForceOf, consentMarks, isInForce, isWaitedFor, placeOf, type Card, type Consent, type Destination, type InForce } from "@/features/assistant/consent";
import type { OutboxItem } from "@/features/chat/engine/outbox";
import { ApiError } from "@/lib/errors";

const here: Destination = { kind: "this_machine" };
const cloud: Destination = { kind: "provider", name: "CloudX" };
const card = (destination: Destination, atMs: number) => ({ purposes: ["suggest_replies" as const, "translate" as const], destination, atMs });
const consent = (agreed: boolean, destination: Destination, atMs: number, more: Partial<Consent> = {}): Consent => ({ agreed, purposes: ["suggest_replies", "translate"], destination, atMs, ...more });

const answerTo = (to: Card, answer: Consent | null) => answerStanding(to, answer, true);

describe("an answer to a card", () => {
    it("is one for the card's own destination", () => {
        expect(answerTo(card(here, 10), consent(true, here, 20))).toBe("yes");
        expect(answerTo(card(here, 10), consent(true, here, 5))).toBe("yes");
        expect(answerTo(card(here, 10), consent(false, here, 20))).toBe("no");
        expect(answerTo(card(cloud, 10), consent(true, { kind: "provider", name: "CloudY" }, 20))).toBe("other");
    });
    it("is none where another destination was agreed to: overtaken if that came later, still open if it came before", () => {
        for (const [one, other] of [[here, cloud], [cloud, here]] as const) {
            expect(answerTo(card(one, 10), consent(true, other, 20))).toBe("other");
            expect(answerTo(card(one, 10), consent(true, other, 5))).toBeNull();
            expect(answerTo(card(one, 10), consent(false, other, 20))).toBeNull();
        }
    });
    it("is none yet where an older one was no, or for less than is asked", () => {
        expect(answerTo(card(here, 10), null)).toBeNull();
        expect(answerTo(card(here, 10), consent(false, here, 5))).toBeNull();
        expect(answerTo(card(here, 10), consent(true, here, 20, { purposes: ["translate"] }))).toBeNull();
    });
});

describe("an agreement", () => {
    it("that is not in force is no answer, and none is told before one knows", () => {
        expect(answerStanding(card(here, 10), consent(true, here, 5), false)).toBeNull();
        expect(answerStanding(card(here, 10), consent(true, here, 5), null)).toBe("unknown");
        expect(answerStanding(card(here, 10), consent(true, cloud, 20), false)).toBeNull();
        expect(answerStanding(card(here, 10), consent(true, cloud, 20), null)).toBe("unknown");
        expect(answerStanding(card(here, 10), consent(false, here, 20), null)).toBe("no");
    });
});

describe("what a call was refused for", () => {
    const place = { destination: here, model: "small" };
    it("is given with an agreement in force for that purpose, at that place", () => {
        expect(hasAgreed(consent(true, here, 20), place, "translate", true)).toBe(true);
        expect(hasAgreed(consent(true, here, 20), place, "translate", null)).toBe(false);
        expect(hasAgreed(consent(true, here, 20), place, "translate", false)).toBe(false);
        expect(hasAgreed(consent(true, cloud, 20), place, "translate", true)).toBe(false);
        expect(hasAgreed(consent(true, here, 20, { purposes: ["translate"] }), place, "suggest_replies", true)).toBe(false);
        expect(hasAgreed(consent(false, here, 20), place, "translate", true)).toBe(false);
        expect(hasAgreed(null, place, "translate", true)).toBe(false);
    });
});

const me = "@me:s";
const bob = "@bob:s";

/** A room as far as what consents hang on; `put` is an event of its state, `say` one of its timeline. */
function roomWith(): { room: Room; put(type: string, key: string, content: Record<string, unknown>, unsigned?: Record<string, unknown>): void; say(type: string, sender: string, content: Record<string, unknown>): void } {
    const room = new Room("!r", {} as never, me);
    let number = 0;
    const put = (type: string, key: string, content: Record<string, unknown>, unsigned: Record<string, unknown> = {}) => {
        number += 1;
        room.currentState.setStateEvents([new MatrixEvent({ type, state_key: key, event_id: `$${number}`, room_id: "!r", sender: key, origin_server_ts: number, content, unsigned } as Partial<IEvent>)]);
    };
    const said: MatrixEvent[] = [];
    room.getLiveTimeline = () => ({ getEvents: () => said }) as never;
    const say = (type: string, sender: string, content: Record<string, unknown>) => {
        number += 1;
        said.push(new MatrixEvent({ type, event_id: `$${number}`, room_id: "!r", sender, origin_server_ts: number, content } as Partial<IEvent>));
    };
    for (const person of [me, bob]) put("m.room.member", person, { membership: "join" });
    return { room, put, say };
}
const agree = { agreed: true, purposes: { translate: true }, destination: here };
const says = (...users: string[]) => ({ consents: users.map((user_id) => ({ user_id })) }) as unknown as AssistStatus;
const ask = (room: Room, ...users: string[]): InForce => inForceOf(room, me)(says(...users));

describe("whether an agreement is in force", () => {
    it("is what the server says of the events that are there", () => {
        const { room, put } = roomWith();
        put("im.lingxi.consent", bob, agree);
        expect(isInForce(room, bob, me, null)).toBeNull();
        expect(isInForce(room, bob, me, ask(room, bob))).toBe(true);
        expect(isInForce(room, bob, me, ask(room))).toBe(false);
        put("im.lingxi.consent", bob, { ...agree, agreed: false });
        expect(isInForce(room, bob, me, null)).toBe(false);
    });
    it("is not known of who came back since, and then as the server says", () => {
        const { room, put } = roomWith();
        put("im.lingxi.consent", bob, agree);
        const before = ask(room, bob);
        put("m.room.member", bob, { membership: "join" });
        expect(isInForce(room, bob, me, before)).toBeNull();
        expect(consentMarks(room, me)).not.toBe(before.marks);
        expect(isInForce(room, bob, me, ask(room))).toBe(false);
    });
    it("is known of who only changed name or picture since, and not of who may have left between", () => {
        const { room, put } = roomWith();
        put("im.lingxi.consent", bob, agree); // $3
        const before = ask(room, bob); // $2 is how bob joined
        const prev_content = { membership: "join" };
        put("m.room.member", bob, { membership: "join", displayname: "Bob" }, { prev_content });
        expect(isInForce(room, bob, me, before)).toBe(true);
        put("m.room.member", bob, { membership: "join", displayname: "Bobby" }, { prev_content, replaces_state: "$2" });
        expect(isInForce(room, bob, me, before)).toBe(true);
        expect(consentMarks(room, me)).not.toBe(before.marks); // and the server is asked all the same
        put("m.room.member", bob, { membership: "join", displayname: "B" }, { prev_content, replaces_state: "$not here" });
        expect(isInForce(room, bob, me, before)).toBeNull();
        put("m.room.member", bob, { membership: "join" }, { prev_content: { membership: "leave" }, replaces_state: "$2" });
        expect(isInForce(room, bob, me, before)).toBeNull();
    });
    it("is not known of who has agreed since, but of oneself", () => {
        const { room, put } = roomWith();
        const before = ask(room);
        put("im.lingxi.consent", bob, agree);
        put("im.lingxi.consent", me, agree);
        expect(isInForce(room, bob, me, before)).toBeNull();
        expect(isInForce(room, me, me, before)).toBe(true);
        expect(isInForce(room, bob, me, inForceOf(room, me)(says(bob)))).toBe(true);
        put("m.room.member", me, { membership: "join" });
        expect(isInForce(room, me, me, before)).toBeNull();
    });
});

describe("an answer that was asked for", () => {
    const place = { destination: here, model: "small" };
    const far = { destination: cloud, model: "large" };
    const refused = { ...agree, agreed: false };
    const cardTo = (destination: Destination) => ({ purposes: { suggest_replies: true, translate: true }, destination });
    const outgoing = (destination: Destination, more: Partial<OutboxItem> = {}) => [{ type: "im.lingxi.consent.request", content: cardTo(destination), state: "queued", ...more } as unknown as OutboxItem];
    const isAsked = (room: Room, at = place, items: OutboxItem[] = [], stands: boolean | null = null) => isWaitedFor(room, askedFor(room, me, items, at), [bob], () => stands);

    it("is waited for as long as a card of mine for that place stands in the chat, or is on its way", () => {
        const { room, put, say } = roomWith();
        put("im.lingxi.consent", bob, refused);
        expect(isAsked(room)).toBe(false);
        expect(isAsked(room, place, outgoing(here))).toBe(true);
        expect(isAsked(room, place, outgoing(here, { state: "failed" }))).toBe(false);
        expect(isAsked(room, place, outgoing(cloud))).toBe(false);
        say("im.lingxi.consent.request", bob, cardTo(here));
        expect(isAsked(room)).toBe(false);
        say("im.lingxi.consent.request", me, cardTo(here));
        say("im.lingxi.consent.request", me, cardTo(cloud));
        expect([isAsked(room), isAsked(room, far)]).toEqual([true, true]);
        put("im.lingxi.consent", bob, agree);
        expect(isAsked(room)).toBe(true);
    });
    it("is none any more that was given: who said no since is asked again, and then waited for", () => {
        const { room, put, say } = roomWith();
        say("im.lingxi.consent.request", me, cardTo(here));
        put("im.lingxi.consent", bob, refused);
        expect(isAsked(room)).toBe(false);
        expect(isAsked(room, place, outgoing(here))).toBe(true);
        say("im.lingxi.consent.request", me, cardTo(here));
        expect(isAsked(room)).toBe(true);
        put("im.lingxi.consent", bob, agree);
        expect(isAsked(room, place, [], false)).toBe(false);
    });
    it("is still waited for whatever others answer, and what somebody is called or looks like", () => {
        const { room, put, say } = roomWith();
        put("im.lingxi.consent", bob, refused);
        say("im.lingxi.consent.request", me, cardTo(here));
        put("m.room.member", bob, { membership: "join", avatar_url: "mxc://s/new" }, { prev_content: { membership: "join" } });
        put("im.lingxi.consent", "@carol:s", agree);
        put("m.room.power_levels", "", {});
        expect(isAsked(room)).toBe(true);
    });
    it("is not waited for of who came in after the card", () => {
        const { room, put, say } = roomWith();
        say("im.lingxi.consent.request", me, cardTo(here));
        put("m.room.member", bob, { membership: "join" }, { prev_content: { membership: "leave" } });
        expect(isAsked(room)).toBe(false);
        expect(isAsked(room, place, outgoing(here))).toBe(true);
    });
});

describe("the place that consent is asked for", () => {
    it("is the one that the refusal names, and none where it names none", () => {
        const refused = (more: Record<string, unknown>) => problemOf(new ApiError(403, "IM.LINGXI.CONSENT_NEEDED", "", { users: [bob], ...more }), true);
        expect(refused({ destination: cloud, model: "large" })).toMatchObject({ users: [bob], place: { destination: cloud, model: "large" } });
        expect(refused({ destination: here })).toMatchObject({ place: { destination: here, model: "" } });
        expect(refused({})).toMatchObject({ place: null });
    });
    it("is never this machine for want of knowledge", () => {
        expect(placeOf(undefined)).toBeNull();
        expect(placeOf(null)).toBeNull();
        expect(placeOf({ available: false, on_this_machine: true, provider: "Here", model: "m" })).toBeNull();
        expect(placeOf({ available: true, on_this_machine: false, provider: "CloudX", model: "m" })).toEqual({ destination: cloud, model: "m" });
        expect(placeOf({ on_this_machine: true, provider: "Here", model: "m" })).toEqual({ destination: here, model: "m" });
    });
});
