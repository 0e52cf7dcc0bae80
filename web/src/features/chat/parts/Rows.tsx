import * as Menu from "@radix-ui/react-dropdown-menu";
import { Copy, CornerUpLeft, Forward, Languages, MoreHorizontal, Pencil, SmilePlus, Trash2, Undo2 } from "lucide-react";
import type { MatrixEvent, Room } from "matrix-js-sdk";
import { memo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { answerConsent, consentOf } from "@/features/assistant/consent";
import { useAiVisible, useAssistant, useInForce } from "@/features/assistant/context";
import { AiMark, AiTag } from "@/features/assistant/parts/AiMark";
import { ConsentCard } from "@/features/assistant/parts/ConsentCard";
import { WithTranslation } from "@/features/assistant/parts/TranslationView";
import { aiWords, carry } from "@/features/chat/engine/aiClipboard";
import { bodyOf, consentRequestType, labelOf, labelOfEvent, replyTargetOf, summaryOf, text } from "@/features/chat/engine/content";
import { useEngine, useName } from "@/features/chat/engine/context";
import { editedBy, type OutboxItem } from "@/features/chat/engine/outbox";
import type { MessageRow, OutgoingRow, SystemRow, TimelineRow } from "@/features/chat/engine/timeline";
import { FileMessage, OutgoingAttachment, PictureMessage } from "@/features/chat/parts/Attachment";
import { RemoteAvatar } from "@/features/chat/parts/RemoteAvatar";
import { richText } from "@/features/chat/parts/richText";
import { Status } from "@/features/chat/parts/Status";
import { useI18n } from "@/i18n";
import { copyText } from "@/lib/clipboard";
import { errorWords } from "@/lib/errors";
import { passFocus } from "@/ui/passFocus";
import { toast } from "@/ui/toast";

export interface RowActions {
    reply(event: MatrixEvent): void;
    edit(event: MatrixEvent): void;
    forward(event: MatrixEvent): void;
    redact(event: MatrixEvent): void;
    react(event: MatrixEvent, key: string, mine: string | null): void;
    jump(eventId: string): void;
}

interface Props<R extends TimelineRow> {
    room: Room;
    row: R;
    direct: boolean;
    actions: RowActions;
    /** An edit of this message that is on its way. */
    pendingEdit: OutboxItem | null;
    canRedact: boolean;
    canReact: boolean;
}

export const quickReactions = ["👍", "❤️", "😂", "🎉", "😮", "🙏"];

function Divider({ row }: { row: TimelineRow }) {
    const { t, formats } = useI18n();
    return (
        <>
            {row.day !== null && (
                <div className="day" role="separator">
                    <span>{formats.day(row.atMs, Date.now(), { today: t("chats.today"), yesterday: t("chats.yesterday") })}</span>
                </div>
            )}
            {row.unreadFrom && (
                <div className="unread-line" role="separator">
                    <span>{t("chat.unread_from")}</span>
                </div>
            )}
        </>
    );
}

function SystemView({ room, row }: { room: Room; row: SystemRow }) {
    return (
        <div className="system">
            <span className="wrap">{row.line}</span>
            {row.takeBack && <TakeBack room={room} />}
        </div>
    );
}

/** It stands there also until one knows whether there is anything to take back: taking back what is over harms nothing. */
function TakeBack({ room }: { room: Room }) {
    const engine = useEngine();
    const i18n = useI18n();
    const stands = useInForce(room)(engine.me);
    const takeBack = ({ currentTarget }: React.MouseEvent) => {
        const mine = consentOf(room, engine.me);
        passFocus(currentTarget, "[role=region]");
        if (mine) answerConsent(engine, room.roomId, false, mine.purposes, mine.destination).catch((error: unknown) => toast(errorWords(error, i18n)));
    };
    if (stands === false) return null;
    return (
        <button type="button" className="inline-button" onClick={takeBack}>
            {i18n.t("ai.consent_take_back")}
        </button>
    );
}

function Quote({ room, targetId, onJump }: { room: Room; targetId: string; onJump(): void }) {
    const i18n = useI18n();
    const name = useName(room);
    const target = room.findEventById(targetId);
    return (
        <button type="button" className="quote" onClick={onJump}>
            {target ? (
                <>
                    <span className="quote-name">{name(target.getSender() ?? "")}</span>
                    <span className="quote-text">
                        {labelOfEvent(target) && !target.isRedacted() && <AiTag />} {target.isRedacted() ? i18n.t("chat.redacted") : summaryOf(target.getType(), target.getContent(), i18n)}
                    </span>
                </>
            ) : (
                <span className="quote-text">{i18n.t("chat.reply_missing")}</span>
            )}
        </button>
    );
}

/** For fonts and screen readers: "zh" with ideographs (and no kana or hangul), "en" for plain Latin, otherwise unsaid. */
export function languageOf(body: string): "zh" | "en" | undefined {
    if (/\p{Script=Han}/u.test(body)) return /\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}/u.test(body) ? undefined : "zh";
    return /[a-z]/i.test(body) && !/\p{L}/u.test(body.replace(/[a-z]/gi, "")) ? "en" : undefined;
}

