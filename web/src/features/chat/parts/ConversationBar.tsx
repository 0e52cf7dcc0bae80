import { ChevronLeft, Info } from "lucide-react";
import { useConnecting } from "@/features/chat/engine/context";
import { RemoteAvatar } from "@/features/chat/parts/RemoteAvatar";
import { useI18n } from "@/i18n";
import { useIsDesktop } from "@/lib/hooks";
import { goBack } from "@/lib/router";
import { IconButton } from "@/ui/parts";

interface Props {
    /** What the avatar's colour hangs on. */
    id: string;
    title: string;
    avatarMxc: string | null | undefined;
    subtitle?: string;
    /** Absent while the chat is not there yet: then there is nothing to tell about it. */
    panel?: { open: boolean; toggle(): void };
}

/** The head of a chat: the way back, who it is, and what there is to know about it. */
export function ConversationBar({ id, title, avatarMxc, subtitle = "", panel }: Props) {
    const { t } = useI18n();
    const connecting = useConnecting();
    const desktop = useIsDesktop();
    const below = connecting && !desktop ? t("net.connecting") : subtitle; // beside the list it stands over that
    return (
        <header className="bar">
            <IconButton label={t("common.back")} className="only-phone" onClick={() => goBack({ page: "chats" })}>
                <ChevronLeft size={24} />
            </IconButton>
            <h1 className="bar-heading">
                <button type="button" className="bar-title" disabled={!panel} onClick={panel?.toggle}>
                    <RemoteAvatar id={id} name={title} mxc={avatarMxc} size={36} />
                    <span className="grow">
                        <span className="bar-name nowrap">{title}</span>
                        {below && <span className="small quiet nowrap bar-sub">{below}</span>}
                    </span>
                </button>
            </h1>
            <IconButton label={t("chat.info")} aria-expanded={panel?.open ?? false} disabled={!panel} onClick={panel?.toggle}>
                <Info size={21} />
            </IconButton>
        </header>
    );
}
