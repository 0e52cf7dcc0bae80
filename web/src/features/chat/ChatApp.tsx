import "@/features/chat/chat.css";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { Assistant } from "@/features/assistant/assistant";
import { AssistantContext } from "@/features/assistant/context";
import { ChatsPane } from "@/features/chat/ChatsPane";
import { Conversation } from "@/features/chat/Conversation";
import { EngineContext, useEngine, useRooms, useShownChats } from "@/features/chat/engine/context";
import { Engine } from "@/features/chat/engine/engine";
import { unreadIn } from "@/features/chat/engine/roomList";
import { LiveRegion } from "@/features/chat/LiveRegion";
import { Navigation } from "@/features/chat/Navigation";
import { ConversationBar } from "@/features/chat/parts/ConversationBar";
import { useI18n, useLanguages } from "@/i18n";
import { errorWords } from "@/lib/errors";
import { request } from "@/lib/http";
import { useIsDesktop, useLate } from "@/lib/hooks";
import { goBack, navigate, useRoute } from "@/lib/router";
import { useStore } from "@/lib/store";
import { onSignedOutElsewhere, type Session } from "@/session/sessions";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { EmptyState, LoadingPage, SkeletonRows } from "@/ui/parts";
import { Resizer, useColumnWidth, type Column } from "@/ui/Resizer";
import { toast } from "@/ui/toast";

const InfoPanel = lazy(() => import("@/features/chat/InfoPanel"));
const ContactsPage = lazy(() => import("@/features/chat/ContactsPage"));
const MePage = lazy(() => import("@/features/identity/MePage"));
const AdminPage = lazy(() => import("@/features/identity/AdminPage"));
const Palette = lazy(() => import("@/features/chat/Palette"));
const KeysDialog = lazy(() => import("@/features/chat/KeysDialog"));

export default function ChatApp({ session, onEnded }: { session: Session; onEnded(expected: boolean): void }) {
    const [services, setServices] = useState<{ engine: Engine; assistant: Assistant } | null>(null);
    useEffect(() => {
        const engine = new Engine(session, onEnded);
        const assistant = new Assistant(engine);
        setServices({ engine, assistant });
        void engine.start();
        void assistant.loadStatus(null);
        // Only administrators may ask this; the answer decides whether the page for them is offered.
        request("GET", "/_lingxi/admin/v1/users?limit=1", undefined, { fetch: engine.transport.fetch }).then(
            () => assistant.isAdmin.set(true),
            () => undefined,
        );
        const off = onSignedOutElsewhere(session.userId, () => {
            engine.stop();
            onEnded(true);
        });
        return () => {
            off();
            assistant.stop();
            engine.stop();
        };
    }, [session, onEnded]);
    if (!services) return <LoadingPage />;
    return (
        <EngineContext.Provider value={services.engine}>
            <AssistantContext.Provider value={services.assistant}>
                <Shell />
            </AssistantContext.Provider>
        </EngineContext.Provider>
    );
}

/** The account's language and zone hold on every device. */
function useAccountLanguage(): void {
    const { i18n, setLanguage, setTimeZone } = useLanguages();
    const engine = useEngine();
    const { language, time_zone } = useStore(engine.account.settings);
    useEffect(() => {
        if (language) setLanguage(language);
        // What the account says is followed when it changes; what is chosen here meanwhile is not undone by a drawing.
        // eslint-disable-next-line react-hooks/exhaustive-deps
    }, [language]);
    useEffect(() => {
        if (engine.account.loaded) setTimeZone(time_zone);
        // As above.
        // eslint-disable-next-line react-hooks/exhaustive-deps
    }, [time_zone]);
    useEffect(() => {
        // Names that the SDK made up are made again in the new language.
        for (const room of engine.client.getRooms()) room.recalculate();
        engine.rooms.touchAll();
    }, [engine, i18n.language]);
}

function ConnectionBanner() {
    const engine = useEngine();
    const { t } = useI18n();
    const connection = useStore(engine.connection);
    const { live, rooms } = useShownChats();
    // Before there is anything to read, the page itself says what is wrong.
    if (connection !== "offline" || (!live && rooms.length === 0)) return null;
    return (
        <div className="offline-banner" role="status">
            <span className="grow">{t("net.offline")}</span>
            <button type="button" className="inline-button" onClick={engine.retryNow}>
                {t("common.retry")}
            </button>
        </div>
    );
}

function useTitle(): void {
    const { t } = useI18n();
    const unread = unreadIn(useShownChats());
    useEffect(() => {
        document.title = unread > 0 ? `(${unread}) ${t("app.name")}` : t("app.name");
    }, [unread, t]);
}

const listColumn: Column = { key: "lingxi.list_width_px", narrowest_px: 240, widest_px: 460, usual_px: 320 };

