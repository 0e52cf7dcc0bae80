import * as Menu from "@radix-ui/react-dropdown-menu";
import { Languages, Square, Undo2 } from "lucide-react";
import type { Room } from "matrix-js-sdk";
import { useState } from "react";
import { problemWords, useAiVisible, useAssistant } from "@/features/assistant/context";
import type { AiLabel } from "@/features/chat/engine/content";
import { useName } from "@/features/chat/engine/context";
import { useI18n } from "@/i18n";
import { useStore } from "@/lib/store";
import { IconButton } from "@/ui/parts";
import { toast } from "@/ui/toast";

export const translationLanguages = ["zh", "en", "ja", "ko", "fr", "de", "es", "ru"];

/** Translates what stands in the composer; the own words are one tap away. */
export function DraftTranslate({ room, draft, onText }: { room: Room; draft: string; onText(text: string, label: AiLabel | null): void }) {
    const assistant = useAssistant();
    const i18n = useI18n();
    const { t, formats } = i18n;
    const name = useName(room);
    const visible = useAiVisible(room);
    const isAdmin = useStore(assistant.isAdmin);
    const [busy, setBusy] = useState(false);
    const [before, setBefore] = useState<string | null>(null);
    if (!visible || (!draft.trim() && !busy)) return null;

    const translate = async (language: string) => {
        setBusy(true);
        setBefore(draft);
        const result = await assistant.translateDraft(draft, language, (text) => onText(text, null));
        setBusy(false);
        if (result && "text" in result) onText(result.text, result.label);
        else {
            onText(draft, null);
            setBefore(null);
            if (result) toast(problemWords(result.problem, i18n, isAdmin, name));
        }
    };
    if (busy)
        return (
            <IconButton label={t("ai.stop")} onClick={() => assistant.stop()}>
                <Square size={18} />
            </IconButton>
        );
    if (before !== null && before !== draft)
        return (
            <IconButton
                label={t("ai.restore_draft")}
                onClick={() => {
                    onText(before, null);
                    setBefore(null);
                }}
            >
                <Undo2 size={20} />
            </IconButton>
        );
    return (
        <Menu.Root modal={false}>
            <Menu.Trigger asChild>
                <IconButton label={t("ai.translate_draft")}>
                    <Languages size={20} />
                </IconButton>
            </Menu.Trigger>
            <Menu.Portal>
                <Menu.Content className="menu" side="top" align="end" collisionPadding={8}>
                    {translationLanguages.map((language) => (
                        <Menu.Item key={language} className="menu-item" onSelect={() => void translate(language)}>
                            {t("ai.translate_to", formats.language(language))}
                        </Menu.Item>
                    ))}
                </Menu.Content>
            </Menu.Portal>
        </Menu.Root>
    );
}
