import { X } from "lucide-react";
import { useState } from "react";
import { useKnownPeople, usePeopleSearch, type Person } from "@/features/chat/people";
import { RemoteAvatar } from "@/features/chat/parts/RemoteAvatar";
import { useI18n } from "@/i18n";
import { ErrorNotice, SearchField } from "@/ui/parts";

/** Choosing people: search, tick, and see who is in. */
export function PeoplePicker({ picked, exclude, onChange }: { picked: Person[]; exclude?: ReadonlySet<string>; onChange(picked: Person[]): void }) {
    const { t } = useI18n();
    const [query, setQuery] = useState("");
    const search = usePeopleSearch(query);
    const known = useKnownPeople();
    const shown = (query.trim() ? search.results : known).filter((person) => !exclude?.has(person.userId)).slice(0, 60);
    const isPicked = (person: Person) => picked.some((one) => one.userId === person.userId);
    const toggle = (person: Person) => onChange(isPicked(person) ? picked.filter((one) => one.userId !== person.userId) : [...picked, person]);
    return (
        <div>
            <SearchField label={t("contacts.search")} value={query} onChange={setQuery} />
            {picked.length > 0 && (
                <ul className="picked" aria-label={t("group.picked", picked.length)}>
                    {picked.map((person) => (
                        <li key={person.userId}>
                            <button type="button" onClick={() => toggle(person)} aria-label={`${t("common.delete")}: ${person.name}`}>
                                {person.name} <X size={14} />
                            </button>
                        </li>
                    ))}
                </ul>
            )}
            {search.error !== null && <ErrorNotice error={search.error} />}
            <ul className="plain-list pick-list">
                {shown.map((person) => (
                    <li key={person.userId}>
                        <label className="list-button">
                            <input type="checkbox" className="check" checked={isPicked(person)} onChange={() => toggle(person)} />
                            <RemoteAvatar id={person.userId} name={person.name} mxc={person.avatarMxc} size={36} />
                            <span className="grow nowrap">
                                {person.name} <span className="small quiet">{person.userId}</span>
                            </span>
                        </label>
                    </li>
                ))}
                {shown.length === 0 && !search.busy && <li className="state">{query.trim() ? t("contacts.none_found") : t("contacts.empty_hint")}</li>}
            </ul>
        </div>
    );
}
