import { ChevronLeft, ChevronRight, KeyRound, Keyboard, Languages, MonitorSmartphone, Receipt as ReceiptIcon, ServerCog, Sparkles, UserRound } from "lucide-react";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { fetchReceipts } from "@/features/assistant/api";
import { useAiOn, useAssistant } from "@/features/assistant/context";
import { ReceiptsPage } from "@/features/assistant/parts/Receipt";
import { useEngine } from "@/features/chat/engine/context";
import KeysDialog from "@/features/chat/KeysDialog";
import { RemoteAvatar } from "@/features/chat/parts/RemoteAvatar";
import { useI18n, useLanguages, type Language } from "@/i18n";
import { ApiError, errorWords } from "@/lib/errors";
import { useIsDesktop, useIsTouch, useLoaded, useNow } from "@/lib/hooks";
import { errorOf } from "@/lib/http";
import { applyTheme, theme, type Theme } from "@/lib/preferences";
import { formatRoute, goBack } from "@/lib/router";
import { useStore } from "@/lib/store";
import { Confirm, ErrorNotice, Field, IconButton, SkeletonRows, SwitchRow } from "@/ui/parts";
import { TimeZoneField } from "@/ui/TimeZoneField";
import { toast } from "@/ui/toast";

type Section = "profile" | "preferences" | "assistant" | "receipts" | "devices" | "account";

export default function MePage({ section }: { section: string | null }) {
    const engine = useEngine();
    const { t } = useI18n();
    const desktop = useIsDesktop();
    const touch = useIsTouch();
    const isAdmin = useStore(useAssistant().isAdmin);
    const profile = useLoaded("me", () => engine.client.getProfileInfo(engine.me));
    const [keys, setKeys] = useState(false);
    const settings = useStore(engine.account.settings);
    const aiOn = useAiOn();
    // What left in one's name before AI was switched off can be seen, exported and erased all the same.
    const kept = useLoaded("receipts", async () => (await fetchReceipts(engine.transport.fetch, null)).receipts.length > 0);
    const hasReceipts = aiOn || (kept.state === "ready" ? kept.value : section === "receipts");
    const all: { id: Section; words: string; icon: typeof UserRound }[] = [
        { id: "profile", words: t("me.profile"), icon: UserRound },
        { id: "preferences", words: t("me.preferences"), icon: Languages },
        { id: "assistant", words: t("me.ai"), icon: Sparkles },
        { id: "receipts", words: t("me.receipts"), icon: ReceiptIcon },
        { id: "devices", words: t("me.devices"), icon: MonitorSmartphone },
        { id: "account", words: t("me.account"), icon: KeyRound },
    ];
    // Switched off for the server nothing of it is here; switched off for me, only the switch; receipts where there are any.
    const sections = all.filter((one) => (one.id === "receipts" ? hasReceipts : one.id === "assistant" ? aiOn || !settings.ai_enabled : true));
    const open = sections.find((one) => one.id === section) ?? (desktop ? sections[0] : undefined);
    const name = profile.state === "ready" && profile.value.displayname ? profile.value.displayname : engine.name(engine.me);

    const menu = (
        <nav className="settings-menu" aria-label={t("me.title")}>
            <div className="settings-me">
                <RemoteAvatar id={engine.me} name={name} mxc={profile.state === "ready" ? profile.value.avatar_url : null} size={56} />
                <div className="grow">
                    {desktop ? <p className="settings-name nowrap">{name}</p> : <h1 className="nowrap">{name}</h1>}
                    <p className="small quiet wrap">{engine.me}</p>
                </div>
            </div>
            <ul className="plain-list">
                {sections.map(({ id, words, icon: Icon }) => (
                    <li key={id}>
                        <a className="list-button" href={formatRoute({ page: "me", section: id })} aria-current={open?.id === id ? "page" : undefined}>
                            <Icon size={20} className="quiet" aria-hidden="true" />
                            <span className="grow">{words}</span>
                            {!desktop && <ChevronRight size={18} className="quiet" aria-hidden="true" />}
                        </a>
                    </li>
                ))}
                {isAdmin && (
                    <li>
                        <a className="list-button" href={formatRoute({ page: "admin", section: null })}>
                            <ServerCog size={20} className="quiet" aria-hidden="true" />
                            <span className="grow">{t("admin.title")}</span>
                            <ChevronRight size={18} className="quiet" aria-hidden="true" />
                        </a>
                    </li>
                )}
                {!touch && (
                    <li>
                        <button type="button" className="list-button" onClick={() => setKeys(true)}>
                            <Keyboard size={20} className="quiet" aria-hidden="true" />
                            <span className="grow">{t("me.keys")}</span>
                        </button>
                    </li>
                )}
            </ul>
            {keys && <KeysDialog onClose={() => setKeys(false)} />}
        </nav>
    );
    const body = open && (
        <div className="settings-body">
            <header className="bar">
                {!desktop && (
                    <IconButton label={t("common.back")} onClick={() => goBack({ page: "me", section: null })}>
                        <ChevronLeft size={24} />
                    </IconButton>
                )}
                <h1 className="grow">{open.words}</h1>
            </header>
            {open.id === "profile" && (profile.state === "loading" ? <SkeletonRows count={2} /> : profile.state === "failed" ? <ErrorNotice error={profile.error} onRetry={profile.reload} /> : <Profile key={profile.value.displayname} name={profile.value.displayname ?? ""} mxc={profile.value.avatar_url ?? null} onChanged={profile.reload} />)}
            {open.id === "preferences" && <Preferences />}
            {open.id === "assistant" && <AssistantSettings />}
            {open.id === "receipts" && <ReceiptsPage />}
            {open.id === "devices" && <Devices />}
            {open.id === "account" && <Account />}
        </div>
    );
    return (
        <div className="settings">
            {(desktop || !open) && menu}
            {body}
        </div>
    );
}

