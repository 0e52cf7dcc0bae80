import type { MatrixEvent } from "matrix-js-sdk";
import type { I18n } from "@/i18n";
import type { Json } from "@/lib/http";
import { sha256 } from "@/lib/sha256";

/** What may stand in an event's content under `im.lingxi.ai`. */
export interface AiLabel {
    call_id: string;
    kind: "generated" | "assisted";
    model: string;
    sha256: string;
    signature: string;
}

export const labelKey = "im.lingxi.ai";
export const forwardedKey = "im.lingxi.forwarded";

export function labelOf(content: Record<string, unknown>): AiLabel | null {
    const label = content[labelKey] as Partial<AiLabel> | undefined;
    if (!label || typeof label !== "object" || typeof label.call_id !== "string") return null;
    return {
        call_id: label.call_id,
        kind: label.kind === "assisted" ? "assisted" : "generated",
        model: typeof label.model === "string" ? label.model : "",
        sha256: typeof label.sha256 === "string" ? label.sha256 : "",
        signature: typeof label.signature === "string" ? label.signature : "",
    };
}

/** The label of a message as it reads now. A client that knows nothing of labels edits them away: what AI wrote is still at least AI-assisted. */
export function labelOfEvent(event: MatrixEvent): AiLabel | null {
    const label = labelOf(event.getContent());
    if (label || event.isRedacted()) return label;
    const original = labelOf(event.getOriginalContent());
    return original && { ...original, kind: "assisted" };
}

/** Where words in a composer came from, as long as something of them is in it. */
export interface Origin {
    label: AiLabel;
    /** What stood there of them when they came: by it they are known again. */
    text: string;
}

/** Whether these are the words that the label was given for, to the last space. */
export const isUnchanged = (label: AiLabel, words: string): boolean => sha256(words) === label.sha256;

/**
 * The label with which words go out: unchanged they are the model's own, changed they are written with its help. The
 * server refuses one that says otherwise, wherever the words came from.
 */
export function labelFor(label: AiLabel | null | undefined, words: string): AiLabel | null {
    return label ? { ...label, kind: isUnchanged(label, words) ? "generated" : "assisted" } : null;
}

/** A text as it goes out, trimmed, but for what a model wrote: that stays as it is to the last space, since the label is of that. */
export function textContent(text: string, label: AiLabel | null): { msgtype: string; body: string } {
    const body = label && isUnchanged(label, text) ? text : text.trim();
    return { msgtype: "m.text", body, ...(label ? { [labelKey]: labelFor(label, body) } : {}) };
}

/** What changes a message into `content`; `body` is for clients that know no changes. */
export function editContent(eventId: string, content: Json): Json {
    return { ...content, body: `* ${text(content["body"])}`, "m.new_content": content, "m.relates_to": { rel_type: "m.replace", event_id: eventId } };
}

export const consentType = "im.lingxi.consent";
export const consentRequestType = "im.lingxi.consent.request";
export const policyType = "im.lingxi.ai_policy";

/** Bodies of replies from older clients begin with the quoted lines. */
export function withoutReplyFallback(body: string): string {
    if (!body.startsWith("> ")) return body;
    const lines = body.split("\n");
    let index = 0;
    while (lines[index]?.startsWith("> ")) index += 1;
    if (lines[index] === "") index += 1;
    return lines.slice(index).join("\n");
}

export function text(value: unknown): string {
    return typeof value === "string" ? value : "";
}

interface Relation {
    type: string;
    eventId: string;
    key: string;
}

export const relationOf = (event: MatrixEvent): Relation | null => relationIn(event.getWireContent());

function relationIn(content: Record<string, unknown>): Relation | null {
    const relation = content["m.relates_to"] as Record<string, unknown> | undefined;
    if (!relation || typeof relation !== "object") return null;
    return { type: text(relation["rel_type"]), eventId: text(relation["event_id"]), key: text(relation["key"]) };
}

export function replyTargetOf(event: MatrixEvent): string | null {
    const relation = event.getWireContent()["m.relates_to"] as { "m.in_reply_to"?: { event_id?: unknown } } | undefined;
    const id = relation?.["m.in_reply_to"]?.event_id;
    return typeof id === "string" ? id : null;
}

/** A message's text, as it reads now (the newest edit). */
export function bodyOf(event: MatrixEvent): string {
    const content = event.getContent();
    const body = text(content["body"]);
    return replyTargetOf(event) ? withoutReplyFallback(body) : body;
}

/** A message in a few words, for a list, a quote or the screen reader. */
export function summaryOf(type: string, content: Record<string, unknown>, i18n: I18n): string {
    const { t } = i18n;
    if (type === "m.room.encrypted") return t("chat.encrypted");
    if (type === "m.sticker") return `[${t("chat.sticker")}]`;
    if (type === consentRequestType) return t("ai.consent_request"); // its body is in the asker's language
    const body = withoutReplyFallback(text(content["body"]));
    switch (content["msgtype"]) {
        case "m.image":
            return `[${t("chat.image")}]`;
        case "m.video":
            return `[${t("chat.video")}]`;
        case "m.audio":
            return `[${t("chat.audio")}]`;
        case "m.file":
            return `[${t("chat.file")}] ${body}`;
        default:
            return body.slice(0, 300).replace(/\s+/g, " ").trim();
    }
}

const messageTypes = new Set(["m.room.message", "m.room.encrypted", "m.sticker", consentRequestType]);

/** Whether an event is something that a person said. */
export function isMessage(event: MatrixEvent): boolean {
    return isMessageContent(event.getType(), event.isState(), event.getWireContent());
}

export function isMessageContent(type: string, isState: boolean, content: Record<string, unknown>): boolean {
    if (!messageTypes.has(type) || isState) return false;
    const relation = relationIn(content)?.type;
    return relation !== "m.replace" && relation !== "m.annotation";
}
