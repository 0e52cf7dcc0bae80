/** Which rows of a long list are drawn: those in view and some way beyond, in steps, so that not every pixel draws anew. */

const beyond_px = 1_200;
/** Another window is drawn when the view comes this near to the edge of the last one. */
const margin_px = 500;
const viewGuess_px = 1_000;

export interface Heights {
    readonly count: number;
    readonly total: number;
    /** The height of all rows before this one. */
    before(index: number): number;
    /** The row at this height. */
    at(top: number): number;
}

export function heightsOf(keys: readonly string[], measured: ReadonlyMap<string, number>, estimate_px: number): Heights {
    const sums = new Float64Array(keys.length + 1);
    for (let index = 0; index < keys.length; index += 1) sums[index + 1] = (sums[index] ?? 0) + (measured.get(keys[index] ?? "") ?? estimate_px);
    return {
        count: keys.length,
        total: sums[keys.length] ?? 0,
        before: (index) => sums[Math.max(0, Math.min(keys.length, index))] ?? 0,
        at: (top) => {
            let low = 0;
            let high = keys.length - 1;
            while (low < high) {
                const middle = (low + high + 1) >> 1;
                if ((sums[middle] ?? 0) <= top) low = middle;
                else high = middle - 1;
            }
            return Math.max(0, low);
        },
    };
}

export interface Window {
    from: number;
    to: number;
}

/** The window around a row, or for a view; the current one as long as it reaches. */
export function windowFor(heights: Heights, view: { index: number } | { top: number; height: number; current: Window }): Window {
    if (heights.count === 0) return { from: 0, to: 0 };
    const top = "index" in view ? heights.before(view.index) : view.top;
    const height = "index" in view ? viewGuess_px : view.height;
    if ("current" in view) {
        const { from, to } = view.current;
        const reachesUp = from === 0 || heights.before(from) <= top - margin_px;
        const reachesDown = to >= heights.count || heights.before(to) >= top + height + margin_px;
        const tooLarge = heights.before(to) - heights.before(from) > height + 4 * beyond_px;
        if (reachesUp && reachesDown && !tooLarge && to <= heights.count) return { from, to };
    }
    return { from: heights.at(Math.max(0, top - beyond_px)), to: Math.min(heights.count, heights.at(top + height + beyond_px) + 1) };
}
