// From signing in to signing out without a pointer.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bubble, password, register, until } from "./people.mjs";
import { launchBrowser, personPage, shot, startServer } from "./server.mjs";

let server, browser, wang, emma, page, roomId, direct;
const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
};
const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label") || document.activeElement?.textContent?.trim() || document.activeElement?.tagName);
/** Presses Tab until what has the focus reads so. */
const tabTo = async (wanted, key = "Tab", limit = 40) => {
    for (let count = 0; count < limit; count += 1) {
        if (wanted.test(await focused())) return;
        await press(key);
    }
    assert.fail(`${wanted} was not reached by ${key}; the focus is on ${await focused()}`);
};
/** Presses Tab until `check` in the page holds of what has the focus. */
const tabUntil = (check) => until(async () => (await page.evaluate(check)) || (await press("Tab")));
const onMessage = (text) => page.waitForFunction((wanted) => document.activeElement?.matches("[data-message]") && document.activeElement.textContent.includes(wanted), text);
const inComposer = () => page.waitForFunction(() => document.activeElement?.tagName === "TEXTAREA");

before(async () => {
    server = await startServer("--server-name", "test.lingxi", "--registration", "open");
    browser = await launchBrowser();
    wang = await register(server, "wang", "Wang");
    emma = await register(server, "emma", "Emma Hart");
    direct = await emma.direct(wang);
    await emma.say(direct, "a word in private");
    roomId = await emma.createRoom("Plans", [wang]);
    await emma.say(roomId, "shall we go on Saturday?");
    page = await personPage(browser);
});
after(async () => {
    await browser?.close();
    await server?.end();
});

test("signing in", async () => {
    await page.goto(server.url);
    await page.getByLabel("Username").waitFor();
    await tabUntil(() => document.activeElement?.getAttribute("autocomplete") === "username");
    await page.keyboard.type("wang");
    await press("Tab");
    await page.keyboard.type(password);
    await press("Enter");
    await page.locator("[data-chat]").nth(1).waitFor();
});

test("arrows move in the list, Enter opens a chat, and the composer has the focus", async () => {
    await tabTo(/Find a chat/);
    await press("ArrowDown");
    await page.waitForFunction(() => document.activeElement?.textContent?.includes("Plans"));
    await press("ArrowDown");
    await page.waitForFunction(() => document.activeElement?.textContent?.includes("Emma Hart"));
    await press("ArrowUp", "Enter");
    await bubble(page, "shall we go on Saturday").waitFor();
    await inComposer();
});

test("writing, and changing what one wrote last", async () => {
    await page.keyboard.type("Yes, let’s go");
    await press("Enter");
    await bubble(page, "Yes, let’s go").waitFor();
    await page.waitForFunction(() => !document.querySelector(".status.sending, .status.queued"));
    await press("ArrowUp");
    await page.locator(".composer-mode").waitFor();
    await press("Escape");
    await page.locator(".composer-mode").waitFor({ state: "detached" });
    await press("ArrowUp", "End");
    await page.keyboard.type("!");
    await press("Enter");
    await bubble(page, "Yes, let’s go!").waitFor();
});

test("from the composer to the messages and back", async () => {
    await page.evaluate(() => document.querySelector("textarea").focus());
    for (let count = 0; count < 20 && !(await page.evaluate(() => document.activeElement?.matches(".timeline [role=region]"))); count += 1) await press("Shift+Tab");
    await press("ArrowUp");
    await onMessage("Yes, let’s go!");
    await press("ArrowUp");
    await onMessage("shall we go on Saturday");
    await press("ArrowDown", "ArrowDown");
    await inComposer();
});

