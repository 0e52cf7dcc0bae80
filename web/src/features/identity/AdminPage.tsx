import * as Menu from "@radix-ui/react-dropdown-menu";
import { ArrowDown, ArrowUp, ChevronLeft, Lock, MoreHorizontal, Plus, Search, ServerCog } from "lucide-react";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { useAssistant } from "@/features/assistant/context";
import { useEngine } from "@/features/chat/engine/context";
import { InvitationList } from "@/features/identity/Invitations";
import { useI18n } from "@/i18n";
import { errcodeOf, errorWords } from "@/lib/errors";
import { useIsDesktop, useLoaded, useNow } from "@/lib/hooks";
import { request } from "@/lib/http";
import { formatRoute, goBack } from "@/lib/router";
import { useStore } from "@/lib/store";
import { Avatar } from "@/ui/Avatar";
import { LinkBox, QrCode } from "@/ui/LinkBox";
import { Confirm, Dialog, EmptyState, ErrorNotice, Field, IconButton, SearchField, SkeletonRows, SwitchRow } from "@/ui/parts";
import { toast } from "@/ui/toast";

const admin = "/_lingxi/admin/v1";

interface AdminUser {
    user_id: string;
    display_name: string | null;
    is_admin: boolean;
    deactivated: boolean;
    created_at_ms: number;
    last_seen_ms: number | null;
}
interface Provider {
    id: string;
    name: string;
    base_url: string;
    model: string;
    has_key: boolean;
    /** What the address means, as the server reads it. */
    on_this_machine: boolean;
    enabled: boolean;
    max_concurrent?: number;
    input_price_micros_per_million?: number;
    output_price_micros_per_million?: number;
    currency?: string;
    circuit?: "closed" | "open";
}
interface Models {
    read_only: boolean;
    file: string;
    providers: Provider[];
    gateway: "up" | "down";
}
interface Found {
    kind: string;
    base_url: string;
    models: string[];
}
interface Budget {
    ai_enabled: boolean;
    person_tokens_per_day: number;
    server_tokens_per_day: number;
    time_zone: string;
    used_today_tokens?: number;
    cost_today?: { currency: string; micros: number }[];
}

function useAdmin() {
    const { transport } = useEngine();
    return <T,>(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: unknown) => request<T>(method, admin + path, body, { fetch: transport.fetch });
}

export default function AdminPage({ section }: { section: string | null }) {
    const { t } = useI18n();
    const desktop = useIsDesktop();
    const call = useAdmin();
    const known = useStore(useAssistant().isAdmin);
    const rights = useLoaded("rights", async () => void (known || (await call("GET", "/users?limit=1"))));
    const refused = !known && rights.state === "failed" && errcodeOf(rights.error) === "M_FORBIDDEN";
    const checking = !known && rights.state === "loading";
    const tabs = [
        { id: "people", words: t("admin.people") },
        { id: "invitations", words: t("admin.invitations") },
        { id: "models", words: t("admin.models") },
        { id: "budget", words: t("admin.caps") },
    ];
    const open = tabs.find((tab) => tab.id === section) ?? tabs[0];
    const tabBar = useRef<HTMLElement>(null);
    useEffect(() => {
        tabBar.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    }, [open?.id, refused, checking]);
    const body = (
        <>
            <nav className="page-tabs" aria-label={t("admin.title")} ref={tabBar}>
                {tabs.map((tab) => (
                    <a key={tab.id} href={formatRoute({ page: "admin", section: tab.id })} aria-current={tab === open ? "page" : undefined}>
                        {tab.words}
                    </a>
                ))}
            </nav>
            {open?.id === "people" && <People />}
            {open?.id === "invitations" && <InvitationList all />}
            {open?.id === "models" && <ModelServers />}
            {open?.id === "budget" && <BudgetForm />}
        </>
    );
    return (
        <div className="page-inner">
            <header className="bar">
                {!desktop && (
                    <IconButton label={t("common.back")} onClick={() => goBack({ page: "me", section: null })}>
                        <ChevronLeft size={24} />
                    </IconButton>
                )}
                <h1 className="grow">{t("admin.title")}</h1>
            </header>
            {refused ? <EmptyState icon={<Lock size={40} />} title={t("admin.refused")} hint={t("admin.refused_hint")} /> : checking ? <SkeletonRows /> : body}
        </div>
    );
}

