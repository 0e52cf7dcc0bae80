// Reading: a chat opens where one stopped, and nothing that one reads ever moves by itself.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chatLink, register, until } from "./people.mjs";
import { launchBrowser, personPage, shot, startServer } from "./server.mjs";

let server, browser, wang, emma, page, roomId, ids;
const nearly_px = 2;
const scroller = ".timeline [role=region]";
const picture = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

/** Watches where the words of a message stand, every frame, until told to stop; answers how far they ever moved. */
const watch = (eventId) =>
    page.evaluate((id) => {
        const find = () => document.querySelector(`[data-message="${CSS.escape(id)}"] .bubble`)?.getBoundingClientRect().top;
        const start = find();
        window.watching = { start, furthest: 0, frames: 0, gone: 0, running: true };
        const look = () => {
            if (!window.watching.running) return;
            const now = find();
            window.watching.frames += 1;
            if (now === undefined) window.watching.gone += 1;
            else window.watching.furthest = Math.max(window.watching.furthest, Math.abs(now - start));
            requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
    }, eventId);
const watched = async () => {
    // A few frames more, so that what follows the news is seen as well.
    await page.evaluate(async () => {
        for (let frame = 0; frame < 20; frame += 1) await new Promise(requestAnimationFrame);
        window.watching.running = false;
    });
    return page.evaluate(() => window.watching);
};
const firstVisible = () =>
    page.evaluate((selector) => {
        const box = document.querySelector(selector).getBoundingClientRect();
        return [...document.querySelectorAll("[data-message]")].find((element) => element.getBoundingClientRect().top >= box.top + 60)?.dataset.message;
    }, scroller);
const settled = () =>
    page.evaluate(async (selector) => {
        let last = NaN;
        let still = 0;
        while (still < 15) {
            await new Promise(requestAnimationFrame);
            const now = document.querySelector(selector)?.scrollTop;
            still = now === last ? still + 1 : 0;
            last = now;
        }
    }, scroller);

before(async () => {
    server = await startServer("--server-name", "test.lingxi", "--registration", "open");
    browser = await launchBrowser();
    wang = await register(server, "wang", "Wang");
    emma = await register(server, "emma", "Emma");
    for (const name of ["Slow", "Moved"]) {
        const slow = await emma.createRoom(name, [wang]);
        const said = await emma.say(slow, ...Array.from({ length: 90 }, (_, index) => `${name} ${index} ${"with some words to read ".repeat(8)}`));
        await wang.read(slow, said[19]);
    }
    roomId = await emma.createRoom("Long", [wang]);
    ids = [];
    const texts = Array.from({ length: 250 }, (_, index) => `message ${index} ${"with some words to read ".repeat(1 + ((index * 7) % 5))}`);
    for (const text of texts) ids.push(await emma.send(roomId, text));
    await wang.read(roomId, ids[179]);
    page = await personPage(browser);
    await wang.enter(page);
    await page.locator("[data-chat]").first().waitFor();
});
after(async () => {
    await browser?.close();
    await server?.end();
});

test("a chat opens at the first unread message, further back than what was loaded", async () => {
    await page.locator("[data-chat]").first().click();
    await page.locator(".unread-line").waitFor();
    await settled();
    const [line, first, box] = await Promise.all([page.locator(".unread-line").boundingBox(), page.locator(`[data-message="${ids[180]}"]`).boundingBox(), page.locator(scroller).boundingBox()]);
    assert.ok(line.y >= box.y && line.y < box.y + box.height / 2, `the line stands at the top: ${line.y} in ${box.y}`);
    assert.ok(first.y > line.y && first.y < box.y + box.height / 2);
    await shot(page, "reading-first-unread");
});

/** Older messages are asked for while somebody scrolls up, and come when the hand is off the wheel. */
const olderCome = async ({ toTop }) => {
    await page.locator(scroller).hover();
    let release;
    const released = new Promise((resolve) => (release = resolve));
    await page.route("**/rooms/*/messages?*", (route) => released.then(() => route.continue()));
    const asked = page.waitForRequest((request) => request.url().includes("/messages?"));
    let there = false;
    void asked.then(() => (there = true));
    const isAtTop = () => page.locator(scroller).evaluate((element) => element.scrollTop === 0);
    await until(async () => {
        await page.mouse.wheel(0, -600);
        await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
        return there && (!toTop || (await isAtTop()));
    });
    await settled();
    const anchor = await firstVisible();
    await watch(anchor);
    const answered = page.waitForResponse((answer) => answer.url().includes("/messages?"));
    release();
    await answered;
    await page.waitForFunction(() => !document.querySelector(".timeline-head[role=status]"));
    const seen = await watched();
    await page.unrouteAll({ behavior: "wait" });
    assert.equal(seen.gone, 0);
    assert.ok(seen.furthest <= nearly_px, `moved by ${seen.furthest} px`);
};

test("older messages come above without moving what one reads", () => olderCome({ toTop: false }));

test("nor do they when one waits for them at the very top, under a day that is not the first any more", () => olderCome({ toTop: true }));

test("a new message below does not move what one reads, and is counted", async () => {
    await settled();
    await watch(await firstVisible());
    await emma.say(roomId, "news while reading");
    await page.getByRole("button", { name: /^7\d new messages$/ }).waitFor();
    assert.ok((await watched()).furthest <= nearly_px);
    await page.getByRole("button", { name: /new messages$/ }).click();
    await page.locator(".bubble", { hasText: "news while reading" }).waitFor();
});

test("pictures take their place before they are there", async () => {
    const url = await emma.upload(picture, "image/png", "a.png");
    let release;
    const released = new Promise((resolve) => (release = resolve));
    await page.route("**/media/**", (route) => released.then(() => route.continue()));
    const known = await emma.send(roomId, { msgtype: "m.image", body: "a.png", url, info: { w: 800, h: 500, mimetype: "image/png" } });
    await emma.send(roomId, { msgtype: "m.image", body: "of an unknown size", url });
    const [last] = await emma.say(roomId, "under the pictures");
    await page.locator(`[data-message="${last}"]`).waitFor();
    await settled();
    assert.equal(await page.locator(`[data-message="${known}"] .skeleton`).count(), 1);
    await watch(last);
    release();
    await page.locator(`[data-message="${known}"] img`).waitFor();
    assert.ok((await watched()).furthest <= nearly_px);
});

test("a chat that was read opens at its end, and comes back to where its draft is", async () => {
    await page.evaluate(() => void (location.hash = "#/contacts"));
    await page.evaluate((fragment) => void (location.hash = fragment), chatLink(roomId));
    await page.locator(".bubble", { hasText: "under the pictures" }).waitFor();
    await settled();
    const distance = await page.locator(scroller).evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);
    assert.ok(distance <= 4, `${distance} px from the end`);
    assert.equal(await page.locator(".unread-line").count(), 0);
});

