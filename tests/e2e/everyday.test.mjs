// What people do every day beside writing: emoji, pinning and muting, a name of one's own for somebody, forwarding,
// and the widths of the columns.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bubble, chatLink, register, words } from "./people.mjs";
import { anotherTab, launchBrowser, personPage, startServer, violations } from "./server.mjs";

let server, browser, wang, emma, desk, phone, plans, second;
const en = words.en;
const row = (page, name) => page.locator(".chat-row", { hasText: name });
const inRow = async (name, item) => {
    await row(desk, name).hover();
    await row(desk, name).getByRole("button", { name: `More: ${name}` }).click();
    await desk.getByRole("menuitem", { name: item, exact: true }).click();
};

before(async () => {
    server = await startServer("--server-name", "test.lingxi", "--registration", "open");
    browser = await launchBrowser();
    wang = await register(server, "wang", "Wang");
    emma = await register(server, "emma", "Emma Hart");
    plans = await emma.createRoom("Plans", [wang]);
    second = await emma.createRoom("Second", [wang]);
    await emma.say(plans, "the train leaves at nine");
    await emma.say(second, "something else");
    desk = await personPage(browser);
    phone = await personPage(browser, { phone: true });
    await wang.enter(desk, chatLink(plans));
    await wang.enter(phone);
    await bubble(desk, "the train leaves").waitFor();
    await row(phone, "Second").waitFor();
});
after(async () => {
    await browser?.close();
    await server?.end();
});

test("an emoji is put where one writes, by pointer and by keys", async () => {
    const area = desk.getByLabel(en.write);
    await area.fill("ab");
    await area.press("ArrowLeft");
    await desk.getByRole("button", { name: "Emoji" }).click();
    const picker = desk.getByRole("dialog", { name: "Emoji" });
    await picker.getByRole("button", { name: "🎉" }).click();
    assert.equal(await area.inputValue(), "a🎉b");
    // Two before a frame is drawn.
    await picker.evaluate(async (dialog) => {
        for (const emoji of ["😀", "😂"]) {
            [...dialog.querySelectorAll("button")].find((button) => button.textContent === emoji).click();
            await Promise.resolve();
        }
    });
    assert.equal(await area.inputValue(), "a🎉😀😂b");
    assert.deepEqual(await violations(desk), []);
    await picker.getByRole("button", { name: "😀" }).focus();
    for (const key of ["ArrowRight", "ArrowDown", "ArrowLeft", "Enter"]) await desk.keyboard.press(key);
    assert.equal(await area.inputValue(), "a🎉😀😂🙂b");
    await desk.keyboard.press("Escape");
    await picker.waitFor({ state: "detached" });
    // Over itself: what is written next comes after it, letter by letter.
    await area.evaluate((element) => element.setSelectionRange(1, 3));
    await desk.getByRole("button", { name: "Emoji" }).click();
    await picker.getByRole("button", { name: "🎉" }).click();
    await desk.keyboard.press("Escape");
    await picker.waitFor({ state: "detached" });
    assert.deepEqual(await area.evaluate((element) => [element.selectionStart, element.selectionEnd]), [3, 3]);
    await area.press("End");
    await area.pressSequentially("cd");
    assert.equal(await area.inputValue(), "a🎉😀😂🙂bcd");
    await area.press("Enter");
    await bubble(desk, "a🎉😀😂🙂bcd").waitFor();
});

test("a chat that is pinned stands on top, on every device, until it is let go", async () => {
    const first = (page) => page.waitForFunction(() => document.querySelector("[data-chat] .chat-name")?.textContent);
    await emma.say(plans, "the youngest words are here");
    for (const page of [desk, phone]) await page.waitForFunction(() => document.querySelector("[data-chat] .chat-name")?.textContent === "Plans");
    await inRow("Second", "Pin on top");
    for (const page of [desk, phone]) await page.waitForFunction(() => document.querySelector("[data-chat] .chat-name")?.textContent === "Second");
    await emma.say(plans, "younger still");
    await row(desk, "Plans").getByText("younger still").waitFor();
    assert.equal(await (await first(desk)).jsonValue(), "Second");
    await inRow("Second", "Unpin");
    for (const page of [desk, phone]) await page.waitForFunction(() => document.querySelector("[data-chat] .chat-name")?.textContent === "Plans");
});

test("a chat that is muted shows a dot and no count, and its messages are no news", async () => {
    await emma.say(second, "one", "two");
    await row(desk, "Second").locator(".badge", { hasText: /^3$/ }).waitFor();
    await inRow("Second", "Mute");
    await row(desk, "Second").locator(".badge.dot").waitFor();
    await row(desk, "Second").getByText("muted").waitFor({ state: "attached" });
    await row(phone, "Second").locator(".badge.dot").waitFor();
    await emma.say(second, "three");
    await row(desk, "Second").getByText("three").waitFor();
    assert.equal(await row(desk, "Second").locator(".badge").textContent(), "");
    const rules = await wang.call("GET", "/pushrules/global/");
    assert.ok(rules.room.some((rule) => rule.rule_id === second && rule.enabled), "other clients are told as well");
    await inRow("Second", "Unmute");
    await row(desk, "Second").locator(".badge.dot").waitFor({ state: "detached" });
});

