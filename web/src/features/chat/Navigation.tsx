import { MessageCircle, ServerCog, UserRound, UsersRound } from "lucide-react";
import { useAssistant } from "@/features/assistant/context";
import { useEngine, useShownChats } from "@/features/chat/engine/context";
import { unreadIn } from "@/features/chat/engine/roomList";
import { RemoteAvatar } from "@/features/chat/parts/RemoteAvatar";
import { useI18n } from "@/i18n";
import { useIsDesktop } from "@/lib/hooks";
import { formatRoute, useRoute, type Route } from "@/lib/router";
import { useStore } from "@/lib/store";

/** The rail at the left of a desktop, the tabs at the foot of a phone. */
export function Navigation() {
    const engine = useEngine();
    const { t } = useI18n();
    const route = useRoute();
    const desktop = useIsDesktop();
    const isAdmin = useStore(useAssistant().isAdmin);
    const unread = unreadIn(useShownChats());

    const entries: { target: Route; words: string; icon: typeof UserRound; active: boolean; badge?: number }[] = [
        { target: { page: "chats" }, words: t("nav.chats"), icon: MessageCircle, active: route.page === "chats" || route.page === "chat", badge: unread },
        { target: { page: "contacts", userId: null }, words: t("nav.contacts"), icon: UsersRound, active: route.page === "contacts" },
        { target: { page: "me", section: null }, words: t("nav.me"), icon: UserRound, active: route.page === "me" || (!desktop && route.page === "admin") },
    ];
    if (desktop && isAdmin) entries.push({ target: { page: "admin", section: null }, words: t("nav.admin"), icon: ServerCog, active: route.page === "admin" });

    const profile = engine.ownProfile();
    return (
        <nav className={desktop ? "rail" : "tabs"} aria-label={t("nav.label")}>
            {desktop && (
                <div className="rail-me">
                    <RemoteAvatar id={engine.me} name={profile.name} mxc={profile.avatarMxc} size={40} />
                </div>
            )}
            {entries.map(({ target, words, icon: Icon, active, badge }) => (
                <a key={target.page} className="nav-item" href={formatRoute(target)} aria-current={active ? "page" : undefined}>
                    <span className="nav-icon">
                        <Icon size={24} aria-hidden="true" />
                        {!!badge && (
                            <span className="badge" aria-hidden="true">
                                {badge > 99 ? "99+" : badge}
                            </span>
                        )}
                    </span>
                    <span className="nav-words">{words}</span>
                    {!!badge && <span className="visually-hidden">, {t("chats.unread", badge)}</span>}
                </a>
            ))}
        </nav>
    );
}
