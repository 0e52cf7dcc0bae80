import { useMemo, useState, type KeyboardEvent } from "react";
import { useAiOn, useAssistant } from "@/features/assistant/context";
import { useEngine, useShownChats } from "@/features/chat/engine/context";
import { usePeopleSearch } from "@/features/chat/people";
import { RemoteAvatar } from "@/features/chat/parts/RemoteAvatar";
import { useI18n } from "@/i18n";
import { errorWords } from "@/lib/errors";
import { applyTheme } from "@/lib/preferences";
import { navigate } from "@/lib/router";
import { useStore } from "@/lib/store";
import { Dialog } from "@/ui/parts";
import { toast } from "@/ui/toast";

interface Entry {
    id: string;
    group: "palette.chats" | "palette.people" | "palette.commands";
    name: string;
    detail?: string;
    avatar?: { id: string; mxc: string | null };
    run(): void;
}

/** Ctrl+K: chats, people and commands by a few letters. */
export default function Palette({ onClose, onKeys }: { onClose(): void; onKeys(): void }) {
    const engine = useEngine();
    const i18n = useI18n();
    const { t } = i18n;
    const { rooms } = useShownChats();
    const isAdmin = useStore(useAssistant().isAdmin);
    const aiOn = useAiOn();
    const [query, setQuery] = useState("");
    const [at, setAt] = useState(0);
    const people = usePeopleSearch(query);
    const wanted = query.trim().toLowerCase();

    const entries = useMemo<Entry[]>(() => {
        const chats = rooms
            .filter((room) => !room.invite && room.name.toLowerCase().includes(wanted))
            .slice(0, wanted ? 8 : 6)
            .map((room): Entry => ({ id: room.roomId, group: "palette.chats", name: room.name, avatar: { id: room.colourId, mxc: room.avatarMxc }, run: () => navigate({ page: "chat", roomId: room.roomId, eventId: null }) }));
        const found = people.results.slice(0, 6).map(
            (person): Entry => ({
                id: person.userId,
                group: "palette.people",
                name: person.name,
                detail: person.userId,
                avatar: { id: person.userId, mxc: person.avatarMxc },
                run: () =>
                    void engine.openDirect(person.userId).then(
                        (roomId) => navigate({ page: "chat", roomId, eventId: null }),
                        (error: unknown) => toast(errorWords(error, i18n)),
                    ),
            }),
        );
        const commands: Entry[] = (
            [
                [t("contacts.new_group"), () => navigate({ page: "contacts", userId: "new-group" })],
                [t("invitations.title"), () => navigate({ page: "contacts", userId: "invite" })],
                [t("nav.contacts"), () => navigate({ page: "contacts", userId: null })],
                [t("me.preferences"), () => navigate({ page: "me", section: "preferences" })],
                [t("me.devices"), () => navigate({ page: "me", section: "devices" })],
                [t("me.account"), () => navigate({ page: "me", section: "account" })],
                ...(aiOn ? [[t("me.receipts"), () => navigate({ page: "me", section: "receipts" })] as const] : []),
                [t("common.of", t("me.theme")) + t("me.theme_light"), () => applyTheme("light")],
                [t("common.of", t("me.theme")) + t("me.theme_dark"), () => applyTheme("dark")],
                [t("keys.title"), onKeys],
                ...(isAdmin ? [[t("nav.admin"), () => navigate({ page: "admin", section: null })] as const] : []),
            ] as (readonly [string, () => void])[]
        )
            .filter(([name]) => name.toLowerCase().includes(wanted))
            .map(([name, run]) => ({ id: name, group: "palette.commands", name, run }));
        return [...chats, ...found, ...commands];
    }, [rooms, people.results, wanted, t, i18n, engine, isAdmin, aiOn, onKeys]);

    const chosen = Math.min(at, Math.max(0, entries.length - 1));
    const choose = (entry: Entry | undefined) => {
        if (!entry) return;
        onClose();
        entry.run();
    };
    const onKeyDown = (event: KeyboardEvent) => {
        if (event.nativeEvent.isComposing) return;
        if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            setAt((chosen + (event.key === "ArrowDown" ? 1 : entries.length - 1)) % Math.max(1, entries.length));
        } else if (event.key === "Enter") {
            event.preventDefault();
            choose(entries[chosen]);
        }
    };

    return (
        <Dialog title={t("palette.title")} hideTitle wide top onClose={onClose}>
            <input
                className="input"
                role="combobox"
                aria-expanded="true"
                aria-controls="palette-list"
                aria-activedescendant={entries.length > 0 ? `palette-${chosen}` : undefined}
                aria-label={t("palette.title")}
                placeholder={t("palette.placeholder")}
                value={query}
                autoFocus
                onChange={(event) => {
                    setQuery(event.target.value);
                    setAt(0);
                }}
                onKeyDown={onKeyDown}
            />
            <div id="palette-list" role="listbox" aria-label={t("palette.title")} className="palette-list">
                {entries.length === 0 && <div className="state">{t("palette.none")}</div>}
                {entries.map((entry, index) => (
                    <div key={entry.group + entry.id} id={`palette-${index}`} role="option" aria-selected={index === chosen} className="list-button" onClick={() => choose(entry)} onPointerMove={() => setAt(index)} ref={index === chosen ? (element) => element?.scrollIntoView({ block: "nearest" }) : undefined}>
                        {entry.avatar && <RemoteAvatar id={entry.avatar.id} name={entry.name} mxc={entry.avatar.mxc} size={32} />}
                        <span className="nowrap grow">
                            {entry.name} {entry.detail && <span className="small quiet">{entry.detail}</span>}
                        </span>
                        <span className="small quiet">{t(entry.group)}</span>
                    </div>
                ))}
            </div>
        </Dialog>
    );
}
