/** The browser's locks, as far as they are used: held until a promise is settled, and granted in order. */
export class Locks {
    private readonly names = new Map<string, (() => void)[]>();
    private readonly held = new Set<string>();

    async request(name: string, options: LockOptions, callback: (lock: Lock | null) => unknown): Promise<void> {
        const lock = { name, mode: "exclusive" } as Lock;
        if (this.held.has(name)) {
            if (options.ifAvailable) return void (await callback(null));
            const waiting = this.names.get(name) ?? [];
            this.names.set(name, waiting);
            await new Promise<void>((resolve, reject) => {
                waiting.push(resolve);
                options.signal?.addEventListener("abort", () => {
                    const index = waiting.indexOf(resolve);
                    if (index >= 0) waiting.splice(index, 1);
                    reject(new DOMException("", "AbortError"));
                });
            });
        }
        this.held.add(name);
        await callback(lock);
        this.held.delete(name);
        this.names.get(name)?.shift()?.();
    }
    query(): Promise<LockManagerSnapshot> {
        return Promise.resolve({ held: [...this.held].map((name) => ({ name })), pending: [] });
    }
    count = (prefix: string) => [...this.held].filter((name) => name.startsWith(prefix)).length;
}
export const locksOf = (locks: Locks) => locks as unknown as LockManager;
