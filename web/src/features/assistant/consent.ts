import type { Room } from "matrix-js-sdk";
import type { AssistStatus } from "@/features/assistant/api";
import { consentRequestType, consentType } from "@/features/chat/engine/content";
import type { Engine } from "@/features/chat/engine/engine";
import type { I18n } from "@/i18n";

export type Purpose = "suggest_replies" | "translate";
export interface Destination {
    kind: "this_machine" | "provider";
    name?: string;
}

export function readPurposes(value: unknown): Purpose[] {
    const all: Purpose[] = ["suggest_replies", "translate"];
    if (Array.isArray(value)) return all.filter((purpose) => value.includes(purpose));
    const object = (value ?? {}) as Record<string, unknown>;
    return all.filter((purpose) => object[purpose] === true);
}

export function readDestination(value: unknown): Destination {
    const { kind, name } = (value ?? {}) as { kind?: unknown; name?: unknown };
    return kind === "provider" && typeof name === "string" ? { kind, name } : { kind: "this_machine" };
}

export function purposesInWords(purposes: Purpose[], i18n: I18n): string {
    return i18n.list(purposes.map((purpose) => i18n.t(`ai.consent_use_${purpose}`)));
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
    if (typeof content["agreed"] !== "boolean") return null;
    return { agreed: content["agreed"], purposes: readPurposes(content["purposes"]), destination: readDestination(content["destination"]), atMs: event.getTs() };
}

const isSame = (one: Destination, other: Destination): boolean => one.kind === other.kind && one.name === other.name;

/**
 * What a person's answer means to a card: only what was answered for the card's own destination is an answer to it.
 * `other` is an agreement that came since and took its place, with another destination.
 */
export function answerTo(card: { purposes: Purpose[]; destination: Destination; atMs: number }, consent: Consent | null): "yes" | "no" | "other" | null {
    if (!consent) return null;
    const since = consent.atMs >= card.atMs;
    if (!isSame(card.destination, consent.destination)) return consent.agreed && since ? "other" : null;
    if (!consent.agreed) return since ? "no" : null;
    return card.purposes.every((purpose) => consent.purposes.includes(purpose)) ? "yes" : null;
}

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

export function destinationOf(status: AssistStatus | null): Destination {
    return !status?.model || status.model.on_this_machine ? { kind: "this_machine" } : { kind: "provider", name: status.model.provider };
}

/** Puts the card into the chat; it is the asker's own message. */
export function askConsent(engine: Engine, roomId: string, status: AssistStatus | null, i18n: I18n): void {
    const purposes: Purpose[] = ["suggest_replies", "translate"];
    engine.send(
        roomId,
        {
            purposes: { suggest_replies: true, translate: true },
            destination: { ...destinationOf(status) },
            model: status?.model?.model ?? "",
            body: i18n.t("ai.consent_title", engine.name(engine.me)) + " " + i18n.t("ai.consent_what_text", purposesInWords(purposes, i18n)),
        },
        null,
        consentRequestType,
    );
}
