// Starts the real executables for a browser test, and a browser to meet them.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./people.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const require = createRequire(join(root, "web", "package.json"));
const { chromium } = require("playwright-core");
const build = process.env.LINGXI_BUILD ?? join(root, "build", "debug");

export const screenshots = fileURLToPath(new URL("screenshots/", import.meta.url));
mkdirSync(screenshots, { recursive: true });
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

function childrenOf(pid) {
    const of = (thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number);
    return readdirSync(`/proc/${pid}/task`).flatMap(of);
}

/** Whether it holds anything still: one that is over is a zombie until it is waited for, and so is its first thread before. */
function isThere(pid) {
    try {
        const isZombie = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)[0] === "Z";
        return !isZombie || readdirSync(`/proc/${pid}/task`).length > 1;
    } catch {
        return false;
    }
}

/** Below those that the system gives to whoever asks for any: so it is still free when a server that was killed starts again. */
const lowPort = () => 20_000 + Math.floor(Math.random() * 12_000);
const ports_limit = 20;

/** A running server; what is started again keeps its data and its address. */
export async function startServer(...args) {
    const data = mkdtempSync(join(tmpdir(), "lingxi-e2e-"));
    const server = { output: "", listen: "", data: join(data, "d") };
    server.start = () =>
        new Promise((resolve, reject) => {
            server.output = "";
            let log = "";
            server.process = spawn(join(build, "bin", "lingxi"), ["serve", "--data", server.data, "--listen", server.listen, "--metrics-listen", "127.0.0.1:0", "--rate-limits", "off", ...args], { env: { ...process.env, LINGXI_WEB_ROOT: join(root, "web", "dist") } });
            server.process.stdout.on("data", (piece) => {
                server.output += piece;
                const found = /Lingxi is running at (http:\/\/(\S+))/.exec(server.output);
                if (found) {
                    server.url = found[1];
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
    /** kill -9 of everything at once, as a power cut: who outlives the supervisor by a moment has data and port still. */
    server.kill = async () => {
        const { pid } = server.process;
        process.kill(pid, "SIGSTOP"); // it would start again what is killed
        const children = childrenOf(pid);
        for (const child of children) process.kill(child, "SIGKILL");
        await server.stop("SIGKILL");
        await until(() => !children.some(isThere));
    };
    server.end = async () => {
        await server.stop();
        rmSync(data, { recursive: true, force: true });
    };
    for (let left = ports_limit; ; left -= 1) {
        server.listen = `127.0.0.1:${lowPort()}`;
        try {
            return await server.start();
        } catch (error) {
            if (left === 0 || !/address already in use/i.test(error.message)) throw error; // else another server listens there
        }
    }
}

/** tests/model_server, on a free port unless one is named. */
export async function startModel(port = 0) {
    const process_ = spawn("/usr/bin/python3", [join(root, "tests", "model_server", "model_server.py"), "--port", String(port)], { stdio: ["ignore", "pipe", "inherit"] });
    const url = await new Promise((resolve, reject) => {
        process_.stdout.once("data", (piece) => resolve(String(piece).trim().split(" ").at(-1)));
        process_.once("exit", (code) => reject(new Error(`the model server ended with ${code}`)));
    });
    return {
        url,
        control: (command) => fetch(`${url}/control`, { method: "POST", body: JSON.stringify(command) }),
        requests: async () => (await fetch(`${url}/requests`)).json(),
        end: () => process_.kill("SIGKILL"),
    };
}

export function launchBrowser() {
    return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"] });
}

/** A page of a browser profile of its own; what breaks in it is kept in `faults`. */
export async function personPage(browser, { locale = "en-GB", phone = false, dark = false } = {}) {
    const context = await browser.newContext({
        viewport: phone ? { width: 390, height: 844 } : { width: 1280, height: 800 },
        locale,
        timezoneId: "Asia/Shanghai",
        colorScheme: dark ? "dark" : "light",
        reducedMotion: "reduce",
        ...(phone ? { hasTouch: true, isMobile: true } : {}),
    });
    return watched(await context.newPage());
}

/** Another tab of the same profile. */
export async function anotherTab(page) {
    return watched(await page.context().newPage());
}

function watched(page) {
    page.faults = [];
    page.on("pageerror", (error) => page.faults.push(error.message));
    page.setDefaultTimeout(Number(process.env.LINGXI_E2E_TIMEOUT_MS ?? 60_000));
    return page;
}

export const shot = (page, name) => page.screenshot({ path: `${screenshots}${name}.png` });

/** The violations that axe finds on the page as it stands; `only` limits it to some rules. */
export async function violations(page, only = null) {
    if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axeSource);
    const found = await page.evaluate((rules) => window.axe.run(document, { resultTypes: ["violations"], ...(rules ? { runOnly: rules } : {}) }), only);
    return found.violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target.join(" ")).join(", ")}`);
}
