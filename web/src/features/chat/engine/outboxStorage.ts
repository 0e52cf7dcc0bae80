import type { OutboxItem, OutboxStorage } from "@/features/chat/engine/outbox";

const table = "items";

function wait<T>(request: IDBRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error ?? new Error("the browser's storage failed"));
    });
}

export const outboxDatabase = (userId: string): string => `lingxi.outbox.${userId}`;

/** The outbox of one account in IndexedDB: files and words as they are. */
export function indexedDbStorage(userId: string): OutboxStorage {
    let opening: Promise<IDBDatabase> | null = null;
    const database = () => {
        opening ??= (() => {
            const request = indexedDB.open(outboxDatabase(userId), 1);
            request.onupgradeneeded = () => request.result.createObjectStore(table, { keyPath: "txnId" });
            return wait(request);
        })();
        return opening;
    };
    const items = async (mode: IDBTransactionMode) => (await database()).transaction(table, mode).objectStore(table);
    return {
        load: async () => (await wait((await items("readonly")).getAll())) as OutboxItem[],
        put: async (item) => void (await wait((await items("readwrite")).put(item))),
        remove: async (txnId) => void (await wait((await items("readwrite")).delete(txnId))),
    };
}
