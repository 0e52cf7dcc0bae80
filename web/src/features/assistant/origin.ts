import type { AiLabel } from "@/features/chat/engine/content";
import { Store, StoreMap } from "@/lib/store";

/** Where a draft's words came from, as long as something of them is in it. */
export interface Origin {
    label: AiLabel;
    text: string;
}

const key = (roomId: string) => `lingxi.draft_ai.${roomId}`;

function read(roomId: string): Origin | null {
    try {
        const value = JSON.parse(localStorage.getItem(key(roomId)) ?? "null") as Partial<Origin> | null;
        return value && typeof value.text === "string" && value.label && typeof value.label.call_id === "string" ? (value as Origin) : null;
    } catch {
        return null;
    }
}

const origins = new StoreMap<Origin | null>(read);

export const originOf = (roomId: string): Store<Origin | null> => origins.of(roomId);

export function setOrigin(roomId: string, origin: Origin | null): void {
    origins.of(roomId).set(origin);
    if (origin) localStorage.setItem(key(roomId), JSON.stringify(origin));
    else localStorage.removeItem(key(roomId));
}

/** The label that a text carries: unchanged it is the model's own, changed it is written with its help. */
export function labelFor(origin: Origin | null, text: string): AiLabel | null {
    if (!origin) return null;
    return text === origin.text ? origin.label : { ...origin.label, kind: "assisted" };
}
