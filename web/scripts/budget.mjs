// What a browser really fetches is measured by tests/e2e/load; this is its quick form, at every build.
// Fails when a page's first load (its JavaScript and CSS, with what it imports before the list of chats stands) is over budget.
import { readdirSync, readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";

const kib = 1024;
const budgets = [
    // From log-in to the list of chats, so with the chunks that log-in goes on to.
    { page: "index.html", also: ["src/features/chat/ChatApp.tsx"], workers: /^storeWorker-/, gzip: 560 * kib, brotli: 450 * kib },
    { page: "setup.html", also: [], gzip: 150 * kib, brotli: 150 * kib },
    { page: "invite.html", also: [], gzip: 150 * kib, brotli: 150 * kib },
    { page: "reset.html", also: [], gzip: 150 * kib, brotli: 150 * kib },
];
const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist)));

function filesOf(key, seen = new Set()) {
    const chunk = manifest[key];
    if (!chunk) throw new Error(`the build has no ${key}`);
    if (seen.has(key)) return [];
    seen.add(key);
    return [chunk.file, ...(chunk.css ?? []), ...(chunk.imports ?? []).flatMap((next) => filesOf(next, seen))];
}

let over = false;
const assets = readdirSync(new URL("assets/", dist)).filter((name) => name.endsWith(".js"));
for (const { page, also, workers, gzip, brotli } of budgets) {
    // A worker's file is in no manifest.
    const files = new Set([...[page, ...also].flatMap((key) => filesOf(key)), ...(workers ? assets.filter((name) => workers.test(name)).map((name) => `assets/${name}`) : [])]);
    if (workers && ![...files].some((file) => workers.test(file.slice("assets/".length)))) throw new Error(`${page} has no ${workers}`);
    let gzipped = 0;
    let brotlied = 0;
    for (const file of files) {
        if (file.endsWith(".wasm")) throw new Error(`${page} loads ${file}`);
        const bytes = readFileSync(new URL(file, dist));
        gzipped += gzipSync(bytes, { level: 9 }).length;
        brotlied += brotliCompressSync(bytes).length;
    }
    const bad = gzipped > gzip || brotlied > brotli;
    over ||= bad;
    const show = (bytes) => (bytes / kib).toFixed(1).padStart(6);
    console.log(`${bad ? "OVER" : "ok  "} ${page.padEnd(12)} ${show(gzipped)} of ${gzip / kib} KiB gzip, ${show(brotlied)} of ${brotli / kib} KiB brotli`);
}
if (over) process.exit(1);