function Shell() {
    const engine = useEngine();
    const i18n = useI18n();
    const { t } = i18n;
    const route = useRoute();
    const desktop = useIsDesktop();
    const ready = useStore(engine.ready);
    const rooms = useRooms();
    const shown = useShownChats();
    const [panel, setPanel] = useState(false);
    const [palette, setPalette] = useState(false);
    const [keys, setKeys] = useState(false);
    const [width, setWidth] = useColumnWidth(listColumn);
    useAccountLanguage();
    useTitle();

    const roomId = route.page === "chat" ? route.roomId : null;

    const state = useRef({ rooms: shown.rooms, roomId, panel, desktop });
    state.current = { rooms: shown.rooms, roomId, panel, desktop };
    // On a phone the panel is a page of its own: another chat is another page.
    useEffect(() => {
        if (!state.current.desktop) setPanel(false);
    }, [roomId]);
    useEffect(() => {
        const step = (by: number) => {
            const { rooms: all, roomId: at } = state.current;
            const chats = all.filter((room) => !room.invite);
            const index = chats.findIndex((room) => room.roomId === at);
            const next = chats[index < 0 ? 0 : Math.max(0, Math.min(chats.length - 1, index + by))];
            if (next) navigate({ page: "chat", roomId: next.roomId, eventId: null }, at ? "replace" : "push");
        };
        const onKeyDown = (event: KeyboardEvent) => {
            if (event.defaultPrevented || event.isComposing) return;
            const element = event.target as HTMLElement;
            const writing = element.matches("input, textarea, select, [contenteditable]");
            const overlay = document.querySelector("[role=dialog], [role=menu]") !== null;
            if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
                event.preventDefault();
                setPalette(true);
            } else if (event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
                event.preventDefault();
                step(event.key === "ArrowDown" ? 1 : -1);
            } else if (event.altKey && event.code === "KeyI" && state.current.roomId) {
                event.preventDefault();
                setPanel((open) => !open);
            } else if (event.key === "?" && !writing && !overlay) setKeys(true);
            else if (event.key === "Escape" && !overlay) {
                if (state.current.panel) setPanel(false);
                else if (state.current.roomId) state.current.desktop ? navigate({ page: "chats" }) : goBack({ page: "chats" });
            }
        };
        window.addEventListener("keydown", onKeyDown);
        return () => window.removeEventListener("keydown", onKeyDown);
    }, []);

    const room = roomId && ready ? engine.client.getRoom(roomId) : null;
    const joined = room?.getMyMembership() === "join" ? room : null;
    // A chat that one is just being let into may be a moment behind.
    const missing = useLate(ready && roomId !== null && !joined, 1_500);
    const invited = rooms.find((one) => one.roomId === roomId);
    const awaited = shown.rooms.find((one) => one.roomId === roomId && !one.invite);
    const fail = (error: unknown) => toast(errorWords(error, i18n));
    const conversation = roomId ? (
        joined ? (
            <Conversation key={joined.roomId} room={joined} jumpTo={route.page === "chat" ? route.eventId : null} panelOpen={panel} onPanel={() => setPanel(!panel)} />
        ) : invited?.invite ? (
            <section className="conversation">
                <EmptyState
                    whole={!desktop}
                    title={invited.name}
                    hint={t("chats.invited_by", invited.invite.inviter)}
                    action={
                        <div className="row">
                            <button type="button" className="button" onClick={() => void engine.client.leave(invited.roomId).then(() => navigate({ page: "chats" }, "replace"), fail)}>
                                {t("chats.decline")}
                            </button>
                            <button type="button" className="button primary" onClick={() => void engine.acceptInvite(invited.roomId).catch(fail)}>
                                {t("chats.accept")}
                            </button>
                        </div>
                    }
                />
            </section>
        ) : missing ? (
            <section className="conversation">
                <EmptyState whole={!desktop} title={t("error.not_found")} hint={t("common.code", "M_NOT_FOUND")} action={<button type="button" className="button" onClick={() => navigate({ page: "chats" }, "replace")}>{t("common.back")}</button>} />
            </section>
        ) : (
            <section className="conversation">
                {awaited ? (
                    <ConversationBar id={awaited.colourId} title={awaited.name} avatarMxc={awaited.avatarMxc} />
                ) : (
                    <h1 className="visually-hidden">{t("common.loading")}</h1>
                )}
                <SkeletonRows />
            </section>
        )
    ) : null;

    const chats = <ChatsPane activeRoomId={roomId} />;
    const page =
        route.page === "contacts" ? <ContactsPage userId={route.userId} /> : route.page === "me" ? <MePage section={route.section} /> : route.page === "admin" ? <AdminPage section={route.section} /> : null;
    const info = panel && joined && (
        <Suspense fallback={<aside className="panel" />}>
            <InfoPanel key={joined.roomId} room={joined} onClose={() => setPanel(false)} />
        </Suspense>
    );

    return (
        <div className={`app ${desktop ? "desktop" : "phone"}`}>
            {desktop && <Navigation />}
            <div className="app-column">
                <ConnectionBanner />
                <div className="app-main">
                    <ErrorBoundary resetKey={location.hash}>
                        <Suspense fallback={<LoadingPage />}>
                            {page ? (
                                <main className="page">{page}</main>
                            ) : desktop ? (
                                <>
                                    <section className="list-column" style={{ width }} aria-label={t("chats.title")}>
                                        {chats}
                                        <Resizer label={t("chats.width")} side="before" column={listColumn} width={width} onWidth={setWidth} />
                                    </section>
                                    <main className="main-column">{conversation ?? <EmptyState title={t("chats.select")} hint={t("chats.select_hint")} />}</main>
                                    {info}
                                </>
                            ) : (
                                <main className="main-column">{info || conversation || chats}</main>
                            )}
                        </Suspense>
                    </ErrorBoundary>
                </div>
                {!desktop && !roomId && <Navigation />}
            </div>
            <LiveRegion />
            <Suspense>
                {palette && <Palette onClose={() => setPalette(false)} onKeys={() => setKeys(true)} />}
                {keys && <KeysDialog onClose={() => setKeys(false)} />}
            </Suspense>
        </div>
    );
}
