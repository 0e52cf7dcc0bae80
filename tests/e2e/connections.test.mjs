// A browser allows a host six connections: however many accounts and tabs ask models at once, chat keeps one.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setModel, twoBesideAModel } from "./assisted.mjs";
import { bubble, chatLink } from "./people.mjs";
import { anotherTab, personPage } from "./server.mjs";

let server, model, browser, wang, emma, roomId;
const texts = ["one", "two", "three"].map((word) => `message ${word}`);
const here = { purposes: { translate: true }, destination: { kind: "this_machine" }, agreed: true, at_ms: 1 };
/** Requests under way that may last, over all tabs, and the most there ever were. */
const slow = new Set();
let most = 0;
const isSlow = (request) => request.url().endsWith("/assist/translations") || (request.url().includes("/sync?") && Number(new URL(request.url()).searchParams.get("timeout")) > 0);
function count(page) {
    page.on("request", (request) => {
        if (!isSlow(request)) return;
        slow.add(request);
        most = Math.max(most, slow.size);
    });
    for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => slow.delete(request));
    return page;
}
const streams = () => [...slow].filter((request) => request.url().endsWith("/translations")).length;

before(async () => {
    ({ server, model, browser, wang, emma, roomId } = await twoBesideAModel());
    await setModel(wang, model, { max_concurrent: 16 });
    for (const person of [wang, emma]) {
        await person.say(roomId, ...texts.map((text) => `${person.name}: ${text}`));
        await person.state(roomId, "im.lingxi.consent", here, person.userId);
    }
});
after(async () => {
    await browser?.close();
    model?.end();
    await server?.end();
});

test("two accounts in one browser that ask a model which does not answer leave a connection to send with", async () => {
    await model.control({ fault: "hang" });
    const first = count(await personPage(browser));
    const second = count(await anotherTab(first));
    const tabs = [
        { page: first, person: wang, other: emma },
        { page: second, person: emma, other: wang },
    ];
    for (const { page, person, other } of tabs) {
        await person.enter(page, chatLink(roomId));
        await bubble(page, `${other.name}: message three`).waitFor();
    }
    for (const { page, other } of tabs) {
        for (const text of texts) {
            const message = page.locator(".message", { hasText: `${other.name}: ${text}` }).last();
            await message.hover();
            await message.getByRole("button", { name: "Message actions" }).click();
            await page.getByRole("menuitem", { name: "Translate" }).click();
            await message.locator(".translation[aria-busy=true]").waitFor();
        }
    }
    assert.equal(await second.getByText("Waiting for its turn").count(), 3);
    assert.equal(streams(), 3);
    for (const { page, person } of tabs) {
        await page.getByLabel("Write a message").fill(`sent by ${person.name}`);
        await page.keyboard.press("Enter");
    }
    for (const { person } of tabs) for (;;) {
        if ((await wang.timeline(roomId, 5)).some((event) => event.content.body === `sent by ${person.name}`)) break;
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(streams(), 3, "none of them has ended meanwhile");

    assert.ok(most <= 5, `${most} at once`);

    // What ends here lets another tab's begin.
    await first.locator(".translation").first().getByRole("button", { name: "Stop" }).click();
    await second.getByText("Waiting for its turn").nth(2).waitFor({ state: "detached" });
    for (const { page } of tabs) await page.close();
    assert.deepEqual([...first.faults, ...second.faults], []);
});