function Profile({ name: before, mxc, onChanged }: { name: string; mxc: string | null; onChanged(): void }) {
    const engine = useEngine();
    const i18n = useI18n();
    const { t } = i18n;
    const [name, setName] = useState(before);
    const [busy, setBusy] = useState(false);
    const input = useRef<HTMLInputElement>(null);
    const run = async (action: () => Promise<unknown>) => {
        setBusy(true);
        try {
            await action();
            toast(t("common.saved"));
            onChanged();
        } catch (error) {
            toast(errorWords(error, i18n));
        } finally {
            setBusy(false);
        }
    };
    return (
        <div className="stack">
            <div className="row">
                <RemoteAvatar id={engine.me} name={name || engine.me} mxc={mxc} size={80} />
                <div className="grow">
                    <button type="button" className="button" disabled={busy} onClick={() => input.current?.click()}>
                        {t("me.change_picture")}
                    </button>
                    {mxc && (
                        <button type="button" className="button plain" disabled={busy} onClick={() => void run(() => engine.client.setAvatarUrl(""))}>
                            {t("me.remove_picture")}
                        </button>
                    )}
                    <input
                        ref={input}
                        type="file"
                        accept="image/png,image/jpeg,image/webp,image/gif"
                        hidden
                        onChange={(event) => {
                            const file = event.target.files?.[0];
                            event.target.value = "";
                            if (file) void run(async () => engine.client.setAvatarUrl(await engine.media.upload(file, file.name, file.type, () => undefined)));
                        }}
                    />
                </div>
            </div>
            <form
                className="row"
                style={{ alignItems: "flex-end" }}
                onSubmit={(event) => {
                    event.preventDefault();
                    void run(() => engine.client.setDisplayName(name.trim()));
                }}
            >
                <div className="grow">
                    <Field label={t("me.name")} value={name} required maxLength={100} autoComplete="name" onChange={(event) => setName(event.target.value)} />
                </div>
                <button className="button primary" disabled={busy || !name.trim() || name.trim() === before}>
                    {t("common.save")}
                </button>
            </form>
        </div>
    );
}

