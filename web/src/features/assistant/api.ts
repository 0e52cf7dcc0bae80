import type { AiLabel } from "@/features/chat/engine/content";
import { errorOf, request, type Fetch, type Json } from "@/lib/http";
import { readEvents } from "@/lib/sse";

export interface AssistStatus {
    ai_enabled: boolean;
    model: { available: boolean; provider: string; model: string; on_this_machine: boolean } | null;
    budget: { used_tokens: number; cap_tokens: number; resets_at_ms: number } | null;
    policy: "allowed" | "forbidden";
    consents: { user_id: string; purposes: string[]; destination: { kind?: string; name?: string } | string; since_ms: number }[];
    assistant_user_id: string;
}

export interface OfflineChip {
    text: string;
    stance: "accept" | "decline" | "ask";
    intent: string;
}

export interface Dropped {
    event_id: string;
    reason: "not_visible" | "redacted" | "no_consent" | "not_text" | "over_limit";
}

export interface Usage {
    input_tokens: number;
    output_tokens: number;
    estimated?: boolean;
}

export type AssistEvent =
    | { event: "prepared"; call_id: string; provider: string; model: string; on_this_machine: boolean; used: string[]; dropped: Dropped[] }
    | { event: "delta"; text: string }
    | { event: "suggestion"; index: number; text: string; label: AiLabel | null }
    | { event: "done"; call_id: string; label: AiLabel | null; cut?: boolean }
    | { event: "error"; errcode: string; error: string };

export interface Receipt {
    call_id: string;
    purpose: string;
    room_id: string | null;
    at_ms: number;
    provider: string;
    model: string;
    on_this_machine: boolean;
    /** Of what was to be sent; nothing where the answer was known already. */
    outbound_sha256: string;
    outbound_bytes: number;
    /** Whether it left the server; unknown while the call runs, after a crash, and in receipts of older servers. */
    left: "yes" | "no" | "unknown";
    whose: string[];
    /** Null, as the cost and whether it is estimated, until the call has ended. */
    input_tokens: number | null;
    output_tokens: number | null;
    estimated: boolean | null;
    cost_micros: number | null;
    currency: string;
    /** While it runs its end is unknown, too. */
    outcome: "done" | "cached" | "failed" | "cancelled" | "unknown";
}

const assist = "/_lingxi/client/v1/assist";

export const fetchStatus = (fetch: Fetch, roomId: string | null, signal: AbortSignal) =>
    request<AssistStatus>("GET", `${assist}/status${roomId ? `?room_id=${encodeURIComponent(roomId)}` : ""}`, undefined, { fetch, signal });

export const fetchChips = (fetch: Fetch, roomId: string, eventId: string, signal: AbortSignal) =>
    request<{ method: string; suggestions: OfflineChip[] }>("POST", `${assist}/chips`, { room_id: roomId, event_id: eventId }, { fetch, signal });

export const fetchReceipts = (fetch: Fetch, from: string | null) =>
    request<{ receipts: Receipt[]; next?: string | number | null }>("GET", `${assist}/receipts?limit=30${from ? `&from=${encodeURIComponent(from)}` : ""}`, undefined, { fetch });
export const fetchReceipt = (fetch: Fetch, callId: string) => request<Receipt>("GET", `${assist}/receipts/${encodeURIComponent(callId)}`, undefined, { fetch });
export const eraseReceipts = (fetch: Fetch) => request("DELETE", `${assist}/receipts`, undefined, { fetch });
export async function exportReceipts(fetch: Fetch): Promise<Blob> {
    const response = await fetch(`${assist}/receipts/export`);
    if (!response.ok) throw await errorOf(response);
    return response.blob();
}

/** A model call's events as they come; errors before the stream are thrown as ApiError. */
export async function* callModel(fetch: Fetch, what: "suggestions" | "translations", body: Json, signal: AbortSignal): AsyncGenerator<AssistEvent> {
    const response = await fetch(`${assist}/${what}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
        body: JSON.stringify(body),
        signal,
    });
    if (!response.ok) throw await errorOf(response);
    for await (const { event, data } of readEvents(response)) {
        let parsed: Json;
        try {
            parsed = JSON.parse(data) as Json;
        } catch {
            continue; // not ours
        }
        if (["prepared", "delta", "suggestion", "done", "error"].includes(event)) yield { ...parsed, event } as unknown as AssistEvent;
    }
}
