import { useCallback, useEffect, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState, type ReactNode, type Ref } from "react";
import { heightsOf, windowFor, type Heights } from "@/ui/virtualWindow";

export interface VirtualListHandle {
    toEnd(): void;
    /** `reached` is told the row once it stands there. */
    toIndex(index: number, align: "start" | "center", reached?: (row: HTMLElement) => void): void;
    readonly element: HTMLDivElement | null;
}

interface Props<T> {
    items: readonly T[];
    keyOf(item: T): string;
    children(item: T): ReactNode;
    /** What a row is taken for until it was measured. */
    estimate_px: number;
    /** Where it opens: at the end, or with an item this far below the upper edge. Where another item is told later, it goes there, unless a hand was first. */
    open?: "start" | "end" | { index: number; below_px: number };
    /** Rows keep their place on the screen whatever comes, goes or grows above them; at the end, the end stays in view. */
    anchored?: boolean;
    label?: string;
    header?: ReactNode;
    footer?: ReactNode;
    ref?: Ref<VirtualListHandle>;
    onNearStart?(): void;
    onAtEnd?(atEnd: boolean): void;
}

const atEnd_px = 60;
const nearStart_px = 700;
/** By which a hand moves a list, or lays hold of what stands in it. */
const handEvents = ["wheel", "touchmove", "pointerdown", "keydown"] as const;

/** Where the edges of a row stand, under the upper edge of the view. */
interface Anchor {
    key: string;
    top: number;
    bottom: number;
    /** Nothing stood above it; when something does, what it opened with (a day, a name) goes. */
    first: boolean;
}

/**
 * A list of which only what is near the view is in the document. Heights are measured before a frame is painted,
 * and the scroll position is set right in the same frame, so that nothing is ever seen to move by itself.
 */
