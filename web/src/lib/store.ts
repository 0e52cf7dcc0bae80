import { useSyncExternalStore } from "react";

/** A value that components follow. */
export class Store<T> {
    private readonly listeners = new Set<() => void>();
    constructor(private value: T) {}

    readonly get = (): T => this.value;

    set(value: T): void {
        if (Object.is(value, this.value)) return;
        this.value = value;
        for (const listener of this.listeners) listener();
    }

    update(change: (value: T) => T): void {
        this.set(change(this.value));
    }

    readonly subscribe = (listener: () => void): (() => void) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
    };
}

export function useStore<T>(store: Store<T>): T {
    return useSyncExternalStore(store.subscribe, store.get);
}

/** Stores by key, made when first asked for. */
export class StoreMap<T> {
    private readonly stores = new Map<string, Store<T>>();
    constructor(private readonly initial: (key: string) => T) {}
    of(key: string): Store<T> {
        let store = this.stores.get(key);
        if (!store) {
            store = new Store(this.initial(key));
            this.stores.set(key, store);
        }
        return store;
    }
}
