// The composer: keys, lines, drafts on every device of an account, and what is written without a server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bubble, chatLink, register, until, words } from "./people.mjs";
import { anotherTab, launchBrowser, personPage, startServer } from "./server.mjs";

let server, browser, wang, emma, desk, phone, roomId, secondRoom;
const en = words.en;
const area = (page) => page.getByLabel(en.write);
const sent = async (person, room = roomId) => (await person.timeline(room)).filter((event) => event.type === "m.room.message").map((event) => event.content.body);

before(async () => {
    server = await startServer("--server-name", "test.lingxi", "--registration", "open");
    browser = await launchBrowser();
    wang = await register(server, "wang", "Wang");
    emma = await register(server, "emma", "Emma");
    roomId = await emma.createRoom("Plans", [wang]);
    secondRoom = await emma.createRoom("Second", [wang]);
    await emma.say(roomId, "hello");
    desk = await personPage(browser);
    phone = await personPage(browser, { phone: true });
    await wang.enter(desk, chatLink(roomId));
    await wang.enter(phone, chatLink(roomId));
    await area(desk).waitFor();
    await area(phone).waitFor();
});
after(async () => {
    await browser?.close();
    await server?.end();
});

test("Enter sends and Shift+Enter breaks the line", async () => {
    await area(desk).focus();
    await desk.keyboard.type("first line");
    await desk.keyboard.press("Shift+Enter");
    await desk.keyboard.type("second line");
    await desk.keyboard.press("Enter");
    await bubble(desk, "second line").waitFor();
    assert.equal(await area(desk).inputValue(), "");
    await desk.waitForFunction(() => !document.querySelector(".status.sending, .status.queued"));
    assert.equal((await sent(wang))[0], "first line\nsecond line");
});

test("Enter that chooses a word of an input method does not send", async () => {
    await area(desk).fill("ni hao");
    await area(desk).evaluate((element) => element.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: 229, isComposing: true, bubbles: true, cancelable: true })));
    assert.equal(await area(desk).inputValue(), "ni hao");
    await area(desk).fill("");
});

test("on a phone Enter breaks the line, and the button sends", async () => {
    await area(phone).fill("from the phone");
    await area(phone).press("Enter");
    assert.equal(await area(phone).inputValue(), "from the phone\n");
    await phone.getByRole("button", { name: en.send, exact: true }).tap();
    await bubble(desk, "from the phone").waitFor();
});

test("a phone’s settings speak of no keys", async () => {
    const speaksOfKeys = async (page) => {
        await page.evaluate(() => void (location.hash = "#/me"));
        await page.getByRole("link", { name: "Preferences" }).waitFor();
        const list = await page.getByRole("button", { name: "Keyboard shortcuts" }).count();
        await page.evaluate(() => void (location.hash = "#/me/preferences"));
        await page.getByLabel("Appearance").waitFor();
        const setting = await page.getByRole("switch", { name: "Enter sends the message" }).count();
        await page.evaluate((fragment) => void (location.hash = fragment), chatLink(roomId));
        await area(page).waitFor();
        return [list, setting];
    };
    assert.deepEqual(await speaksOfKeys(phone), [0, 0]);
    assert.deepEqual(await speaksOfKeys(desk), [1, 1]);
});

test("the setting turns Enter round, on every device", async () => {
    await desk.evaluate(() => void (location.hash = "#/me/preferences"));
    const enter = desk.getByRole("switch", { name: "Enter sends the message" });
    await enter.click();
    await desk.evaluate((fragment) => void (location.hash = fragment), chatLink(roomId));
    await area(desk).fill("first of all");
    await desk.keyboard.press("Enter");
    assert.equal(await area(desk).inputValue(), "first of all\n");
    await desk.keyboard.press("Shift+Enter");
    await bubble(desk, "first of all").waitFor();
    assert.equal(await area(desk).inputValue(), "");
    await desk.evaluate(() => void (location.hash = "#/me/preferences"));
    await enter.click();
    await desk.evaluate((fragment) => void (location.hash = fragment), chatLink(roomId));
    await area(desk).waitFor();
});

test("it grows to six lines, then scrolls", async () => {
    const height = () => area(desk).evaluate((element) => element.clientHeight);
    const one = await height();
    await area(desk).fill("1\n2\n3");
    const three = await height();
    await area(desk).fill("1\n2\n3\n4\n5\n6");
    const six = await height();
    await area(desk).fill(Array.from({ length: 20 }, (_, line) => line).join("\n"));
    const twenty = await height();
    assert.equal(three - one, 48);
    assert.equal(six - one, 5 * 24);
    assert.equal(twenty, six);
    await area(desk).fill("");
    assert.equal(await height(), one);
});

