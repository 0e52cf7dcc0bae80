import { keptRows_limit, type RoomSummary } from "@/features/chat/engine/roomList";
import type { Session } from "@/session/sessions";

/** Whose list it is, as the rail shows it. */
export interface OwnProfile {
    readonly name: string;
    readonly avatarMxc: string | null;
}

interface Kept {
    readonly me: OwnProfile | null;
    readonly rows: readonly RoomSummary[];
}

type KeptStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** Another number when what is written means something else. */
const version = 1;
/** More than a row has room for, and than an id may be long. */
const text_limit_chars = 256;
/** Of the five megabytes that a browser gives a site; it counts two bytes a unit. */
const limit_bytes = 256 * 1024;
const restMs = 2_000;
const latestMs = 8.64e15;

const keyOf = (userId: string): string => `lingxi.chats.${userId}`;

const isText = (value: unknown): value is string => typeof value === "string" && value.length <= text_limit_chars;
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);
const isFlag = (value: unknown): boolean => typeof value === "boolean";
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** Every field by its name, so that a new one does not compile without its check. */
const checks: { readonly [Field in keyof RoomSummary]: (value: unknown) => boolean } = {
    roomId: (value) => isText(value) && value !== "",
    name: isText,
    colourId: isText,
    avatarMxc: isTextOrNull,
    directUserId: isTextOrNull,
    lastSender: isTextOrNull,
    lastText: isText,
    lastIsAi: isFlag,
    lastAtMs: (value) => isCount(value) && (value as number) <= latestMs,
    unread: isCount,
    highlight: isCount,
    hasUnread: isFlag,
    muted: isFlag,
    pinned: isFlag,
    draft: isText,
    draftIsAi: isFlag,
    failed: isFlag,
    invite: (value) => value === null || (typeof value === "object" && isText((value as { inviter?: unknown }).inviter)),
};
const fields = Object.keys(checks) as (keyof RoomSummary)[];

function isRow(value: unknown): value is RoomSummary {
    if (typeof value !== "object" || value === null) return false;
    const row = value as Record<string, unknown>;
    return fields.every((field) => checks[field](row[field]));
}

/** Rows from before a field was there: they are as good as they were. */
const withLaterFields = (value: unknown): unknown => (typeof value === "object" && value !== null && !("draftIsAi" in value) ? { ...value, draftIsAi: false } : value);

function isProfile(value: unknown): value is OwnProfile {
    if (typeof value !== "object" || value === null) return false;
    const { name, avatarMxc } = value as Record<string, unknown>;
    return isText(name) && isTextOrNull(avatarMxc);
}

const cut = (text: string): string => (text.length <= text_limit_chars ? text : text.slice(0, text_limit_chars));
const cutOrNull = (text: string | null): string | null => text && cut(text);

function shortened(room: RoomSummary): RoomSummary {
    return {
        ...room,
        name: cut(room.name),
        avatarMxc: isTextOrNull(room.avatarMxc) ? room.avatarMxc : null,
        lastSender: cutOrNull(room.lastSender),
        lastText: cut(room.lastText),
        draft: cut(room.draft),
        invite: room.invite && { inviter: cut(room.invite.inviter) },
    };
}

/**
 * The upper part of the list of chats as it last stood, so that the next start shows it before the client has read
 * its own store. To look at, not to act on: the live list takes its place. One an account, of its present session;
 * what is damaged, of another version or of another session counts as none and is removed.
 */
export class KeptChats {
    private timer: ReturnType<typeof setTimeout> | null = null;
    private latest: Kept | null = null;
    private ended = false;

    /** `current`: whether the session is still the one of this account here. Another tab may have signed it out. */
    constructor(
        private readonly session: Pick<Session, "userId" | "deviceId">,
        private readonly storage: KeptStorage,
        private readonly current: () => boolean,
    ) {}

    read(): Kept {
        try {
            const text = this.storage.getItem(keyOf(this.session.userId));
            const kept = text === null ? null : this.keptIn(text);
            if (kept) return kept;
            this.storage.removeItem(keyOf(this.session.userId));
        } catch {
            // No storage: nothing was kept.
        }
        return { me: null, rows: [] };
    }

    /** The list has changed: it is written when it has come to rest. */
    offer(me: OwnProfile | null, rows: readonly RoomSummary[]): void {
        if (this.ended) return;
        this.latest = { me, rows };
        if (this.timer !== null) clearTimeout(this.timer);
        this.timer = setTimeout(() => this.write(), restMs);
    }

    /** Writes what waits to be written: the page may be gone in a moment. */
    write(): void {
        if (this.timer !== null) clearTimeout(this.timer);
        this.timer = null;
        const kept = this.latest;
        this.latest = null;
        if (kept === null || this.ended || !this.current()) return;
        const key = keyOf(this.session.userId);
        try {
            this.storage.setItem(key, this.textOf(kept));
        } catch {
            this.storage.removeItem(key); // full: an old list is worse than none
        }
    }

    /** Nothing is written from here on. */
    stop(): void {
        this.ended = true;
        if (this.timer !== null) clearTimeout(this.timer);
    }

    erase(): void {
        this.stop();
        this.storage.removeItem(keyOf(this.session.userId));
    }

    private textOf({ me, rows }: Kept): string {
        const own = isProfile(me) ? me : null;
        const head = `{"version":${version},"device":${JSON.stringify(this.session.deviceId)},"me":${JSON.stringify(own)},"rows":[`;
        const written: string[] = [];
        let size_bytes = 2 * (head.length + 2);
        for (const room of rows.slice(0, keptRows_limit)) {
            const row = shortened(room);
            if (!isRow(row)) continue; // it would make all of it count as damaged
            const text = JSON.stringify(row);
            size_bytes += 2 * (text.length + 1);
            if (size_bytes > limit_bytes) break;
            written.push(text);
        }
        return `${head}${written.join(",")}]}`;
    }

    private keptIn(text: string): Kept | null {
        if (2 * text.length > limit_bytes) return null;
        let kept: { version?: unknown; device?: unknown; me?: unknown; rows?: unknown } | null;
        try {
            kept = JSON.parse(text) as typeof kept;
        } catch {
            return null;
        }
        if (kept?.version !== version || kept.device !== this.session.deviceId || !Array.isArray(kept.rows) || kept.rows.length > keptRows_limit) return null;
        const { me } = kept;
        if (me !== null && !isProfile(me)) return null;
        const rows: readonly unknown[] = kept.rows.map(withLaterFields);
        if (!rows.every(isRow) || new Set(rows.map((row) => row.roomId)).size !== rows.length) return null;
        return { me, rows };
    }
}
