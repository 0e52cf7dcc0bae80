import type { MatrixEvent } from "matrix-js-sdk";
import { useState } from "react";
import { forwardedKey, labelFor, labelKey, labelOfEvent, text } from "@/features/chat/engine/content";
import { useEngine, useRooms } from "@/features/chat/engine/context";
import { RemoteAvatar } from "@/features/chat/parts/RemoteAvatar";
import { useI18n } from "@/i18n";
import type { Json } from "@/lib/http";
import { Dialog, SearchField } from "@/ui/parts";
import { toast } from "@/ui/toast";

/**
 * The content of a message for another chat: its words, picture and AI label, without what it hangs on here. The words of
 * another are marked, not with whose they are: whoever wrote them is not there to be asked whether a model may read them.
 */
export function forwardContent(event: MatrixEvent, me: string): Json {
    const { "m.relates_to": _relation, "m.mentions": _mentions, "m.new_content": _new, [labelKey]: _label, ...rest } = event.getContent();
    const label = labelFor(labelOfEvent(event), text(rest["body"]));
    const isAnothers = event.getSender() !== me || forwardedKey in event.getOriginalContent();
    return { ...rest, ...(label ? { [labelKey]: label } : {}), ...(isAnothers ? { [forwardedKey]: true } : {}), "m.mentions": {} };
}

export function ForwardDialog({ event, onClose }: { event: MatrixEvent; onClose(): void }) {
    const engine = useEngine();
    const { t } = useI18n();
    const rooms = useRooms();
    const [query, setQuery] = useState("");
    const wanted = query.trim().toLowerCase();
    const shown = rooms.filter((room) => !room.invite && room.name.toLowerCase().includes(wanted)).slice(0, 50);
    return (
        <Dialog title={t("chat.forward_to")} onClose={onClose}>
            <SearchField label={t("chats.filter")} value={query} onChange={setQuery} autoFocus />
            <ul className="plain-list pick-list">
                {shown.map((room) => (
                    <li key={room.roomId}>
                        <button
                            type="button"
                            className="list-button"
                            onClick={() => {
                                engine.send(room.roomId, forwardContent(event, engine.me));
                                toast(t("chat.forwarded"));
                                onClose();
                            }}
                        >
                            <RemoteAvatar id={room.colourId} name={room.name} mxc={room.avatarMxc} size={36} />
                            <span className="nowrap">{room.name}</span>
                        </button>
                    </li>
                ))}
                {shown.length === 0 && <li className="state">{t("chats.none_found")}</li>}
            </ul>
        </Dialog>
    );
}
