import {
    ClientEvent,
    createClient,
    IndexedDBStore,
    MatrixEventEvent,
    MemoryStore,
    PendingEventOrdering,
    RoomEvent,
    SyncState,
    type MatrixClient,
    type MatrixEvent,
    type Room,
    type SyncStateData,
} from "matrix-js-sdk";
import { logger } from "matrix-js-sdk/lib/logger";
import { text } from "@/features/chat/engine/content";
import { Drafts, draftType, uploadDraft } from "@/features/chat/engine/drafts";
import { Media } from "@/features/chat/engine/media";
import { KeptChats, type OwnProfile } from "@/features/chat/engine/keptChats";
import { markDirect, personName, roomNameGenerator } from "@/features/chat/engine/names";
import { Outbox, type OutgoingFile } from "@/features/chat/engine/outbox";
import { indexedDbStorage, outboxDatabase } from "@/features/chat/engine/outboxStorage";
import { isPortion, Portions, PortionedStore, takeStored } from "@/features/chat/engine/portions";
import { Pages } from "@/features/chat/engine/pages";
import { RoomList } from "@/features/chat/engine/roomList";
import { AccountSettings } from "@/features/chat/engine/settings";
import { SyncShare } from "@/features/chat/engine/syncShare";
import { errcodeOf, NetworkError } from "@/lib/errors";
import { request, type Json } from "@/lib/http";
import { online } from "@/lib/online";
import { randomId } from "@/lib/random";
import { Store } from "@/lib/store";
import { readSession, removeSession, type Session } from "@/session/sessions";
import { Transport } from "@/session/transport";

export type Connection = "connecting" | "online" | "offline";

const databaseOf = (session: Session): string => `lingxi.${session.userId}.${session.deviceId}`;

/** Of each chat, at the start: enough for the list and the first look; a thousand chats are a thousand times this. */
const eventsAtFirst = 10;
const versions_limit_ms = 1_000;

/** All that stands behind the pages of one signed-in account in one tab. */
export class Engine {
    readonly client: MatrixClient;
    readonly transport: Transport;
    readonly media: Media;
    readonly outbox: Outbox;
    readonly drafts: Drafts;
    readonly account: AccountSettings;
    readonly rooms: RoomList;
    readonly pages: Pages;
    readonly connection = new Store<Connection>("connecting");
    /** True once there is something to show. */
    readonly ready = new Store(false);
    /** Why there is nothing to show yet, where the first answer failed. */
    readonly failure = new Store<unknown>(null);
    private readonly share: SyncShare;
    private readonly portions: Portions;
    private readonly kept: KeptChats;
    private readonly keptProfile: OwnProfile | null;
    private readonly store: IndexedDBStore | MemoryStore;
    private leaving = false;

    constructor(
        readonly session: Session,
        private readonly onEnded: (expected: boolean) => void,
    ) {
        quietenSdk();
        this.transport = new Transport(session, () => this.ended());
        this.share = new SyncShare(session.userId, this.transport.fetch);
        this.pages = new Pages(this.share.fetch);
        this.portions = new Portions(this.pages.fetch);
        this.store = openStore(databaseOf(session), this.portions, () => takeStored(this.client));
        this.client = createClient({
            baseUrl: location.origin,
            userId: session.userId,
            deviceId: session.deviceId,
            accessToken: session.accessToken,
            fetchFn: impatient(this.portions.fetch) as typeof fetch,
            store: this.store,
            roomNameGenerator,
            timelineSupport: true,
            disableVoip: true,
        });
        this.media = new Media(this.transport);
        this.account = new AccountSettings(this.client);
        this.drafts = new Drafts(session.userId, localStorage, uploadDraft(this.client));
        this.outbox = new Outbox(indexedDbStorage(session.userId), {
            send: (roomId, type, txnId, content) =>
                request<{ event_id: string }>(
                    "PUT",
                    `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/${encodeURIComponent(type)}/${encodeURIComponent(txnId)}`,
                    content,
                    { fetch: this.transport.fetch },
                ),
            upload: (file, onProgress) => this.media.upload(file.blob, file.name, file.type, onProgress),
            redact: (roomId, eventId, txnId) =>
                request("PUT", `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/redact/${encodeURIComponent(eventId)}/${encodeURIComponent(txnId)}`, {}, { fetch: this.transport.fetch }),
        });
        this.kept = new KeptChats(session, localStorage, () => readSession(session.userId)?.deviceId === session.deviceId);
        const kept = this.kept.read();
        this.keptProfile = kept.me;
        this.rooms = new RoomList(this.client, this.account, this.drafts, this.outbox, kept.rows);
        this.rooms.shown.subscribe(() => {
            const { live, rooms } = this.rooms.shown.get();
            if (live) this.kept.offer(this.ownProfile(), rooms);
        });
    }

    get me(): string {
        return this.session.userId;
    }

