import { Component, type ReactNode } from "react";
import { currentI18n } from "@/i18n";

/** A fault in one page ends that page, not the client. `resetKey` tries again where it changes. */
export class ErrorBoundary extends Component<{ children: ReactNode; resetKey?: string }, { error: Error | null }> {
    override state: { error: Error | null } = { error: null };

    static getDerivedStateFromError(error: Error) {
        return { error };
    }

    override componentDidCatch(error: Error) {
        console.error("page.failed", error);
    }

    override componentDidUpdate(before: { resetKey?: string }) {
        if (this.state.error && before.resetKey !== this.props.resetKey) this.setState({ error: null });
    }

    override render() {
        if (!this.state.error) return this.props.children;
        const { t } = currentI18n();
        return (
            <div className="state" role="alert">
                <h2>{t("error.page")}</h2>
                <p className="small">{t("common.code", this.state.error.name)}</p>
                <button type="button" className="button" onClick={() => location.reload()}>
                    {t("error.reload")}
                </button>
            </div>
        );
    }
}