function People() {
    const call = useAdmin();
    const engine = useEngine();
    const i18n = useI18n();
    const { t, formats } = i18n;
    const now = useNow();
    const [query, setQuery] = useState("");
    const [asked, setAsked] = useState("");
    const [more, setMore] = useState<{ users: AdminUser[]; next: string | null } | null>(null);
    const [link, setLink] = useState<{ url: string; expires_at_ms: number } | null>(null);
    const [closing, setClosing] = useState<AdminUser | null>(null);
    useEffect(() => {
        const timer = setTimeout(() => setAsked(query.trim()), 200);
        return () => clearTimeout(timer);
    }, [query]);
    const path = (from: string | null) => `/users?limit=30&q=${encodeURIComponent(asked)}${from ? `&from=${encodeURIComponent(from)}` : ""}`;
    const loaded = useLoaded(`users ${asked}`, async () => {
        const page = await call<{ users: AdminUser[]; next?: string | number | null }>("GET", path(null));
        setMore(null);
        return { users: page.users, next: page.next == null ? null : String(page.next) };
    });
    const run = (action: Promise<unknown>) => void action.then(loaded.reload, (error: unknown) => toast(errorWords(error, i18n)));
    const next = more ? more.next : loaded.state === "ready" ? loaded.value.next : null;
    const users = loaded.state === "ready" ? [...loaded.value.users, ...(more?.users ?? [])] : [];
    const loadMore = async () => {
        const page = await call<{ users: AdminUser[]; next?: string | number | null }>("GET", path(next));
        setMore({ users: [...(more?.users ?? []), ...page.users], next: page.next == null ? null : String(page.next) });
    };
    const put = (user: AdminUser, change: Partial<AdminUser>) => call("PUT", `/users/${encodeURIComponent(user.user_id)}`, change);
    return (
        <section className="stack">
            <SearchField label={t("admin.people_search")} value={query} onChange={setQuery} />
            {loaded.state === "loading" && <SkeletonRows />}
            {loaded.state === "failed" && <ErrorNotice error={loaded.error} onRetry={loaded.reload} />}
            {loaded.state === "ready" && users.length === 0 && <EmptyState title={t("contacts.none_found")} />}
            <ul className="plain-list">
                {users.map((user) => {
                    const name = user.display_name || user.user_id;
                    return (
                        <li key={user.user_id} className="list-line">
                            <Avatar id={user.user_id} name={name} size={40} />
                            <span className="grow">
                                <span className="block nowrap">
                                    {name} {user.is_admin && <span className="tag">{t("admin.is_admin")}</span>} {user.deactivated && <span className="tag">{t("admin.closed")}</span>}
                                </span>
                                <span className="block small quiet nowrap">
                                    {user.user_id} · {user.last_seen_ms ? t("admin.seen", formats.relative(user.last_seen_ms, now)) : t("admin.never_seen")}
                                </span>
                            </span>
                            <Menu.Root modal={false}>
                                <Menu.Trigger asChild>
                                    <IconButton label={`${t("common.more")}: ${name}`}>
                                        <MoreHorizontal size={20} />
                                    </IconButton>
                                </Menu.Trigger>
                                <Menu.Portal>
                                    <Menu.Content className="menu" align="end" collisionPadding={8}>
                                        {!user.deactivated && (
                                            <Menu.Item
                                                className="menu-item"
                                                onSelect={() =>
                                                    void call<{ url: string; expires_at_ms: number }>("POST", `/users/${encodeURIComponent(user.user_id)}/reset-link`, {}).then(setLink, (error: unknown) => toast(errorWords(error, i18n)))
                                                }
                                            >
                                                {t("admin.reset_link")}
                                            </Menu.Item>
                                        )}
                                        {user.user_id !== engine.me && (
                                            <>
                                                {!user.deactivated && (
                                                    <Menu.Item className="menu-item" onSelect={() => run(put(user, { is_admin: !user.is_admin }))}>
                                                        {t(user.is_admin ? "admin.drop_admin" : "admin.make_admin")}
                                                    </Menu.Item>
                                                )}
                                                {user.deactivated ? (
                                                    <Menu.Item className="menu-item" onSelect={() => run(put(user, { deactivated: false }))}>
                                                        {t("admin.reopen")}
                                                    </Menu.Item>
                                                ) : (
                                                    <Menu.Item className="menu-item danger" onSelect={() => setClosing(user)}>
                                                        {t("admin.close_account")}
                                                    </Menu.Item>
                                                )}
                                            </>
                                        )}
                                    </Menu.Content>
                                </Menu.Portal>
                            </Menu.Root>
                        </li>
                    );
                })}
            </ul>
            {next && (
                <button type="button" className="button wide" onClick={() => void loadMore().catch((error: unknown) => toast(errorWords(error, i18n)))}>
                    {t("common.load_more")}
                </button>
            )}
            {link && (
                <Dialog title={t("admin.reset_link")} onClose={() => setLink(null)}>
                    <p className="quiet">{t("admin.reset_hint")}</p>
                    <QrCode text={link.url} label={t("invitations.qr")} />
                    <LinkBox url={link.url} />
                    <p className="small quiet" style={{ marginTop: 8 }}>
                        {t("invitations.until", formats.full(link.expires_at_ms))}
                    </p>
                </Dialog>
            )}
            {closing && <Confirm text={t("admin.close_ask", closing.display_name || closing.user_id)} yes={t("admin.close_account")} danger onYes={() => put(closing, { deactivated: true }).then(loaded.reload)} onClose={() => setClosing(null)} />}
        </section>
    );
}

