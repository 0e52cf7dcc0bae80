import { Check, CheckCheck, Clock3, CircleAlert } from "lucide-react";
import { useI18n } from "@/i18n";

type State = { kind: "sending" | "queued" | "sent" | "failed" } | { kind: "read"; names: string[]; direct: boolean };

/** Where a message of mine is: an icon, with words for who cannot see it. */
export function Status({ state }: { state: State }) {
    const i18n = useI18n();
    const { t } = i18n;
    const words = state.kind === "read" ? (state.direct ? t("chat.status_read") : t("chat.status_read_by", state.names.length)) : t(`chat.status_${state.kind}`);
    const title = state.kind === "read" && !state.direct ? t("common.of", words) + i18n.list(state.names) : words;
    const Icon = { sending: Clock3, queued: Clock3, sent: Check, read: CheckCheck, failed: CircleAlert }[state.kind];
    return (
        <span className={`status ${state.kind}`} title={title}>
            <Icon size={14} aria-hidden="true" />
            {state.kind === "read" && !state.direct && <span aria-hidden="true">{state.names.length}</span>}
            <span className="visually-hidden">{words}</span>
        </span>
    );
}
