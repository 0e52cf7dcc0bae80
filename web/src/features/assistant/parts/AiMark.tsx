import { useState } from "react";
import { ReceiptDialog } from "@/features/assistant/parts/Receipt";
import type { AiLabel } from "@/features/chat/engine/content";
import { useI18n } from "@/i18n";

/** The mark of what AI wrote or changed; a tap opens the receipt. In rows of lists it only stands there. */
export function AiMark({ label, inert }: { label: AiLabel; inert?: boolean }) {
    const { t } = useI18n();
    const [open, setOpen] = useState(false);
    if (inert) return <AiTag />;
    return (
        <>
            <button type="button" className="ai-mark" aria-label={t(label.kind === "assisted" ? "ai.mark_assisted" : "ai.mark_generated")} onClick={() => setOpen(true)}>
                <span>{t("ai.mark")}</span>
            </button>
            {open && <ReceiptDialog callId={label.call_id} label={label} onClose={() => setOpen(false)} />}
        </>
    );
}

export function AiTag() {
    const { t } = useI18n();
    return <span className="ai-tag">{t("ai.mark")}</span>;
}
