import { useSyncExternalStore } from "react";

/**
 * The place in the client lives in the fragment (`/#/chat/!id`): links work on any server that serves
 * index.html, and no room id reaches a log.
 */
export type Route =
    | { page: "chats" }
    | { page: "chat"; roomId: string; eventId: string | null }
    | { page: "contacts"; userId: string | null }
    | { page: "me"; section: string | null }
    | { page: "admin"; section: string | null };

function decode(part: string | undefined): string | null {
    if (!part) return null;
    try {
        return decodeURIComponent(part);
    } catch {
        return null;
    }
}

export function parseRoute(fragment: string): Route {
    const [, page, first, second] = fragment.replace(/^#/, "").split("/");
    const id = decode(first);
    switch (page) {
        case "chat":
            return id ? { page: "chat", roomId: id, eventId: decode(second) } : { page: "chats" };
        case "contacts":
            return { page: "contacts", userId: id };
        case "me":
            return { page: "me", section: id };
        case "admin":
            return { page: "admin", section: id };
        default:
            return { page: "chats" };
    }
}

export function formatRoute(route: Route): string {
    const part = (value: string | null) => (value ? `/${encodeURIComponent(value)}` : "");
    switch (route.page) {
        case "chats":
            return "#/";
        case "chat":
            return `#/chat${part(route.roomId)}${part(route.eventId)}`;
        case "contacts":
            return `#/contacts${part(route.userId)}`;
        case "me":
        case "admin":
            return `#/${route.page}${part(route.section)}`;
    }
}

let cached: { fragment: string; route: Route } | null = null;

export function currentRoute(): Route {
    const fragment = location.hash;
    if (cached?.fragment !== fragment) cached = { fragment, route: parseRoute(fragment) };
    return cached.route;
}

const changed = new EventTarget();

export function navigate(route: Route, how: "push" | "replace" = "push"): void {
    const target = formatRoute(route);
    if (target === location.hash) return;
    if (how === "replace") history.replaceState(history.state, "", target);
    else history.pushState({ inside: true }, "", target);
    changed.dispatchEvent(new Event("route"));
}

/** Back to where one came from, or to `fallback` where this page was the first. */
export function goBack(fallback: Route): void {
    if ((history.state as { inside?: boolean } | null)?.inside) history.back();
    else navigate(fallback, "replace");
}

function subscribe(listener: () => void): () => void {
    changed.addEventListener("route", listener);
    window.addEventListener("popstate", listener);
    window.addEventListener("hashchange", listener);
    return () => {
        changed.removeEventListener("route", listener);
        window.removeEventListener("popstate", listener);
        window.removeEventListener("hashchange", listener);
    };
}

export function useRoute(): Route {
    return useSyncExternalStore(subscribe, currentRoute);
}
