import { RoomEvent, type MatrixEvent, type Room } from "matrix-js-sdk";
import { useEffect, useState } from "react";
import { isMessage, labelOfEvent, summaryOf } from "@/features/chat/engine/content";
import { useEngine } from "@/features/chat/engine/context";
import { isMuted } from "@/features/chat/engine/roomList";
import { useI18n } from "@/i18n";

const kept = 10;

/**
 * New messages for the screen reader, each once: who and what. Lines are added to a log, never changed, so that
 * two of the same words are two announcements and several at once are all heard.
 */
export function LiveRegion() {
    const engine = useEngine();
    const i18n = useI18n();
    const [lines, setLines] = useState<readonly { id: string; words: string }[]>([]);
    useEffect(() => {
        const listen = (event: MatrixEvent, room: Room | undefined, toStart: boolean | undefined, _removed: boolean, data: { liveEvent?: boolean }) => {
            const id = event.getId();
            if (toStart || !data.liveEvent || !room || !id || !engine.ready.get() || event.getSender() === engine.me || !isMessage(event) || isMuted(engine.client, room.roomId)) return;
            const mark = labelOfEvent(event) ? `${i18n.t("ai.mark")} ` : "";
            const words = i18n.t("chat.live", engine.name(event.getSender() ?? "", room), mark + summaryOf(event.getType(), event.getContent(), i18n));
            setLines((last) => (last.some((line) => line.id === id) ? last : [...last.slice(1 - kept), { id, words }]));
        };
        engine.client.on(RoomEvent.Timeline, listen);
        return () => void engine.client.off(RoomEvent.Timeline, listen);
    }, [engine, i18n]);
    return (
        <div className="visually-hidden" role="log" aria-live="polite" aria-relevant="additions" aria-label={i18n.t("chat.live_label")}>
            {lines.map((line) => (
                <p key={line.id}>{line.words}</p>
            ))}
        </div>
    );
}
