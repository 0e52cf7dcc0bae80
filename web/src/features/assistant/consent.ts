import { EventType, type Room } from "matrix-js-sdk";
import type { AssistStatus } from "@/features/assistant/api";
import { consentRequestType, consentType, text } from "@/features/chat/engine/content";
import type { OutboxItem } from "@/features/chat/engine/outbox";
import type { Engine } from "@/features/chat/engine/engine";
import type { I18n } from "@/i18n";

export type Purpose = "suggest_replies" | "translate";
export interface Destination {
    kind: "this_machine" | "provider";
    name?: string;
}
/** Where words would go; people agree to the destination, and are told the model that is there now. */
export interface Place {
    destination: Destination;
    model: string;
}

export function readPurposes(value: unknown): Purpose[] {
    const all: Purpose[] = ["suggest_replies", "translate"];
    if (Array.isArray(value)) return all.filter((purpose) => value.includes(purpose));
    const object = (value ?? {}) as Record<string, unknown>;
    return all.filter((purpose) => object[purpose] === true);
}

/** Null where it is none: what nobody knows is not this machine. */
export function readDestination(value: unknown): Destination | null {
    const { kind, name } = (value ?? {}) as { kind?: unknown; name?: unknown };
    if (kind === "provider" && typeof name === "string" && name !== "") return { kind, name };
    return kind === "this_machine" ? { kind } : null;
}

export function purposesInWords(purposes: Purpose[], i18n: I18n): string {
    return i18n.list(purposes.map((purpose) => i18n.t(`ai.consent_use_${purpose}`)));
}

export interface Card {
    purposes: Purpose[];
    destination: Destination;
    atMs: number;
}

export interface Consent {
    agreed: boolean;
    purposes: Purpose[];
    destination: Destination;
    atMs: number;
}

/** A person's answer as the room's state has it: one, of whichever card or page. */
export function consentOf(room: Room, userId: string): Consent | null {
    const event = room.currentState.getStateEvents(consentType, userId);
    if (!event) return null;
    const content = event.getContent();
    const destination = readDestination(content["destination"]);
    if (typeof content["agreed"] !== "boolean" || !destination) return null;
    return { agreed: content["agreed"], purposes: readPurposes(content["purposes"]), destination, atMs: event.getTs() };
}

/** The events that a person's consent hangs on. */
interface Seen {
    member: string;
    consent: string;
}

/**
 * Whose consents the server said are in force, and of which events that was said: an agreement ends with the membership
 * in which it was given, with the right to take it back, and while its giver has AI off, which events alone do not tell.
 */
export interface InForce {
    users: ReadonlySet<string>;
    seen: ReadonlyMap<string, Seen>;
    marks: string;
}

const idOf = (room: Room, type: string, key: string): string => room.currentState.getStateEvents(type, key)?.getId() ?? "";

const seenNow = (room: Room, userId: string): Seen => ({ member: idOf(room, EventType.RoomMember, userId), consent: idOf(room, consentType, userId) });

function seenOf(room: Room, me: string): Map<string, Seen> {
    const answered = room.currentState.getStateEvents(consentType).map((event) => event.getStateKey() ?? "");
    return new Map([me, ...answered].map((userId) => [userId, seenNow(room, userId)]));
}

/** Changes with whatever event may put a consent in force or end it. */
export const consentMarks = (room: Room, me: string): string => JSON.stringify([idOf(room, EventType.RoomPowerLevels, ""), ...seenOf(room, me)]);

/** To be called before the server is asked: it may know of more by then, and of no less. */
export const inForceOf = (room: Room, me: string) => {
    const [seen, marks] = [seenOf(room, me), consentMarks(room, me)];
    return (status: AssistStatus): InForce => ({ users: new Set(status.consents.map((one) => one.user_id)), seen, marks });
};

/** Whether a person's member event only changed what they are called or look like since the one that was seen. */
function isSameMembership(room: Room, userId: string, seen: string): boolean {
    let event = room.currentState.getStateEvents(EventType.RoomMember, userId) ?? undefined;
    // Where the server tells which event each came after, a leaving among those that are not here is not overlooked.
    while (event && event.getContent()["membership"] === "join" && event.getPrevContent()["membership"] === "join") {
        const before = event.getUnsigned().replaces_state;
        if (before === undefined || before === seen) return true;
        event = room.findEventById(before);
    }
    return false;
}

/** Whether a person's agreement is in force; null until that is known. */
export function isInForce(room: Room, userId: string, me: string, inForce: InForce | null): boolean | null {
    if (!consentOf(room, userId)?.agreed) return false;
    const seen = inForce?.seen.get(userId);
    if (!inForce || !seen) return inForce?.users.has(userId) ? true : null;
    const now = seenNow(room, userId);
    if (now.member !== seen.member && !isSameMembership(room, userId, seen.member)) return null;
    if (inForce.users.has(userId)) return true;
    if (now.consent === seen.consent) return false;
    // What I have answered since, I have answered as the member that I am.
    return userId === me ? true : null;
}

