import { Link2, QrCode as QrCodeIcon } from "lucide-react";
import type { Room } from "matrix-js-sdk";
import { useMemo, useState } from "react";
import { useEngine, useRooms } from "@/features/chat/engine/context";
import { useI18n } from "@/i18n";
import { errorWords } from "@/lib/errors";
import { useLoaded } from "@/lib/hooks";
import { request } from "@/lib/http";
import { LinkBox, QrCode } from "@/ui/LinkBox";
import { Dialog, EmptyState, ErrorNotice, IconButton, SkeletonRows } from "@/ui/parts";
import { toast } from "@/ui/toast";

export interface Invitation {
    token: string;
    url: string;
    uses_left: number | null;
    expires_at_ms: number | null;
    room_ids: string[];
    inviter: string | { user_id: string; display_name?: string | null };
}

const api = "/_lingxi/client/v1/invitations";
const day_seconds = 86_400;
const mostGroups = 200;

/** The groups into which I may bring people, the oldest first: on a small server that is the one for all. */
function useGroups(): Room[] {
    const { client, me } = useEngine();
    const summaries = useRooms();
    return useMemo(() => {
        const direct = new Set(summaries.filter((one) => one.directUserId !== null).map((one) => one.roomId));
        const born = (room: Room) => room.currentState.getStateEvents("m.room.create", "")?.getTs() ?? Infinity;
        return client
            .getRooms()
            .filter((room) => room.getMyMembership() === "join" && !direct.has(room.roomId) && room.canInvite(me))
            .sort((a, b) => born(a) - born(b))
            .slice(0, mostGroups);
    }, [client, me, summaries]);
}

/** Makes an invitation link: for how many, how long, into which chats (one of mine, where `roomIds` does not say). */
export function NewInvitation({ roomIds, onMade }: { roomIds: string[] | null; onMade?(invitation: Invitation): void }) {
    const { t, formats } = useI18n();
    const { transport } = useEngine();
    const groups = useGroups();
    const [into, setInto] = useState<string | null>(null);
    const group = into ?? groups[0]?.roomId ?? "";
    const [uses, setUses] = useState("1");
    const [expires, setExpires] = useState(String(7 * day_seconds));
    const [made, setMade] = useState<Invitation | null>(null);
    const [again, setAgain] = useState(false);
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState<unknown>(null);
    const make = async () => {
        setBusy(true);
        setError(null);
        try {
            const invitation = await request<Invitation>("POST", api, { uses: uses === "" ? null : Number(uses), expires_in_seconds: expires === "" ? null : Number(expires), room_ids: roomIds ?? (group ? [group] : []) }, { fetch: transport.fetch });
            setMade(invitation);
            onMade?.(invitation);
        } catch (failure) {
            setError(failure);
        } finally {
            setBusy(false);
        }
    };
    if (made)
        return (
            <div key="made">
                <QrCode text={made.url} label={t("invitations.qr")} />
                <LinkBox url={made.url} autoFocus />
                <p className="small quiet" style={{ marginTop: 8 }}>
                    {made.uses_left === null ? t("invitations.uses_any") : t("invitations.left", made.uses_left)}
                    {made.expires_at_ms !== null && ` · ${t("invitations.until", formats.full(made.expires_at_ms))}`}
                </p>
                <button
                    type="button"
                    className="button"
                    style={{ marginTop: 12 }}
                    onClick={() => {
                        setMade(null);
                        setAgain(true);
                    }}
                >
                    {t("invitations.another")}
                </button>
            </div>
        );
    return (
        <div key="form" className="stack">
            <div className="row" style={{ alignItems: "flex-end" }}>
                <div className="field grow">
                    <label htmlFor="invitation-uses">{t("invitations.uses")}</label>
                    <select id="invitation-uses" className="input" value={uses} autoFocus={again} onChange={(event) => setUses(event.target.value)}>
                        {["1", "5", "20", "100"].map((count) => (
                            <option key={count} value={count}>
                                {count}
                            </option>
                        ))}
                        <option value="">{t("invitations.uses_any")}</option>
                    </select>
                </div>
                <div className="field grow">
                    <label htmlFor="invitation-expires">{t("invitations.expires")}</label>
                    <select id="invitation-expires" className="input" value={expires} onChange={(event) => setExpires(event.target.value)}>
                        <option value={day_seconds}>{t("invitations.day")}</option>
                        <option value={7 * day_seconds}>{t("invitations.week")}</option>
                        <option value={30 * day_seconds}>{t("invitations.month")}</option>
                        <option value="">{t("invitations.never")}</option>
                    </select>
                </div>
            </div>
            {roomIds === null && groups.length > 0 && (
                <div className="field">
                    <label htmlFor="invitation-into">{t("invitations.into")}</label>
                    <select id="invitation-into" className="input" value={group} onChange={(event) => setInto(event.target.value)}>
                        {groups.map((room) => (
                            <option key={room.roomId} value={room.roomId}>
                                {room.name}
                            </option>
                        ))}
                        <option value="">{t("invitations.into_none")}</option>
                    </select>
                </div>
            )}
            {error !== null && <ErrorNotice error={error} />}
            <button type="button" className="button primary" disabled={busy} onClick={() => void make()}>
                {t("invitations.create")}
            </button>
        </div>
    );
}

