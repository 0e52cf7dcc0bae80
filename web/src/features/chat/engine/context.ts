import { createContext, useCallback, useContext, useEffect, useState, useSyncExternalStore } from "react";
import { RoomStateEvent, type Room } from "matrix-js-sdk";
import type { Engine } from "@/features/chat/engine/engine";
import type { OutboxItem } from "@/features/chat/engine/outbox";
import type { RoomSummary, ShownChats } from "@/features/chat/engine/roomList";
import { useLate } from "@/lib/hooks";
import { useStore } from "@/lib/store";

export const EngineContext = createContext<Engine | null>(null);

export function useEngine(): Engine {
    const engine = useContext(EngineContext);
    if (!engine) throw new Error("EngineContext is missing");
    return engine;
}

export const useRooms = (): readonly RoomSummary[] => useStore(useEngine().rooms.list);

/** What the list shows, which is there before `useRooms` is. */
export const useShownChats = (): ShownChats => useStore(useEngine().rooms.shown);

export function useRoomSummary(roomId: string): RoomSummary | null {
    return useRooms().find((room) => room.roomId === roomId) ?? null;
}

export function useOutbox(): readonly OutboxItem[] {
    const { outbox } = useEngine();
    return useSyncExternalStore(outbox.subscribe, outbox.all);
}

const connectingAfter_ms = 1_000;

/** The server has not answered since the start, for so long that one should know: what stands there may be old. */
export function useConnecting(): boolean {
    return useLate(useStore(useEngine().connection) === "connecting", connectingAfter_ms);
}

/** Names that follow remarks. */
export function useName(room?: Room | null): (userId: string) => string {
    const engine = useEngine();
    const remarks = useStore(engine.account.remarks);
    return useCallback(
        (userId: string) => {
            void remarks;
            return engine.name(userId, room);
        },
        [engine, remarks, room],
    );
}

/** Renders again when the room's state changes. */
export function useRoomState(room: Room | null): number {
    const [version, setVersion] = useState(0);
    useEffect(() => {
        if (!room) return undefined;
        const changed = () => setVersion((last) => last + 1);
        room.on(RoomStateEvent.Update, changed);
        return () => void room.off(RoomStateEvent.Update, changed);
    }, [room]);
    return version;
}
