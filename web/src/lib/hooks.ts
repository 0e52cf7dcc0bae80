import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { errcodeOf, isAborted } from "@/lib/errors";
import { online } from "@/lib/online";

export function useMediaQuery(query: string): boolean {
    return useSyncExternalStore(
        (listener) => {
            const media = matchMedia(query);
            media.addEventListener("change", listener);
            return () => media.removeEventListener("change", listener);
        },
        () => matchMedia(query).matches,
    );
}

export const useIsDesktop = (): boolean => useMediaQuery("(min-width: 900px)");

/** Whether one points with a finger: there Enter breaks the line, and keys are not spoken of. */
export const useIsTouch = (): boolean => useMediaQuery("(pointer: coarse)");

/** True once `waiting` has lasted: skeletons show after 150 ms, none before. */
export function useLate(waiting: boolean, afterMs = 150): boolean {
    const [late, setLate] = useState(false);
    useEffect(() => {
        setLate(false);
        if (!waiting) return undefined;
        const timer = setTimeout(() => setLate(true), afterMs);
        return () => clearTimeout(timer);
    }, [waiting, afterMs]);
    return waiting && late;
}

export type Loaded<T> = { state: "loading" } | { state: "ready"; value: T } | { state: "failed"; error: unknown };

/**
 * Loads when `key` changes; `reload` asks again and keeps what is there meanwhile, also where that fails. What
 * failed for want of a connection is asked again when it is back.
 */
export function useLoaded<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> & { reload(): void; set(value: T): void } {
    const [loaded, setLoaded] = useState<Loaded<T>>({ state: "loading" });
    const [turn, setTurn] = useState(0);
    const loadRef = useRef(load);
    loadRef.current = load;
    useEffect(() => {
        setLoaded({ state: "loading" });
    }, [key]);
    useEffect(() => {
        const abort = new AbortController();
        loadRef.current(abort.signal).then(
            (value) => {
                if (!abort.signal.aborted) setLoaded({ state: "ready", value });
            },
            (error: unknown) => {
                if (!abort.signal.aborted && !isAborted(error)) setLoaded((last) => (last.state === "ready" ? last : { state: "failed", error }));
            },
        );
        return () => abort.abort();
    }, [key, turn]);
    const unreached = loaded.state === "failed" && errcodeOf(loaded.error) === "NETWORK";
    useEffect(() => {
        if (!unreached) return undefined;
        const again = () => online.get() && setTurn((last) => last + 1);
        window.addEventListener("online", again);
        const off = online.subscribe(again);
        return () => {
            window.removeEventListener("online", again);
            off();
        };
    }, [unreached]);
    return { ...loaded, reload: () => setTurn((last) => last + 1), set: (value) => setLoaded({ state: "ready", value }) };
}

/** Now, renewed every minute, for relative times. */
export function useNow(everyMs = 60_000): number {
    const [now, setNow] = useState(Date.now);
    useEffect(() => {
        const timer = setInterval(() => setNow(Date.now()), everyMs);
        return () => clearInterval(timer);
    }, [everyMs]);
    return now;
}

/** A picture's address until the browser finds that it cannot draw what is there: people send all kinds of bytes. */
export function useDrawable(url: string | null): { url: string | null; broken: boolean; onError(): void } {
    const [undrawable, setUndrawable] = useState<string | null>(null);
    const broken = url !== null && url === undrawable;
    return { url: broken ? null : url, broken, onError: () => setUndrawable(url) };
}
