import * as Popover from "@radix-ui/react-popover";
import { Smile } from "lucide-react";
import { useRef, type KeyboardEvent } from "react";
import { useI18n } from "@/i18n";
import { IconButton } from "@/ui/parts";

// The ones that people use most, by kind: faces, hands, hearts, life.
const groups = [
    "😀😃😄😁😆😅😂🤣🙂🙃😉😊😇🥰😍😘😋😜🤪🤔🤗🤫🤭😐😶😏😒🙄😬😌😔😪😴😷🤒🤕🥵🥶😵🤯🥳😎🤓😕😟😮😳🥺😢😭😱😖😩😤😡🤬💀👻🤖",
    "👍👎👌🤌🤏🤞🤟🤙👈👉👆👇👋🤚🖐️👏🙌🤝🙏💪✍️💅🫶🙇🤷🤦🙋💁",
    "❤️🧡💛💚💙💜🖤🤍💔💕💯💥✨🔥🎉🎊🎁🏆⭐🌙☀️🌧️❄️🌸🌹🍀",
    "🐶🐱🐼🐯🐮🐷🐵🐔🐟🍎🍉🍓🍔🍕🍜🍚🥟🍰🍵☕🍺🍻⚽🏀🎮🎵🚗✈️🏠💻📱📷📚✅❌❓❗",
];
const segmenter = new Intl.Segmenter();
const emoji = groups.map((group) => [...segmenter.segment(group)].map((part) => part.segment));
const columns = 8;

/** A small picker; arrows move in it. */
export function EmojiButton({ onPick, disabled }: { onPick(emoji: string): void; disabled?: boolean }) {
    const { t } = useI18n();
    const grid = useRef<HTMLDivElement>(null);
    const move = (event: KeyboardEvent) => {
        const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
        if (!step) return;
        event.preventDefault();
        const buttons = [...(grid.current?.querySelectorAll("button") ?? [])];
        const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
        buttons[Math.max(0, Math.min(buttons.length - 1, at + step))]?.focus();
    };
    return (
        <Popover.Root>
            <Popover.Trigger asChild>
                <IconButton label={t("chat.emoji")} disabled={disabled}>
                    <Smile size={22} />
                </IconButton>
            </Popover.Trigger>
            <Popover.Portal>
                <Popover.Content className="menu emoji" side="top" align="start" sideOffset={8} collisionPadding={8} aria-label={t("chat.emoji")}>
                    <div ref={grid} onKeyDown={move}>
                        {emoji.map((group, index) => (
                            <div className="emoji-grid" key={index}>
                                {group.map((one) => (
                                    <button key={one} type="button" onClick={() => onPick(one)}>
                                        {one}
                                    </button>
                                ))}
                            </div>
                        ))}
                    </div>
                </Popover.Content>
            </Popover.Portal>
        </Popover.Root>
    );
}
