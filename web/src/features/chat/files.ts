import type { Engine } from "@/features/chat/engine/engine";

async function measure(file: Blob): Promise<{ w: number; h: number } | null> {
    try {
        const bitmap = await createImageBitmap(file);
        const size = { w: bitmap.width, h: bitmap.height };
        bitmap.close();
        return size;
    } catch {
        return null; // no picture that this browser can read: goes as a file
    }
}

/** Hands a file to the outbox; pictures with their size, so that nobody's chat jumps when they load. */
export async function sendFile(engine: Engine, roomId: string, file: File): Promise<void> {
    const type = file.type || "application/octet-stream";
    const size = type.startsWith("image/") && type !== "image/svg+xml" ? await measure(file) : null;
    const msgtype = size ? "m.image" : type.startsWith("video/") ? "m.video" : type.startsWith("audio/") ? "m.audio" : "m.file";
    engine.send(
        roomId,
        { msgtype, body: file.name, filename: file.name, info: { mimetype: type, size: file.size, ...(size ?? {}) } },
        { blob: file, name: file.name, type, mxc: null },
    );
}
