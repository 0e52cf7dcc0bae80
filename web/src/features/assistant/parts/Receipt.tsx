import { Download, Receipt as ReceiptIcon } from "lucide-react";
import { useEffect, useState } from "react";
import { eraseReceipts, exportReceipts, fetchReceipt, fetchReceipts, type Receipt } from "@/features/assistant/api";
import { askedWords, givenWords, isRunning, outcomeWords, purposeWords, usageWords } from "@/features/assistant/receiptWords";
import type { AiLabel } from "@/features/chat/engine/content";
import { useEngine, useName } from "@/features/chat/engine/context";
import { useI18n } from "@/i18n";
import { saveBlob } from "@/lib/clipboard";
import { errorWords, statusOf } from "@/lib/errors";
import { useLoaded, useNow } from "@/lib/hooks";
import { Confirm, Dialog, EmptyState, ErrorNotice, SkeletonRows } from "@/ui/parts";
import { toast } from "@/ui/toast";

/** A receipt in words: which model, what it was given, what it cost. */
export function ReceiptWords({ receipt }: { receipt: Receipt }) {
    const i18n = useI18n();
    const { t } = i18n;
    const name = useName();
    return (
        <div className="receipt">
            <p>{askedWords(receipt, i18n)}</p>
            <p>{givenWords(receipt, (receipt.whose ?? []).map(name), i18n)}</p>
            {usageWords(receipt, i18n).map((words) => (
                <p key={words}>{words}</p>
            ))}
            <p className="small quiet">{t("receipt.kept")}</p>
            {receipt.outbound_sha256 && (
                <p className="small quiet wrap">
                    {t("common.of", t(receipt.left === "no" ? "receipt.hash_not_sent" : "receipt.hash"))}<code>{receipt.outbound_sha256}</code>
                </p>
            )}
        </div>
    );
}

/** How often one looks whether a call that runs has ended. */
const lookAgainMs = 2_000;

export function ReceiptDialog({ callId, label, perhapsMine = false, onClose }: { callId: string; label: AiLabel | null; perhapsMine?: boolean; onClose(): void }) {
    const { t } = useI18n();
    const { transport } = useEngine();
    const loaded = useLoaded(callId, () => fetchReceipt(transport.fetch, callId));
    const running = loaded.state === "ready" && isRunning(loaded.value);
    const { reload } = loaded;
    useEffect(() => {
        if (!running) return undefined;
        const timer = setInterval(reload, lookAgainMs);
        return () => clearInterval(timer);
        // `reload` is another function each time, that does the same.
        // eslint-disable-next-line react-hooks/exhaustive-deps
    }, [running]);
    const others = loaded.state === "failed" && [403, 404].includes(statusOf(loaded.error));
    return (
        <Dialog title={t("receipt.title")} onClose={onClose}>
            {loaded.state === "loading" && <SkeletonRows count={2} />}
            {loaded.state === "ready" && <ReceiptWords receipt={loaded.value} />}
            {loaded.state === "failed" && !others && <ErrorNotice error={loaded.error} onRetry={loaded.reload} />}
            {others && label && (
                <div className="receipt">
                    <p>{t(perhapsMine ? "receipt.not_there" : "receipt.not_yours")}</p>
                    {label.model && <p>{t("receipt.label_model", label.model)}</p>}
                </div>
            )}
            {label && loaded.state !== "loading" && <p style={{ marginTop: 8 }}>{t(label.kind === "assisted" ? "receipt.label_assisted" : "receipt.label_generated")}</p>}
        </Dialog>
    );
}

/** All receipts of mine: seen, exported, erased. */
export function ReceiptsPage() {
    const i18n = useI18n();
    const { t, formats } = i18n;
    const { transport } = useEngine();
    const now = useNow();
    const first = useLoaded("receipts", () => fetchReceipts(transport.fetch, null));
    const [more, setMore] = useState<Receipt[]>([]);
    const [next, setNext] = useState<string | null>(null);
    const [open, setOpen] = useState<Receipt | null>(null);
    const [asking, setAsking] = useState(false);
    const firstPage = first.state === "ready" ? first.value : null;
    useEffect(() => {
        if (!firstPage) return;
        setMore([]);
        setNext(firstPage.next == null ? null : String(firstPage.next));
    }, [firstPage]);

    const all = firstPage ? [...firstPage.receipts, ...more] : [];
    const loadMore = async () => {
        try {
            const page = await fetchReceipts(transport.fetch, next);
            setMore([...more, ...page.receipts]);
            setNext(page.next == null ? null : String(page.next));
        } catch (error) {
            toast(errorWords(error, i18n));
        }
    };
    return (
        <section>
            {first.state === "loading" && <SkeletonRows />}
            {first.state === "failed" && <ErrorNotice error={first.error} onRetry={first.reload} />}
            {first.state === "ready" && all.length === 0 && <EmptyState icon={<ReceiptIcon size={40} />} title={t("receipt.none")} hint={t("receipt.none_hint")} />}
            {all.length > 0 && (
                <>
                    <div className="row" style={{ marginBottom: 8, flexWrap: "wrap" }}>
                        <button
                            type="button"
                            className="button"
                            onClick={() =>
                                void exportReceipts(transport.fetch).then(
                                    (blob) => saveBlob(blob, "lingxi-receipts.ndjson"),
                                    (error: unknown) => toast(errorWords(error, i18n)),
                                )
                            }
                        >
                            <Download size={18} aria-hidden="true" /> {t("receipt.export")}
                        </button>
                        <button type="button" className="button danger" onClick={() => setAsking(true)}>
                            {t("receipt.erase")}
                        </button>
                    </div>
                    <ul className="plain-list">
                        {all.map((receipt) => (
                            <li key={receipt.call_id}>
                                <button type="button" className="list-button" onClick={() => setOpen(receipt)}>
                                    <span className="grow">
                                        <span className="block">{purposeWords(receipt.purpose, i18n)}</span>
                                        <span className="small quiet block nowrap">
                                            {receipt.model} · {outcomeWords(receipt, i18n)}
                                        </span>
                                    </span>
                                    <span className="small quiet">{formats.relative(receipt.at_ms, now)}</span>
                                </button>
                            </li>
                        ))}
                    </ul>
                    {next && (
                        <button type="button" className="button wide" onClick={() => void loadMore()}>
                            {t("common.load_more")}
                        </button>
                    )}
                </>
            )}
            {open && isRunning(open) && <ReceiptDialog callId={open.call_id} label={null} onClose={() => setOpen(null)} />}
            {open && !isRunning(open) && (
                <Dialog title={t("receipt.title")} onClose={() => setOpen(null)}>
                    <ReceiptWords receipt={open} />
                </Dialog>
            )}
            {asking && <Confirm text={t("receipt.erase_ask")} yes={t("receipt.erase")} danger onYes={() => eraseReceipts(transport.fetch).then(() => first.set({ receipts: [] }))} onClose={() => setAsking(false)} />}
        </section>
    );
}