/** A text made only of a few emoji stands large, without a bubble. */
export function isOnlyEmoji(body: string): boolean {
    return body.length <= 24 && /^(?:\p{Extended_Pictographic}|\p{Emoji_Component}|\s)+$/u.test(body) && /\p{Extended_Pictographic}/u.test(body) && [...new Intl.Segmenter().segment(body.replace(/\s/g, ""))].length <= 3;
}

function MessageBody({ room, row, pendingEdit }: { room: Room; row: MessageRow; pendingEdit: OutboxItem | null }): ReactNode {
    const { t } = useI18n();
    const name = useName(room);
    const { me } = useEngine();
    const assistant = useAssistant();
    const { event } = row;
    if (row.redacted) return <span className="gone">{t("chat.redacted")}</span>;
    const edited = pendingEdit?.content["m.new_content"] as Record<string, unknown> | undefined;
    const content = edited ?? event.getContent();
    if (event.getType() === "m.room.encrypted") return <span className="gone">{t("chat.encrypted")}</span>;
    const body = edited ? text(edited["body"]) : bodyOf(event);
    // The assistant answers whoever asked it.
    const mayHaveAsked = (sender: string) => sender === me || sender === assistant.status.of(room.roomId).get()?.assistant_user_id;
    const label = edited ? labelOf(edited) : labelOfEvent(event);
    switch (content["msgtype"]) {
        case "m.image":
            return <PictureMessage content={content} sender={name(row.sender)} />;
        case "m.file":
        case "m.video":
        case "m.audio":
            return <FileMessage content={content} />;
        default: {
            if (event.getType() === "m.sticker") return <PictureMessage content={content} sender={name(row.sender)} />;
            if (!body) return <span className="gone">{t("chat.unknown_event")}</span>;
            const emote = content["msgtype"] === "m.emote" ? `${name(row.sender)} ` : "";
            const original = (
                <span className={`body ${isOnlyEmoji(body) ? "big" : ""}`} lang={languageOf(body)} {...aiWords(label)}>
                    {richText(emote + body)}
                </span>
            );
            const marks = (
                <>
                    {(row.edited || pendingEdit) && <span className="edited">{t("chat.edited")}</span>}
                    {label && <AiMark label={label} perhapsMine={mayHaveAsked(row.sender)} />}
                </>
            );
            return <WithTranslation room={room} event={event} body={body} original={original} marks={marks} />;
        }
    }
}

