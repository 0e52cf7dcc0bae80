import { useEffect, useState } from "react";
import { offerLocalpart } from "@/features/identity/api";

/** Offers a username for a name (张伟 → zhangwei) until the person writes one. */
export function useLocalpart(name: string): [string, (value: string) => void] {
    const [own, setOwn] = useState<string | null>(null);
    const [offered, setOffered] = useState("");
    useEffect(() => {
        if (own !== null) return undefined;
        const wanted = name.trim();
        if (!wanted) {
            setOffered("");
            return undefined;
        }
        const abort = new AbortController();
        const timer = setTimeout(() => {
            offerLocalpart(wanted, abort.signal).then(
                ({ localpart }) => setOffered(localpart),
                () => undefined, // nothing to offer: the person writes one
            );
        }, 250);
        return () => {
            clearTimeout(timer);
            abort.abort();
        };
    }, [name, own]);
    return [own ?? offered, (value) => setOwn(value.toLowerCase())];
}
