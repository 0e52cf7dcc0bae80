import { FileText, Link2, LogOut, UserRoundPlus, X } from "lucide-react";
import { EventType, type Room } from "matrix-js-sdk";
import { useEffect, useState } from "react";
import { useAiOn, useInForce } from "@/features/assistant/context";
import { AssistantPanel } from "@/features/assistant/parts/AssistantPanel";
import { setMuted, setPinned } from "@/features/chat/ChatsPane";
import { text } from "@/features/chat/engine/content";
import { useEngine, useName, useRoomState, useRoomSummary } from "@/features/chat/engine/context";
import { FileMessage, PictureMessage } from "@/features/chat/parts/Attachment";
import { RemoteAvatar } from "@/features/chat/parts/RemoteAvatar";
import { PeoplePicker } from "@/features/chat/PeoplePicker";
import type { Person } from "@/features/chat/people";
import { InvitationDialog } from "@/features/identity/Invitations";
import { useI18n } from "@/i18n";
import { errorWords } from "@/lib/errors";
import { useIsDesktop } from "@/lib/hooks";
import { formatRoute, navigate } from "@/lib/router";
import { Confirm, Dialog, EmptyState, ErrorNotice, IconButton, SwitchRow } from "@/ui/parts";
import { Resizer, useColumnWidth, type Column } from "@/ui/Resizer";
import { toast } from "@/ui/toast";

const panelColumn: Column = { key: "lingxi.panel_width_px", narrowest_px: 280, widest_px: 480, usual_px: 340 };

type Tab = "about" | "files" | "assistant";

export default function InfoPanel({ room, onClose }: { room: Room; onClose(): void }) {
    const { t } = useI18n();
    const { me } = useEngine();
    const aiOn = useAiOn();
    const stands = useInForce(room);
    const desktop = useIsDesktop();
    const [width, setWidth] = useColumnWidth(panelColumn);
    const [chosen, setTab] = useState<Tab>("about");
    const tabs: { id: Tab; words: string }[] = [
        { id: "about", words: t("room.tab_about") },
        { id: "files", words: t("room.files") },
    ];
    // Off, it is there for what one has agreed to: to see it and to take it back.
    if (aiOn || chosen === "assistant" || stands(me)) tabs.push({ id: "assistant", words: t("room.tab_assistant") });
    const tab = tabs.some((one) => one.id === chosen) ? chosen : "about";
    return (
        <aside className="panel" aria-label={t("chat.info")} style={desktop ? { width } : undefined}>
            {desktop && <Resizer label={t("room.width")} side="after" column={panelColumn} width={width} onWidth={setWidth} />}
            <h1 className="visually-hidden">{t("chat.info")}</h1>
            <header className="bar">
                <div className="panel-tabs grow" role="tablist" aria-label={t("chat.info")}>
                    {tabs.map(({ id, words }) => (
                        <button
                            key={id}
                            type="button"
                            role="tab"
                            id={`tab-${id}`}
                            aria-selected={tab === id}
                            aria-controls="tab-content"
                            tabIndex={tab === id ? 0 : -1}
                            onClick={() => setTab(id)}
                            onKeyDown={(event) => {
                                if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
                                const at = tabs.findIndex((one) => one.id === tab);
                                const next = tabs[(at + (event.key === "ArrowRight" ? 1 : tabs.length - 1)) % tabs.length];
                                if (!next) return;
                                setTab(next.id);
                                document.getElementById(`tab-${next.id}`)?.focus();
                            }}
                        >
                            {words}
                        </button>
                    ))}
                </div>
                <IconButton label={t("common.close")} onClick={onClose}>
                    <X size={22} />
                </IconButton>
            </header>
            <div className="panel-body" id="tab-content" role="tabpanel" aria-labelledby={`tab-${tab}`} tabIndex={0}>
                {tab === "about" && <About room={room} />}
                {tab === "files" && <Files room={room} />}
                {tab === "assistant" && <AssistantPanel room={room} />}
            </div>
        </aside>
    );
}