test("answering, reacting and taking back, each from the message that has the focus", async () => {
    for (let count = 0; count < 20 && !(await page.evaluate(() => document.activeElement?.matches(".timeline [role=region]"))); count += 1) await press("Shift+Tab");
    await press("ArrowUp", "ArrowUp");
    await onMessage("shall we go on Saturday");
    await press("Enter");
    await page.getByRole("menu").waitFor();
    await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label")?.includes("👍"));
    await press("Enter");
    await page.locator(".reaction", { hasText: "👍" }).waitFor();
    await onMessage("shall we go on Saturday");
    await press("r");
    await inComposer();
    await page.keyboard.type("at eight");
    await press("Enter");
    await bubble(page, "at eight").locator(".quote").waitFor();
    await page.waitForFunction(() => !document.querySelector(".status.sending, .status.queued"));
    for (let count = 0; count < 20 && !(await page.evaluate(() => document.activeElement?.matches(".timeline [role=region]"))); count += 1) await press("Shift+Tab");
    await press("ArrowUp");
    await onMessage("at eight");
    // Who thinks better of it is back at the message, whether they asked by a key or by the menu.
    await press("Delete");
    await page.getByRole("dialog").waitFor();
    await shot(page, "keyboard-take-back");
    await press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await onMessage("at eight");
    await press("Enter");
    await page.getByRole("menu").waitFor();
    await page.waitForFunction(() => document.activeElement?.closest("[role=menu]"));
    await press("End", "Enter");
    await page.getByRole("dialog").waitFor();
    await press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await onMessage("at eight");
    await press("Delete");
    await page.getByRole("dialog").waitFor();
    await tabTo(/^Take back$/);
    await press("Enter");
    await page.locator(".gone", { hasText: "Message taken back" }).waitFor();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await onMessage("Message taken back");
});

test("the panel opens and closes, with arrows between its tabs", async () => {
    await press("Alt+i");
    await page.getByRole("tab", { name: "About", exact: false }).first().waitFor();
    await page.getByRole("tab", { selected: true }).focus();
    await press("ArrowRight");
    assert.equal(await page.getByRole("tab", { selected: true }).textContent(), "Files");
    await press("Escape");
    await page.getByRole("tab").first().waitFor({ state: "detached" });
});

test("Alt and arrows go from chat to chat, and Escape goes back to the list", async () => {
    await press("Alt+ArrowDown");
    await bubble(page, "a word in private").waitFor();
    await press("Alt+ArrowUp");
    await bubble(page, "shall we go on Saturday").waitFor();
    await inComposer();
    await press("Escape");
    await page.waitForFunction(() => location.hash === "#/" || location.hash === "");
});

test("Ctrl+K that is left again gives the composer back as it was", async () => {
    await press("Alt+ArrowDown");
    await inComposer();
    await page.keyboard.type("abc");
    await press("ArrowLeft", "Control+k");
    await page.getByRole("combobox").waitFor();
    await press("Escape");
    await page.getByRole("combobox").waitFor({ state: "detached" });
    await inComposer();
    await page.keyboard.type("-");
    assert.equal(await page.locator("textarea").inputValue(), "ab-c");
    await press("Control+k");
    await page.keyboard.type("keyboard");
    await page.getByRole("option", { name: /Keyboard shortcuts/ }).waitFor();
    await press("Enter");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await inComposer();
    await page.locator("textarea").fill("");
    await press("Escape");
    await page.waitForFunction(() => location.hash === "#/" || location.hash === "");
});

test("Ctrl+K finds chats, people and commands", async () => {
    await press("Control+k");
    await page.getByRole("combobox").waitFor();
    await page.keyboard.type("emma");
    await page.getByRole("option", { name: /Emma Hart/ }).first().waitFor();
    await press("Enter");
    await bubble(page, "a word in private").waitFor();
    await press("Control+k");
    await page.keyboard.type("prefer");
    await page.getByRole("option", { name: /Preferences/ }).waitFor();
    await press("Enter");
    await page.getByLabel("Language", { exact: true }).waitFor();
});

test("settings are changed by keys, and a question mark lists the keys", async () => {
    await page.getByLabel("Language", { exact: true }).focus();
    await tabUntil(() => document.activeElement?.getAttribute("role") === "switch");
    const before = await page.getByRole("switch").getAttribute("aria-checked");
    await press("Space");
    await page.waitForFunction((last) => document.querySelector("[role=switch]")?.getAttribute("aria-checked") !== last, before);
    await press("Space");
    await press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await shot(page, "keyboard-keys");
    await press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
});

test("signing out", async () => {
    await press("Control+k");
    await page.getByRole("combobox").waitFor();
    await page.keyboard.type("account");
    await page.getByRole("option", { name: /Account/ }).waitFor();
    await press("Enter");
    await page.getByRole("button", { name: "Sign out" }).waitFor();
    await tabTo(/^Sign out$/);
    await press("Enter");
    await page.getByRole("dialog").waitFor();
    await tabTo(/^Sign out$/);
    await press("Enter");
    await page.getByLabel("Username").waitFor();
    assert.deepEqual(page.faults, []);
});
