import { labelKey, labelOf, type AiLabel, type Origin } from "@/features/chat/engine/content";

/** What a browser hands from page to page of this client beside the words; other programs see the words alone. */
const carriedType = "application/x-lingxi-ai";

/** Says of words that are copied or dragged that they, or some of them, are AI's. */
export function carry(data: DataTransfer, origin: Origin): void {
    data.setData(carriedType, JSON.stringify(origin));
}

export const carriedBy = (data: DataTransfer): Origin | null => originOf(data.getData(carriedType));

function originOf(json: string): Origin | null {
    try {
        const { label, text } = JSON.parse(json) as Record<string, unknown>;
        const known = labelOf({ [labelKey]: label });
        return known && typeof text === "string" ? { label: known, text } : null;
    } catch {
        return null; // nothing was carried, or nonsense
    }
}

/** The attributes of an element that shows AI's words and nothing else; `text` is what the label was given for. */
export function aiWords(label: AiLabel | null, text: string): { "data-ai"?: string } {
    return label ? { "data-ai": JSON.stringify({ label, text }) } : {};
}

/** Whose words of AI's are selected under `root`; of several, the first. */
export function originSelected(root: Element, selection: Selection | null): Origin | null {
    if (!selection || selection.rangeCount === 0 || selection.isCollapsed) return null;
    const chosen = selection.getRangeAt(0);
    for (const element of root.querySelectorAll<HTMLElement>("[data-ai]")) {
        if (!chosen.intersectsNode(element)) continue;
        const part = document.createRange();
        part.selectNodeContents(element);
        if (part.compareBoundaryPoints(Range.START_TO_START, chosen) < 0) part.setStart(chosen.startContainer, chosen.startOffset);
        if (part.compareBoundaryPoints(Range.END_TO_END, chosen) > 0) part.setEnd(chosen.endContainer, chosen.endOffset);
        const origin = part.toString().trim() === "" ? null : originOf(element.dataset["ai"] ?? "");
        if (origin) return origin;
    }
    return null;
}
