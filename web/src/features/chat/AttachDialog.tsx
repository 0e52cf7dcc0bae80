import { FileText } from "lucide-react";
import type { Room } from "matrix-js-sdk";
import { useState } from "react";
import { useEngine } from "@/features/chat/engine/context";
import { sendFile } from "@/features/chat/files";
import { useObjectUrl } from "@/features/chat/parts/Attachment";
import { useI18n } from "@/i18n";
import { useLoaded } from "@/lib/hooks";
import { Dialog } from "@/ui/parts";

function Preview({ file }: { file: File }) {
    const { formats } = useI18n();
    const url = useObjectUrl(/^image\/(png|jpeg|gif|webp|avif)$/.test(file.type) ? file : null);
    return (
        <figure className="attach-preview">
            {url ? <img src={url} alt={file.name} /> : <FileText size={36} aria-hidden="true" />}
            <figcaption className="small quiet nowrap">
                {file.name} · {formats.bytes(file.size)}
            </figcaption>
        </figure>
    );
}

/** What was picked, pasted or dropped, before it goes out. */
export function AttachDialog({ room, files, onClose, onSent }: { room: Room; files: File[]; onClose(): void; onSent(): void }) {
    const engine = useEngine();
    const { t, formats } = useI18n();
    const [busy, setBusy] = useState(false);
    const config = useLoaded("media-config", () => engine.client.getMediaConfig(true));
    const limit = config.state === "ready" ? (config.value["m.upload.size"] ?? null) : null;
    const tooLarge = limit !== null && files.some((file) => file.size > limit);
    const send = async () => {
        setBusy(true);
        for (const file of files) await sendFile(engine, room.roomId, file);
        onClose();
        onSent();
    };
    const title = files.every((file) => file.type.startsWith("image/")) && files.length === 1 ? t("chat.image_preview") : t("chat.attach");
    return (
        <Dialog title={title} onClose={onClose}>
            <div className="attach-list">
                {files.slice(0, 12).map((file, index) => (
                    <Preview key={index} file={file} />
                ))}
            </div>
            {tooLarge && (
                <p className="notice error" role="alert">
                    {t("chat.too_large", formats.bytes(limit ?? 0))}
                </p>
            )}
            <div className="dialog-actions">
                <button type="button" className="button" onClick={onClose}>
                    {t("common.cancel")}
                </button>
                <button type="button" className="button primary" disabled={busy || tooLarge} onClick={() => void send()} autoFocus>
                    {t("chat.preview_send", files.length)}
                </button>
            </div>
        </Dialog>
    );
}