function About({ room }: { room: Room }) {
    const engine = useEngine();
    const i18n = useI18n();
    const { t } = i18n;
    const summary = useRoomSummary(room.roomId);
    const name = useName(room);
    useRoomState(room);
    const [dialog, setDialog] = useState<"invite" | "link" | "leave" | "name" | null>(null);
    const [removing, setRemoving] = useState<string | null>(null);
    useEffect(() => {
        room.loadMembersIfNeeded().catch(() => undefined); // those of the timeline are there already
    }, [room]);

    const me = room.getMember(engine.me);
    const power = me?.powerLevel ?? 0;
    const mayInvite = room.canInvite(engine.me);
    const mayName = room.currentState.maySendStateEvent(EventType.RoomName, engine.me);
    const members = room
        .getMembers()
        .filter((member) => member.membership === "join" || member.membership === "invite")
        // Creators of rooms of version 12 stand above all numbers: Infinity has no difference.
        .sort((a, b) => Number(b.powerLevel > a.powerLevel) - Number(a.powerLevel > b.powerLevel) || a.name.localeCompare(b.name));
    const run = (action: Promise<unknown>) => void action.catch((error: unknown) => toast(errorWords(error, i18n)));
    const title = summary?.name ?? room.name;
    const topic = text(room.currentState.getStateEvents(EventType.RoomTopic, "")?.getContent()["topic"]);
    return (
        <>
            <div className="panel-head">
                <RemoteAvatar id={summary?.colourId ?? room.roomId} name={title} mxc={summary?.avatarMxc} size={72} />
                <h2 className="wrap">{title}</h2>
                {topic && <p className="quiet wrap">{topic}</p>}
                {mayName && summary?.directUserId === null && (
                    <button type="button" className="button plain" onClick={() => setDialog("name")}>
                        {t("room.edit")}
                    </button>
                )}
            </div>
            <SwitchRow label={t("room.pin")} checked={summary?.pinned ?? false} onChange={(pinned) => run(setPinned(engine, room.roomId, pinned))} />
            <SwitchRow label={t("room.notify")} checked={summary?.muted ?? false} onChange={(muted) => run(setMuted(engine, room.roomId, muted))} />

            <h3 className="list-title">{t("room.member_count", room.getJoinedMemberCount())}</h3>
            <ul className="plain-list">
                {mayInvite && (
                    <>
                        <li>
                            <button type="button" className="list-button" onClick={() => setDialog("invite")}>
                                <span className="list-icon">
                                    <UserRoundPlus size={20} aria-hidden="true" />
                                </span>
                                {t("room.invite")}
                            </button>
                        </li>
                        <li>
                            <button type="button" className="list-button" onClick={() => setDialog("link")}>
                                <span className="list-icon">
                                    <Link2 size={20} aria-hidden="true" />
                                </span>
                                {t("room.invite_link")}
                            </button>
                        </li>
                    </>
                )}
                {members.map((member) => (
                    <li key={member.userId} className="list-line">
                        <a className="list-button grow" href={formatRoute({ page: "contacts", userId: member.userId })}>
                            <RemoteAvatar id={member.userId} name={name(member.userId)} mxc={member.getMxcAvatarUrl()} size={36} />
                            <span className="grow nowrap">{name(member.userId)}{member.userId === engine.me && t("common.aside", t("common.you"))}</span>
                            <span className="small quiet">{member.membership === "invite" ? t("room.invited") : summary?.directUserId != null ? "" : member.powerLevel >= 100 ? t("room.admin") : member.powerLevel >= 50 ? t("room.moderator") : ""}</span>
                        </a>
                        {member.userId !== engine.me && member.powerLevel < power && room.currentState.hasSufficientPowerLevelFor("kick", power) && (
                            <IconButton label={`${t("room.kick")}: ${name(member.userId)}`} onClick={() => setRemoving(member.userId)}>
                                <X size={18} />
                            </IconButton>
                        )}
                    </li>
                ))}
            </ul>
            <button type="button" className="button danger wide" style={{ marginTop: 24 }} onClick={() => setDialog("leave")}>
                <LogOut size={18} aria-hidden="true" /> {t("room.leave")}
            </button>

            {dialog === "invite" && <InviteDialog room={room} onClose={() => setDialog(null)} />}
            {dialog === "link" && <InvitationDialog roomIds={[room.roomId]} onClose={() => setDialog(null)} />}
            {dialog === "name" && <NameDialog room={room} topic={topic} onClose={() => setDialog(null)} />}
            {dialog === "leave" && (
                <Confirm
                    text={t("room.leave_ask")}
                    yes={t("room.leave")}
                    danger
                    onYes={async () => {
                        await engine.client.leave(room.roomId);
                        navigate({ page: "chats" }, "replace");
                    }}
                    onClose={() => setDialog(null)}
                />
            )}
            {removing && <Confirm text={t("common.of", t("room.kick")) + name(removing)} yes={t("room.kick")} danger onYes={() => engine.client.kick(room.roomId, removing)} onClose={() => setRemoving(null)} />}
        </>
    );
}

