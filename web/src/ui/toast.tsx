import { Store, useStore } from "@/lib/store";

const toasts = new Store<{ id: number; text: string }[]>([]);
let next = 1;

/** A line that goes by itself; only for what needs no answer. */
export function toast(text: string): void {
    const id = next;
    next += 1;
    toasts.update((all) => [...all.slice(-2), { id, text }]);
    setTimeout(() => toasts.update((all) => all.filter((one) => one.id !== id)), 4000);
}

export function Toasts() {
    const all = useStore(toasts);
    return (
        <div className="toasts" role="status" aria-live="polite">
            {all.map((one) => (
                <div className="toast" key={one.id}>
                    {one.text}
                </div>
            ))}
        </div>
    );
}
