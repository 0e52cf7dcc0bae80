import { useEffect, useState, type FormEvent } from "react";
import { loginByPassword, loginByToken, serverInfo, type ServerInfo } from "@/features/identity/api";
import { useI18n } from "@/i18n";
import { errcodeOf } from "@/lib/errors";
import { enterSession, type Session } from "@/session/sessions";
import { EntryPage } from "@/ui/EntryPage";
import { ErrorNotice, Field } from "@/ui/parts";

interface Props {
    /** The secret of a one-use sign-in link, where one was opened. */
    linkToken: string | null;
    /** Why the person is here again, where a session ended. */
    ended: boolean;
    onSession(session: Session): void;
}

export function LoginPage({ linkToken, ended, onSession }: Props) {
    const { t } = useI18n();
    const [user, setUser] = useState("");
    const [password, setPassword] = useState("");
    const [busy, setBusy] = useState(linkToken !== null && !usedLinks.has(linkToken));
    const [error, setError] = useState<{ error: unknown; words?: string } | null>(null);
    const [info, setInfo] = useState<ServerInfo | null>(null);

    useEffect(() => {
        document.title = `${t("login.title")} · ${t("app.name")}`;
    }, [t]);
    const [turn, setTurn] = useState(0);
    useEffect(() => {
        serverInfo().then(
            (answer) => {
                setInfo(answer);
                setError((last) => (last && errcodeOf(last.error) === "NETWORK" ? null : last));
            },
            (failure: unknown) => errcodeOf(failure) === "NETWORK" && setError({ error: failure }), // anything else: signing in tells what is wrong
        );
    }, [turn]);
    useEffect(() => {
        if (linkToken === null) return;
        // A development build runs effects twice; a one-use link is used once.
        if (usedLinks.has(linkToken)) return;
        usedLinks.add(linkToken);
        loginByToken(linkToken).then(
            (session) => {
                enterSession(session);
                onSession(session);
            },
            (failure: unknown) => {
                setBusy(false);
                setError({ error: failure, ...(errcodeOf(failure) === "NETWORK" ? {} : { words: t("login.link_used") }) });
            },
        );
        // The link is used once, whatever changes on the page.
        // eslint-disable-next-line react-hooks/exhaustive-deps
    }, [linkToken]);

    const submit = async (event: FormEvent) => {
        event.preventDefault();
        setBusy(true);
        setError(null);
        try {
            const session = await loginByPassword(user.trim(), password);
            enterSession(session);
            onSession(session);
        } catch (failure) {
            setBusy(false);
            setError({ error: failure, ...(errcodeOf(failure) === "M_FORBIDDEN" ? { words: t("login.wrong") } : {}) });
        }
    };

    return (
        <EntryPage>
            <h1>{t("login.title")}</h1>
            {info?.server_name && <p className="quiet">{info.server_name}</p>}
            <form className="stack" onSubmit={(event) => void submit(event)}>
                {ended && !error && <p className="notice warn">{t("error.session")}</p>}
                <Field label={t("login.user")} value={user} required autoComplete="username" autoCapitalize="none" spellCheck={false} onChange={(event) => setUser(event.target.value)} />
                <Field label={t("login.password")} type="password" value={password} required autoComplete="current-password" onChange={(event) => setPassword(event.target.value)} />
                {error && <ErrorNotice {...error} {...(errcodeOf(error.error) === "NETWORK" ? { onRetry: () => setTurn(turn + 1) } : {})} />}
                <button className="button primary wide" disabled={busy}>
                    {busy ? t("login.working") : t("login.submit")}
                </button>
            </form>
            <div className="small quiet" style={{ marginTop: 20 }}>
                {info?.registration === "open" ? (
                    <p>
                        {t("login.create_hint")}{" "}
                        <a href="/invite">{t("login.create")}</a>
                    </p>
                ) : (
                    <p>{t("login.no_account")}</p>
                )}
                <p>{t("login.forgot")}</p>
            </div>
        </EntryPage>
    );
}

const usedLinks = new Set<string>();
