/** From where to where something stands in a text. */
export interface Span {
    from: number;
    to: number;
}

/** One change of a text, as far as the field that it was made in tells: what was selected before it, and the caret after. */
export interface Edit {
    selected: Span | null;
    caret: number;
}

interface Replaced extends Span {
    /** How many characters stand there now. */
    put: number;
}

/** What differs between the texts `before` up to `to` and `after` up to `caret`, at the least. */
function difference(before: string, to: number, after: string, caret: number): Replaced {
    let from = 0;
    while (from < Math.min(to, caret) && before[from] === after[from]) from += 1;
    let [end, put] = [to, caret - from];
    while (end > from && put > 0 && before[end - 1] === after[from + put - 1]) [end, put] = [end - 1, put - 1];
    return { from, to: end, put };
}

/** What of `before` was replaced; null where the field's word does not fit the texts. */
function replacedBy(before: string, after: string, { selected, caret }: Edit): Replaced | null {
    const to = before.length - (after.length - caret);
    if (to < 0 || before.slice(to) !== after.slice(caret)) return null;
    // Who types a word with an S over "See you" has replaced that letter too.
    const chosen = selected !== null && selected.from < selected.to && selected.to === to && selected.from <= caret && before.startsWith(after.slice(0, selected.from));
    return chosen ? { ...selected, put: caret - selected.from } : difference(before, to, after, caret);
}

/** Where in `after` the words are that came in; null where that is not known. */
export function placeOf(before: string, after: string, edit: Edit | null): Span | null {
    const replaced = edit && replacedBy(before, after, edit);
    return replaced && { from: replaced.from, to: replaced.from + replaced.put };
}

/**
 * Where in `after` AI's words stand that stood at `part` of `before`, and what one wrote between them; null where nothing
 * of them is left. What cannot be known for certain is taken for theirs.
 */
export function aiPartAfter(part: Span, before: string, after: string, edit: Edit | null): Span | null {
    const known = edit && replacedBy(before, after, edit);
    const { from, to, put } = known ?? difference(before, before.length, after, after.length);
    const moved = put - (to - from);
    const left: Span = {
        from: part.from < from ? part.from : part.from >= to ? part.from + moved : from + put,
        to: part.to <= from ? part.to : part.to >= to ? part.to + moved : from,
    };
    if (left.from >= left.to || after.slice(left.from, left.to).trim() === "") return null;
    return known ? left : { from: 0, to: after.length };
}
