import { beforeEach, describe, expect, it, vi } from "vitest";
import { readSession, writeSession, type Session } from "@/session/sessions";
import { Transport } from "@/session/transport";

const session: Session = { userId: "@me:s", deviceId: "D", accessToken: "old", refreshToken: "r1", expiresAtMs: null };
const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });

/** A server whose tokens are good as long as they are in `good`. */
function stubServer(good: Set<string>, refresh: (token: string) => Response) {
    const calls: string[] = [];
    vi.stubGlobal("fetch", async (input: string, init: RequestInit) => {
        const path = String(input);
        if (path.endsWith("/refresh")) {
            calls.push("refresh");
            return refresh((JSON.parse(String(init.body)) as { refresh_token: string }).refresh_token);
        }
        const token = new Headers(init.headers).get("Authorization")?.slice(7) ?? "";
        calls.push(token);
        return good.has(token) ? json(200, { token }) : json(401, { errcode: "M_UNKNOWN_TOKEN", error: "", soft_logout: true });
    });
    return calls;
}

describe("transport", () => {
    beforeEach(() => {
        const values = new Map<string, string>();
        const storage = { getItem: (key: string) => values.get(key) ?? null, setItem: (key: string, value: string) => void values.set(key, value), removeItem: (key: string) => void values.delete(key) };
        vi.stubGlobal("localStorage", storage);
        vi.stubGlobal("sessionStorage", storage);
        vi.stubGlobal("navigator", {});
        writeSession(session);
    });

    it("renews a spent token once for all requests under way, and repeats them", async () => {
        const good = new Set(["new"]);
        const calls = stubServer(good, () => json(200, { access_token: "new", refresh_token: "r2", expires_in_ms: 60_000 }));
        const ended = vi.fn();
        const transport = new Transport(session, ended);
        const answers = await Promise.all([transport.fetch("/a"), transport.fetch("/b"), transport.fetch("/c")]);
        expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
        expect(calls.filter((call) => call === "refresh")).toHaveLength(1);
        expect(readSession("@me:s")).toMatchObject({ accessToken: "new", refreshToken: "r2" });
        expect(ended).not.toHaveBeenCalled();
    });
    it("takes the token that another tab renewed", async () => {
        const calls = stubServer(new Set(["theirs"]), () => json(403, { errcode: "M_FORBIDDEN" }));
        const transport = new Transport(session, vi.fn());
        writeSession({ ...session, accessToken: "theirs", refreshToken: "r2" });
        expect((await transport.fetch("/a")).status).toBe(200);
        expect(calls).toEqual(["old", "theirs"]);
    });
    it("renews before the end where the end is known", async () => {
        const calls = stubServer(new Set(["old", "new"]), () => json(200, { access_token: "new" }));
        const transport = new Transport({ ...session, expiresAtMs: Date.now() + 1000 }, vi.fn());
        await transport.fetch("/a");
        expect(calls).toEqual(["refresh", "new"]);
    });
    it("ends the session when it cannot be renewed, once", async () => {
        stubServer(new Set(), () => json(401, { errcode: "M_UNKNOWN_TOKEN" }));
        const ended = vi.fn();
        const transport = new Transport(session, ended);
        await Promise.all([transport.fetch("/a"), transport.fetch("/b")]);
        await transport.fetch("/c");
        expect(ended).toHaveBeenCalledTimes(1);
    });
    it("does not end it because the server is away or asks for a password", async () => {
        const ended = vi.fn();
        stubServer(new Set(), () => json(503, { errcode: "M_UNKNOWN" }));
        await new Transport(session, ended).fetch("/a");
        vi.stubGlobal("fetch", async () => json(401, { session: "s", flows: [] }));
        expect((await new Transport(session, ended).fetch("/a")).status).toBe(401);
        expect(ended).not.toHaveBeenCalled();
    });
});
