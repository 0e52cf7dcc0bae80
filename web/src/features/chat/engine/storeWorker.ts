import { IndexedDBStoreWorker } from "matrix-js-sdk/lib/indexeddb-worker";

/** Keeps the account's copy of what /sync brought, away from the thread that draws. */
const worker = new IndexedDBStoreWorker((message, options) => self.postMessage(message, options as StructuredSerializeOptions));
self.onmessage = (event: MessageEvent) => worker.onMessage(event);
