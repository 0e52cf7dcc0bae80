import { useEffect, useState } from "react";
import { useEngine, useName, useRooms } from "@/features/chat/engine/context";
import { isAborted } from "@/lib/errors";
import { request } from "@/lib/http";

export interface Person {
    userId: string;
    name: string;
    avatarMxc: string | null;
}

interface Answer {
    results: { user_id: string; display_name?: string; avatar_url?: string }[];
}

const debounceMs = 180;

/** People of the directory by a part of their name, their pinyin or username; and those one knows, at once. */
export function usePeopleSearch(query: string): { results: Person[]; busy: boolean; error: unknown } {
    const engine = useEngine();
    const name = useName();
    const known = useKnownPeople();
    const [found, setFound] = useState<{ query: string; results: Person[]; error: unknown }>({ query: "", results: [], error: null });
    const wanted = query.trim();
    useEffect(() => {
        if (!wanted) {
            setFound({ query: "", results: [], error: null });
            return undefined;
        }
        const abort = new AbortController();
        const timer = setTimeout(() => {
            request<Answer>("POST", "/_matrix/client/v3/user_directory/search", { search_term: wanted, limit: 20 }, { fetch: engine.transport.fetch, signal: abort.signal }).then(
                (answer) =>
                    setFound({
                        query: wanted,
                        results: answer.results.filter((one) => one.user_id !== engine.me).map((one) => ({ userId: one.user_id, name: engine.account.remarks.get()[one.user_id] ?? (one.display_name || name(one.user_id)), avatarMxc: one.avatar_url ?? null })),
                        error: null,
                    }),
                (error: unknown) => !isAborted(error) && setFound({ query: wanted, results: [], error }),
            );
        }, debounceMs);
        return () => {
            clearTimeout(timer);
            abort.abort();
        };
    }, [wanted, engine, name]);

    if (!wanted) return { results: [], busy: false, error: null };
    const lower = wanted.toLowerCase();
    const local = known.filter((person) => person.name.toLowerCase().includes(lower) || person.userId.toLowerCase().includes(lower));
    const answered = found.query === wanted;
    const all = new Map((answered ? found.results : []).map((person) => [person.userId, person]));
    for (const person of local) if (!all.has(person.userId)) all.set(person.userId, person);
    return { results: [...all.values()], busy: !answered, error: answered ? found.error : null };
}

/** Those with whom one shares a chat, by name. */
export function useKnownPeople(): Person[] {
    const { client, me } = useEngine();
    const name = useName();
    useRooms(); // membership news comes by the list
    const people = new Map<string, Person>();
    for (const room of client.getRooms()) {
        if (room.getMyMembership() !== "join") continue;
        for (const member of room.getMembers())
            if (member.userId !== me && (member.membership === "join" || member.membership === "invite") && !people.has(member.userId))
                people.set(member.userId, { userId: member.userId, name: name(member.userId) || member.rawDisplayName, avatarMxc: member.getMxcAvatarUrl() ?? null });
    }
    return [...people.values()].sort((a, b) => a.name.localeCompare(b.name, ["zh-CN-u-co-pinyin", "en"]));
}
