import { request } from "@/lib/http";
import { ApiError, NetworkError } from "@/lib/errors";
import { readSession, writeSession, type Session } from "@/session/sessions";

const refreshEarlyMs = 30_000;

/**
 * Every authenticated request of a tab: adds the token, renews it in time or when the server asks, once for
 * all tabs. The SDK is given `fetch`, so that its requests go this way too.
 */
export class Transport {
    private refreshing: Promise<boolean> | null = null;
    private ended = false;

    constructor(
        private session: Session,
        private readonly onEnded: () => void,
    ) {}

    get userId(): string {
        return this.session.userId;
    }
    get accessToken(): string {
        return this.session.accessToken;
    }

    readonly fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
        await this.ensureFresh();
        const used = this.session.accessToken;
        const response = await this.send(input, init, used);
        if (response.status !== 401 || this.ended) return response;
        const answer = (await response.clone().json().catch(() => ({}))) as { errcode?: string };
        // A user-interactive challenge is a 401 too; it has no such errcode.
        if (answer.errcode !== "M_UNKNOWN_TOKEN" && answer.errcode !== "M_MISSING_TOKEN") return response;
        if (this.session.accessToken === used && !(await this.refresh(used))) return response;
        return this.send(input, init, this.session.accessToken);
    };

    /** The token to use now, for requests that cannot go through `fetch` (uploads with progress). */
    async freshToken(): Promise<string> {
        await this.ensureFresh();
        return this.session.accessToken;
    }

    private async send(input: RequestInfo | URL, init: RequestInit, token: string): Promise<Response> {
        const headers = new Headers(init.headers);
        headers.set("Authorization", `Bearer ${token}`);
        try {
            return await fetch(input, { ...init, headers });
        } catch (error) {
            if (error instanceof DOMException) throw error;
            throw new NetworkError("the server cannot be reached");
        }
    }

    private async ensureFresh(): Promise<void> {
        const { expiresAtMs, refreshToken, accessToken } = this.session;
        if (refreshToken && expiresAtMs !== null && expiresAtMs - Date.now() < refreshEarlyMs) await this.refresh(accessToken);
    }

    private refresh(stale: string): Promise<boolean> {
        this.refreshing ??= this.renew(stale).finally(() => {
            this.refreshing = null;
        });
        return this.refreshing;
    }

    /** One tab renews; the others find the new token in the storage. Without locks (plain http) a lost race is seen there too. */
    private async renew(stale: string): Promise<boolean> {
        const turn = async (): Promise<boolean> => {
            const stored = readSession(this.session.userId);
            if (stored && stored.accessToken !== stale) {
                this.session = stored;
                return true;
            }
            const refreshToken = this.session.refreshToken;
            if (!refreshToken) return this.end();
            try {
                const answer = await request<{ access_token: string; refresh_token?: string; expires_in_ms?: number }>(
                    "POST",
                    "/_matrix/client/v3/refresh",
                    { refresh_token: refreshToken },
                );
                this.session = {
                    ...this.session,
                    accessToken: answer.access_token,
                    refreshToken: answer.refresh_token ?? refreshToken,
                    expiresAtMs: answer.expires_in_ms === undefined ? null : Date.now() + answer.expires_in_ms,
                };
                writeSession(this.session);
                return true;
            } catch (error) {
                const again = readSession(this.session.userId);
                if (again && again.accessToken !== stale) {
                    this.session = again;
                    return true;
                }
                if (error instanceof ApiError && (error.status === 401 || error.status === 403)) return this.end();
                return false; // unreachable: the token may still be good later
            }
        };
        if (!("locks" in navigator)) return turn();
        return navigator.locks.request(`lingxi.refresh.${this.session.userId}`, turn);
    }

    private end(): boolean {
        if (!this.ended) {
            this.ended = true;
            this.onEnded();
        }
        return false;
    }
}
