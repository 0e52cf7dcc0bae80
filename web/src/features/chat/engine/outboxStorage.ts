import type { OutboxItem, OutboxStorage } from "@/features/chat/engine/outbox";

const table = "items";

function wait<T>(request: IDBRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error ?? new Error("the browser's storage failed"));
    });
}

/** Once a transaction is complete, its writes outlive the page. */
function completed(transaction: IDBTransaction): Promise<void> {
    return new Promise((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error ?? new Error("the browser's storage failed"));
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
    const change = async (act: (items: IDBObjectStore) => void): Promise<void> => {
        const transaction = (await database()).transaction(table, "readwrite");
        const done = completed(transaction);
        act(transaction.objectStore(table));
        await done;
    };
    return {
        load: async () => (await wait((await database()).transaction(table, "readonly").objectStore(table).getAll())) as OutboxItem[],
        put: (item) => change((items) => items.put(item)),
        remove: (txnId) => change((items) => items.delete(txnId)),
    };
}
