import { useState } from "react";
import { useAiOn } from "@/features/assistant/context";
import { ReceiptDialog } from "@/features/assistant/parts/Receipt";
import type { AiLabel } from "@/features/chat/engine/content";
import { useI18n } from "@/i18n";

/**
 * The mark of what AI wrote or changed; a tap opens the receipt. Where the assistant is off the mark stays, and only says so.
 * `perhapsMine`: the model may have been asked by me, so that a receipt which is not there may be one that I have erased.
 */
export function AiMark({ label, perhapsMine }: { label: AiLabel; perhapsMine: boolean }) {
    const { t } = useI18n();
    const on = useAiOn();
    const [open, setOpen] = useState(false);
    if (!on) return <AiTag />;
    return (
        <>
            <button type="button" className="ai-mark" aria-label={t(label.kind === "assisted" ? "ai.mark_assisted" : "ai.mark_generated")} onClick={() => setOpen(true)}>
                <span>{t("ai.mark")}</span>
            </button>
            {open && <ReceiptDialog callId={label.call_id} label={label} perhapsMine={perhapsMine} onClose={() => setOpen(false)} />}
        </>
    );
}

export function AiTag() {
    const { t } = useI18n();
    return <span className="ai-tag">{t("ai.mark")}</span>;
}