const emptyProvider: Provider = { id: "", name: "", base_url: "", model: "", has_key: false, on_this_machine: false, enabled: true };

function ModelServers() {
    const call = useAdmin();
    const i18n = useI18n();
    const { t } = i18n;
    const loaded = useLoaded("models", () => call<Models>("GET", "/models"));
    const [editing, setEditing] = useState<Provider | null>(null);
    const [removing, setRemoving] = useState<Provider | null>(null);
    const [found, setFound] = useState<Found[] | null>(null);
    const [busy, setBusy] = useState(false);
    const [tests, setTests] = useState<Record<string, string>>({});
    const bare = loaded.state === "ready" && loaded.value.providers.length === 0 && !loaded.value.read_only;
    useEffect(() => {
        // What runs on this machine is offered unasked where there is nothing yet; only loopback is looked at.
        if (!bare) return;
        call<{ found: Found[] }>("POST", "/models/discover", {}).then(
            (answer) => answer.found.length > 0 && setFound(answer.found),
            () => undefined, // nothing to offer
        );
        // eslint-disable-next-line react-hooks/exhaustive-deps
    }, [bare]);
    if (loaded.state === "loading") return <SkeletonRows count={3} />;
    if (loaded.state === "failed") return <ErrorNotice error={loaded.error} onRetry={loaded.reload} />;
    const { read_only, file, providers, gateway } = loaded.value;
    const fail = (error: unknown) => toast(errorWords(error, i18n));
    // A name is one server's alone; two models of one server are two.
    const freeName = (kind: string, model: string) => (providers.some(({ name }) => name === kind) ? `${kind} · ${model}` : kind);
    const discover = () => {
        setBusy(true);
        call<{ found: Found[] }>("POST", "/models/discover", {})
            .then((answer) => setFound(answer.found), fail)
            .finally(() => setBusy(false));
    };
    const test = (provider: Provider) => {
        setTests((all) => ({ ...all, [provider.id]: "…" }));
        call<{ ok: boolean; latency_ms: number; error?: string }>("POST", `/models/${encodeURIComponent(provider.id)}/test`, {}).then(
            (answer) => setTests((all) => ({ ...all, [provider.id]: answer.ok ? t("admin.model_test_ok", Math.round(answer.latency_ms)) : answer.error ? t("common.of", t("admin.model_test_failed")) + answer.error : t("admin.model_test_failed") })),
            (error: unknown) => setTests((all) => ({ ...all, [provider.id]: errorWords(error, i18n) })),
        );
    };
    const move = (index: number, by: number) => {
        const order = providers.map((provider) => provider.id);
        const [id] = order.splice(index, 1);
        if (id) order.splice(index + by, 0, id);
        void call("PUT", "/models", { order }).then(loaded.reload, fail);
    };
    return (
        <section className="stack">
            {gateway === "down" && (
                <p className="notice warn" role="status">
                    {t("admin.gateway_down")}
                </p>
            )}
            {read_only && <p className="notice">{t("admin.models_read_only", file)}</p>}
            {providers.length === 0 ? <EmptyState icon={<ServerCog size={40} />} title={t("admin.models_none")} hint={t("admin.models_none_hint")} /> : <p className="small quiet">{t("admin.models_hint")}</p>}
            <ul className="plain-list">
                {providers.map((provider, index) => (
                    <li key={provider.id} className="list-line tools-below">
                        <span className="grow">
                            <span className="block nowrap">
                                {provider.name || provider.id} {!provider.enabled && <span className="tag">{t("common.off")}</span>} {provider.circuit === "open" && <span className="tag warn">{t("admin.model_circuit")}</span>}
                            </span>
                            <span className="block small quiet wrap">
                                {provider.model} · {provider.base_url} · {t(provider.on_this_machine ? "admin.model_local" : "admin.model_remote")}
                            </span>
                            {tests[provider.id] && (
                                <span className="block small" role="status">
                                    {tests[provider.id]}
                                </span>
                            )}
                        </span>
                        <button type="button" className="button plain" onClick={() => test(provider)}>
                            {t("admin.model_test")}
                        </button>
                        {!read_only && (
                            <>
                                {providers.length > 1 && (
                                    <>
                                        <IconButton label={`${t("admin.model_up")}: ${provider.name}`} disabled={index === 0} onClick={() => move(index, -1)}>
                                            <ArrowUp size={18} />
                                        </IconButton>
                                        <IconButton label={`${t("admin.model_down")}: ${provider.name}`} disabled={index === providers.length - 1} onClick={() => move(index, 1)}>
                                            <ArrowDown size={18} />
                                        </IconButton>
                                    </>
                                )}
                                <button type="button" className="button plain" onClick={() => setEditing(provider)}>
                                    {t("chat.edit")}
                                </button>
                            </>
                        )}
                    </li>
                ))}
            </ul>
            {!read_only && (
                <div className="row" style={{ flexWrap: "wrap" }}>
                    <button type="button" className="button primary" onClick={() => setEditing(emptyProvider)}>
                        <Plus size={18} aria-hidden="true" /> {t("admin.model_add")}
                    </button>
                    <button type="button" className="button" disabled={busy} onClick={discover}>
                        <Search size={18} aria-hidden="true" /> {t("admin.discover")}
                    </button>
                </div>
            )}
            {found && (
                <div role="status">
                    <p className="quiet">{t(found.length === 0 ? "admin.discover_none" : "admin.discover_found")}</p>
                    <ul className="plain-list">
                        {found.flatMap((one) =>
                            (one.models.length > 0 ? one.models : [""]).map((model) => (
                                <li key={`${one.base_url} ${model}`} className="list-line">
                                    <span className="grow wrap">
                                        {one.kind} · {model} <span className="small quiet">{one.base_url}</span>
                                    </span>
                                    <button type="button" className="button" onClick={() => setEditing({ ...emptyProvider, name: freeName(one.kind, model), base_url: one.base_url, model })}>
                                        {t("group.add")}
                                    </button>
                                </li>
                            )),
                        )}
                    </ul>
                </div>
            )}
            {editing && (
                <ProviderDialog
                    provider={editing}
                    taken={providers.map((provider) => provider.id)}
                    onClose={() => setEditing(null)}
                    onDone={() => {
                        setEditing(null);
                        setFound((last) => (last?.length === 0 ? null : last)); // that there was nothing is no news any more
                        loaded.reload();
                    }}
                    onRemove={() => setRemoving(editing)} // over the form: who goes back finds it as it was
                />
            )}
            {removing && (
                <Confirm
                    text={t("admin.model_remove_ask", removing.name || removing.id)}
                    yes={t("common.delete")}
                    danger
                    onYes={() => call("DELETE", `/models/${encodeURIComponent(removing.id)}`).then(() => {
                        setEditing(null);
                        loaded.set({ ...loaded.value, providers: providers.filter((provider) => provider.id !== removing.id) });
                    })}
                    onClose={() => setRemoving(null)}
                />
            )}
        </section>
    );
}

