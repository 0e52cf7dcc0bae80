import * as Menu from "@radix-ui/react-dropdown-menu";
import { Languages, Square, Undo2 } from "lucide-react";
import type { Room } from "matrix-js-sdk";
import { problemWords, useAiVisible, useAssistant } from "@/features/assistant/context";
import { useEngine, useName } from "@/features/chat/engine/context";
import { isOffered } from "@/features/chat/engine/replaced";
import { useI18n } from "@/i18n";
import { useStore } from "@/lib/store";
import { IconButton } from "@/ui/parts";
import { toast } from "@/ui/toast";

export const translationLanguages = ["zh", "en", "ja", "ko", "fr", "de", "es", "ru"];

/** Translates what stands in the composer; one's own words are one tap away as long as others stand in their place. */
export function DraftTranslate({ room }: { room: Room }) {
    const engine = useEngine();
    const assistant = useAssistant();
    const i18n = useI18n();
    const { t, formats } = i18n;
    const name = useName(room);
    const visible = useAiVisible(room);
    const isAdmin = useStore(assistant.isAdmin);
    const draft = useStore(engine.drafts.of(room.roomId));
    const translation = useStore(assistant.draftTranslations.of(room.roomId));
    const replaced = useStore(assistant.replaced.of(room.roomId));

    const translate = async (language: string) => {
        const problem = await assistant.translateDraft(room.roomId, language);
        if (problem) toast(problemWords(problem, i18n, isAdmin, name));
    };
    if (translation.state === "asking")
        return (
            <IconButton label={t("ai.stop")} onClick={() => assistant.stopDraft(room.roomId)}>
                <Square size={18} />
            </IconButton>
        );
    if (isOffered(replaced, draft))
        return (
            <IconButton label={t("ai.restore_draft")} onClick={() => assistant.restoreDraft(room.roomId)}>
                <Undo2 size={20} />
            </IconButton>
        );
    if (!visible || !draft.text.trim()) return null;
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
