import { NetworkError } from "@/lib/errors";
import { errorOf, request, type Json } from "@/lib/http";
import { sessionOf, type Session } from "@/session/sessions";

export interface ServerInfo {
    server_name: string | null;
    setup_needed: boolean;
    registration: "open" | "invitation" | "closed";
    version: string;
    public_url: string;
    max_upload_bytes: number;
}

export interface InvitationPreview {
    valid: boolean;
    server_name: string;
    inviter: { user_id: string; display_name: string | null; avatar_url: string | null } | null;
    rooms: { room_id: string; name: string }[];
    expires_at_ms: number | null;
}

const api = "/_lingxi/client/v1";

export const serverInfo = (signal?: AbortSignal) => request<ServerInfo>("GET", `${api}/server`, undefined, signal ? { signal } : {});
export const setupCheck = (token: string) => request<{ server_name: string; server_name_fixed: boolean }>("POST", `${api}/setup/check`, { token });
export const invitationPreview = (token: string) => request<InvitationPreview>("POST", `${api}/invitations/preview`, { token });
export const offerLocalpart = (name: string, signal: AbortSignal) =>
    request<{ localpart: string }>("GET", `${api}/localpart?name=${encodeURIComponent(name)}`, undefined, { signal });
export const resetCheck = (token: string) => request<{ user_id: string; display_name: string | null }>("POST", `${api}/password-reset/check`, { token });
export const resetPassword = (token: string, new_password: string) => request<{ user_id: string }>("POST", `${api}/password-reset`, { token, new_password });

type LoginAnswer = Parameters<typeof sessionOf>[0];

export function deviceName(): string {
    const agent = navigator.userAgent;
    const browser = /Edg\//.test(agent) ? "Edge" : /Firefox\//.test(agent) ? "Firefox" : /Chrome\//.test(agent) ? "Chrome" : /Safari\//.test(agent) ? "Safari" : "Browser";
    const system = /Android/.test(agent) ? "Android" : /iPhone|iPad/.test(agent) ? "iOS" : /Windows/.test(agent) ? "Windows" : /Mac OS/.test(agent) ? "macOS" : /Linux/.test(agent) ? "Linux" : "";
    return `Lingxi Web (${[browser, system].filter(Boolean).join(", ")})`;
}

export async function loginByPassword(user: string, password: string): Promise<Session> {
    const answer = await request<LoginAnswer>("POST", "/_matrix/client/v3/login", {
        type: "m.login.password",
        identifier: { type: "m.id.user", user },
        password,
        refresh_token: true,
        initial_device_display_name: deviceName(),
    });
    return sessionOf(answer);
}

export async function loginByToken(token: string): Promise<Session> {
    const answer = await request<LoginAnswer>("POST", "/_matrix/client/v3/login", {
        type: "m.login.token",
        token,
        refresh_token: true,
        initial_device_display_name: deviceName(),
    });
    return sessionOf(answer);
}

export interface Registration {
    username: string;
    password: string;
    /** The invitation; null where the server is open to all. */
    token: string | null;
}

interface Challenge {
    session?: string;
    flows?: { stages: string[] }[];
    completed?: string[];
    errcode?: string;
}

/** Registers by the stages that the server asks for, of those that a person need not see. */
export async function register({ username, password, token }: Registration): Promise<Session> {
    const body: Json = { username, password, refresh_token: true, initial_device_display_name: deviceName() };
    let auth: Json | undefined;
    const done = new Set<string>();
    for (let turn = 0; turn < 5; turn += 1) {
        const response = await fetch("/_matrix/client/v3/register", {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify(auth ? { ...body, auth } : body),
        }).catch(() => {
            throw new NetworkError("the server cannot be reached");
        });
        if (response.ok) return sessionOf((await response.json()) as LoginAnswer);
        const challenge = (await response.clone().json().catch(() => ({}))) as Challenge;
        if (response.status !== 401 || !challenge.session || !challenge.flows) throw await errorOf(response);
        if (challenge.errcode && auth) throw await errorOf(response); // the stage just tried was refused
        for (const stage of challenge.completed ?? []) done.add(stage);
        const able = challenge.flows.find((flow) => flow.stages.every((stage) => stage === "m.login.dummy" || (stage === "m.login.registration_token" && token !== null)));
        const stage = able?.stages.find((one) => !done.has(one));
        if (!stage) throw await errorOf(response);
        auth = stage === "m.login.dummy" ? { type: stage, session: challenge.session } : { type: stage, token, session: challenge.session };
        done.add(stage);
    }
    throw new Error("registration asked for too many stages");
}

/** What the person chose on the way in goes into the account, best effort: it can be set again at any time. */
export async function greetAccount(session: Session, displayName: string, language: string, timeZone: string): Promise<void> {
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${session.accessToken}` };
    const user = encodeURIComponent(session.userId);
    const put = (path: string, body: Json) => fetch(path, { method: "PUT", headers, body: JSON.stringify(body) });
    await Promise.allSettled([
        displayName ? put(`/_matrix/client/v3/profile/${user}/displayname`, { displayname: displayName }) : null,
        put(`/_matrix/client/v3/user/${user}/account_data/im.lingxi.settings`, { language, time_zone: timeZone, enter_sends: true, ai_enabled: true, auto_suggest_since_ms: {} }),
    ]);
}
