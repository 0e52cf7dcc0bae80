import { useEffect, useState, type FormEvent } from "react";
import { forgetFragment, mount, takeFragment } from "@/entries/mount";
import { resetCheck, resetPassword } from "@/features/identity/api";
import { useI18n } from "@/i18n";
import { ApiError } from "@/lib/errors";
import { EntryPage } from "@/ui/EntryPage";
import { ErrorNotice, Field, SkeletonRows } from "@/ui/parts";

const token = takeFragment();

function ResetPage() {
    const { t } = useI18n();
    const [person, setPerson] = useState<{ user_id: string; display_name: string | null } | null>(null);
    const [password, setPassword] = useState("");
    const [state, setState] = useState<"checking" | "unchecked" | "ready" | "busy" | "invalid" | "done">("checking");
    const [error, setError] = useState<unknown>(null);

    const [turn, setTurn] = useState(0);

    const fail = (failure: unknown, otherwise: "unchecked" | "ready") => {
        setError(failure);
        setState(failure instanceof ApiError && [400, 403, 404].includes(failure.status) && failure.errcode !== "M_WEAK_PASSWORD" ? "invalid" : otherwise);
    };
    const again = () => {
        setError(null);
        setState("checking");
        setTurn(turn + 1);
    };
    useEffect(() => {
        document.title = `${t("reset.title")} · ${t("app.name")}`;
    }, [t]);
    useEffect(() => {
        resetCheck(token).then((answer) => {
            setPerson(answer);
            setState("ready");
        }, (failure: unknown) => fail(failure, "unchecked"));
    }, [turn]);
    const submit = async (event: FormEvent) => {
        event.preventDefault();
        setState("busy");
        setError(null);
        try {
            await resetPassword(token, password);
            forgetFragment();
            setState("done");
        } catch (failure) {
            fail(failure, "ready");
        }
    };

    return (
        <EntryPage>
            <h1>{t("reset.title")}</h1>
            {person && <p className="quiet wrap">{t("reset.for", person.display_name || person.user_id)}</p>}
            {state === "checking" && <SkeletonRows count={2} />}
            {state === "unchecked" && (
                <div style={{ marginTop: 12 }}>
                    <ErrorNotice error={error} onRetry={again} />
                </div>
            )}
            {state === "invalid" && (
                <p className="notice warn" role="alert" style={{ marginTop: 12 }}>
                    {t("reset.invalid")}
                </p>
            )}
            {state === "done" && (
                <div className="stack" style={{ marginTop: 12 }}>
                    <p className="notice" role="status">
                        {t("reset.done")}
                    </p>
                    <a className="button primary wide" href="/">
                        {t("login.title")}
                    </a>
                </div>
            )}
            {(state === "ready" || state === "busy") && (
                <form className="stack" onSubmit={(event) => void submit(event)}>
                    <input type="text" autoComplete="username" value={person?.user_id ?? ""} readOnly hidden />
                    <Field label={t("reset.new")} hint={t("setup.password_hint")} type="password" value={password} required minLength={8} autoComplete="new-password" onChange={(event) => setPassword(event.target.value)} />
                    {error !== null && <ErrorNotice error={error} />}
                    <button className="button primary wide" disabled={state === "busy"}>
                        {t("reset.submit")}
                    </button>
                </form>
            )}
        </EntryPage>
    );
}

mount(<ResetPage />);
