import { Store } from "@/lib/store";

/** Whether the server was reached the last time that somebody tried. What failed without it tries again when it is back. */
export const online = new Store(true);
