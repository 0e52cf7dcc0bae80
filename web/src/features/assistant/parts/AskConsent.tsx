import type { Room } from "matrix-js-sdk";
import { askConsent, type Place } from "@/features/assistant/consent";
import { useWaitedFor } from "@/features/assistant/context";
import { useEngine } from "@/features/chat/engine/context";
import { useI18n } from "@/i18n";

/**
 * Puts a card for consent into the chat, for the place that the call was to go to: what is agreed to is then what the next
 * one looks for. `users` are who has to agree.
 */
export function AskConsent({ room, place, users }: { room: Room; place: Place | null; users: readonly string[] }) {
    const engine = useEngine();
    const i18n = useI18n();
    const isAsked = useWaitedFor(room, place, users);
    if (!place) return null;
    return (
        <button type="button" className="inline-button" aria-disabled={isAsked} onClick={() => isAsked || askConsent(engine, room, place, i18n)}>
            {i18n.t(isAsked ? "ai.asked_consent" : "ai.ask_consent")}
        </button>
    );
}