export const isSame = (one: Destination, other: Destination): boolean => one.kind === other.kind && one.name === other.name;

/**
 * What a person's answer means to a card: only what was answered for the card's own destination is an answer to it, and
 * an agreement that is not in force is none. `other` is an agreement that came since and took its place, with another
 * destination; `unknown` an agreement of which one does not know yet whether it is in force.
 */
export function answerTo(card: Card, consent: Consent | null, stands: boolean | null): "yes" | "no" | "other" | "unknown" | null {
    if (!consent || (consent.agreed && stands === false)) return null;
    const answer = answerInWords(card, consent);
    return consent.agreed && answer && stands === null ? "unknown" : answer;
}

function answerInWords(card: Card, consent: Consent): "yes" | "no" | "other" | null {
    const since = consent.atMs >= card.atMs;
    if (!isSame(card.destination, consent.destination)) return consent.agreed && since ? "other" : null;
    if (!consent.agreed) return since ? "no" : null;
    return card.purposes.every((purpose) => consent.purposes.includes(purpose)) ? "yes" : null;
}

/** My own newest card for a place: among what is on its way, or in the chat. Null where none is here. */
export function askedFor(room: Room, me: string, outgoing: readonly OutboxItem[], { destination }: Place): Card | null {
    const cardOf = (content: Record<string, unknown>, atMs: number): Card | null => {
        const to = readDestination(content["destination"]);
        return to && isSame(to, destination) ? { purposes: readPurposes(content["purposes"]), destination: to, atMs } : null;
    };
    const isOnItsWay = (item: OutboxItem) => item.type === consentRequestType && item.state !== "failed" && !item.withdrawn;
    // No answer is newer than what nobody has seen yet.
    const waiting = outgoing.filter(isOnItsWay).find((item) => cardOf(item.content, Infinity));
    if (waiting) return cardOf(waiting.content, Infinity);
    const mine = room.getLiveTimeline().getEvents().filter((event) => event.getType() === consentRequestType && event.getSender() === me && !event.isRedacted());
    return mine.map((event) => cardOf(event.getContent(), event.getTs())).findLast((card) => card !== null) ?? null;
}

/** Whether somebody came into the chat after a card, of whom one cannot say that they were asked. */
function cameSince(room: Room, userId: string, { atMs }: Card): boolean {
    const member = room.currentState.getStateEvents(EventType.RoomMember, userId);
    return !!member && member.getPrevContent()["membership"] !== "join" && member.getTs() > atMs;
}

/** Whether a card is still waited for. Who has said no since can be asked again, and so can whose agreement is over or who came since. */
export function isWaitedFor(room: Room, card: Card | null, users: readonly string[], stands: (userId: string) => boolean | null): boolean {
    if (!card) return false;
    return !users.some((userId) => {
        const consent = consentOf(room, userId);
        const isOver = consent && isSame(card.destination, consent.destination) && consent.atMs >= card.atMs && (!consent.agreed || stands(userId) === false);
        return isOver || cameSince(room, userId, card);
    });
}

/** Whether a person has agreed to what a call was refused for. `stands`: whether their agreement is in force. */
export const hasAgreed = (consent: Consent | null, { destination }: Place, purpose: Purpose, stands: boolean | null): boolean => answerTo({ purposes: [purpose], destination, atMs: 0 }, consent, stands) === "yes";

export function answerConsent(engine: Engine, roomId: string, agreed: boolean, purposes: Purpose[], destination: Destination): Promise<unknown> {
    return engine.client.sendStateEvent(
        roomId,
        consentType,
        {
            purposes: { suggest_replies: purposes.includes("suggest_replies"), translate: purposes.includes("translate") },
            destination: { ...destination },
            agreed,
            at_ms: Date.now(),
        },
        engine.me,
    );
}

const destinationAt = (on_this_machine: boolean, provider: string): Destination => (on_this_machine ? { kind: "this_machine" } : { kind: "provider", name: provider });

/** Where a model answers, or the status says that one would; null where that is unknown, or none is there to be asked. */
export function placeOf(model: { available?: boolean; on_this_machine: boolean; provider: string; model: string } | null | undefined): Place | null {
    return model && model.available !== false ? { destination: destinationAt(model.on_this_machine, model.provider), model: model.model } : null;
}

/** The place that a refusal for want of consent names. */
export function placeIn(refusal: Record<string, unknown>): Place | null {
    const destination = readDestination(refusal["destination"]);
    return destination && { destination, model: text(refusal["model"]) };
}

/** Puts the card into the chat; it is the asker's own message. */
export function askConsent(engine: Engine, room: Room, { destination, model }: Place, i18n: I18n): void {
    const purposes: Purpose[] = ["suggest_replies", "translate"];
    engine.send(
        room.roomId,
        {
            purposes: { suggest_replies: true, translate: true },
            destination: { ...destination },
            model,
            body: i18n.t("ai.consent_title", engine.name(engine.me)) + " " + i18n.t("ai.consent_what_text", purposesInWords(purposes, i18n)),
        },
        null,
        consentRequestType,
    );
}
