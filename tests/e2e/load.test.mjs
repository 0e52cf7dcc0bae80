// What a browser really fetches, as the server really sends it: sizes, encodings and caching.
import assert from "node:assert/strict";
import { createServer, request as forward } from "node:http";
import { after, before, test } from "node:test";
import { password, register, until } from "./people.mjs";
import { launchBrowser, personPage, startServer } from "./server.mjs";

const kib = 1024;
let server, browser;

before(async () => {
    server = await startServer("--server-name", "test.lingxi", "--registration", "open");
    browser = await launchBrowser();
    const wang = await register(server, "wang", "Wang");
    await wang.say(await wang.createRoom("Plans", []), "hello");
});
after(async () => {
    await browser?.close();
    await server?.end();
});

/** A way to the server that asks for one encoding, and counts what comes over the wire for files (not the API). */
async function measuring(target, encoding) {
    const files = [];
    let open = 0;
    const proxy = createServer((request, response) => {
        const { pathname } = new URL(request.url, target);
        const onward = forward(target + request.url, { method: request.method, headers: { ...request.headers, "accept-encoding": encoding } }, (answer) => {
            const file = { path: pathname, headers: answer.headers, bytes: 0 };
            if (!pathname.startsWith("/_") && !pathname.startsWith("/.well-known")) files.push(file);
            answer.on("data", (piece) => (file.bytes += piece.length));
            response.writeHead(answer.statusCode, answer.headers);
            answer.pipe(response);
        });
        open += 1;
        onward.on("error", () => response.destroy());
        response.on("close", () => {
            open -= 1;
            onward.destroy();
        });
        request.pipe(onward);
    });
    await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const page = await personPage(browser);
    const end = async () => {
        await page.context().close();
        proxy.closeAllConnections();
        await new Promise((resolve) => proxy.close(resolve));
    };
    return { page, url: `http://127.0.0.1:${proxy.address().port}`, files, total: () => files.reduce((sum, file) => sum + file.bytes, 0), isIdle: () => open === 0, end };
}

for (const [encoding, limit] of [["br", 450 * kib], ["gzip", 560 * kib]])
    test(`from the log-in to the list of chats at most ${limit / kib} KiB of ${encoding} are loaded`, async () => {
        const { page, url, total, files, end } = await measuring(server.url, encoding);
        await page.goto(url);
        await page.getByLabel("Username").fill("wang");
        await page.getByLabel("Password", { exact: true }).fill(password);
        await page.getByRole("button", { name: "Sign in" }).click();
        await page.locator("[data-chat]").first().waitFor();
        await page.waitForLoadState("load");
        assert.ok(total() > 100 * kib, `only ${total()} bytes were seen`);
        assert.ok(total() <= limit, `${(total() / kib).toFixed(1)} KiB:\n${files.map((file) => `${file.path} ${file.bytes}`).join("\n")}`);
        for (const file of files) {
            assert.ok(!file.path.endsWith(".wasm"), "encryption is not loaded");
            if (/\.(js|css)$/.test(file.path)) assert.equal(file.headers["content-encoding"], encoding, file.path);
            if (file.path.startsWith("/assets/")) assert.match(file.headers["cache-control"], /immutable/, file.path);
            else assert.doesNotMatch(file.headers["cache-control"] ?? "", /immutable/, file.path);
        }
        await end();
    });

for (const [path, sign] of [["/invite#nothing", "h1"], ["/reset#nothing", "h1"]])
    test(`the page ${path.split("#")[0]} is at most 150 KiB of gzip`, async () => {
        const { page, url, total, end } = await measuring(server.url, "gzip");
        await page.goto(url + path);
        await page.locator(sign).first().waitFor();
        await page.waitForLoadState("networkidle");
        assert.ok(total() > 30 * kib && total() <= 150 * kib, `${total() / kib} KiB`);
        await end();
    });

test("the setup page of an empty server is at most 150 KiB of gzip", async () => {
    const empty = await startServer();
    try {
        const { page, url, total, end } = await measuring(empty.url, "gzip");
        await page.goto(url + /\/setup#\S+/.exec(empty.output)[0]);
        await page.locator("input[type=password]").waitFor();
        await page.waitForLoadState("networkidle");
        assert.ok(total() > 30 * kib && total() <= 150 * kib, `${total() / kib} KiB`);
        await end();
    } finally {
        await empty.end();
    }
});

test("a second visit fetches no file of the client again", async () => {
    const { page, url, files, isIdle, end } = await measuring(server.url, "br");
    await page.goto(url);
    await page.getByLabel("Username").waitFor();
    // The chats' part is fetched by itself after the log-in's is there.
    await until(() => isIdle() && files.some((file) => /ChatApp.*\.js$/.test(file.path)));
    await page.waitForLoadState("networkidle");
    const before = files.length;
    assert.ok(before > 2);
    await page.goto("about:blank");
    await page.goto(url);
    await page.getByLabel("Username").waitFor();
    await page.waitForLoadState("networkidle");
    assert.deepEqual(files.slice(before).filter((file) => file.path.startsWith("/assets/")).map((file) => file.path), []);
    await end();
});
