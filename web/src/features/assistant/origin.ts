import type { AiLabel } from "@/features/chat/engine/content";
import { Store, StoreMap } from "@/lib/store";

/** Where a draft's words came from, as long as something of them is in it. */
export interface Origin {
    label: AiLabel;
    text: string;
}

const key = (userId: string, roomId: string) => `lingxi.draft_ai.${userId}.${roomId}`;

function read(storageKey: string): Origin | null {
    try {
        const value = JSON.parse(localStorage.getItem(storageKey) ?? "null") as Partial<Origin> | null;
        return value && typeof value.text === "string" && value.label && typeof value.label.call_id === "string" ? (value as Origin) : null;
    } catch {
        return null;
    }
}

const origins = new StoreMap<Origin | null>(read);

/** Per account and chat: two accounts of one browser may write in the same chat. */
export const originOf = (userId: string, roomId: string): Store<Origin | null> => origins.of(key(userId, roomId));

export function setOrigin(userId: string, roomId: string, origin: Origin | null): void {
    originOf(userId, roomId).set(origin);
    if (origin) localStorage.setItem(key(userId, roomId), JSON.stringify(origin));
    else localStorage.removeItem(key(userId, roomId));
}

/** The label that a text carries: unchanged it is the model's own, changed it is written with its help. */
export function labelFor(origin: Origin | null, text: string): AiLabel | null {
    if (!origin) return null;
    return text === origin.text ? origin.label : { ...origin.label, kind: "assisted" };
}
