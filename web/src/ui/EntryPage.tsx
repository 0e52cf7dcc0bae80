import type { ReactNode } from "react";
import { useLanguages, type Language } from "@/i18n";

const languages: { code: Language; name: string }[] = [
    { code: "zh", name: "中文" },
    { code: "en", name: "English" },
];

export function LanguageButtons() {
    const { i18n, setLanguage } = useLanguages();
    return (
        <div className="entry-languages" role="group" aria-label={i18n.t("common.language")}>
            {languages.map(({ code, name }) => (
                <button key={code} type="button" className="button plain" lang={code} aria-pressed={i18n.language === code} onClick={() => setLanguage(code)}>
                    {name}
                </button>
            ))}
        </div>
    );
}

/** The frame of the pages that one sees before being signed in. */
export function EntryPage({ children }: { children: ReactNode }) {
    const { i18n } = useLanguages();
    return (
        <main className="entry">
            <LanguageButtons />
            <div className="entry-card">
                <div className="entry-brand">
                    <img src="/favicon.svg" alt="" />
                    <span>{i18n.t("app.name")}</span>
                </div>
                {children}
            </div>
        </main>
    );
}
