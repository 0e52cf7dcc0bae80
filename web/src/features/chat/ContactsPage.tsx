import { ChevronLeft, ChevronRight, Link2, UsersRound, UserRoundPlus } from "lucide-react";
import { useState, type FormEvent } from "react";
import { useEngine } from "@/features/chat/engine/context";
import { PeoplePicker } from "@/features/chat/PeoplePicker";
import { useKnownPeople, usePeopleSearch, type Person } from "@/features/chat/people";
import { RemoteAvatar } from "@/features/chat/parts/RemoteAvatar";
import { InvitationList } from "@/features/identity/Invitations";
import { useI18n } from "@/i18n";
import { errorWords } from "@/lib/errors";
import { useLoaded } from "@/lib/hooks";
import { formatRoute, goBack, navigate } from "@/lib/router";
import { useStore } from "@/lib/store";
import { Dialog, EmptyState, ErrorNotice, Field, IconButton, SearchField, SkeletonRows } from "@/ui/parts";
import { toast } from "@/ui/toast";

export default function ContactsPage({ userId }: { userId: string | null }) {
    const { t } = useI18n();
    const [query, setQuery] = useState("");
    const search = usePeopleSearch(query);
    const known = useKnownPeople();
    const searching = query.trim() !== "";
    const people = searching ? search.results : known;

    if (userId === "invite")
        return (
            <SubPage title={t("invitations.title")}>
                <InvitationList all={false} />
            </SubPage>
        );
    if (userId?.startsWith("@"))
        return (
            <SubPage title={t("contacts.title")}>
                <PersonCard userId={userId} />
            </SubPage>
        );
    return (
        <div className="page-inner">
            <header className="bar">
                <h1 className="grow">{t("contacts.title")}</h1>
            </header>
            <SearchField label={t("contacts.search")} value={query} onChange={setQuery} />
            {!searching && (
                <ul className="plain-list">
                    <li>
                        <a className="list-button" href={formatRoute({ page: "contacts", userId: "new-group" })}>
                            <span className="list-icon">
                                <UsersRound size={20} aria-hidden="true" />
                            </span>
                            <span className="grow">{t("contacts.new_group")}</span>
                            <ChevronRight size={18} className="quiet" aria-hidden="true" />
                        </a>
                    </li>
                    <li>
                        <a className="list-button" href={formatRoute({ page: "contacts", userId: "invite" })}>
                            <span className="list-icon">
                                <Link2 size={20} aria-hidden="true" />
                            </span>
                            <span className="grow">{t("contacts.invite_link")}</span>
                            <ChevronRight size={18} className="quiet" aria-hidden="true" />
                        </a>
                    </li>
                </ul>
            )}
            <h2 className="list-title">{t(searching ? "contacts.results" : "contacts.people")}</h2>
            {search.error !== null && <ErrorNotice error={search.error} />}
            {searching && search.busy && people.length === 0 && <SkeletonRows count={3} />}
            {people.length > 0 ? (
                <ul className="plain-list">
                    {people.map((person) => (
                        <li key={person.userId}>
                            <a className="list-button" href={formatRoute({ page: "contacts", userId: person.userId })}>
                                <RemoteAvatar id={person.userId} name={person.name} mxc={person.avatarMxc} size={40} />
                                <span className="grow">
                                    <span className="block nowrap">{person.name}</span>
                                    <span className="block small quiet nowrap">{person.userId}</span>
                                </span>
                            </a>
                        </li>
                    ))}
                </ul>
            ) : (
                !search.busy && search.error === null && <EmptyState icon={<UserRoundPlus size={40} />} title={t(searching ? "contacts.none_found" : "contacts.empty")} {...(searching ? {} : { hint: t("contacts.empty_hint") })} />
            )}
            {userId === "new-group" && <NewGroup onClose={() => goBack({ page: "contacts", userId: null })} />}
        </div>
    );
}