function Preferences() {
    const engine = useEngine();
    const { i18n, setLanguage, setTimeZone } = useLanguages();
    const { t } = i18n;
    const settings = useStore(engine.account.settings);
    const shownTheme = useStore(theme);
    const touch = useIsTouch();
    const change = (next: Parameters<typeof engine.account.change>[0]) => void engine.account.change(next).catch((error: unknown) => toast(errorWords(error, i18n)));
    return (
        <div className="stack">
            <div className="field">
                <label htmlFor="language">{t("common.language")}</label>
                <select
                    id="language"
                    className="input"
                    value={i18n.language}
                    onChange={(event) => {
                        const language = event.target.value as Language;
                        setLanguage(language);
                        change({ language });
                    }}
                >
                    <option value="zh" lang="zh">
                        中文
                    </option>
                    <option value="en" lang="en">
                        English
                    </option>
                </select>
            </div>
            <TimeZoneField
                automatic
                value={settings.time_zone ?? ""}
                onChange={(zone) => {
                    setTimeZone(zone || null);
                    change({ time_zone: zone || null });
                }}
            />
            <div className="field">
                <label htmlFor="theme">{t("me.theme")}</label>
                <select id="theme" className="input" value={shownTheme} onChange={(event) => applyTheme(event.target.value as Theme)}>
                    <option value="system">{t("me.theme_system")}</option>
                    <option value="light">{t("me.theme_light")}</option>
                    <option value="dark">{t("me.theme_dark")}</option>
                </select>
            </div>
            {!touch && <SwitchRow label={t("me.enter")} hint={t("me.enter_hint")} checked={settings.enter_sends} onChange={(enter_sends) => change({ enter_sends })} />}
        </div>
    );
}

function AssistantSettings() {
    const engine = useEngine();
    const assistant = useAssistant();
    const i18n = useI18n();
    const { t } = i18n;
    const settings = useStore(engine.account.settings);
    return <SwitchRow label={t("me.ai_on")} hint={t("me.ai_on_hint")} checked={settings.ai_enabled} onChange={(ai_enabled) => void assistant.setEnabled(ai_enabled).catch((error: unknown) => toast(errorWords(error, i18n)))} />;
}

/** Sends what needs the password again: asks for the challenge, then answers it. */
function useConfirmedRequest(): (method: "POST" | "DELETE", path: string, body: Record<string, unknown>, password: string) => Promise<void> {
    const engine = useEngine();
    return async (method, path, body, password) => {
        const send = (auth?: Record<string, unknown>) => engine.transport.fetch(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(auth ? { ...body, auth } : body) });
        let response = await send();
        if (response.status === 401) {
            const challenge = (await response.json()) as { session?: string };
            response = await send({ type: "m.login.password", identifier: { type: "m.id.user", user: engine.me }, password, session: challenge.session });
        }
        if (!response.ok) {
            const error = await errorOf(response);
            // Still a challenge: the password was not right.
            throw error.status === 401 ? new ApiError(401, "WRONG_PASSWORD", error.message) : error;
        }
    };
}

