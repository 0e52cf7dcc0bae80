import { Download, FileText, ImageOff } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { useEngine } from "@/features/chat/engine/context";
import { text } from "@/features/chat/engine/content";
import { hasNoThumbnail, parseMxc, usePicture } from "@/features/chat/engine/media";
import type { OutgoingFile } from "@/features/chat/engine/outbox";
import { useI18n } from "@/i18n";
import { saveBlob } from "@/lib/clipboard";
import { errorWords } from "@/lib/errors";
import { useDrawable } from "@/lib/hooks";
import { Dialog } from "@/ui/parts";
import { toast } from "@/ui/toast";

const widest_px = 280;
const tallest_px = 340;

function dimension(value: unknown): number | null {
    return typeof value === "number" && Number.isFinite(value) && value > 0 && value < 100_000 ? value : null;
}

/** How large a picture stands in the chat: known before it is loaded, so that nothing jumps. */
export function pictureBox(info: unknown): { width: number; height: number } {
    const { w, h } = (info ?? {}) as { w?: unknown; h?: unknown };
    const width = dimension(w) ?? 240;
    const height = dimension(h) ?? 180;
    const scale = Math.min(1, widest_px / width, tallest_px / height);
    return { width: Math.max(72, Math.round(width * scale)), height: Math.max(56, Math.round(height * scale)) };
}

export function useObjectUrl(blob: Blob | null): string | null {
    const [url, setUrl] = useState<string | null>(null);
    useEffect(() => {
        if (!blob) return undefined;
        const made = URL.createObjectURL(blob);
        setUrl(made);
        return () => URL.revokeObjectURL(made);
    }, [blob]);
    return url;
}

export function PictureMessage({ content, sender }: { content: Record<string, unknown>; sender: string }) {
    const { t } = useI18n();
    const mxc = text(content["url"]);
    const box = useMemo(() => pictureBox(content["info"]), [content]);
    const [open, setOpen] = useState(false);
    const thumbnail = usePicture(parseMxc(mxc) ? mxc : null, { width: widest_px, height: tallest_px });
    // No thumbnail yet: the picture itself. Not of a damaged one, of which browsers draw nothing and report no error.
    const { mimetype } = (content["info"] ?? {}) as { mimetype?: unknown };
    const needsWhole = thumbnail.state === "failed" || (thumbnail.state === "refused" && hasNoThumbnail(mimetype));
    const whole = usePicture(needsWhole ? mxc : null, null);
    const drawable = useDrawable(thumbnail.url ?? whole.url);
    const failed = needsWhole && (whole.state === "failed" || whole.state === "refused");
    const unshowable = thumbnail.state === "none" || (thumbnail.state === "refused" && !needsWhole) || drawable.broken;
    if (failed || unshowable) return <FileMessage content={content} note={t(unshowable ? "chat.image_unshowable" : "chat.image_failed")} height={box.height} />;
    return (
        <>
            <button type="button" className="picture" style={box} aria-label={`${t("chat.image_from", sender)} · ${t("chat.open_image")}`} onClick={() => setOpen(true)}>
                {drawable.url ? <img src={drawable.url} alt={text(content["body"])} width={box.width} height={box.height} draggable={false} onError={drawable.onError} /> : <span className="skeleton" />}
            </button>
            {open && <PictureDialog mxc={mxc} name={text(content["body"])} sender={sender} preview={drawable.url} onClose={() => setOpen(false)} />}
        </>
    );
}

function PictureDialog({ mxc, name, sender, preview, onClose }: { mxc: string; name: string; sender: string; preview: string | null; onClose(): void }) {
    const { t } = useI18n();
    const picture = usePicture(mxc, null);
    const drawable = useDrawable(picture.url ?? preview);
    const { save, busy } = useDownload(mxc, name);
    return (
        <Dialog title={t("chat.image_from", sender)} wide className="picture-dialog" onClose={onClose}>
            {drawable.url ? <img className="picture-whole" src={drawable.url} alt={name} onError={drawable.onError} /> : picture.state === "loading" ? <span className="skeleton picture-waits" /> : <p>{t("chat.image_failed")}</p>}
            <div className="dialog-actions">
                <button type="button" className="button" disabled={busy} onClick={save}>
                    <Download size={18} aria-hidden="true" /> {t("chat.download")}
                </button>
            </div>
        </Dialog>
    );
}

function useDownload(mxc: string, name: string): { save(): void; busy: boolean } {
    const { media } = useEngine();
    const i18n = useI18n();
    const [busy, setBusy] = useState(false);
    const save = () => {
        setBusy(true);
        media
            .download(mxc)
            .then((blob) => saveBlob(blob, name || "file"))
            .catch((error: unknown) => toast(errorWords(error, i18n)))
            .finally(() => setBusy(false));
    };
    return { save, busy };
}

/** `note`: why what was sent as a picture stands here as a file, as high as the picture would be. */
export function FileMessage({ content, note, height }: { content: Record<string, unknown>; note?: string; height?: number }) {
    const { t, formats } = useI18n();
    const name = text(content["filename"]) || text(content["body"]) || t("chat.file");
    const size = (content["info"] as { size?: unknown } | undefined)?.size;
    const { save, busy } = useDownload(text(content["url"]), name);
    return (
        <button type="button" className="file" style={{ minHeight: height }} onClick={save} disabled={busy}>
            {note ? <ImageOff size={28} aria-hidden="true" /> : <FileText size={28} aria-hidden="true" />}
            <span className="grow">
                <span className="file-name">{name}</span>
                {note && <span className="small file-size">{note}</span>}
                <span className="small file-size">{typeof size === "number" ? formats.bytes(size) : t("chat.file")}</span>
            </span>
            <Download size={18} aria-hidden="true" />
            <span className="visually-hidden">{t("chat.download")}</span>
        </button>
    );
}

/** A picture or file on its way out. */
export function OutgoingAttachment({ file, content, progress }: { file: OutgoingFile; content: Record<string, unknown>; progress: number | null }) {
    const { t, formats } = useI18n();
    const isPicture = content["msgtype"] === "m.image";
    const url = useObjectUrl(isPicture ? file.blob : null);
    const percent = progress === null ? null : Math.round(progress * 100);
    return (
        <div>
            {isPicture ? (
                <div className="picture" style={pictureBox(content["info"])}>
                    {url && <img src={url} alt={file.name} draggable={false} />}
                </div>
            ) : (
                <div className="file">
                    <FileText size={28} aria-hidden="true" />
                    <span className="grow">
                        <span className="file-name">{file.name}</span>
                        <span className="small file-size">{formats.bytes(file.blob.size)}</span>
                    </span>
                </div>
            )}
            {percent !== null && (
                <progress className="upload" value={percent} max={100} aria-label={t("chat.uploading", percent)}>
                    {percent}
                </progress>
            )}
        </div>
    );
}
