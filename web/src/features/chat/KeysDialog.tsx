import { useI18n } from "@/i18n";
import { Dialog } from "@/ui/parts";

export default function KeysDialog({ onClose }: { onClose(): void }) {
    const { t } = useI18n();
    const keys: [string, string][] = [
        ["Ctrl K", t("keys.palette")],
        ["Alt ↓", t("keys.next_chat")],
        ["Alt ↑", t("keys.previous_chat")],
        ["Alt I", t("keys.info")],
        ["↑ ↓", t("keys.arrows")],
        ["↑", t("keys.edit_last")],
        ["Enter", t("keys.message_menu")],
        ["R", t("chat.reply")],
        ["E", t("chat.edit")],
        ["Delete", t("chat.redact")],
        ["Esc", t("keys.back")],
        ["?", t("keys.help")],
    ];
    return (
        <Dialog title={t("keys.title")} onClose={onClose}>
            <dl className="keys">
                {keys.map(([key, words]) => (
                    <div key={key + words}>
                        <dt>
                            {key.split(" ").map((one) => (
                                <kbd key={one}>{one}</kbd>
                            ))}
                        </dt>
                        <dd>{words}</dd>
                    </div>
                ))}
            </dl>
        </Dialog>
    );
}
