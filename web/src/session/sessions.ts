/**
 * Who is signed in. A browser may hold several accounts; each tab has its own (sessionStorage), a new tab
 * takes the last one used.
 */
export interface Session {
    userId: string;
    deviceId: string;
    accessToken: string;
    refreshToken: string | null;
    expiresAtMs: number | null;
}

const prefix = "lingxi.session.";
const lastKey = "lingxi.last_user";
const tabKey = "lingxi.user";

export function isSession(value: unknown): value is Session {
    const session = value as Partial<Session> | null;
    return !!session && typeof session.userId === "string" && typeof session.accessToken === "string" && typeof session.deviceId === "string";
}

export function readSession(userId: string): Session | null {
    try {
        const value: unknown = JSON.parse(localStorage.getItem(prefix + userId) ?? "null");
        return isSession(value) ? value : null;
    } catch {
        return null;
    }
}

export function currentSession(): Session | null {
    const own = sessionStorage.getItem(tabKey);
    if (own) return readSession(own);
    const last = localStorage.getItem(lastKey);
    const session = last ? readSession(last) : null;
    if (session) sessionStorage.setItem(tabKey, session.userId);
    return session;
}

export function writeSession(session: Session): void {
    localStorage.setItem(prefix + session.userId, JSON.stringify(session));
}

export function enterSession(session: Session): void {
    writeSession(session);
    sessionStorage.setItem(tabKey, session.userId);
    localStorage.setItem(lastKey, session.userId);
}

export function removeSession(userId: string): void {
    localStorage.removeItem(prefix + userId);
    if (localStorage.getItem(lastKey) === userId) localStorage.removeItem(lastKey);
    sessionStorage.removeItem(tabKey);
}

/** Calls back when another tab signs this account out. */
export function onSignedOutElsewhere(userId: string, callback: () => void): () => void {
    const listener = (event: StorageEvent) => {
        if (event.key === prefix + userId && event.newValue === null) callback();
    };
    window.addEventListener("storage", listener);
    return () => window.removeEventListener("storage", listener);
}

interface LoginAnswer {
    user_id: string;
    access_token: string;
    device_id: string;
    refresh_token?: string;
    expires_in_ms?: number;
}

export function sessionOf(answer: LoginAnswer): Session {
    return {
        userId: answer.user_id,
        deviceId: answer.device_id,
        accessToken: answer.access_token,
        refreshToken: answer.refresh_token ?? null,
        expiresAtMs: answer.expires_in_ms === undefined ? null : Date.now() + answer.expires_in_ms,
    };
}
