import type { Room } from "matrix-js-sdk";
import { askConsent, isSame, type Place } from "@/features/assistant/consent";
import { useEngine } from "@/features/chat/engine/context";
import { useI18n } from "@/i18n";

/**
 * Puts a card for consent into the chat, for the place that the call was to go to: what is agreed to is then what the next
 * one looks for. `asked` is the place that was asked for here last.
 */
export function AskConsent({ room, place, asked, onAsked }: { room: Room; place: Place | null; asked: Place | null; onAsked(place: Place): void }) {
    const engine = useEngine();
    const i18n = useI18n();
    if (!place) return null;
    const isAsked = asked !== null && isSame(asked.destination, place.destination);
    return (
        <button
            type="button"
            className="inline-button"
            disabled={isAsked}
            onClick={() => {
                askConsent(engine, room.roomId, place, i18n);
                onAsked(place);
            }}
        >
            {i18n.t(isAsked ? "ai.asked_consent" : "ai.ask_consent")}
        </button>
    );
}