function Devices() {
    const engine = useEngine();
    const { t, formats } = useI18n();
    const now = useNow();
    const confirmed = useConfirmedRequest();
    const loaded = useLoaded("devices", () => engine.client.getDevices());
    const [removing, setRemoving] = useState<string | null>(null);
    const [password, setPassword] = useState("");
    if (loaded.state === "loading") return <SkeletonRows count={3} />;
    if (loaded.state === "failed") return <ErrorNotice error={loaded.error} onRetry={loaded.reload} />;
    const devices = loaded.value.devices.toSorted((a, b) => Number(b.device_id === engine.session.deviceId) - Number(a.device_id === engine.session.deviceId) || (b.last_seen_ts ?? 0) - (a.last_seen_ts ?? 0));
    return (
        <>
            <ul className="plain-list">
                {devices.map((device) => (
                    <li key={device.device_id} className="list-line">
                        <MonitorSmartphone size={20} className="quiet" aria-hidden="true" />
                        <span className="grow">
                            <span className="block wrap">{device.display_name || device.device_id}</span>
                            <span className="block small quiet">{device.device_id === engine.session.deviceId ? t("me.device_this") : device.last_seen_ts ? t("me.device_seen", formats.relative(device.last_seen_ts, now)) : device.device_id}</span>
                        </span>
                        {device.device_id !== engine.session.deviceId && (
                            <button type="button" className="button" onClick={() => setRemoving(device.device_id)}>
                                {t("me.device_remove")}
                            </button>
                        )}
                    </li>
                ))}
            </ul>
            {removing && (
                <Confirm
                    text={devices.find((device) => device.device_id === removing)?.display_name ?? removing}
                    yes={t("me.device_remove")}
                    danger
                    onYes={async () => {
                        await confirmed("DELETE", `/_matrix/client/v3/devices/${encodeURIComponent(removing)}`, {}, password);
                        setPassword("");
                        loaded.reload();
                    }}
                    onClose={() => setRemoving(null)}
                >
                    <div style={{ marginTop: 16 }}>
                        <Field label={t("me.password_old")} type="password" value={password} autoComplete="current-password" onChange={(event) => setPassword(event.target.value)} />
                    </div>
                </Confirm>
            )}
        </>
    );
}

function Account() {
    const engine = useEngine();
    const { t } = useI18n();
    const confirmed = useConfirmedRequest();
    const [old, setOld] = useState("");
    const [fresh, setFresh] = useState("");
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState<unknown>(null);
    const [asking, setAsking] = useState<"logout" | "deactivate" | null>(null);
    const [password, setPassword] = useState("");
    const [erase, setErase] = useState(false);
    const unsent = engine.outbox.unsentCount();
    useEffect(() => setPassword(""), [asking]);

    const change = async (event: FormEvent) => {
        event.preventDefault();
        setBusy(true);
        setError(null);
        try {
            await confirmed("POST", "/_matrix/client/v3/account/password", { new_password: fresh, logout_devices: true }, old);
            setOld("");
            setFresh("");
            toast(t("me.password_done"));
        } catch (failure) {
            setError(failure);
        } finally {
            setBusy(false);
        }
    };
    return (
        <div className="stack">
            <form className="stack" onSubmit={(event) => void change(event)}>
                <h2>{t("me.password")}</h2>
                <input type="text" autoComplete="username" value={engine.me} readOnly hidden />
                <Field label={t("me.password_old")} type="password" value={old} required autoComplete="current-password" onChange={(event) => setOld(event.target.value)} />
                <Field label={t("me.password_new")} hint={t("setup.password_hint")} type="password" value={fresh} required minLength={8} autoComplete="new-password" onChange={(event) => setFresh(event.target.value)} />
                {error !== null && <ErrorNotice error={error} />}
                <button className="button primary" disabled={busy}>
                    {t("me.password")}
                </button>
            </form>
            <button type="button" className="button" onClick={() => setAsking("logout")}>
                {t("me.logout")}
            </button>
            <button type="button" className="button danger" onClick={() => setAsking("deactivate")}>
                {t("me.deactivate")}
            </button>
            {asking === "logout" && <Confirm text={`${t("me.logout_ask")} ${unsent > 0 ? t("me.logout_unsent", unsent) : ""}`} yes={t("me.logout")} onYes={() => engine.logout()} onClose={() => setAsking(null)} />}
            {asking === "deactivate" && (
                <Confirm
                    text={t("me.deactivate_ask")}
                    yes={t("me.deactivate")}
                    danger
                    onYes={async () => {
                        await confirmed("POST", "/_matrix/client/v3/account/deactivate", { erase }, password);
                        await engine.logout();
                    }}
                    onClose={() => setAsking(null)}
                >
                    <div className="stack" style={{ marginTop: 16 }}>
                        <SwitchRow label={t("me.deactivate_erase")} checked={erase} onChange={setErase} />
                        <Field label={t("me.password_old")} type="password" value={password} autoComplete="current-password" onChange={(event) => setPassword(event.target.value)} />
                    </div>
                </Confirm>
            )}
        </div>
    );
}

