import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The SDK's encryption (5 MB of WebAssembly) is not used yet: where it would be loaded stands a module that says so. */
function withoutCrypto(): Plugin {
    const id = "\0no-crypto";
    return {
        name: "lingxi:without-crypto",
        enforce: "pre",
        resolveId: (source) =>
            source.endsWith("rust-crypto/index.js") || source === "@matrix-org/matrix-sdk-crypto-wasm" ? id : null,
        load: (module) =>
            module === id
                ? "export function initRustCrypto() { throw new Error('encryption is not part of this build'); }" +
                  "export const QrCodeData = {}, QrCodeIntent = {}, Curve25519PublicKey = {}, Ecies = {};"
                : null,
    };
}

const backend = process.env.LINGXI_BACKEND ?? "http://127.0.0.1:8008";

export default defineConfig({
    plugins: [withoutCrypto(), react()],
    resolve: { alias: { "@": here("./src") } },
    build: {
        target: "es2023",
        assetsInlineLimit: 0, // the served policy allows no data: scripts and styles
        modulePreload: { polyfill: false },
        rolldownOptions: {
            input: {
                index: here("./index.html"),
                setup: here("./setup.html"),
                invite: here("./invite.html"),
                reset: here("./reset.html"),
            },
        },
        manifest: true,
        reportCompressedSize: false,
        chunkSizeWarningLimit: 2000,
    },
    worker: {
        format: "es",
        // It needs the SDK's store alone, whose modules do nothing by being loaded.
        rolldownOptions: { treeshake: { moduleSideEffects: (id) => !id.includes("/matrix-js-sdk/") } },
    },
    server: {
        proxy: { "/_matrix": backend, "/_lingxi": backend, "/.well-known": backend },
    },
    test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
