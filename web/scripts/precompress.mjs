// Writes a .br and a .gz beside every text file of dist that gains by it; the server picks by Accept-Encoding.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const compressible = new Set([".html", ".js", ".css", ".svg", ".json", ".txt", ".webmanifest"]);
const smallest_bytes = 512;

function* filesBelow(folder) {
    for (const name of readdirSync(folder)) {
        const path = join(folder, name);
        if (statSync(path).isDirectory()) yield* filesBelow(path);
        else yield path;
    }
}

const dist = fileURLToPath(new URL("../dist", import.meta.url));
for (const path of [...filesBelow(dist)]) {
    if (!compressible.has(extname(path)) || path.includes("/.vite/")) continue;
    const bytes = readFileSync(path);
    if (bytes.length < smallest_bytes) continue;
    writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
    writeFileSync(
        `${path}.br`,
        brotliCompressSync(bytes, {
            params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
        }),
    );
}
