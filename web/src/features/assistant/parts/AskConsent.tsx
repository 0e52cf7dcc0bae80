import type { Room } from "matrix-js-sdk";
import { askConsent, isWaitedFor, type Asked, type Place } from "@/features/assistant/consent";
import { useEngine } from "@/features/chat/engine/context";
import { useI18n } from "@/i18n";

/**
 * Puts a card for consent into the chat, for the place that the call was to go to: what is agreed to is then what the next
 * one looks for. `asked` is what was asked for here last, `users` are who has to agree, where that is known.
 */
export function AskConsent({ room, place, users = [], asked, onAsked }: { room: Room; place: Place | null; users?: readonly string[]; asked: Asked | null; onAsked(asked: Asked): void }) {
    const engine = useEngine();
    const i18n = useI18n();
    if (!place) return null;
    const isAsked = isWaitedFor(room, engine.me, asked, place, users);
    return (
        <button
            type="button"
            className="inline-button"
            disabled={isAsked}
            onClick={() => onAsked(askConsent(engine, room, place, i18n))}
        >
            {i18n.t(isAsked ? "ai.asked_consent" : "ai.ask_consent")}
        </button>
    );
}
