import { useEffect, useState, type FormEvent } from "react";
import { forgetFragment, mount, takeFragment } from "@/entries/mount";
import { deviceName, greetAccount, serverInfo, setupCheck } from "@/features/identity/api";
import { useLocalpart } from "@/features/identity/useLocalpart";
import { deviceTimeZone, useLanguages } from "@/i18n";
import { errcodeOf } from "@/lib/errors";
import { request } from "@/lib/http";
import { hostOf, isLoopback } from "@/lib/loopback";
import { enterSession, sessionOf } from "@/session/sessions";
import { EntryPage } from "@/ui/EntryPage";
import { ErrorNotice, Field, SkeletonRows } from "@/ui/parts";
import { TimeZoneField } from "@/ui/TimeZoneField";

const token = takeFragment();

/** Without a link, or by one that is not good (any more), there is nothing to fill in: the server waits for its link, or has its account. */
type State = "checking" | "unchecked" | "ready" | "busy" | "waiting" | "done";
const isBadLink = (error: unknown) => error !== null && errcodeOf(error) === "IM.LINGXI.BAD_SETUP_TOKEN";

function SetupPage() {
    const { i18n } = useLanguages();
    const { t } = i18n;
    const [server, setServer] = useState("");
    const [fixed, setFixed] = useState(false);
    const [name, setName] = useState("");
    const [localpart, setLocalpart] = useLocalpart(name);
    const [password, setPassword] = useState("");
    const [room, setRoom] = useState<string | null>(null);
    const [zone, setZone] = useState(deviceTimeZone);
    const [state, setState] = useState<State>("checking");
    const [turn, setTurn] = useState(0);
    const [error, setError] = useState<unknown>(null);

    useEffect(() => {
        document.title = `${t("setup.title")} · ${t("app.name")}`;
    }, [t]);
    useEffect(() => {
        const load = async () => {
            try {
                if (token) {
                    const answer = await setupCheck(token);
                    setServer(answer.server_name);
                    setFixed(answer.server_name_fixed);
                    return setState("ready");
                }
            } catch (failure) {
                if (!isBadLink(failure)) throw failure;
                forgetFragment();
                setError(failure);
            }
            setState((await serverInfo()).setup_needed ? "waiting" : "done");
        };
        load().catch((failure: unknown) => {
            setError(failure);
            setState("unchecked");
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
            const answer = await request<Parameters<typeof sessionOf>[0] & { room_id: string | null }>("POST", "/_lingxi/client/v1/setup", {
                token,
                server_name: server.trim(),
                localpart: localpart.trim(),
                password,
                display_name: name.trim(),
                room_name: (room ?? t("setup.room_default")).trim(),
                language: i18n.language,
                time_zone: zone,
                initial_device_display_name: deviceName(),
            });
            const session = sessionOf(answer);
            enterSession(session);
            forgetFragment();
            await greetAccount(session, "", i18n.language, zone);
            location.replace(answer.room_id ? `/#/chat/${encodeURIComponent(answer.room_id)}` : "/#/");
        } catch (failure) {
            if (isBadLink(failure)) return again();
            setError(failure);
            setState("ready");
        }
    };

    const words = error !== null && errcodeOf(error) === "IM.LINGXI.BAD_SERVER_NAME" ? t("setup.bad_server") : undefined;
    const serverHint = fixed ? t("setup.server_fixed") : isLoopback(hostOf(server)) ? <span className="notice warn">{t("setup.server_loopback", server)}</span> : t("setup.server_hint");
    return (
        <EntryPage>
            <h1>{t("setup.title")}</h1>
            {state !== "waiting" && state !== "done" && <p className="quiet">{t("setup.intro")}</p>}
            {state === "checking" ? (
                <SkeletonRows count={4} />
            ) : state === "waiting" ? (
                <div style={{ marginTop: 16 }}>{error === null ? <p className="notice">{t("setup.waiting")}</p> : <ErrorNotice error={error} words={t("setup.bad_token")} />}</div>
            ) : state === "done" ? (
                <div style={{ marginTop: 16 }}>
                    {error === null ? <p className="notice">{t("setup.done")}</p> : <ErrorNotice error={error} words={t("setup.done")} />}
                    <a className="button wide" href="/" style={{ marginTop: 16 }}>
                        {t("login.title")}
                    </a>
                </div>
            ) : state === "unchecked" ? (
                <div style={{ marginTop: 16 }}>
                    <ErrorNotice error={error} onRetry={again} />
                </div>
            ) : (
                <form className="stack" onSubmit={(event) => void submit(event)}>
                    <Field label={t("setup.server")} hint={serverHint} value={server} readOnly={fixed} autoFocus={!fixed} required spellCheck={false} autoCapitalize="none" onChange={(event) => setServer(event.target.value)} />
                    <Field label={t("setup.name")} value={name} autoFocus={fixed} required autoComplete="name" onChange={(event) => setName(event.target.value)} />
                    <Field label={t("setup.localpart")} hint={localpart && server ? `@${localpart}:${server}` : t("setup.localpart_hint")} value={localpart} required pattern="[a-z0-9._=\/+\-]+" autoCapitalize="none" spellCheck={false} autoComplete="username" onChange={(event) => setLocalpart(event.target.value)} />
                    <Field label={t("setup.password")} hint={t("setup.password_hint")} type="password" value={password} required minLength={8} autoComplete="new-password" onChange={(event) => setPassword(event.target.value)} />
                    <TimeZoneField automatic={false} value={zone} onChange={setZone} />
                    <Field label={t("setup.room")} hint={t("setup.room_hint")} value={room ?? t("setup.room_default")} onChange={(event) => setRoom(event.target.value)} />
                    {error !== null && <ErrorNotice error={error} {...(words ? { words } : {})} />}
                    <button className="button primary wide" disabled={state === "busy"}>
                        {t("setup.submit")}
                    </button>
                </form>
            )}
        </EntryPage>
    );
}

mount(<SetupPage />);