function MessageMenu({ room, row, actions, canRedact, canReact, open, setOpen, onClosed }: Pick<Props<MessageRow>, "room" | "row" | "actions" | "canRedact" | "canReact"> & { open: boolean; setOpen(open: boolean): void; onClosed(): void }) {
    const { language, t } = useI18n();
    const assistant = useAssistant();
    const aiVisible = useAiVisible(room);
    const { event } = row;
    const copy = () => {
        const label = labelOfEvent(event);
        void copyText(bodyOf(event), label ? (data) => carry(data, label) : undefined).then((copied) => copied && toast(t("common.copied")));
    };
    const isText = ["m.text", "m.notice", "m.emote"].includes(String(event.getContent()["msgtype"]));
    const isPlain = event.getType() === "m.room.message";
    return (
        <Menu.Root open={open} onOpenChange={setOpen} modal={false}>
            <Menu.Trigger asChild>
                <button type="button" className="row-button" tabIndex={-1} aria-label={t("chat.message_menu")} title={t("chat.message_menu")}>
                    <MoreHorizontal size={18} />
                </button>
            </Menu.Trigger>
            <Menu.Portal>
                <Menu.Content
                    className="menu"
                    align={row.own ? "end" : "start"}
                    sideOffset={4}
                    collisionPadding={8}
                    onCloseAutoFocus={(event) => {
                        // What was chosen may have the focus already (the composer, a dialog); otherwise back to the message.
                        event.preventDefault();
                        if (!document.activeElement || document.activeElement === document.body) onClosed();
                    }}
                >
                    {canReact && (
                        <>
                            <Menu.Group className="quick" aria-label={t("chat.react")}>
                                {quickReactions.map((key) => (
                                    <Menu.Item key={key} className="quick-item" aria-label={`${t("chat.react")} ${key}`} onSelect={() => actions.react(event, key, row.reactions.find((one) => one.key === key)?.mine ?? null)}>
                                        {key}
                                    </Menu.Item>
                                ))}
                            </Menu.Group>
                            <Menu.Separator className="menu-line" />
                            <Menu.Item className="menu-item" onSelect={() => actions.reply(event)}>
                                <CornerUpLeft size={18} /> {t("chat.reply")}
                            </Menu.Item>
                        </>
                    )}
                    {isText && (
                        <Menu.Item className="menu-item" onSelect={copy}>
                            <Copy size={18} /> {t("chat.copy")}
                        </Menu.Item>
                    )}
                    {isText && aiVisible && (
                        <Menu.Item className="menu-item" onSelect={() => void assistant.translate(room, event, language)}>
                            <Languages size={18} /> {t("ai.translate")}
                        </Menu.Item>
                    )}
                    {isPlain && (
                        <Menu.Item className="menu-item" onSelect={() => actions.forward(event)}>
                            <Forward size={18} /> {t("chat.forward")}
                        </Menu.Item>
                    )}
                    {row.own && isText && (
                        <Menu.Item className="menu-item" onSelect={() => actions.edit(event)}>
                            <Pencil size={18} /> {t("chat.edit")}
                        </Menu.Item>
                    )}
                    {canRedact && (
                        <Menu.Item className="menu-item danger" onSelect={() => actions.redact(event)}>
                            {row.own ? <Undo2 size={18} /> : <Trash2 size={18} />} {t(row.own ? "chat.redact" : "chat.remove")}
                        </Menu.Item>
                    )}
                </Menu.Content>
            </Menu.Portal>
        </Menu.Root>
    );
}