/** An id for a new provider, from its name. */
function freshId(name: string, taken: string[]): string {
    const base = name.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 32) || "model";
    for (let count = 1; ; count += 1) {
        const id = count === 1 ? base : `${base}-${count}`;
        if (!taken.includes(id)) return id;
    }
}

function ProviderDialog({ provider, taken, onClose, onDone, onRemove }: { provider: Provider; taken: string[]; onClose(): void; onDone(): void; onRemove(): void }) {
    const call = useAdmin();
    const { t, language, formats } = useI18n();
    // What stands there is what is stored: nobody else chooses a currency.
    const [form, setForm] = useState({ ...provider, currency: provider.currency ?? (language === "zh" ? "CNY" : "USD") });
    const priced = !!provider.input_price_micros_per_million || !!provider.output_price_micros_per_million;
    const [key, setKey] = useState("");
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState<unknown>(null);
    const set = (change: Partial<Provider>) => setForm((last) => ({ ...last, ...change }));
    const price = (value: number | undefined) => (value === undefined ? "" : String(value / 1e6));
    const micros = (value: string) => Math.max(0, Math.round(Number(value.replace(",", ".")) * 1e6) || 0);
    const run = async (action: () => Promise<unknown>) => {
        setBusy(true);
        setError(null);
        try {
            await action();
            onDone();
        } catch (failure) {
            setError(failure);
            setBusy(false);
        }
    };
    const save = (event: FormEvent) => {
        event.preventDefault();
        const id = provider.id || freshId(form.name || form.model, taken);
        const { id: _id, has_key: _key, circuit: _circuit, on_this_machine: _where, ...rest } = form;
        void run(() => call("PUT", `/models/${encodeURIComponent(id)}`, { ...rest, ...(key ? { api_key: key } : {}) }));
    };
    return (
        <Dialog title={t(provider.id ? "admin.model_edit" : "admin.model_add")} onClose={onClose}>
            <form className="stack" onSubmit={save}>
                <Field label={t("admin.model_name")} value={form.name} required autoFocus maxLength={64} onChange={(event) => set({ name: event.target.value })} />
                <Field label={t("admin.model_url")} hint={t("admin.model_url_hint")} type="url" value={form.base_url} required spellCheck={false} onChange={(event) => set({ base_url: event.target.value })} />
                <Field label={t("admin.model_model")} value={form.model} required spellCheck={false} onChange={(event) => set({ model: event.target.value })} />
                <Field label={t("admin.model_key")} hint={provider.has_key ? t("admin.model_key_kept") : t("common.optional")} type="password" value={key} autoComplete="off" onChange={(event) => setKey(event.target.value)} />
                <SwitchRow label={t("admin.model_enabled")} checked={form.enabled} onChange={(enabled) => set({ enabled })} />
                <details className="folded" open={priced}>
                    <summary>{t("admin.model_prices")}</summary>
                    <div className="stack">
                        <Field label={t("admin.model_price_in")} inputMode="decimal" defaultValue={price(form.input_price_micros_per_million)} onChange={(event) => set({ input_price_micros_per_million: micros(event.target.value) })} />
                        <Field label={t("admin.model_price_out")} inputMode="decimal" defaultValue={price(form.output_price_micros_per_million)} onChange={(event) => set({ output_price_micros_per_million: micros(event.target.value) })} />
                        <div className="field">
                            <label htmlFor="model-currency">{t("admin.model_currency")}</label>
                            <select id="model-currency" className="input" value={form.currency} onChange={(event) => set({ currency: event.target.value })}>
                                {formats.currencies(form.currency).map(({ code, words }) => (
                                    <option key={code} value={code}>
                                        {words}
                                    </option>
                                ))}
                            </select>
                        </div>
                    </div>
                </details>
                {error !== null && <ErrorNotice error={error} />}
                <div className="dialog-actions foot">
                    {provider.id && (
                        <button type="button" className="button danger" disabled={busy} onClick={onRemove}>
                            {t("common.delete")}
                        </button>
                    )}
                    <button className="button primary" disabled={busy}>
                        {t("common.save")}
                    </button>
                </div>
            </form>
        </Dialog>
    );
}

