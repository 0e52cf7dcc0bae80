import { useState } from "react";

export interface Column {
    /** What the width is kept under on this device. */
    key: string;
    narrowest_px: number;
    widest_px: number;
    usual_px: number;
}

/** The width of a column is the person's, and kept. */
export function useColumnWidth(column: Column): [number, (next: number) => void] {
    const within = (width: number) => Math.round(Math.min(column.widest_px, Math.max(column.narrowest_px, width)));
    const [width, setWidth] = useState(() => within(Number(localStorage.getItem(column.key)) || column.usual_px));
    const keep = (next: number) => {
        setWidth(within(next));
        localStorage.setItem(column.key, String(within(next)));
    };
    return [width, keep];
}

/** The edge of a column, moved by hand or by arrows. `side` is where the column lies, seen from the edge. */
export function Resizer({ label, side, column, width, onWidth }: { label: string; side: "before" | "after"; column: Column; width: number; onWidth(width: number): void }) {
    const sign = side === "before" ? 1 : -1;
    return (
        <div
            className={`resizer ${side}`}
            role="separator"
            aria-orientation="vertical"
            aria-label={label}
            aria-valuenow={width}
            aria-valuemin={column.narrowest_px}
            aria-valuemax={column.widest_px}
            tabIndex={0}
            onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
            onPointerMove={(event) => {
                if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
                const box = event.currentTarget.parentElement?.getBoundingClientRect();
                if (box) onWidth(side === "before" ? event.clientX - box.left : box.right - event.clientX);
            }}
            onKeyDown={(event) => {
                if (event.key === "ArrowLeft") onWidth(width - 16 * sign);
                else if (event.key === "ArrowRight") onWidth(width + 16 * sign);
                else return;
                event.preventDefault();
            }}
        />
    );
}