export function InvitationDialog({ roomIds, onClose }: { roomIds: string[]; onClose(): void }) {
    const { t } = useI18n();
    return (
        <Dialog title={t("room.invite_link")} onClose={onClose}>
            {roomIds.length > 0 && <p className="quiet small">{t("room.invite_link_hint")}</p>}
            <NewInvitation roomIds={roomIds} />
        </Dialog>
    );
}

/** The links that are still good: mine, or everyone's for an administrator. */
export function InvitationList({ all }: { all: boolean }) {
    const i18n = useI18n();
    const { t, formats } = i18n;
    const { transport, client } = useEngine();
    const loaded = useLoaded(`invitations ${all}`, () => request<{ invitations: Invitation[] }>("GET", all ? `${api}?all=true` : api, undefined, { fetch: transport.fetch }));
    const [shown, setShown] = useState<Invitation | null>(null);
    const revoke = async (invitation: Invitation) => {
        try {
            await request("DELETE", `${api}/${encodeURIComponent(invitation.token)}`, undefined, { fetch: transport.fetch });
            loaded.reload();
        } catch (error) {
            toast(errorWords(error, i18n));
        }
    };
    return (
        <section className="stack">
            <NewInvitation roomIds={null} onMade={loaded.reload} />
            {loaded.state === "loading" && <SkeletonRows count={3} />}
            {loaded.state === "failed" && <ErrorNotice error={loaded.error} onRetry={loaded.reload} />}
            {loaded.state === "ready" && loaded.value.invitations.length === 0 && <EmptyState icon={<Link2 size={40} />} title={t("invitations.none")} hint={t("invitations.none_hint")} />}
            {loaded.state === "ready" && loaded.value.invitations.length > 0 && (
                <ul className="plain-list">
                    {loaded.value.invitations.map((invitation) => {
                        const inviter = typeof invitation.inviter === "string" ? invitation.inviter : (invitation.inviter?.display_name ?? invitation.inviter?.user_id ?? "");
                        const rooms = invitation.room_ids.map((id) => client.getRoom(id)?.name).filter((name): name is string => !!name);
                        return (
                            <li key={invitation.token} className="list-line">
                                <span className="grow">
                                    <span className="block nowrap">
                                        {invitation.uses_left === null ? t("invitations.uses_any") : t("invitations.left", invitation.uses_left)}
                                        {rooms.length > 0 && ` → ${i18n.list(rooms)}`}
                                    </span>
                                    <span className="small quiet block nowrap">
                                        {invitation.expires_at_ms === null ? t("invitations.never") : t("invitations.until", formats.full(invitation.expires_at_ms))}
                                        {all && inviter && ` · ${inviter}`}
                                    </span>
                                </span>
                                <IconButton label={t("invitations.qr")} onClick={() => setShown(invitation)}>
                                    <QrCodeIcon size={20} />
                                </IconButton>
                                <button type="button" className="button plain" onClick={() => void revoke(invitation)}>
                                    {t("invitations.revoke")}
                                </button>
                            </li>
                        );
                    })}
                </ul>
            )}
            {shown && (
                <Dialog title={t("room.invite_link")} onClose={() => setShown(null)}>
                    <QrCode text={shown.url} label={t("invitations.qr")} />
                    <LinkBox url={shown.url} />
                </Dialog>
            )}
        </section>
    );
}
