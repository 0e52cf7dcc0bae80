import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Media } from "@/features/chat/engine/media";
import type { Transport } from "@/session/transport";

const mebibyte = 1024 * 1024;
const living = new Set<string>();
let made = 0;

beforeEach(() => {
    living.clear();
    vi.spyOn(URL, "createObjectURL").mockImplementation(() => {
        made += 1;
        living.add(`blob:${made}`);
        return `blob:${made}`;
    });
    vi.spyOn(URL, "revokeObjectURL").mockImplementation((url) => void living.delete(url));
});
afterEach(() => vi.restoreAllMocks());

/** Every picture has 40 MiB, so that two of them are more than may be kept. */
function pictures(): { media: Media; answer(): void } {
    const waiting: (() => void)[] = [];
    const response = { ok: true, blob: async () => ({ size: 40 * mebibyte, type: "image/png" }) };
    const fetch = () => new Promise((resolve) => waiting.push(() => resolve(response)));
    return {
        media: new Media({ fetch } as unknown as Transport),
        answer: () => waiting.splice(0).forEach((go) => go()),
    };
}

describe("pictures in memory", () => {
    it("lets the ones that nobody shows go as soon as another is held", async () => {
        const { media, answer } = pictures();
        const first = media.hold("mxc://a/1", null);
        answer();
        const url = await first;
        media.release("mxc://a/1", null);
        expect(living).toContain(url);
        const second = media.hold("mxc://a/2", null);
        answer();
        const next = await second;
        expect([...living]).toEqual([next]);
    });
    it("keeps what is shown, over the limit too, and each that was asked for at once", async () => {
        const { media, answer } = pictures();
        const held = ["mxc://a/1", "mxc://a/2", "mxc://a/2", "mxc://a/3"].map((mxc) => media.hold(mxc, null));
        answer();
        const urls = await Promise.all(held);
        expect([...living].sort()).toEqual([...new Set(urls)].sort());
        media.release("mxc://a/2", null);
        expect(living).toContain(urls[1]);
        media.release("mxc://a/2", null);
        expect(living).not.toContain(urls[1]);
    });
    it("leaves nothing when the session ends, not what was still on its way either", async () => {
        const { media, answer } = pictures();
        const here = media.hold("mxc://a/1", null);
        answer();
        await here;
        const onItsWay = media.hold("mxc://a/2", null);
        media.dispose();
        expect(living.size).toBe(0);
        answer();
        await expect(onItsWay).rejects.toThrow();
        expect(living.size).toBe(0);
        media.release("mxc://a/1", null);
        expect(media.peek("mxc://a/1", null)).toBeNull();
    });
});