test("a name of one’s own for somebody is seen by oneself everywhere, and by nobody else", async () => {
    await desk.evaluate((id) => void (location.hash = `#/contacts/${encodeURIComponent(id)}`), emma.userId);
    await desk.getByLabel("Nickname").fill("Little sister");
    await desk.getByRole("button", { name: "Save" }).click();
    await desk.getByRole("heading", { name: "Little sister" }).waitFor();
    await desk.locator(".card").getByText("Emma Hart", { exact: true }).waitFor();
    await row(phone, "Plans").getByText(/^Little sister:/).waitFor();
    await desk.evaluate((fragment) => void (location.hash = fragment), chatLink(plans));
    await desk.locator(".message-name", { hasText: "Little sister" }).first().waitFor();
    const { displayname } = await emma.call("GET", `/profile/${encodeURIComponent(emma.userId)}`);
    assert.equal(displayname, "Emma Hart");
    await desk.evaluate((id) => void (location.hash = `#/contacts/${encodeURIComponent(id)}`), emma.userId);
    await desk.getByLabel("Nickname").fill("");
    await desk.getByRole("button", { name: "Save" }).click();
    await row(phone, "Plans").getByText(/^Emma Hart:/).waitFor();
    await desk.evaluate((fragment) => void (location.hash = fragment), chatLink(plans));
});

test("a message is forwarded to a chat that is searched for, and says that it was", async () => {
    await bubble(desk, "the train leaves").hover();
    await desk.locator(".message", { hasText: "the train leaves" }).getByRole("button", { name: en.menu }).click();
    await desk.getByRole("menuitem", { name: "Forward" }).click();
    const dialog = desk.getByRole("dialog", { name: "Forward to" });
    await dialog.getByRole("button", { name: "Plans" }).waitFor();
    assert.deepEqual(await violations(desk), []);
    await dialog.getByRole("searchbox").fill("seco");
    await dialog.getByRole("button", { name: "Plans" }).waitFor({ state: "detached" });
    await dialog.getByRole("button", { name: "Second" }).click();
    await dialog.waitFor({ state: "detached" });
    await row(phone, "Second").getByText("the train leaves at nine").waitFor();
    const [forwarded] = await emma.timeline(second, 1);
    assert.equal(forwarded.content.body, "the train leaves at nine");
    assert.equal(forwarded.sender, wang.userId);
    assert.ok(forwarded.content["im.lingxi.forwarded"]);
});

test("the widths of the columns are moved by hand and by keys, within limits, and kept", async () => {
    await desk.getByRole("button", { name: en.info }).click();
    const widthOf = async (name) => Number(await desk.getByRole("separator", { name }).getAttribute("aria-valuenow"));
    const list = desk.getByRole("separator", { name: "Width of the list" });
    const drawn = () => list.evaluate((edge) => Math.round(edge.parentElement.getBoundingClientRect().width));
    const before = await widthOf("Width of the list");
    const box = await list.boundingBox();
    await desk.mouse.move(box.x + box.width / 2, 300);
    await desk.mouse.down();
    await desk.mouse.move(box.x + box.width / 2 + 50, 300, { steps: 4 });
    await desk.mouse.up();
    const moved = await widthOf("Width of the list");
    assert.ok(Math.abs(moved - before - 50) <= 8, `${before} to ${moved}`);
    assert.equal(await drawn(), moved);
    const panel = await widthOf("Width of the panel");
    await desk.getByRole("separator", { name: "Width of the panel" }).press("ArrowLeft");
    assert.equal(await widthOf("Width of the panel"), panel + 16);
    for (let count = 0; count < 40; count += 1) await list.press("ArrowRight");
    const widest = Number(await list.getAttribute("aria-valuemax"));
    assert.equal(await widthOf("Width of the list"), widest);
    await desk.reload();
    await bubble(desk, "the train leaves").waitFor();
    assert.equal(await widthOf("Width of the list"), widest);
    assert.equal(await drawn(), widest);
    const other = await anotherTab(desk);
    await other.goto(`${server.url}/${chatLink(plans)}`);
    await other.getByRole("button", { name: en.info }).click();
    assert.equal(await other.getByRole("separator", { name: "Width of the panel" }).getAttribute("aria-valuenow"), String(panel + 16));
    await other.close();
});

test("nothing broke in the pages", () => {
    assert.deepEqual(desk.faults, []);
    assert.deepEqual(phone.faults, []);
});