test("a reply leads to a message that is far above, and there it stays", async () => {
    const id = await emma.send(roomId, { msgtype: "m.text", body: "answering the very first", "m.relates_to": { "m.in_reply_to": { event_id: ids[2] } } });
    await page.locator(`[data-message="${id}"] .quote`).click();
    await page.locator(`[data-message="${ids[2]}"]`).waitFor();
    await settled();
    const [message, box] = await Promise.all([page.locator(`[data-message="${ids[2]}"]`).boundingBox(), page.locator(scroller).boundingBox()]);
    assert.ok(message.y >= box.y && message.y + message.height <= box.y + box.height, "it is in view");
});

test("it leads there also where the message must be fetched, and rows come long after what they show", async () => {
    const id = await emma.send(roomId, { msgtype: "m.text", body: "answering the very first again", "m.relates_to": { "m.in_reply_to": { event_id: ids[2] } } });
    const fresh = await personPage(browser);
    await wang.enter(fresh, chatLink(roomId));
    const quote = fresh.locator(`[data-message="${id}"] .quote`);
    await quote.waitFor();
    assert.equal(await fresh.locator(`[data-message="${ids[2]}"]`).count(), 0);
    // As on a machine that has much to do: the timeline's next drawing is two seconds late.
    await fresh.evaluate(() => {
        const { setTimeout: soon } = window;
        window.setTimeout = (act, ms = 0, ...more) => soon(act, ms < 50 ? ms + 2_000 : ms, ...more);
    });
    await quote.click();
    await fresh.locator(`[data-message="${ids[2]}"]`).waitFor();
    assert.equal(await fresh.locator(".toast").count(), 0);
    await fresh.context().close();
});

