/** Copies `text`, and what `add` has to say beside it; on plain http, where there is no clipboard interface, by the old way. */
export async function copyText(text: string, add?: (data: DataTransfer) => void): Promise<boolean> {
    if (add && copyByEvent(text, add)) return true; // the interface takes the browser's own kinds of contents only
    try {
        if (navigator.clipboard) {
            await navigator.clipboard.writeText(text);
            return true;
        }
    } catch {
        // Refused: the old way may still do.
    }
    return copyByEvent(text, () => undefined);
}

function copyByEvent(text: string, add: (data: DataTransfer) => void): boolean {
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    area.style.opacity = "0";
    document.body.append(area);
    area.select();
    const onCopy = (event: ClipboardEvent) => {
        if (!event.clipboardData) return;
        event.preventDefault();
        event.stopPropagation();
        event.clipboardData.setData("text/plain", text);
        add(event.clipboardData);
    };
    document.addEventListener("copy", onCopy, { capture: true });
    const copied = document.execCommand("copy");
    document.removeEventListener("copy", onCopy, { capture: true });
    area.remove();
    return copied;
}

export function saveBlob(blob: Blob, name: string): void {
    const url = URL.createObjectURL(blob);
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