function MessageView({ room, row, direct, actions, pendingEdit, canRedact, canReact }: Props<MessageRow>) {
    const i18n = useI18n();
    const { t, formats } = i18n;
    const name = useName(room);
    const [menu, setMenu] = useState(false);
    const press = useRef<ReturnType<typeof setTimeout> | null>(null);
    const { event, own } = row;
    const sender = name(row.sender);
    const replyTo = replyTargetOf(event);
    const card = event.getType() === consentRequestType && !row.redacted;
    const content = event.getContent();
    const media = !row.redacted && ["m.image", "m.file", "m.video", "m.audio"].includes(String(content["msgtype"]));
    const bare = media || (!row.redacted && !replyTo && isOnlyEmoji(bodyOf(event)) && !labelOfEvent(event));
    const endPress = () => {
        if (press.current) clearTimeout(press.current);
    };
    const article = useRef<HTMLDivElement>(null);
    /** Whether the menu was opened by a key: then the focus goes back to the message. */
    const byKey = useRef(false);
    const openMenu = (open: boolean, key = false) => {
        if (open) byKey.current = key;
        setMenu(open);
    };
    const isText = ["m.text", "m.notice", "m.emote"].includes(String(content["msgtype"]));
    const onKeyDown = (key: KeyboardEvent) => {
        if (key.target !== article.current || key.ctrlKey || key.metaKey || key.altKey || row.redacted) return;
        if (key.key === "Enter" || key.key === "+") openMenu(true, true);
        else if (key.key === "r" && canReact && !card) actions.reply(event);
        else if (key.key === "e" && own && isText) actions.edit(event);
        else if (key.key === "Delete" && canRedact) actions.redact(event);
        else return;
        key.preventDefault();
    };
    return (
        <div
            ref={article}
            onKeyDown={onKeyDown}
            className={`message ${own ? "own" : ""} ${row.first ? "first" : ""} ${row.last ? "last" : ""}`}
            role="article"
            aria-label={`${own ? t("common.you") : sender}, ${formats.time(row.atMs)}`}
            tabIndex={-1}
            data-message={event.getId()}
        >
            {!own && <div className="message-avatar">{row.first && <RemoteAvatar id={row.sender} name={sender} mxc={room.getMember(row.sender)?.getMxcAvatarUrl()} size={36} />}</div>}
            <div className="message-column">
                {!own && row.first && !direct && <span className="message-name">{sender}</span>}
                <div className="message-line">
                    {card ? (
                        <ConsentCard room={room} event={event} own={own} />
                    ) : (
                        <div
                            className={`bubble ${bare ? "bare" : ""} ${row.redacted ? "redacted" : ""}`}
                            onPointerDown={(down) => {
                                if (down.pointerType !== "mouse") press.current = setTimeout(() => setMenu(true), 450);
                            }}
                            onPointerUp={endPress}
                            onPointerCancel={endPress}
                            onPointerMove={(move) => Math.abs(move.movementX) + Math.abs(move.movementY) > 6 && endPress()}
                            onContextMenu={(menuEvent) => {
                                if (press.current) menuEvent.preventDefault(); // a long press opens our menu, not the browser's
                            }}
                        >
                            {replyTo && !row.redacted && <Quote room={room} targetId={replyTo} onJump={() => actions.jump(replyTo)} />}
                            <MessageBody room={room} row={row} pendingEdit={pendingEdit} />
                        </div>
                    )}
                    {!row.redacted && (
                        <div className={`row-tools ${menu ? "open" : ""}`}>
                            {canReact && !card && (
                                <button type="button" className="row-button" tabIndex={-1} aria-label={t("chat.reply")} title={t("chat.reply")} onClick={() => actions.reply(event)}>
                                    <CornerUpLeft size={18} />
                                </button>
                            )}
                            <MessageMenu room={room} row={row} actions={actions} canRedact={canRedact} canReact={canReact} open={menu} setOpen={openMenu} onClosed={() => byKey.current && article.current?.focus({ preventScroll: true })} />
                        </div>
                    )}
                </div>
                {row.reactions.length > 0 && (
                    <div className="reactions">
                        {row.reactions.map((reaction) => (
                            <button
                                key={reaction.key}
                                type="button"
                                className="reaction"
                                aria-pressed={reaction.mine !== null}
                                aria-label={[t("chat.reaction", reaction.key, reaction.count), ...(reaction.pending ? [t("chat.status_queued")] : [])].join(" · ")}
                                title={i18n.list(reaction.names)}
                                disabled={!canReact}
                                onClick={() => actions.react(event, reaction.key, reaction.mine)}
                            >
                                <span>{reaction.key}</span> {reaction.count}
                                {reaction.pending && <Status state={{ kind: "queued" }} />}
                            </button>
                        ))}
                        {canReact && (
                            <button type="button" className="reaction" aria-label={t("chat.react")} onClick={() => setMenu(true)}>
                                <SmilePlus size={16} />
                            </button>
                        )}
                    </div>
                )}
                {pendingEdit?.state === "failed" && !row.redacted && <NotSent item={pendingEdit} />}
                {row.last && (
                    <div className="meta">
                        <time dateTime={new Date(row.atMs).toISOString()} title={formats.full(row.atMs)}>
                            {formats.time(row.atMs)}
                        </time>
                        {own && (pendingEdit && pendingEdit.state !== "failed" ? <Status state={{ kind: "sending" }} /> : row.readBy.length > 0 ? <Status state={{ kind: "read", names: row.readBy.map(name), direct }} /> : <Status state={{ kind: "sent" }} />)}
                    </div>
                )}
            </div>
        </div>
    );
}

