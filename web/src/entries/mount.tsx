import "@/ui/tokens.css";
import "@/ui/base.css";
import { StrictMode, type ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { I18nProvider } from "@/i18n";
import { applyTheme } from "@/lib/preferences";
import { ErrorBoundary } from "@/ui/ErrorBoundary";

export function mount(page: ReactNode): void {
    applyTheme();
    const root = document.getElementById("root");
    if (!root) throw new Error("the page has no #root");
    createRoot(root).render(
        <StrictMode>
            <I18nProvider>
                <ErrorBoundary>{page}</ErrorBoundary>
            </I18nProvider>
        </StrictMode>,
    );
}

/** The secret of a link: read once, then gone from the address bar and the history. */
export function takeFragment(): string {
    // To the browser another link of the same page is the page that is open.
    window.addEventListener("hashchange", () => location.reload());
    const fragment = decodeURIComponent(location.hash.replace(/^#/, "")).replace(/^token=/, "");
    if (fragment) {
        sessionStorage.setItem(`lingxi.link.${location.pathname}`, fragment);
        history.replaceState(null, "", location.pathname);
        return fragment;
    }
    return sessionStorage.getItem(`lingxi.link.${location.pathname}`) ?? "";
}

export function forgetFragment(): void {
    sessionStorage.removeItem(`lingxi.link.${location.pathname}`);
}