    async start(): Promise<void> {
        // Nothing is kept: it is a first start, and its long answer need not wait for what the SDK asks before.
        if (this.rooms.shown.get().rooms.length === 0 && this.keptProfile === null) this.portions.ask(firstQuestion());
        this.client.on(ClientEvent.Sync, (state, _last, data) => this.onSync(state, data));
        this.client.on(RoomEvent.Timeline, (event, _room, toStart) => {
            if (!toStart) this.outbox.confirm(event.getUnsigned().transaction_id, event.getId());
            if (event.isRedacted()) this.outbox.redacted(event.getId());
            if (event.isRedaction()) this.outbox.redacted(text(event.event.redacts) || text(event.getContent()["redacts"]));
        });
        // An edit shows where it was made; its way out is followed only until then.
        this.client.on(MatrixEventEvent.Replaced, (event) => this.rooms.touch(event.getRoomId()));
        this.client.on(RoomEvent.AccountData, (event: MatrixEvent, room: Room) => {
            if (event.getType() !== draftType) return;
            this.drafts.take(room.roomId, event.getContent());
            this.rooms.touch(room.roomId);
        });
        window.addEventListener("online", this.retryNow);
        window.addEventListener("offline", this.probe);
        document.addEventListener("visibilitychange", this.onVisibility);
        window.addEventListener("pagehide", this.onPageHide);

        void this.outbox.start().catch(() => undefined); // no storage: nothing was kept
        try {
            if (this.store instanceof IndexedDBStore) await this.store.startup();
        } catch {
            // The stored copy cannot be read: everything comes from the server again.
        }
        await this.client.startClient({
            initialSyncLimit: eventsAtFirst,
            lazyLoadMembers: true,
            threadSupport: false,
            pendingEventOrdering: PendingEventOrdering.Detached,
        });
    }

    stop(): void {
        window.removeEventListener("online", this.retryNow);
        window.removeEventListener("offline", this.probe);
        document.removeEventListener("visibilitychange", this.onVisibility);
        window.removeEventListener("pagehide", this.onPageHide);
        this.kept.stop();
        this.rooms.stop();
        this.outbox.stop();
        this.drafts.stop();
        this.portions.stop();
        this.share.stop();
        this.media.dispose();
        this.client.stopClient();
    }

    readonly retryNow = (): void => {
        this.client.retryImmediately();
        this.outbox.flush();
        this.probe();
    };

    /** Asks whether the server is there: a parked long-poll may not notice for half a minute. */
    private readonly probe = (): void => {
        request("GET", "/_matrix/client/versions").then(
            () => {
                if (isUp(this.client.getSyncState())) this.setReached(true);
            },
            (error: unknown) => errcodeOf(error) === "NETWORK" && this.setReached(false),
        );
    };

    private setReached(reached: boolean): void {
        if (this.leaving) return;
        this.connection.set(reached ? "online" : "offline");
        online.set(reached);
    }

    private readonly onPageHide = (): void => this.kept.write();

    private readonly onVisibility = (): void => {
        if (document.hidden) this.kept.write();
        // A tab that is put away keeps what it has, so that the next start asks only for what is new.
        if (document.hidden && this.store instanceof IndexedDBStore && this.ready.get()) void this.store.save(true).catch(() => undefined);
        else if (!document.hidden && this.connection.get() === "offline") this.retryNow();
    };

    private onSync(state: SyncState, data: SyncStateData | undefined): void {
        if (isUp(state)) {
            if (!this.account.loaded) this.account.refresh();
            this.failure.set(null);
            if (isPortion(data?.nextSyncToken)) {
                this.rooms.preview(); // the upper chats are there, and more come at once
                return;
            }
            if (!this.ready.get()) {
                for (const room of this.client.getRooms()) {
                    const draft = room.getAccountData(draftType);
                    if (draft) this.drafts.take(room.roomId, draft.getContent());
                }
                this.rooms.start();
                this.ready.set(true);
            }
            if (data?.fromCache) return; // the server has said nothing yet
            this.rooms.goLive();
            const before = this.connection.get();
            this.setReached(true);
            if (before !== "online") this.outbox.flush();
        } else if (state === SyncState.Error || state === SyncState.Reconnecting) {
            this.setReached(false);
            this.rooms.goLive(); // nothing younger comes now
            if (!this.ready.get() && data?.error) this.failure.set(data.error);
        }
    }

    /** How this person is called and looks; until the client knows, as it was kept. */
    ownProfile(): OwnProfile {
        if (!this.ready.get() && this.keptProfile) return this.keptProfile;
        const user = this.client.getUser(this.me);
        return { name: personName(this.client, {}, this.me), avatarMxc: user?.avatarUrl ?? null };
    }

    /** A name as this person knows it. */
    name(userId: string, room?: Room | null): string {
        return personName(this.client, this.account.remarks.get(), userId, room);
    }

    send(roomId: string, content: Json, file: OutgoingFile | null = null, type = "m.room.message"): void {
        this.outbox.enqueue(`lx${randomId()}`, roomId, type, content, file);
    }

    /** Until all chats are known: of one that is not, a second would be made. */
    private whole(): Promise<void> {
        return new Promise((resolve) => {
            if (this.ready.get()) return resolve();
            const off = this.ready.subscribe(() => {
                off();
                resolve();
            });
        });
    }