export function VirtualList<T>({ items, keyOf, children, estimate_px, open = "start", anchored = false, label, header, footer, ref, onNearStart, onAtEnd }: Props<T>) {
    const scroller = useRef<HTMLDivElement>(null);
    const content = useRef<HTMLDivElement>(null);
    const measured = useRef(new Map<string, number>());
    /** Visible rows and where they stand; the first that still exists is kept there. */
    const anchors = useRef<Anchor[]>([]);
    const stuck = useRef(open === "end");
    const goal = useRef<{ key: string; align: "start" | "center"; below_px: number; reached?: ((row: HTMLElement) => void) | undefined } | null>(null);
    const told = useRef<boolean | null>(null);
    const lastKey = useRef<string | undefined>(undefined);
    /** Where the view was when it was last looked at: what differs is a hand's doing. */
    const lastTop = useRef(0);
    /** The item that it opened with, and whether anybody has moved it since. */
    const openedWith = useRef<string | undefined>(undefined);
    const touched = useRef(false);
    const [, redraw] = useState(0);
    const firstIndex = typeof open === "object" ? open.index : open === "end" ? items.length - 1 : 0;
    const range = useRef<{ from: number; to: number; firstKey: string | null } | null>(null);

    const keys = useMemo(() => items.map(keyOf), [items, keyOf]);
    const latest = useRef({ keys, onNearStart, onAtEnd });
    latest.current = { keys, onNearStart, onAtEnd };

    const opensWith = typeof open === "object" ? keys[open.index] : undefined;
    const goes = opensWith !== undefined && opensWith !== openedWith.current && !touched.current;
    if (range.current === null || goes) {
        range.current = { ...windowFor(heightsOf(keys, measured.current, estimate_px), { index: firstIndex }), firstKey: null };
        if (typeof open === "object" && opensWith !== undefined) goal.current = { key: opensWith, align: "start", below_px: open.below_px };
        if (goes) stuck.current = false;
        openedWith.current = opensWith;
    } else if (anchored) {
        // What came on top moves the window with it.
        const { from, to, firstKey } = range.current;
        if (firstKey !== null && keys[from] !== firstKey) {
            const now = keys.indexOf(firstKey);
            if (now >= 0) range.current = { from: now, to: to + now - from, firstKey };
        }
    }
    // Who reads at the end when something comes goes with it, however the list was opened.
    if (lastKey.current !== undefined && keys.at(-1) !== lastKey.current && told.current === true) stuck.current = true;
    lastKey.current = keys.at(-1);
    const heights = heightsOf(keys, measured.current, estimate_px);
    if (stuck.current && anchored) range.current.to = keys.length;
    const from = Math.max(0, Math.min(range.current.from, keys.length - 1));
    const to = Math.max(from, Math.min(range.current.to, keys.length));
    range.current = { from, to, firstKey: keys[from] ?? null };

    /** Reads the heights of the rows that are there; whether one of them was not known so. */
    const measure = useCallback((): boolean => {
        let news = false;
        for (const row of content.current?.children ?? []) {
            const key = (row as HTMLElement).dataset["row"];
            if (key === undefined) continue;
            const height = row.getBoundingClientRect().height;
            if (measured.current.get(key) !== height) {
                measured.current.set(key, height);
                news = true;
            }
        }
        return news;
    }, []);

    const rowOf = (key: string) => content.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`) ?? null;

    const remember = useCallback(() => {
        const box = scroller.current?.getBoundingClientRect();
        if (!box) return;
        const visible: Anchor[] = [];
        let across: Anchor | null = null;
        for (const row of content.current?.children ?? []) {
            const key = (row as HTMLElement).dataset["row"];
            if (key === undefined) continue;
            const { top, bottom } = row.getBoundingClientRect();
            if (bottom <= box.top) continue;
            if (top >= box.bottom) break;
            const anchor = { key, top: top - box.top, bottom: bottom - box.top, first: key === latest.current.keys[0] };
            if (top >= box.top) visible.push(anchor);
            else across = anchor;
        }
        anchors.current = across ? [...visible, across] : visible;
    }, []);

    const tell = useCallback(() => {
        const element = scroller.current;
        if (!element) return;
        const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < atEnd_px;
        if (atEnd !== told.current) {
            told.current = atEnd;
            latest.current.onAtEnd?.(atEnd);
        }
        if (range.current?.from === 0 && element.scrollTop < nearStart_px) latest.current.onNearStart?.();
    }, []);

    /** Puts the view where it belongs: at what was asked for, at the end, or where it was. */
    const place = useCallback(() => {
        const element = scroller.current;
        if (!element) return;
        const wanted = goal.current;
        if (wanted) {
            const row = rowOf(wanted.key);
            if (row) {
                const top = row.getBoundingClientRect().top - element.getBoundingClientRect().top + element.scrollTop;
                const below = wanted.align === "center" ? (element.clientHeight - row.offsetHeight) / 2 : wanted.below_px;
                element.scrollTop = Math.max(0, top - Math.max(0, below));
                goal.current = null;
                wanted.reached?.(row);
            }
        } else if (anchored && stuck.current) element.scrollTop = element.scrollHeight;
        else if (anchored) {
            const edge = element.getBoundingClientRect().top;
            for (const anchor of anchors.current) {
                const row = rowOf(anchor.key);
                if (!row) continue;
                const { top, bottom } = row.getBoundingClientRect();
                const cutAbove = anchor.first && latest.current.keys[0] !== anchor.key;
                const moved = cutAbove ? bottom - edge - anchor.bottom : top - edge - anchor.top;
                if (Math.abs(moved) >= 0.5) element.scrollTop += moved;
                break;
            }
        }
        lastTop.current = element.scrollTop;
        remember();
    }, [anchored, remember]);

    /** Whether the window still reaches over the view; if not, another one is drawn. */
    const follow = useCallback(() => {
        const element = scroller.current;
        const current = range.current;
        if (!element || !current) return;
        const known: Heights = heightsOf(latest.current.keys, measured.current, estimate_px);
        const headerHeight = (content.current?.firstElementChild as HTMLElement | null)?.offsetHeight ?? 0;
        const next = windowFor(known, { top: element.scrollTop - headerHeight, height: element.clientHeight, current });
        if (next.from !== current.from || next.to !== current.to) {
            range.current = { ...next, firstKey: latest.current.keys[next.from] ?? null };
            redraw((last) => last + 1);
        }
    }, [estimate_px]);

    // After every drawing, before it is painted.
    useLayoutEffect(() => {
        measure();
        place();
        follow();
        tell();
    });

    useEffect(() => {
        const element = scroller.current;
        const inside = content.current;
        if (!element || !inside) return undefined;
        let width = element.clientWidth;
        const observer = new ResizeObserver(() => {
            if (element.clientWidth !== width) measured.current.clear(); // all lines break anew
            width = element.clientWidth;
            if (measure() || anchored) place();
            follow();
            tell();
        });
        observer.observe(element);
        observer.observe(inside);
        const onHand = () => {
            touched.current = true;
        };
        const onScroll = () => {
            const by = element.scrollTop - lastTop.current;
            lastTop.current = element.scrollTop;
            if (element.scrollHeight - element.scrollTop - element.clientHeight < 4) stuck.current = true;
            else if (by < 0) stuck.current = false;
            if (anchored && measure()) {
                // Something grew in the same frame: the hand's way is kept, the growth is taken out.
                for (const anchor of anchors.current) {
                    anchor.top -= by;
                    anchor.bottom -= by;
                }
                place();
            } else remember();
            follow();
            tell();
        };
        element.addEventListener("scroll", onScroll, { passive: true });
        for (const kind of handEvents) element.addEventListener(kind, onHand, { passive: true });
        return () => {
            observer.disconnect();
            element.removeEventListener("scroll", onScroll);
            for (const kind of handEvents) element.removeEventListener(kind, onHand);
        };
    }, [anchored, measure, place, follow, tell, remember]);

    useImperativeHandle(ref, () => ({
        get element() {
            return scroller.current;
        },
        toEnd: () => {
            touched.current = true;
            stuck.current = true;
            goal.current = null;
            const all = heightsOf(latest.current.keys, measured.current, estimate_px);
            range.current = { ...windowFor(all, { index: all.count - 1 }), firstKey: null };
            redraw((last) => last + 1);
        },
        toIndex: (index, align, reached) => {
            const key = latest.current.keys[index];
            if (key === undefined) return;
            touched.current = true;
            stuck.current = false;
            goal.current = { key, align, below_px: 0, reached };
            range.current = { ...windowFor(heightsOf(latest.current.keys, measured.current, estimate_px), { index }), firstKey: null };
            redraw((last) => last + 1);
        },
    }));

    return (
        <div ref={scroller} className={`virtual ${anchored ? "anchored" : ""}`} tabIndex={anchored ? 0 : -1} {...(label ? { role: "region", "aria-label": label } : {})}>
            <div ref={content} className="virtual-content">
                <div>{from === 0 && header}</div>
                <div style={{ height: heights.before(from) }} />
                {items.slice(from, to).map((item, place_) => (
                    <div key={keys[from + place_]} data-row={keys[from + place_]}>
                        {children(item)}
                    </div>
                ))}
                <div style={{ height: heights.total - heights.before(to) }} />
                {footer}
            </div>
        </div>
    );
}
