import { useEffect, useState, type FormEvent } from "react";
import { forgetFragment, mount, takeFragment } from "@/entries/mount";
import { greetAccount, invitationPreview, register, serverInfo, type InvitationPreview } from "@/features/identity/api";
import { useLocalpart } from "@/features/identity/useLocalpart";
import { deviceTimeZone, useLanguages } from "@/i18n";
import { ApiError, errcodeOf } from "@/lib/errors";
import { enterSession } from "@/session/sessions";
import { Avatar } from "@/ui/Avatar";
import { EntryPage } from "@/ui/EntryPage";
import { ErrorNotice, Field, SkeletonRows } from "@/ui/parts";

// Without a token this is the page on which an open server's new people make their account.
const token = takeFragment() || null;

function InvitePage() {
    const { i18n } = useLanguages();
    const { t, formats } = i18n;
    const [preview, setPreview] = useState<InvitationPreview | null>(null);
    const [name, setName] = useState("");
    const [localpart, setLocalpart] = useLocalpart(name);
    const [password, setPassword] = useState("");
    const [turn, setTurn] = useState(0);
    const [state, setState] = useState<"checking" | "unchecked" | "ready" | "busy" | "invalid" | "closed">("checking");
    const [error, setError] = useState<unknown>(null);

    useEffect(() => {
        document.title = `${t("invite.submit")} · ${t("app.name")}`;
    }, [t]);
    useEffect(() => {
        const load = async () => {
            if (token === null) {
                const info = await serverInfo();
                setPreview({ valid: true, server_name: info.server_name ?? "", inviter: null, rooms: [], expires_at_ms: null });
                setState(info.registration === "open" ? "ready" : info.registration === "closed" ? "closed" : "invalid");
                return;
            }
            const answer = await invitationPreview(token);
            setPreview(answer);
            setState(answer.valid ? "ready" : "invalid");
        };
        load().catch((failure: unknown) => {
            setError(failure);
            setState(failure instanceof ApiError && (failure.status === 404 || failure.status === 403) ? "invalid" : "unchecked");
        });
    }, [turn]);
    const again = () => {
        setError(null);
        setState("checking");
        setTurn(turn + 1);
    };

    const submit = async (event: FormEvent) => {
        event.preventDefault();
        setState("busy");
        setError(null);
        try {
            const session = await register({ username: localpart.trim(), password, token });
            enterSession(session);
            forgetFragment();
            await greetAccount(session, name.trim(), i18n.language, deviceTimeZone());
            const room = preview?.rooms[0]?.room_id;
            location.replace(room ? `/#/chat/${encodeURIComponent(room)}` : "/#/");
        } catch (failure) {
            setError(failure);
            setState("ready");
        }
    };

    const inviter = preview?.inviter ?? null;
    const inviterName = inviter ? inviter.display_name || inviter.user_id : "";
    const refused = ["M_UNAUTHORIZED", "M_FORBIDDEN"].includes(error === null ? "" : errcodeOf(error));
    return (
        <EntryPage>
            {state === "checking" ? (
                <>
                    <h1>{t("invite.submit")}</h1>
                    <SkeletonRows count={4} />
                </>
            ) : state === "unchecked" ? (
                <>
                    <h1>{t("invite.submit")}</h1>
                    <div style={{ marginTop: 12 }}>
                        <ErrorNotice error={error} onRetry={again} />
                    </div>
                </>
            ) : state === "invalid" || state === "closed" ? (
                <>
                    <h1>{t("invite.submit")}</h1>
                    <p className="notice warn" role="alert" style={{ marginTop: 12 }}>
                        {t(state === "closed" ? "invite.closed" : "invite.invalid")}
                    </p>
                </>
            ) : (
                <>
                    <div className="row">
                        {inviter && <Avatar id={inviter.user_id} name={inviterName} size={52} />}
                        <div className="grow">
                            <h1 className="wrap">{inviter ? t("invite.title", inviterName) : t("login.create")}</h1>
                            {preview?.server_name && <p className="quiet wrap">{t("invite.to_server", preview.server_name)}</p>}
                        </div>
                    </div>
                    {preview && preview.rooms.length > 0 && (
                        <div style={{ marginTop: 16 }}>
                            <p className="small quiet">{t("invite.rooms")}</p>
                            <ul className="room-chips">
                                {preview.rooms.map((room) => (
                                    <li key={room.room_id}>{room.name || t("app.name")}</li>
                                ))}
                            </ul>
                        </div>
                    )}
                    <form className="stack" onSubmit={(event) => void submit(event)}>
                        <Field label={t("setup.name")} value={name} required autoComplete="name" onChange={(event) => setName(event.target.value)} />
                        <Field label={t("setup.localpart")} hint={localpart && preview?.server_name ? `@${localpart}:${preview.server_name}` : t("setup.localpart_hint")} value={localpart} required pattern="[a-z0-9._=\/+\-]+" autoCapitalize="none" spellCheck={false} autoComplete="username" onChange={(event) => setLocalpart(event.target.value)} />
                        <Field label={t("setup.password")} hint={t("setup.password_hint")} type="password" value={password} required minLength={8} autoComplete="new-password" onChange={(event) => setPassword(event.target.value)} />
                        {error !== null && <ErrorNotice error={error} {...(refused ? { words: t("invite.invalid") } : {})} />}
                        <button className="button primary wide" disabled={state === "busy"}>
                            {t("invite.submit")}
                        </button>
                        {preview?.expires_at_ms != null && <p className="small quiet">{t("invite.expires", formats.full(preview.expires_at_ms))}</p>}
                    </form>
                </>
            )}
            <a className="button plain wide" href="/" style={{ marginTop: 12 }}>
                {t("invite.have_account")}
            </a>
        </EntryPage>
    );
}

mount(<InvitePage />);