    /** The direct chat with a person: the one there is, or a new one. */
    async openDirect(userId: string): Promise<string> {
        await this.whole();
        const known = this.rooms.list.get().find((room) => room.directUserId === userId && !room.invite);
        if (known) return known.roomId;
        const { room_id } = await this.client.createRoom({ preset: "trusted_private_chat" as never, is_direct: true, invite: [userId] });
        // The chat is there, whether or not it could be noted as direct.
        await markDirect(this.client, room_id, userId).catch(() => undefined);
        return room_id;
    }

    async acceptInvite(roomId: string): Promise<void> {
        const room = this.client.getRoom(roomId);
        const member = room?.getMember(this.me);
        const direct = member?.events.member?.getContent()["is_direct"] === true;
        const inviter = member?.events.member?.getSender();
        await this.client.joinRoom(roomId);
        if (direct && inviter) await markDirect(this.client, roomId, inviter).catch(() => undefined);
    }

    /** Signs out here and forgets what this browser holds of the account. */
    async logout(): Promise<void> {
        this.leaving = true;
        await request("POST", "/_matrix/client/v3/logout", {}, { fetch: this.transport.fetch }).catch(() => undefined); // the token ends by itself
        await this.forget();
        this.onEnded(true);
    }

    async forget(): Promise<void> {
        this.stop();
        removeSession(this.me);
        this.kept.erase();
        await this.store.deleteAllData().catch(() => undefined);
        indexedDB.deleteDatabase(outboxDatabase(this.me));
        // AI's words once lay beside the drafts, and are still there where nobody has signed out since.
        for (const key of Object.keys(localStorage)) if (key.startsWith(`lingxi.draft.${this.me}.`) || key.startsWith(`lingxi.draft_ai.${this.me}.`)) localStorage.removeItem(key);
    }

    /** The server ended the session: what is unsent stays for the next time. */
    private ended(): void {
        if (this.leaving) return;
        this.leaving = true;
        this.stop();
        if (readSession(this.me)?.accessToken === this.transport.accessToken) removeSession(this.me);
        this.kept.erase();
        void this.store.deleteAllData().catch(() => undefined);
        this.onEnded(false);
    }
}

/** What the SDK asks first, word for word: what differed would be asked twice. */
function firstQuestion(): URL {
    const filter = { room: { timeline: { unread_thread_notifications: true, limit: eventsAtFirst }, state: { lazy_load_members: true } } };
    const url = new URL("/_matrix/client/v3/sync", location.origin);
    url.searchParams.set("filter", JSON.stringify(filter));
    url.searchParams.set("timeout", "0");
    url.searchParams.set("org.matrix.msc4222.use_state_after", "true");
    return url;
}

/**
 * The SDK reads what it kept only after it has asked what the server can do. Without an answer it goes on as well, so one
 * that is late counts as none: a server that is silent must not hold back what is here.
 */
function impatient(send: Portions["fetch"]): Portions["fetch"] {
    let first = true;
    return (input, init) => {
        if (!first || !String(input instanceof Request ? input.url : input).endsWith("/_matrix/client/versions")) return send(input, init);
        first = false;
        const late = new Promise<never>((_, reject) => setTimeout(() => reject(new NetworkError("the server is late")), versions_limit_ms));
        return Promise.race([send(input, init), late]);
    };
}

const isUp = (state: SyncState | null): boolean => state === SyncState.Prepared || state === SyncState.Syncing || state === SyncState.Catchup;

/** The SDK logs every request; only what is wrong belongs in the console. */
function quietenSdk(): void {
    type Factory = (method: string, ...rest: unknown[]) => (...words: unknown[]) => void;
    const root = logger as unknown as { methodFactory: Factory; rebuild(): void; getChild(name: string): typeof logger; quiet?: true };
    if (root.quiet) return;
    root.quiet = true;
    const make = root.methodFactory;
    root.methodFactory = (method, ...rest) => (method === "warn" || method === "error" ? make(method, ...rest) : () => undefined);
    root.rebuild();
    // It makes a logger a room, and each asks the browser's storage how loud it may be.
    root.getChild = () => logger;
}

const withoutWorkerKey = "lingxi.store_without_worker";

/** Writing down what a thousand chats are takes a second of work: not on the thread that draws. */
function startStoreWorker(): Worker {
    const worker = new Worker(new URL("./storeWorker.ts", import.meta.url), { type: "module" });
    worker.onerror = () => {
        // The SDK would wait for it for ever: the same without it.
        sessionStorage.setItem(withoutWorkerKey, "yes");
        location.reload();
    };
    return worker;
}

function openStore(name: string, portions: Portions, take: ConstructorParameters<typeof PortionedStore>[2]): IndexedDBStore | MemoryStore {
    try {
        const where = { indexedDB: window.indexedDB, localStorage: window.localStorage, dbName: name };
        return new PortionedStore(sessionStorage.getItem(withoutWorkerKey) ? where : { ...where, workerFactory: startStoreWorker }, portions, take);
    } catch {
        return new MemoryStore({ localStorage: window.localStorage });
    }
}
