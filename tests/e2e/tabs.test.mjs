// One long-poll an account: the tabs of one person share it, and each of them has everything.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bubble, chatLink, register, until } from "./people.mjs";
import { anotherTab, launchBrowser, personPage, startServer } from "./server.mjs";

let server, browser, wang, emma, first, second, third, roomId;
/** Long-polls under way, over all tabs, and the most there ever were at once. */
const polls = new Map();
let most = 0;
const closing = new Set();
const isPoll = (request) => request.url().includes("/sync?") && Number(new URL(request.url()).searchParams.get("timeout")) > 0;
function count(page) {
    page.on("request", (request) => {
        if (!isPoll(request) || closing.has(page)) return;
        polls.set(request, page);
        most = Math.max(most, polls.size);
    });
    const done = (request) => polls.delete(request);
    page.on("requestfinished", done);
    page.on("requestfailed", done);
    return page;
}
/** The tab that holds the long-poll: between two of them there is none for a moment. */
const holding = () => until(() => [...polls.values()][0]);
/** Its poll ends with it: another may begin before the news of its end has come here. */
async function close(page) {
    closing.add(page);
    for (const [request, of] of polls) if (of === page) polls.delete(request);
    await page.close();
}

before(async () => {
    server = await startServer("--server-name", "test.lingxi", "--registration", "open");
    browser = await launchBrowser();
    wang = await register(server, "wang", "Wang");
    emma = await register(server, "emma", "Emma");
    roomId = await emma.createRoom("Plans", [wang]);
    await emma.say(roomId, "hello");
    first = count(await personPage(browser));
    await wang.enter(first, chatLink(roomId));
    await bubble(first, "hello").waitFor();
    for (const name of ["second", "third"]) {
        const tab = count(await anotherTab(first));
        await tab.goto(`${server.url}/${chatLink(roomId)}`);
        await bubble(tab, "hello").waitFor();
        if (name === "second") second = tab;
        else third = tab;
    }
});
after(async () => {
    await browser?.close();
    await server?.end();
});

test("three tabs hold one long-poll between them, and all see what comes", async () => {
    for (const text of ["a", "b", "c", "d"]) {
        const [id] = await emma.say(roomId, `to all ${text}`);
        for (const tab of [first, second, third]) await tab.locator(`[data-message="${id}"]`).waitFor();
    }
    assert.equal(most, 1);
});

test("when the tab that asks is closed another one takes over", async () => {
    const holder = await holding();
    await close(holder);
    const left = [first, second, third].filter((tab) => tab !== holder);
    const [id] = await emma.say(roomId, "after the change");
    for (const tab of left) await tab.locator(`[data-message="${id}"]`).waitFor();
    assert.notEqual(await holding(), holder);
    assert.equal(most, 1);
});

test("signing out in one tab signs the others out", async () => {
    const [tab, other] = [first, second, third].filter((one) => !one.isClosed());
    await tab.evaluate(() => void (location.hash = "#/me/account"));
    await tab.getByRole("button", { name: "Sign out" }).click();
    await tab.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
    for (const page of [tab, other]) await page.getByLabel("Username").waitFor();
    assert.equal(await other.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("lingxi.session.")).length), 0);
    assert.deepEqual([...tab.faults, ...other.faults], []);
});