export function SubPage({ title, children }: { title: string; children: React.ReactNode }) {
    const { t } = useI18n();
    return (
        <div className="page-inner">
            <header className="bar">
                <IconButton label={t("common.back")} onClick={() => goBack({ page: "contacts", userId: null })}>
                    <ChevronLeft size={24} />
                </IconButton>
                <h1 className="grow nowrap">{title}</h1>
            </header>
            {children}
        </div>
    );
}

function PersonCard({ userId }: { userId: string }) {
    const engine = useEngine();
    const i18n = useI18n();
    const { t } = i18n;
    const remarks = useStore(engine.account.remarks);
    const [remark, setRemark] = useState(remarks[userId] ?? "");
    const [busy, setBusy] = useState(false);
    const profile = useLoaded(userId, () => engine.client.getProfileInfo(userId));
    const profileName = profile.state === "ready" && profile.value.displayname ? profile.value.displayname : engine.name(userId);
    const shown = remarks[userId] ?? profileName;
    const open = async () => {
        setBusy(true);
        try {
            navigate({ page: "chat", roomId: await engine.openDirect(userId), eventId: null });
        } catch (error) {
            toast(errorWords(error, i18n));
            setBusy(false);
        }
    };
    const save = async (event: FormEvent) => {
        event.preventDefault();
        try {
            await engine.account.setRemark(userId, remark);
            toast(t("common.saved"));
        } catch (error) {
            toast(errorWords(error, i18n));
        }
    };
    return (
        <div className="stack card">
            <div className="row">
                <RemoteAvatar id={userId} name={shown} mxc={profile.state === "ready" ? profile.value.avatar_url : null} size={64} />
                <div className="grow">
                    <h2 className="wrap">{shown}</h2>
                    {shown !== profileName && <p className="quiet wrap">{profileName}</p>}
                    <p className="small quiet wrap">{userId}</p>
                </div>
            </div>
            {profile.state === "failed" && <ErrorNotice error={profile.error} onRetry={profile.reload} />}
            {userId !== engine.me && (
                <>
                    <button type="button" className="button primary wide" disabled={busy} onClick={() => void open()}>
                        {t("contacts.message")}
                    </button>
                    <form className="row" style={{ alignItems: "flex-end" }} onSubmit={(event) => void save(event)}>
                        <div className="grow">
                            <Field label={t("contacts.remark")} value={remark} maxLength={64} placeholder={t("contacts.remark_hint")} onChange={(event) => setRemark(event.target.value)} />
                        </div>
                        <button className="button" disabled={remark.trim() === (remarks[userId] ?? "")}>
                            {t("common.save")}
                        </button>
                    </form>
                </>
            )}
        </div>
    );
}

function NewGroup({ onClose }: { onClose(): void }) {
    const engine = useEngine();
    const { t } = useI18n();
    const [name, setName] = useState("");
    const [picked, setPicked] = useState<Person[]>([]);
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState<unknown>(null);
    const create = async () => {
        setBusy(true);
        setError(null);
        try {
            const { room_id } = await engine.client.createRoom({ preset: "private_chat" as never, invite: picked.map((person) => person.userId), ...(name.trim() ? { name: name.trim() } : {}) });
            navigate({ page: "chat", roomId: room_id, eventId: null }, "replace");
        } catch (failure) {
            setError(failure);
            setBusy(false);
        }
    };
    return (
        <Dialog title={t("group.title")} onClose={onClose}>
            <div className="stack">
                <Field label={t("group.name")} hint={t("group.name_hint")} value={name} maxLength={100} onChange={(event) => setName(event.target.value)} />
                <PeoplePicker picked={picked} onChange={setPicked} />
                {error !== null && <ErrorNotice error={error} />}
            </div>
            <div className="dialog-actions">
                <button type="button" className="button" onClick={onClose}>
                    {t("common.cancel")}
                </button>
                <button type="button" className="button primary" disabled={busy || (picked.length === 0 && !name.trim())} onClick={() => void create()}>
                    {t("group.create")}
                </button>
            </div>
        </Dialog>
    );
}
