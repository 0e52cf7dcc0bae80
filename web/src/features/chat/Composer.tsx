import { Paperclip, Pencil, CornerUpLeft, SendHorizontal, X } from "lucide-react";
import type { MatrixEvent, Room } from "matrix-js-sdk";
import { useCallback, useEffect, useImperativeHandle, useLayoutEffect, useMemo, useRef, type ClipboardEvent, type KeyboardEvent, type Ref } from "react";
import { DraftTranslate } from "@/features/assistant/parts/DraftTranslate";
import { useAssistant } from "@/features/assistant/context";
import { AiTag } from "@/features/assistant/parts/AiMark";
import type { Edit, Span } from "@/features/chat/engine/aiPart";
import { carriedBy, carry } from "@/features/chat/engine/aiClipboard";
import { bodyOf, editContent, labelOfEvent, summaryOf, textContent, type AiLabel } from "@/features/chat/engine/content";
import { useEngine, useName } from "@/features/chat/engine/context";
import { draftOfEdit } from "@/features/chat/engine/drafts";
import { EmojiButton } from "@/features/chat/parts/Emoji";
import { useI18n } from "@/i18n";
import { useIsTouch } from "@/lib/hooks";
import type { Json } from "@/lib/http";
import { useStore } from "@/lib/store";
import { IconButton } from "@/ui/parts";

const line_px = 24;
const mostLines = 6;
const padding_px = 18;
const typingEveryMs = 4_000;
/** Ways in which words come into a composer that have stood there before. */
const undoes = new Set(["historyUndo", "historyRedo"]);
const comes = new Set(["insertFromPaste", "insertFromDrop"]);
const bringsBack = new Set([...undoes, ...comes]);

export type Mode = { kind: "write" } | { kind: "reply"; event: MatrixEvent } | { kind: "edit"; event: MatrixEvent };

export interface ComposerHandle {
    focus(): void;
    /** Puts words into the composer, as a chip does. */
    take(text: string, label: AiLabel | null): void;
}

interface Props {
    room: Room;
    mode: Mode;
    ref: Ref<ComposerHandle>;
    onMode(mode: Mode): void;
    onSent(): void;
    onFiles(files: File[]): void;
    onEditLast(): void;
}

/** Whether the server's people named in a text are told: those whose name stands after an @. */
function mentionsIn(text: string, room: Room, me: string): string[] {
    if (!text.includes("@")) return [];
    return room
        .getJoinedMembers()
        .filter((member) => member.userId !== me && [member.rawDisplayName, member.userId.slice(1), member.userId.slice(1).split(":")[0] ?? ""].some((name) => name && text.includes(`@${name}`)))
        .map((member) => member.userId)
        .slice(0, 50);
}

