import { Check, Copy } from "lucide-react";
import qrcode from "qrcode-generator";
import { useMemo, useState } from "react";
import { useI18n } from "@/i18n";
import { copyText } from "@/lib/clipboard";
import { hostOf, isLoopback } from "@/lib/loopback";
import { IconButton } from "@/ui/parts";

export function QrCode({ text, label }: { text: string; label: string }) {
    const { path, size } = useMemo(() => {
        const code = qrcode(0, "M");
        code.addData(text);
        code.make();
        const count = code.getModuleCount();
        let drawn = "";
        for (let row = 0; row < count; row += 1)
            for (let column = 0; column < count; column += 1) if (code.isDark(row, column)) drawn += `M${column} ${row}h1v1h-1z`;
        return { path: drawn, size: count };
    }, [text]);
    return (
        <svg className="qr" viewBox={`-1 -1 ${size + 2} ${size + 2}`} role="img" aria-label={label} shapeRendering="crispEdges">
            <path d={path} fill="#000" />
        </svg>
    );
}

/** `autoFocus`: the link has just taken the place of what had the focus. */
export function LinkBox({ url, autoFocus = false }: { url: string; autoFocus?: boolean }) {
    const { t } = useI18n();
    const [copied, setCopied] = useState(false);
    return (
        <>
            <div className="link-box">
                <code className="grow">{url}</code>
                <IconButton label={copied ? t("common.copied") : t("common.copy")} autoFocus={autoFocus} onClick={() => void copyText(url).then(setCopied)}>
                    {copied ? <Check size={18} /> : <Copy size={18} />}
                </IconButton>
            </div>
            {isLoopback(hostOf(url)) && <p className="notice warn link-caution">{t("link.loopback")}</p>}
        </>
    );
}