test("a draft is kept per chat, on this device at once and on the others after a moment", async () => {
    await area(desk).fill("not finished yet");
    await desk.evaluate((fragment) => void (location.hash = fragment), chatLink(secondRoom));
    await desk.getByRole("region", { name: "Second" }).or(desk.locator(".bar-name", { hasText: "Second" })).first().waitFor();
    assert.equal(await area(desk).inputValue(), "");
    await desk.locator("[data-chat]", { hasText: "Plans" }).getByText("Draft:").waitFor();
    await phone.evaluate(() => void (location.hash = "#/"));
    await phone.locator("[data-chat]", { hasText: "Plans" }).getByText("not finished yet").waitFor();
    await phone.locator("[data-chat]", { hasText: "Plans" }).tap();
    await phone.waitForFunction(() => document.querySelector("textarea")?.value === "not finished yet");
    await desk.reload();
    await desk.locator("[data-chat]", { hasText: "Plans" }).click();
    assert.equal(await area(desk).inputValue(), "not finished yet");
    await area(desk).press("Enter");
    await bubble(phone, "not finished yet").waitFor();
    await phone.waitForFunction(() => document.querySelector("textarea")?.value === "");
});

test("what one is writing is not overwritten by another device's draft", async () => {
    const draft = () => wang.call("GET", `/user/${encodeURIComponent(wang.userId)}/rooms/${encodeURIComponent(roomId)}/account_data/im.lingxi.draft`);
    await area(desk).focus();
    await desk.keyboard.type("mine, ");
    const isDraft = (text) => until(async () => (await draft()).text === text);
    await isDraft("mine, "); // of two that go out together nobody knows which comes last
    await area(phone).fill("the other's");
    await isDraft("the other's");
    // What comes after it in the account's stream is there: so it has come to the desk as well.
    await emma.say(roomId, "the draft came before this");
    await bubble(desk, "the draft came before this").waitFor();
    assert.equal(await area(desk).inputValue(), "mine, ");
    await desk.keyboard.type("as I write it");
    assert.equal(await area(desk).inputValue(), "mine, as I write it");
    await area(desk).fill("");
    await area(phone).fill("");
});

/** In the page: whether the browser keeps so many messages that are still to be sent. */
const storedInOutbox = ({ name, count }) =>
    new Promise((resolve) => {
        const opening = indexedDB.open(name);
        opening.onerror = () => resolve(false);
        opening.onsuccess = () => {
            const counting = opening.result.transaction("items").objectStore("items").count();
            counting.onsuccess = () => resolve(counting.result === count);
            counting.transaction.oncomplete = () => opening.result.close();
        };
    });

test("messages written without a server wait, say so, outlive a reload, and go out once and in order", async () => {
    const tab = await anotherTab(desk);
    await tab.goto(desk.url());
    await area(tab).waitFor();
    await server.kill();
    await area(desk).focus();
    for (const text of ["down 1", "down 2", "down 3"]) {
        await desk.keyboard.type(text);
        await desk.keyboard.press("Enter");
        await bubble(desk, text).waitFor();
    }
    await desk.getByText("Waiting for the connection").first().waitFor({ state: "attached" });
    await desk.locator(".offline-banner").waitFor();
    await desk.waitForFunction(storedInOutbox, { name: `lingxi.outbox.${wang.userId}`, count: 3 });
    await tab.close();
    await desk.close();
    desk = await anotherTab({ context: () => browser.contexts()[0] });
    await server.start();
    await desk.goto(`${server.url}/${chatLink(roomId)}`);
    await bubble(phone, "down 3").waitFor();
    await bubble(desk, "down 3").waitFor();
    await desk.waitForFunction(() => !document.querySelector(".status.sending, .status.queued"));
    const all = (await sent(emma)).toReversed().filter((text) => text.startsWith("down"));
    assert.deepEqual(all, ["down 1", "down 2", "down 3"]);
    for (const page of [desk, phone]) assert.equal(await page.locator(".bubble", { hasText: "down 2" }).count(), 1);
});

test("an edit and a reaction made without a server go out when it is back, once", async () => {
    const theirs = (await emma.timeline(roomId)).find((event) => event.content.body === "hello");
    const reaction = (page) => page.locator(`[data-message="${theirs.event_id}"] .reaction`, { hasText: "👍" });
    const shown = (page) => page.locator(`[data-message="${theirs.event_id}"]`);
    await shown(desk).waitFor();
    await desk.locator('[data-message^="$"]', { hasText: "down 3" }).waitFor(); // the server's, which can be changed
    await server.kill();
    await area(desk).focus();
    await desk.keyboard.press("ArrowUp");
    await area(desk).fill("down 3, changed");
    await desk.keyboard.press("Enter");
    await bubble(desk, "down 3, changed").waitFor();
    await shown(desk).hover();
    await shown(desk).getByRole("button", { name: en.menu }).click();
    await desk.getByRole("menuitem", { name: "React 👍" }).click();
    await reaction(desk).locator(".status.queued").waitFor();
    await desk.getByRole("button", { name: "Waiting for the connection" }).waitFor(); // the button's own words hide its content
    await desk.waitForFunction(storedInOutbox, { name: `lingxi.outbox.${wang.userId}`, count: 2 });
    await server.start();
    await bubble(phone, "down 3, changed").waitFor();
    await reaction(phone).waitFor();
    await reaction(desk).locator(".status.queued").waitFor({ state: "detached" });
    assert.equal(await phone.locator(".bubble", { hasText: "down 3" }).count(), 1);
    const reactions = (await emma.timeline(roomId)).filter((event) => event.type === "m.reaction");
    assert.deepEqual(reactions.map((event) => event.content["m.relates_to"].key), ["👍"]);
});

test("nothing broke in the pages", () => {
    assert.deepEqual(desk.faults, []);
    assert.deepEqual(phone.faults, []);
});