for (const moves of [false, true])
    test(`where the way back is slow, the chat ${moves ? "stays where a hand has moved it" : "goes to the first unread message as soon as it is there"}`, async () => {
        const name = moves ? "Moved" : "Slow";
        let release;
        const released = new Promise((resolve) => (release = resolve));
        await page.route("**/rooms/*/messages?*", (route) => released.then(() => route.continue()));
        await page.locator("[data-chat]", { hasText: name }).click();
        await page.locator(".message", { hasText: name }).first().waitFor(); // what is here is shown
        assert.equal(await page.locator(".unread-line").count(), 0, "no line stands where reading did not end");
        await settled();
        if (moves) {
            await page.locator(scroller).hover();
            await page.mouse.wheel(0, 150);
            await settled();
            await watch(await firstVisible());
        }
        const pages = page.waitForResponse((answer) => answer.url().includes("/messages?"));
        release();
        await pages;
        if (moves) {
            await page.getByRole("button", { name: "70 new messages" }).waitFor(); // the place is known
            const seen = await watched();
            assert.deepEqual([seen.gone, seen.furthest <= nearly_px], [0, true], `moved by ${seen.furthest} px`);
        } else {
            await page.locator(".unread-line").waitFor();
            await settled();
            const [line, first, box] = await Promise.all([page.locator(".unread-line").boundingBox(), page.locator(".message", { hasText: `${name} 20 ` }).boundingBox(), page.locator(scroller).boundingBox()]);
            assert.ok(line.y >= box.y && line.y < box.y + box.height / 2, `the line stands at the top: ${line.y} in ${box.y}`);
            assert.ok(first.y > line.y && first.y < box.y + box.height / 2);
            await page.getByRole("button", { name: "70 new messages" }).waitFor();
        }
        await page.unrouteAll({ behavior: "wait" });
    });

test("who stands at the end of a chat, or less than a line above it, goes with what comes", async () => {
    const short = await emma.createRoom("Short", [wang]);
    const said = await emma.say(short, ...Array.from({ length: 30 }, (_, index) => `line ${index}`));
    await wang.read(short, said[27]);
    await page.locator("[data-chat]", { hasText: "Short" }).locator(".badge", { hasText: /^2$/ }).waitFor();
    await page.evaluate((fragment) => void (location.hash = fragment), chatLink(short));
    await page.locator(".unread-line").waitFor();
    await settled();
    await page.locator(scroller).hover();
    await page.mouse.wheel(0, -30);
    await page.waitForFunction((selector) => ((element) => element.scrollHeight - element.scrollTop - element.clientHeight > 4)(document.querySelector(selector)), scroller);
    const [tall] = await emma.say(short, Array.from({ length: 15 }, (_, index) => `verse ${index}`).join("\n"));
    await page.locator(`[data-message="${tall}"]`).waitFor();
    await settled();
    const distance = await page.locator(scroller).evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);
    assert.ok(distance <= 4, `${distance} px from the end`);
    assert.equal(await page.locator(".to-bottom").count(), 0);
});

test("the list holds only the rows in view, however much is loaded", async () => {
    const rows = await page.locator(".timeline-row").count();
    assert.ok(rows < 90, `${rows} rows are in the document`);
    assert.deepEqual(page.faults, []);
});
