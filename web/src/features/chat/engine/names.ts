import { RoomNameType, type MatrixClient, type Room, type RoomNameState } from "matrix-js-sdk";
import { currentI18n } from "@/i18n";

/** Names of chats where the SDK makes one up, in the person's language. */
export function roomNameGenerator(_roomId: string, state: RoomNameState): string | null {
    const i18n = currentI18n();
    const { t } = i18n;
    switch (state.type) {
        case RoomNameType.Actual:
            return state.name;
        case RoomNameType.EmptyRoom:
            return state.oldName || t("chats.empty_room");
        case RoomNameType.Generated: {
            const more = state.count - state.names.length - 1;
            if (state.names.length === 0) return t("chats.empty_room");
            return more > 0 ? t("chats.and_others", state.names.join(i18n.language === "zh" ? "、" : ", "), more) : i18n.list(state.names);
        }
    }
}

export function localpartOf(userId: string): string {
    return /^@([^:]*)/.exec(userId)?.[1] ?? userId;
}

/** Direct chats as the account data keep them: room → the other person. */
export function directRooms(client: MatrixClient): Map<string, string> {
    const direct = new Map<string, string>();
    const content = client.getAccountData("m.direct" as never)?.getContent<Record<string, unknown>>() ?? {};
    for (const [userId, rooms] of Object.entries(content)) {
        if (!Array.isArray(rooms)) continue;
        for (const room of rooms) if (typeof room === "string") direct.set(room, userId);
    }
    return direct;
}

export async function markDirect(client: MatrixClient, roomId: string, userId: string): Promise<void> {
    const content = { ...(client.getAccountData("m.direct" as never)?.getContent<Record<string, string[]>>() ?? {}) };
    const rooms = Array.isArray(content[userId]) ? content[userId] : [];
    if (rooms.includes(roomId)) return;
    content[userId] = [...rooms, roomId];
    await client.setAccountDataRaw("m.direct" as never, content as never);
}

/** A person's name: the remark one gave, the name in this chat, the profile's, the username. */
export function personName(client: MatrixClient, remarks: Readonly<Record<string, string>>, userId: string, room?: Room | null): string {
    // To the SDK who has no name is called by the id.
    const named = [room?.getMember(userId)?.rawDisplayName, client.getUser(userId)?.rawDisplayName].find((name) => name && name !== userId);
    return remarks[userId] ?? named ?? localpartOf(userId);
}