function BudgetForm() {
    const call = useAdmin();
    const assistant = useAssistant();
    const i18n = useI18n();
    const { t, formats } = i18n;
    const loaded = useLoaded("budget", () => call<Budget>("GET", "/budget"));
    const [form, setForm] = useState<Budget | null>(null);
    const [error, setError] = useState<unknown>(null);
    if (loaded.state === "loading") return <SkeletonRows count={3} />;
    if (loaded.state === "failed") return <ErrorNotice error={loaded.error} onRetry={loaded.reload} />;
    const shown = form ?? loaded.value;
    const set = (change: Partial<Budget>) => setForm({ ...shown, ...change });
    const save = async (next: Budget) => {
        setError(null);
        try {
            await call("PUT", "/budget", { ai_enabled: next.ai_enabled, person_tokens_per_day: next.person_tokens_per_day, server_tokens_per_day: next.server_tokens_per_day, time_zone: next.time_zone });
            toast(t("common.saved"));
            setForm(null);
            assistant.takeServerSwitch(next.ai_enabled);
            loaded.set({ ...loaded.value, ...next });
        } catch (failure) {
            setError(failure);
        }
    };
    return (
        <form
            className="stack"
            onSubmit={(event) => {
                event.preventDefault();
                void save(shown);
            }}
        >
            <SwitchRow label={t("admin.ai_on")} checked={shown.ai_enabled} onChange={(ai_enabled) => void save({ ...shown, ai_enabled })} />
            <Field label={t("admin.cap_person")} type="number" min={0} step={1} value={shown.person_tokens_per_day} onChange={(event) => set({ person_tokens_per_day: Math.max(0, Math.trunc(event.target.valueAsNumber || 0)) })} />
            <Field label={t("admin.cap_server")} type="number" min={0} step={1} value={shown.server_tokens_per_day} onChange={(event) => set({ server_tokens_per_day: Math.max(0, Math.trunc(event.target.valueAsNumber || 0)) })} />
            <Field label={t("admin.cap_zone")} value={shown.time_zone} spellCheck={false} list="zones" onChange={(event) => set({ time_zone: event.target.value })} />
            <datalist id="zones">
                {(Intl.supportedValuesOf?.("timeZone") ?? []).map((zone) => (
                    <option key={zone} value={zone} />
                ))}
            </datalist>
            <p className="quiet">
                {t("admin.used_today", formats.number(loaded.value.used_today_tokens ?? 0))}
                {(loaded.value.cost_today ?? []).map((one) => (
                    <span key={one.currency}> · {t("admin.cost_today", formats.money(one.micros, one.currency))}</span>
                ))}
            </p>
            {error !== null && <ErrorNotice error={error} />}
            <button className="button primary" disabled={form === null}>
                {t("common.save")}
            </button>
        </form>
    );
}
