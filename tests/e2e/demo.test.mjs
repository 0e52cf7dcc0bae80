// The demonstration as a stranger meets it: two one-use links, opened side by side in one browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bubble } from "./people.mjs";
import { anotherTab, launchBrowser, personPage, startServer } from "./server.mjs";

const visits_limit = 10;
let server, browser, xiao, emma, links;
const openChat = async (page, name) => {
    await page.locator("[data-chat]", { hasText: name }).first().click();
    await page.locator(".bubble").first().waitFor();
};
const composer = (page) => page.getByLabel(/^(写消息|Write a message)$/);

before(async () => {
    server = await startServer("--demo");
    browser = await launchBrowser();
    links = server.output.match(/http\S+\/login#\S+/g);
    xiao = await personPage(browser);
    emma = await anotherTab(xiao);
});
after(async () => {
    await browser?.close();
    await server?.end();
});

test("both links work in one browser, each tab its own person", async () => {
    assert.equal(links.length, 2);
    await xiao.goto(links[0]);
    await xiao.locator("[data-chat]").first().waitFor();
    await emma.goto(links[1]);
    await openChat(emma, "徒步");
    await openChat(xiao, "林晓 & Emma");
    await bubble(xiao, "arrivals exit").waitFor();
});

/** Chips come within a second or not at all, and the server may be slower at the first: whoever comes back to the chat finds them. */
async function chipsOf(page) {
    const chip = page.locator(".chip").first();
    for (let visits = 1; ; ++visits) {
        await page.locator(".assist-line").waitFor();
        try {
            return await chip.waitFor({ timeout: visits < visits_limit ? 3_000 : undefined });
        } catch (error) {
            if (visits === visits_limit) throw error;
            const chat = await page.evaluate(() => location.hash);
            await page.evaluate(() => void (location.hash = "#/contacts"));
            await page.locator(".assist-line").waitFor({ state: "detached" });
            await page.evaluate((fragment) => void (location.hash = fragment), chat);
        }
    }
}

test("each is offered the offline method's suggestions for the question that waits for an answer", async () => {
    for (const page of [xiao, emma]) await chipsOf(page);
    assert.equal(await emma.locator(".chip.ai").count(), 0);
});

test("what one writes the other reads, side by side, and a reload keeps who is who", async () => {
    await openChat(emma, "林晓 & Emma");
    await composer(emma).fill("Landed yet?");
    await composer(emma).press("Enter");
    await bubble(xiao, "Landed yet?").waitFor();
    await xiao.reload();
    await emma.reload();
    for (const page of [xiao, emma]) await bubble(page, "Landed yet?").waitFor();
    await composer(xiao).fill("刚落地！");
    await composer(xiao).press("Enter");
    await bubble(emma, "刚落地").waitFor();
    assert.equal(await xiao.locator(".message.own", { hasText: "刚落地" }).count(), 1);
    assert.equal(await emma.locator(".message.own", { hasText: "刚落地" }).count(), 0);
    assert.deepEqual([...xiao.faults, ...emma.faults], []);
});

test("a link that was used says so", async () => {
    const late = await personPage(browser);
    await late.goto(links[0]);
    await late.getByText(/used|expired|用过|过期|失效/).first().waitFor();
    assert.equal(await late.locator("[data-chat]").count(), 0);
});
