// Starts the real executables for a browser test, and a browser to meet them.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = new URL("../..", import.meta.url).pathname;
const require = createRequire(join(root, "web", "package.json"));
const { chromium } = require("playwright-core");
const build = process.env.LINGXI_BUILD ?? join(root, "build", "debug");

export const screenshots = new URL("screenshots/", import.meta.url).pathname;
export const axePath = require.resolve("axe-core/axe.min.js");

/** A running server; `restart` keeps its data and its address. */
export async function startServer(...args) {
    const data = mkdtempSync(join(tmpdir(), "lingxi-e2e-"));
    const server = { output: "", listen: "127.0.0.1:0" };
    server.start = () =>
        new Promise((resolve, reject) => {
            server.output = "";
            let log = "";
            server.process = spawn(join(build, "bin", "lingxi"), ["serve", "--data", join(data, "d"), "--listen", server.listen, "--metrics-listen", "127.0.0.1:0", "--rate-limits", "off", ...args], { env: { ...process.env, LINGXI_WEB_ROOT: join(root, "web", "dist") } });
            server.process.stdout.on("data", (piece) => {
                server.output += piece;
                const found = /Lingxi is running at (http:\/\/(\S+))/.exec(server.output);
                if (found) {
                    server.url = found[1];
                    server.listen = found[2];
                    resolve(server);
                }
            });
            server.process.stderr.on("data", (piece) => (log = (log + piece).slice(-20000)));
            server.process.once("exit", (code) => reject(new Error(`the server ended with ${code}:\n${log}`)));
        });
    server.stop = (signal = "SIGTERM") =>
        new Promise((resolve) => {
            server.process.once("exit", resolve);
            server.process.kill(signal);
        });
    server.end = async () => {
        await server.stop();
        rmSync(data, { recursive: true, force: true });
    };
    return server.start();
}

export function launchBrowser() {
    return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"] });
}

/** A page of a person of its own; what breaks in it fails the test through `faults`. */
export async function personPage(browser, { locale = "en-GB", phone = false } = {}) {
    const context = await browser.newContext({ viewport: phone ? { width: 390, height: 844 } : { width: 1280, height: 800 }, locale });
    const page = await context.newPage();
    page.faults = [];
    page.on("pageerror", (error) => page.faults.push(error.message));
    page.setDefaultTimeout(60_000);
    return page;
}

/** The violations that axe finds on the page as it stands. */
export async function violations(page) {
    await page.addScriptTag({ path: axePath }).catch(async () => page.evaluate(await (await import("node:fs/promises")).readFile(axePath, "utf8")));
    const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    return found.violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target.join(" ")).join(", ")}`);
}