/** What went wrong with a message or a change of one, and what can be done. */
function NotSent({ item }: { item: OutboxItem }) {
    const i18n = useI18n();
    const { t } = i18n;
    const engine = useEngine();
    const isEdit = editedBy(item.content) !== null;
    const isRefused = item.errcode === "IM.LINGXI.FORGED_LABEL"; // and would be again
    return (
        <div className="meta failed" role="alert">
            <Status state={{ kind: "failed" }} /> {t(isEdit ? "chat.status_edit_failed" : "chat.status_failed")} {isRefused && errorWords(item, i18n)} <span className="small">{item.errcode}</span>
            {!isRefused && (
                <button type="button" className="inline-button" onClick={() => engine.outbox.retry(item.txnId)}>
                    {t("chat.retry")}
                </button>
            )}
            <button type="button" className="inline-button" onClick={() => void engine.outbox.discard(item.txnId)}>
                {t(isEdit ? "chat.discard_edit" : "chat.discard")}
            </button>
        </div>
    );
}

function OutgoingView({ row }: { row: OutgoingRow }) {
    const { t, formats } = useI18n();
    const { item } = row;
    const content = (item.content["m.new_content"] as Record<string, unknown> | undefined) ?? item.content;
    const body = item.type === consentRequestType ? t("ai.consent_row_own") : text(content["body"]);
    const label = labelOf(content);
    return (
        <div className={`message own ${row.first ? "first" : ""} ${row.last ? "last" : ""}`} role="article" aria-label={`${t("common.you")}, ${formats.time(row.atMs)}`} tabIndex={-1} data-message={item.txnId}>
            <div className="message-column">
                <div className="message-line">
                    <div className={`bubble ${item.file ? "bare" : ""} ${item.state === "failed" ? "failed" : ""}`}>
                        {item.file ? <OutgoingAttachment file={item.file} content={item.content} progress={item.progress} /> : <span className="body" {...aiWords(label)}>{richText(body)}</span>}
                        {label && <AiMark label={label} perhapsMine />}
                    </div>
                </div>
                {item.state === "failed" ? (
                    <NotSent item={item} />
                ) : (
                    (row.last || item.state === "queued") && (
                        <div className="meta">
                            <time dateTime={new Date(row.atMs).toISOString()}>{formats.time(row.atMs)}</time>
                            <Status state={{ kind: item.state === "sent" ? "sent" : item.state === "queued" ? "queued" : "sending" }} />
                        </div>
                    )
                )}
            </div>
        </div>
    );
}

export const RowView = memo(
    function RowView(props: Props<TimelineRow>) {
        const { row } = props;
        return (
            <div className="timeline-row">
                <Divider row={row} />
                {row.kind === "system" ? <SystemView room={props.room} row={row} /> : row.kind === "outgoing" ? <OutgoingView row={row} /> : <MessageView {...props} row={row} />}
            </div>
        );
    },
    (before, after) => {
        const a = before.row;
        const b = after.row;
        if (before.room !== after.room || before.actions !== after.actions || before.direct !== after.direct || before.pendingEdit !== after.pendingEdit || before.canRedact !== after.canRedact || before.canReact !== after.canReact) return false;
        if (a.kind !== b.kind || a.key !== b.key || a.day !== b.day || a.unreadFrom !== b.unreadFrom) return false;
        if (a.kind === "message" && b.kind === "message") return a.event === b.event && a.version === b.version && a.first === b.first && a.last === b.last;
        if (a.kind === "system" && b.kind === "system") return a.line === b.line && a.takeBack === b.takeBack;
        if (a.kind === "outgoing" && b.kind === "outgoing") return a.item === b.item && a.first === b.first && a.last === b.last;
        return false;
    },
);