export function Composer({ room, mode, ref, onMode, onSent, onFiles, onEditLast }: Props) {
    const engine = useEngine();
    const i18n = useI18n();
    const { t } = i18n;
    const name = useName(room);
    const settings = useStore(engine.account.settings);
    /** Where the words lie: in the chat's draft, or with the message that is being changed. */
    const drafts = useMemo(() => (mode.kind === "edit" ? draftOfEdit(engine.me, mode.event) : engine.drafts), [engine, mode]);
    const draft = useStore(drafts.of(room.roomId));
    const assistant = useAssistant();
    const translation = useStore(assistant.draftTranslations.of(room.roomId));
    const touch = useIsTouch();
    const area = useRef<HTMLTextAreaElement>(null);
    const fileInput = useRef<HTMLInputElement>(null);
    const lastTyping = useRef(0);
    /** What was selected just before the words change, and what the clipboard says of those that come. */
    const selected = useRef<Span | null>(null);
    const carried = useRef<AiLabel | null>(null);
    /** Where the caret belongs once the words that were put in are there: new words take it to their end. */
    const caret = useRef<number | null>(null);

    const editing = mode.kind === "edit";
    /** A message that AI had a part in keeps its label, however much of it is changed. */
    const label = (mode.kind === "edit" && labelOfEvent(mode.event)) || draft.origin?.label || null;
    /** While a model writes here, its words are only to look at: they have no label yet, and are not the draft. */
    const translating = !editing && translation.state === "asking" ? translation : null;
    const text = translating?.text || draft.text;
    const setText = useCallback(
        (next: string, edit: Edit, inputType = "") => {
            if (translating) return;
            const came = comes.has(inputType) ? carried.current : null;
            if (came) drafts.writeCarried(room.roomId, next, came, edit);
            else if (bringsBack.has(inputType)) drafts.writeAgain(room.roomId, next, undoes.has(inputType), edit);
            else drafts.write(room.roomId, next, edit);
            if (!editing) engine.rooms.touch(room.roomId);
        },
        [editing, translating, drafts, engine, room],
    );

    useEffect(() => {
        if (mode.kind !== "write") area.current?.focus();
    }, [mode]);
    useEffect(() => {
        if (!touch) area.current?.focus();
    }, [room, touch]);
    useEffect(() => () => void engine.drafts.inUse.delete(room.roomId), [engine, room]);

    // React's event of this name is made of others, and comes when the selection is gone.
    useEffect(() => {
        const element = area.current;
        const note = () => {
            if (element) selected.current = { from: element.selectionStart, to: element.selectionEnd };
        };
        element?.addEventListener("beforeinput", note);
        return () => element?.removeEventListener("beforeinput", note);
    }, []);

    // As high as its words, up to six lines.
    useLayoutEffect(() => {
        const element = area.current;
        if (!element) return;
        element.style.height = "auto";
        element.style.height = `${Math.min(element.scrollHeight, line_px * mostLines + padding_px)}px`;
        if (caret.current !== null) element.setSelectionRange(caret.current, caret.current);
        caret.current = null;
    }, [text]);

    useImperativeHandle(ref, () => ({
        focus: () => area.current?.focus(),
        take: (words, label) => {
            onMode(mode.kind === "edit" ? { kind: "write" } : mode);
            assistant.takeChip(room.roomId, words, label);
            area.current?.focus();
        },
    }));

    const tellTyping = (typing: boolean) => {
        const now = Date.now();
        if (typing && now - lastTyping.current < typingEveryMs) return;
        if (!typing && lastTyping.current === 0) return;
        lastTyping.current = typing ? now : 0;
        engine.client.sendTyping(room.roomId, typing, typingEveryMs * 2).catch(() => undefined); // fleeting news: may be lost
    };

    const send = () => {
        if (translating) return;
        if (!text.trim()) return;
        const written = textContent(text, label);
        const mentions = mentionsIn(written.body, room, engine.me);
        const content: Json = { ...written, "m.mentions": mentions.length > 0 ? { user_ids: mentions } : {} };
        if (mode.kind === "edit") {
            if (written.body === bodyOf(mode.event)) {
                onMode({ kind: "write" });
                return;
            }
            engine.send(room.roomId, editContent(mode.event.getId() ?? "", content));
        } else {
            if (mode.kind === "reply") {
                content["m.relates_to"] = { "m.in_reply_to": { event_id: mode.event.getId() } };
                const author = mode.event.getSender();
                if (author && author !== engine.me) content["m.mentions"] = { user_ids: [...new Set([...mentions, author])] };
            }
            engine.send(room.roomId, content);
            engine.drafts.sent(room.roomId);
            assistant.replaced.sent(room.roomId);
        }
        tellTyping(false);
        onMode({ kind: "write" });
        onSent();
    };

    const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
        // Enter chooses a word while an input method is open; 229 is how Safari says so.
        if (event.nativeEvent.isComposing || event.keyCode === 229) return;
        if (event.key === "Enter") {
            const sends = touch ? event.ctrlKey || event.metaKey : event.ctrlKey || event.metaKey || (settings.enter_sends ? !event.shiftKey : event.shiftKey);
            if (sends) {
                event.preventDefault();
                send();
            }
        } else if (event.key === "ArrowUp" && !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey && text === "" && mode.kind === "write") {
            event.preventDefault();
            onEditLast();
        } else if (event.key === "Escape" && mode.kind !== "write") {
            event.preventDefault();
            event.stopPropagation();
            onMode({ kind: "write" });
        }
    };

    /** Copied words of AI's say so to whoever they are pasted to here. */
    const onCopy = (event: ClipboardEvent<HTMLTextAreaElement>) => {
        const { selectionStart: from, selectionEnd: to } = event.currentTarget;
        // What is still being written has no label yet.
        if (translating) return event.preventDefault();
        const copied = from === to ? null : drafts.labelIn(room.roomId, { from, to });
        if (!copied) return;
        event.preventDefault();
        event.clipboardData.setData("text/plain", text.slice(from, to));
        carry(event.clipboardData, copied);
        if (event.type === "cut") document.execCommand("delete"); // the one way that can be undone
    };

    const insert = (words: string) => {
        if (translating) return;
        const element = area.current;
        const start = element?.selectionStart ?? text.length;
        const end = element?.selectionEnd ?? text.length;
        const next = text.slice(0, start) + words + text.slice(end);
        // Put in over the same words, nothing is drawn anew.
        if (next === text) element?.setSelectionRange(start + words.length, start + words.length);
        else caret.current = start + words.length;
        setText(next, { selected: { from: start, to: end }, caret: start + words.length });
    };

    const isAi = translating ? translating.text !== "" : label !== null;
    return (
        <div className="composer">
            {mode.kind !== "write" && (
                <div className="composer-mode">
                    {mode.kind === "edit" ? <Pencil size={16} aria-hidden="true" /> : <CornerUpLeft size={16} aria-hidden="true" />}
                    <span className="grow nowrap">
                        <strong>{mode.kind === "edit" ? t("chat.editing") : t("chat.replying_to", name(mode.event.getSender() ?? ""))}</strong>{" "}
                        {labelOfEvent(mode.event) && <AiTag />} <span className="quiet">{summaryOf(mode.event.getType(), mode.event.getContent(), i18n)}</span>
                    </span>
                    <IconButton label={t("common.cancel")} onClick={() => onMode({ kind: "write" })}>
                        <X size={18} />
                    </IconButton>
                </div>
            )}
            <div className="composer-line">
                <EmojiButton onPick={insert} />
                {!editing && (
                    <>
                        <IconButton label={t("chat.attach")} onClick={() => fileInput.current?.click()}>
                            <Paperclip size={21} />
                        </IconButton>
                        <input
                            ref={fileInput}
                            type="file"
                            multiple
                            hidden
                            onChange={(event) => {
                                const files = [...(event.target.files ?? [])];
                                event.target.value = "";
                                if (files.length > 0) onFiles(files);
                            }}
                        />
                    </>
                )}
                <div className="composer-field grow">
                    <textarea
                        ref={area}
                        rows={1}
                        aria-label={t("chat.write")}
                        placeholder={t("chat.write")}
                        value={text}
                        readOnly={translating !== null}
                        aria-busy={translating !== null}
                        maxLength={20_000}
                        enterKeyHint={touch ? "enter" : "send"}
                        onBlur={() => {
                            engine.drafts.inUse.delete(room.roomId);
                            tellTyping(false);
                        }}
                        onChange={(event) => {
                            engine.drafts.inUse.add(room.roomId);
                            caret.current = null; // it is where one writes
                            setText(event.target.value, { selected: selected.current, caret: event.target.selectionEnd }, (event.nativeEvent as InputEvent).inputType);
                            selected.current = null;
                            tellTyping(event.target.value !== "");
                        }}
                        onKeyDown={onKeyDown}
                        onCopy={onCopy}
                        onCut={onCopy}
                        onDragStart={(event) => {
                            const { selectionStart: from, selectionEnd: to } = event.currentTarget;
                            if (translating) return event.preventDefault();
                            const dragged = drafts.labelIn(room.roomId, { from, to });
                            if (dragged) carry(event.dataTransfer, dragged);
                        }}
                        onDrop={(event) => {
                            carried.current = carriedBy(event.dataTransfer);
                        }}
                        onPaste={(event) => {
                            carried.current = carriedBy(event.clipboardData);
                            const files = [...event.clipboardData.files];
                            if (files.length === 0) return;
                            event.preventDefault();
                            onFiles(files);
                        }}
                    />
                    {isAi && text !== "" && <AiTag />}
                </div>
                {!editing && <DraftTranslate room={room} />}
                <IconButton label={editing ? t("common.save") : t("chat.send")} className="primary" disabled={translating !== null || text.trim() === ""} onClick={send}>
                    <SendHorizontal size={20} />
                </IconButton>
            </div>
        </div>
    );
}
