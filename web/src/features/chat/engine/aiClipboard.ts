import { labelKey, labelOf, type AiLabel } from "@/features/chat/engine/content";

/**
 * What a browser hands from page to page beside the words. Any page may read it where the words are pasted, so it holds
 * the label alone, and nothing of the message that was not copied.
 */
const carriedType = "application/x-lingxi-ai";

/** Says of words that are copied or dragged that they, or some of them, are AI's. */
export function carry(data: DataTransfer, label: AiLabel): void {
    data.setData(carriedType, JSON.stringify(label));
}

export const carriedBy = (data: DataTransfer): AiLabel | null => parse(data.getData(carriedType));

function parse(json: string): AiLabel | null {
    try {
        return labelOf({ [labelKey]: JSON.parse(json) as unknown });
    } catch {
        return null; // nothing was carried, or nonsense
    }
}

/** The attributes of an element that shows AI's words and nothing else. A browser copies them with it. */
export function aiWords(label: AiLabel | null): { "data-ai"?: string } {
    return label ? { "data-ai": JSON.stringify(label) } : {};
}

/** The label of the words of AI's that are selected under `root`; of several, the first. */
export function labelSelected(root: Element, selection: Selection | null): AiLabel | null {
    if (!selection || selection.rangeCount === 0 || selection.isCollapsed) return null;
    const chosen = selection.getRangeAt(0);
    for (const element of root.querySelectorAll<HTMLElement>("[data-ai]")) {
        if (!chosen.intersectsNode(element)) continue;
        const part = document.createRange();
        part.selectNodeContents(element);
        if (part.compareBoundaryPoints(Range.START_TO_START, chosen) < 0) part.setStart(chosen.startContainer, chosen.startOffset);
        if (part.compareBoundaryPoints(Range.END_TO_END, chosen) > 0) part.setEnd(chosen.endContainer, chosen.endOffset);
        const label = part.toString().trim() === "" ? null : parse(element.dataset["ai"] ?? "");
        if (label) return label;
    }
    return null;
}