function InviteDialog({ room, onClose }: { room: Room; onClose(): void }) {
    const engine = useEngine();
    const { t } = useI18n();
    const [picked, setPicked] = useState<Person[]>([]);
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState<unknown>(null);
    const there = new Set(room.getMembers().filter((member) => member.membership === "join" || member.membership === "invite").map((member) => member.userId));
    const invite = async () => {
        setBusy(true);
        setError(null);
        try {
            for (const person of picked) await engine.client.invite(room.roomId, person.userId);
            onClose();
        } catch (failure) {
            setError(failure);
            setBusy(false);
        }
    };
    return (
        <Dialog title={t("room.invite")} onClose={onClose}>
            <PeoplePicker picked={picked} exclude={there} onChange={setPicked} />
            {error !== null && <ErrorNotice error={error} />}
            <div className="dialog-actions">
                <button type="button" className="button" onClick={onClose}>
                    {t("common.cancel")}
                </button>
                <button type="button" className="button primary" disabled={busy || picked.length === 0} onClick={() => void invite()}>
                    {t("group.add")}
                </button>
            </div>
        </Dialog>
    );
}

function NameDialog({ room, topic, onClose }: { room: Room; topic: string; onClose(): void }) {
    const engine = useEngine();
    const { t } = useI18n();
    const current = text(room.currentState.getStateEvents(EventType.RoomName, "")?.getContent()["name"]);
    const [name, setName] = useState(current);
    const [about, setAbout] = useState(topic);
    const [error, setError] = useState<unknown>(null);
    const save = async () => {
        try {
            if (name.trim() !== current) await engine.client.setRoomName(room.roomId, name.trim());
            if (about.trim() !== topic) await engine.client.setRoomTopic(room.roomId, about.trim());
            onClose();
        } catch (failure) {
            setError(failure);
        }
    };
    return (
        <Dialog title={t("room.edit")} onClose={onClose}>
            <div className="stack">
                <div className="field">
                    <label htmlFor="room-name">{t("room.name")}</label>
                    <input id="room-name" className="input" value={name} maxLength={100} onChange={(event) => setName(event.target.value)} />
                </div>
                <div className="field">
                    <label htmlFor="room-topic">{t("room.topic")}</label>
                    <textarea id="room-topic" className="input" rows={3} value={about} maxLength={1000} onChange={(event) => setAbout(event.target.value)} />
                </div>
                {error !== null && <ErrorNotice error={error} />}
            </div>
            <div className="dialog-actions">
                <button type="button" className="button" onClick={onClose}>
                    {t("common.cancel")}
                </button>
                <button type="button" className="button primary" onClick={() => void save()}>
                    {t("common.save")}
                </button>
            </div>
        </Dialog>
    );
}

/** Pictures and files of what is loaded of the chat, newest first. */
function Files({ room }: { room: Room }) {
    const { t } = useI18n();
    const name = useName(room);
    const events = room
        .getLiveTimeline()
        .getEvents()
        .filter((event) => !event.isRedacted() && ["m.image", "m.file", "m.video", "m.audio"].includes(String(event.getContent()["msgtype"])))
        .toReversed();
    if (events.length === 0) return <EmptyState icon={<FileText size={40} />} title={t("room.no_files")} hint={t("room.no_files_hint")} />;
    return (
        <ul className="files">
            {events.map((event) => (
                <li key={event.getId()}>{event.getContent()["msgtype"] === "m.image" ? <PictureMessage content={event.getContent()} sender={name(event.getSender() ?? "")} /> : <FileMessage content={event.getContent()} />}</li>
            ))}
        </ul>
    );
}
