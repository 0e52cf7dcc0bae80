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

/** My answer as the room's state has it. */
export function consentOf(room: Room, userId: string): { agreed: boolean; purposes: Purpose[]; destination: Destination; atMs: number } | null {
    const event = room.currentState.getStateEvents(consentType, userId);
    if (!event) return null;
    const content = event.getContent();
    if (typeof content["agreed"] !== "boolean") return null;
    return { agreed: content["agreed"], purposes: readPurposes(content["purposes"]), destination: readDestination(content["destination"]), atMs: event.getTs() };
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
