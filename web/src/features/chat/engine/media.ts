import { useEffect, useState } from "react";
import { useEngine } from "@/features/chat/engine/context";
import { errorOf } from "@/lib/http";
import { ApiError, NetworkError } from "@/lib/errors";
import type { Transport } from "@/session/transport";

const budget_bytes = 64 * 1024 * 1024;
const budget_entries = 300;
const shownTypes = /^image\/(png|jpeg|gif|webp|avif|bmp)$/;

export interface Size {
    width: number;
    height: number;
    crop?: boolean;
}

interface Entry {
    url: string;
    bytes: number;
    users: number;
}

const signedOut = (): ApiError => new ApiError(410, "IM.LINGXI.SIGNED_OUT", "the account was signed out");

/** `mxc://server/id` in parts; nothing where it is none. */
export function parseMxc(mxc: string | null | undefined): { server: string; id: string } | null {
    const match = /^mxc:\/\/([^/?#]+)\/([A-Za-z0-9_-]+)$/.exec(mxc ?? "");
    return match?.[1] && match[2] ? { server: match[1], id: match[2] } : null;
}

/**
 * Pictures and files need the token in a header, which an <img> cannot send: they are fetched and shown from
 * memory, at most 64 MiB of it, what was used longest ago going first.
 */
export class Media {
    private readonly entries = new Map<string, Entry>();
    /** What is on its way, and how many wait to hold it. */
    private readonly loading = new Map<string, { entry: Promise<Entry>; users: number }>();
    private total_bytes = 0;
    private disposed = false;

    constructor(private readonly transport: Transport) {}

    private path(mxc: string, size: Size | null): string | null {
        const parts = parseMxc(mxc);
        if (!parts) return null;
        const name = `${encodeURIComponent(parts.server)}/${encodeURIComponent(parts.id)}`;
        if (!size) return `/_matrix/client/v1/media/download/${name}`;
        const ratio = Math.min(window.devicePixelRatio || 1, 2);
        const width = Math.ceil(size.width * ratio);
        const height = Math.ceil(size.height * ratio);
        return `/_matrix/client/v1/media/thumbnail/${name}?width=${width}&height=${height}&method=${size.crop ? "crop" : "scale"}&animated=false`;
    }

    async download(mxc: string): Promise<Blob> {
        const path = this.path(mxc, null);
        if (!path) throw new ApiError(404, "M_NOT_FOUND", "no such file");
        const response = await this.transport.fetch(path);
        if (!response.ok) throw await errorOf(response);
        return response.blob();
    }

    peek(mxc: string, size: Size | null): string | null {
        const path = this.path(mxc, size);
        return path ? (this.entries.get(path)?.url ?? null) : null;
    }

    /** Loads and holds; each `hold` is followed by one `release` of the same. */
    async hold(mxc: string, size: Size | null): Promise<string> {
        const path = this.path(mxc, size);
        if (!path) throw new ApiError(404, "M_NOT_FOUND", "no such picture");
        const known = this.entries.get(path);
        if (known) known.users += 1;
        const entry = known ?? (await this.load(path));
        if (this.disposed) throw signedOut();
        this.entries.delete(path);
        this.entries.set(path, entry); // newest last
        this.trim(); // what was only ever held is never released: the limits hold here too
        return entry.url;
    }

    release(mxc: string, size: Size | null): void {
        const path = this.path(mxc, size);
        const entry = path ? this.entries.get(path) : undefined;
        if (entry) entry.users -= 1;
        this.trim();
    }

    /** Already held by each who asks for it: one that nobody held yet might be let go in between. */
    private load(path: string): Promise<Entry> {
        const loading = this.loading.get(path);
        if (loading) {
            loading.users += 1;
            return loading.entry;
        }
        const entry = this.fetchEntry(path);
        this.loading.set(path, { entry, users: 1 });
        return entry;
    }

    private async fetchEntry(path: string): Promise<Entry> {
        try {
            const response = await this.transport.fetch(path);
            if (!response.ok) throw await errorOf(response);
            const blob = await response.blob();
            if (!shownTypes.test(blob.type)) throw new ApiError(415, "IM.LINGXI.NO_PICTURE", "not a picture");
            if (this.disposed) throw signedOut();
            const entry: Entry = { url: URL.createObjectURL(blob), bytes: blob.size, users: this.loading.get(path)?.users ?? 1 };
            this.entries.set(path, entry);
            this.total_bytes += blob.size;
            return entry;
        } finally {
            this.loading.delete(path);
        }
    }

    /** Nothing of the account's pictures outlives its session in this tab, not what is still on its way either. */
    dispose(): void {
        this.disposed = true;
        for (const entry of this.entries.values()) URL.revokeObjectURL(entry.url);
        this.entries.clear();
        this.total_bytes = 0;
    }

    private trim(): void {
        for (const [path, entry] of this.entries) {
            if (this.total_bytes <= budget_bytes && this.entries.size <= budget_entries) return;
            if (entry.users > 0) continue;
            URL.revokeObjectURL(entry.url);
            this.entries.delete(path);
            this.total_bytes -= entry.bytes;
        }
    }

    /** Uploads with progress, which `fetch` cannot tell. */
    async upload(blob: Blob, name: string, type: string, onProgress: (share: number) => void): Promise<string> {
        const token = await this.transport.freshToken();
        return new Promise((resolve, reject) => {
            const upload = new XMLHttpRequest();
            upload.open("POST", `/_matrix/media/v3/upload?filename=${encodeURIComponent(name)}`);
            upload.setRequestHeader("Authorization", `Bearer ${token}`);
            upload.setRequestHeader("Content-Type", type || "application/octet-stream");
            upload.responseType = "text";
            upload.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
            upload.onerror = () => reject(new NetworkError("the upload broke off"));
            upload.onload = () => {
                let body: { content_uri?: string; errcode?: string; error?: string } = {};
                try {
                    body = JSON.parse(upload.responseText) as typeof body;
                } catch {
                    // Not ours: the status decides.
                }
                if (upload.status === 200 && body.content_uri) resolve(body.content_uri);
                else reject(new ApiError(upload.status, body.errcode ?? `HTTP_${upload.status}`, body.error ?? "the upload failed", body));
            };
            upload.send(blob);
        });
    }
}

export type Picture = { state: "none" | "loading" | "failed" | "refused"; url: null } | { state: "ready"; url: string };

/** The server answers so where there can never be a thumbnail: what is there is no picture, or a damaged one. */
const isRefused = (error: unknown): boolean => error instanceof ApiError && error.status === 400;

/** Browsers show it, and the server makes no thumbnail of it. */
export const hasNoThumbnail = (mimetype: unknown): boolean => mimetype === "image/bmp";

/** A picture for as long as the component shows it. */
export function usePicture(mxc: string | null | undefined, size: Size | null): Picture {
    const { media } = useEngine();
    const [picture, setPicture] = useState<Picture>(() => {
        const url = mxc ? media.peek(mxc, size) : null;
        return url ? { state: "ready", url } : { state: mxc ? "loading" : "none", url: null };
    });
    const width = size?.width;
    const height = size?.height;
    const crop = size?.crop;
    useEffect(() => {
        if (!mxc) {
            setPicture({ state: "none", url: null });
            return undefined;
        }
        const wanted: Size | null = width !== undefined && height !== undefined ? { width, height, ...(crop ? { crop } : {}) } : null;
        let gone = false;
        let held = false;
        media.hold(mxc, wanted).then(
            (url) => {
                held = true;
                if (gone) media.release(mxc, wanted);
                else setPicture({ state: "ready", url });
            },
            (error: unknown) => !gone && setPicture({ state: isRefused(error) ? "refused" : "failed", url: null }),
        );
        return () => {
            gone = true;
            if (held) media.release(mxc, wanted);
        };
    }, [media, mxc, width, height, crop]);
    return picture;
}
