// Tries what can only be seen in a browser against the stand-in: the outbox over an outage and a reload, one long-poll
// for all tabs, two accounts side by side, the assistant's lines, reading from the first unread.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { furnish } from "./fake/scene.mjs";
import { startFake } from "./fake/server.mjs";

const now = Date.now();
const fake = await startFake({ dist: fileURLToPath(new URL("../dist", import.meta.url)), now });
const scene = furnish(fake, now);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB" });
const failures = [];

async function step(name, run) {
    try {
        await run();
        console.log(`ok   ${name}`);
    } catch (error) {
        failures.push(name);
        console.log(`FAIL ${name}: ${error.message.split("\n").slice(0, 6).join(" / ")}`);
    }
}
async function signIn(page, user) {
    await page.goto(fake.url);
    await page.getByLabel("Username").fill(user);
    await page.locator("input[type=password]").fill("password");
    await page.keyboard.press("Enter");
    await page.locator("[data-chat]").first().waitFor();
}
const open = (page, room) => page.evaluate((id) => void (location.hash = `#/chat/${encodeURIComponent(id)}`), room.id);
const bodies = (room) => room.timeline.filter((event) => event.type === "m.room.message" && event.content.body).map((event) => event.content.body);
const count = (room, body) => bodies(room).filter((one) => one === body).length;
const bubble = (page, text) => page.locator(".bubble", { hasText: text }).last();
const write = async (page, text) => {
    await page.getByLabel("Write a message").fill(text);
    await page.keyboard.press("Enter");
};

const page = await context.newPage();
page.on("pageerror", (error) => console.log(`error: ${error.message}`));
await signIn(page, "zhangwei");

await step("opens at the first unread message", async () => {
    await open(page, scene.group);
    await page.locator(".unread-line").waitFor();
    const top = await page.locator(".unread-line").evaluate((element) => element.getBoundingClientRect().top);
    assert.ok(top > 0 && top < 800, `at ${top}`);
});
await step("a message stands in the list at once and is sent once", async () => {
    await write(page, "hello once");
    await bubble(page, "hello once").waitFor({ timeout: 1000 });
    await page.waitForTimeout(600);
    assert.equal(count(scene.group, "hello once"), 1);
    assert.equal(await page.locator(".bubble", { hasText: "hello once" }).count(), 1);
});
await step("older messages load above without moving what one reads", async () => {
    const scroller = page.locator("[aria-label=Messages]");
    await scroller.evaluate((element) => element.scrollTo(0, 0));
    await page.waitForTimeout(900);
    await page.getByText("route 55", { exact: false }).first().scrollIntoViewIfNeeded();
    await page.waitForTimeout(400);
    const place = () => page.getByText("route 55", { exact: false }).first().evaluate((element) => Math.round(element.getBoundingClientRect().top));
    const before = await place();
    fake.addEvent(scene.group, scene.ben, "m.room.message", { msgtype: "m.text", body: "news while reading" });
    await page.waitForTimeout(500);
    assert.equal(await place(), before);
    await page.getByText("1 new message", { exact: false }).click();
    await bubble(page, "news while reading").waitFor();
});
await step("what is written while the server is down survives a reload and is sent once", async () => {
    fake.setDown(true);
    await write(page, "written in the dark");
    await write(page, "and another");
    await page.locator(".status.queued, .status.sending").first().waitFor();
    await page.locator(".offline-banner").waitFor({ timeout: 15_000 });
    fake.setDown(false);
    await page.route("**/send/**", (route) => route.abort());
    await page.waitForTimeout(500);
    await page.reload();
    await bubble(page, "written in the dark").waitFor();
    assert.equal(count(scene.group, "written in the dark"), 0);
    await page.unroute("**/send/**");
    await page.waitForTimeout(4000);
    assert.equal(count(scene.group, "written in the dark"), 1);
    assert.equal(count(scene.group, "and another"), 1);
    assert.ok(bodies(scene.group).indexOf("written in the dark") < bodies(scene.group).indexOf("and another"));
    await page.waitForTimeout(300);
    assert.equal(await page.locator(".bubble", { hasText: "written in the dark" }).count(), 1);
});
await step("a second tab follows without a long-poll of its own", async () => {
    const second = await context.newPage();
    await second.goto(fake.url);
    await second.locator("[data-chat]").first().waitFor();
    await open(second, scene.group);
    await second.locator(".bubble").first().waitFor();
    await page.waitForTimeout(1500);
    fake.addEvent(scene.group, scene.lina, "m.room.message", { msgtype: "m.text", body: "for both tabs" });
    await bubble(second, "for both tabs").waitFor({ timeout: 3000 });
    await bubble(page, "for both tabs").waitFor({ timeout: 3000 });
    await page.waitForTimeout(500);
    assert.equal(fake.parked(), 1);
    await page.close();
    fake.addEvent(scene.group, scene.lina, "m.room.message", { msgtype: "m.text", body: "after the first tab closed" });
    await bubble(second, "after the first tab closed").waitFor({ timeout: 4000 });
    globalThis.second = second;
});
const tab = globalThis.second;
await step("a one-use link opens another account beside the first", async () => {
    const other = await context.newPage();
    await other.goto(`${fake.url}/login#token=demo`);
    await other.locator("[data-chat]").first().waitFor();
    assert.ok(!other.url().includes("demo"));
    await other.close();
});
await step("a chip fills the composer and sends nothing", async () => {
    const before = bodies(scene.group).length;
    await tab.getByRole("button", { name: "Sounds good, what time?" }).click();
    assert.equal(await tab.getByLabel("Write a message").inputValue(), "Sounds good, what time?");
    assert.equal(bodies(scene.group).length, before);
    await tab.getByLabel("Write a message").fill("");
});
await step("a suggestion of a model carries its label, and says so when changed", async () => {
    await tab.getByRole("button", { name: "Suggest replies" }).click();
    await tab.locator(".chip.ai").first().click();
    await tab.keyboard.press("Enter");
    await tab.waitForTimeout(600);
    assert.equal(scene.group.timeline.at(-1).content["im.lingxi.ai"]?.kind, "generated");
    await tab.locator(".message", { hasText: "bring water" }).last().locator(".ai-mark").click();
    await tab.getByText("The model qwen3-8b").waitFor();
    await tab.keyboard.press("Escape");
});
await step("without a model the place of its answer says so", async () => {
    fake.setModel(false);
    fake.addEvent(scene.group, scene.ben, "m.room.message", { msgtype: "m.text", body: "shall we?" });
    await bubble(tab, "shall we?").waitFor();
    await tab.getByRole("button", { name: "Suggest replies" }).click();
    await tab.getByText("No model is set up", { exact: false }).waitFor({ timeout: 2000 });
    fake.setModel(true);
});
await step("a translation stands under the original and can be swapped and put away", async () => {
    const message = tab.locator(".message", { hasText: "shall we?" }).last();
    await message.hover();
    await message.getByRole("button", { name: "Message actions" }).click();
    await tab.getByRole("menuitem", { name: "Translate" }).click();
    const translation = message.locator(".translation");
    await translation.getByText("Sounds good", { exact: false }).waitFor();
    await message.getByRole("button", { name: "Swap original and translation" }).click();
    await translation.getByText("shall we?").waitFor();
    await message.getByRole("button", { name: "Hide translation" }).click();
    assert.equal(await translation.count(), 0);
});
await step("consent is answered on its card and taken back", async () => {
    fake.addEvent(scene.group, scene.ben, "im.lingxi.consent.request", { purposes: { suggest_replies: true }, destination: { kind: "provider", name: "DeepSeek" }, model: "deepseek-chat", body: "?" });
    const card = tab.locator(".consent", { hasText: "deepseek-chat" });
    await card.getByRole("button", { name: "Agree", exact: true }).click();
    await card.getByText("You agreed").waitFor();
    const state = () => scene.group.state.get(`im.lingxi.consent ${scene.me}`).content;
    assert.equal(state().agreed, true);
    assert.deepEqual(state().destination, { kind: "provider", name: "DeepSeek" });
    await card.getByRole("button", { name: "Take back" }).click();
    await card.getByText("You did not agree").waitFor();
    assert.equal(state().agreed, false);
});
await step("edit, reply, react and take back", async () => {
    await write(tab, "to be edited");
    await tab.waitForTimeout(500);
    await tab.getByLabel("Write a message").press("ArrowUp");
    await tab.getByLabel("Write a message").fill("edited well");
    await tab.keyboard.press("Enter");
    await tab.locator(".bubble", { hasText: "edited well" }).waitFor();
    const message = tab.locator(".message", { hasText: "edited well" }).last();
    await message.getByText("edited", { exact: true }).waitFor();
    await message.hover();
    await message.getByRole("button", { name: "Message actions" }).click();
    await tab.getByRole("menuitem", { name: "React 🎉" }).click();
    await message.locator(".reaction", { hasText: "🎉" }).waitFor();
    await message.hover();
    await message.getByRole("button", { name: "Reply" }).click();
    await write(tab, "my reply");
    await tab.locator(".message", { hasText: "my reply" }).locator(".quote", { hasText: "edited well" }).waitFor();
    await message.hover();
    await message.getByRole("button", { name: "Message actions" }).click();
    await tab.getByRole("menuitem", { name: "Take back" }).click();
    await tab.getByRole("dialog").getByRole("button", { name: "Take back" }).click();
    await tab.locator(".bubble.redacted").first().waitFor();
});
await step("a picture is previewed, sent and shown", async () => {
    const { hills } = await import("./fake/scene.mjs");
    await tab.locator("input[type=file][multiple]").setInputFiles({ name: "hill.png", mimeType: "image/png", buffer: hills(300, 200) });
    await tab.getByRole("dialog").getByRole("button", { name: "Send" }).click();
    await tab.locator(".message.own .picture img").last().waitFor();
    await tab.waitForTimeout(800);
    const event = scene.group.timeline.at(-1);
    assert.equal(event.content.msgtype, "m.image");
    assert.equal(event.content.info.w, 300);
    assert.match(event.content.url, /^mxc:/);
});
await step("a refused message stands with a retry, and goes when tried again", async () => {
    await tab.route("**/send/**", (route) => route.fulfill({ status: 403, contentType: "application/json", body: '{"errcode":"M_FORBIDDEN","error":"no"}' }));
    await write(tab, "refused at first");
    const message = tab.locator(".message", { hasText: "refused at first" });
    await message.getByText("M_FORBIDDEN").waitFor();
    await tab.unroute("**/send/**");
    await message.getByRole("button", { name: "Send again" }).click();
    await tab.waitForTimeout(700);
    assert.equal(count(scene.group, "refused at first"), 1);
});
await step("what one wrote is translated, marked, and can be had back", async () => {
    await tab.getByLabel("Write a message").fill("八点北门见");
    await tab.getByRole("button", { name: "Translate what I wrote" }).click();
    await tab.getByRole("menuitem", { name: "to English" }).click();
    await tab.waitForFunction(() => document.querySelector(".composer textarea").value.endsWith("at eight."));
    await tab.locator(".composer-field .ai-tag").waitFor();
    await tab.getByRole("button", { name: "Back to my words" }).click();
    assert.equal(await tab.getByLabel("Write a message").inputValue(), "八点北门见");
    assert.equal(await tab.locator(".composer-field .ai-tag").count(), 0);
    await tab.getByRole("button", { name: "Translate what I wrote" }).click();
    await tab.getByRole("menuitem", { name: "to English" }).click();
    await tab.waitForFunction(() => document.querySelector(".composer textarea").value.endsWith("at eight."));
    await tab.locator(".composer-field .ai-tag").waitFor();
    await tab.getByLabel("Write a message").press("End");
    await tab.keyboard.type(" Bye");
    await tab.keyboard.press("Enter");
    await tab.waitForTimeout(600);
    assert.equal(scene.group.timeline.at(-1).content["im.lingxi.ai"]?.kind, "assisted");
    await tab.locator(`[data-chat="${scene.group.id}"] .ai-tag`).waitFor();
});
await step("a forwarded message keeps its mark", async () => {
    const message = tab.locator(".message", { hasText: "Bye" }).last();
    await message.hover();
    await message.getByRole("button", { name: "Message actions" }).click();
    await tab.getByRole("menuitem", { name: "Forward" }).click();
    await tab.getByRole("dialog").getByText("Ben Carter").click();
    await tab.waitForTimeout(600);
    assert.equal(scene.direct.timeline.at(-1).content["im.lingxi.ai"]?.kind, "assisted");
});
await step("drafts show in the list and outlive a reload", async () => {
    await tab.getByLabel("Write a message").fill("half a thought");
    await tab.locator(".chat-draft").waitFor();
    await tab.waitForTimeout(2500);
    assert.equal(fake.user(scene.me).roomAccount.get(scene.group.id).get("im.lingxi.draft").content.text, "half a thought");
    await tab.reload();
    await tab.locator(".bubble").first().waitFor();
    assert.equal(await tab.getByLabel("Write a message").inputValue(), "half a thought");
    await tab.getByLabel("Write a message").fill("");
});
await step("keys: Ctrl+K, arrows, Escape, ?", async () => {
    await tab.keyboard.press("Control+k");
    await tab.getByRole("combobox").fill("大学");
    await tab.keyboard.press("Enter");
    await tab.locator(".bar-name", { hasText: "大学同学" }).waitFor();
    await tab.keyboard.press("Alt+ArrowUp");
    await tab.keyboard.press("Escape");
    await tab.locator("body").click({ position: { x: 700, y: 300 } });
    await tab.keyboard.press("?");
    await tab.getByRole("dialog").getByText("This list").waitFor();
    await tab.keyboard.press("Escape");
});
await step("joins an invitation from the list", async () => {
    await tab.getByRole("button", { name: "Join", exact: true }).click();
    await tab.locator(".bar-name", { hasText: "Book club" }).waitFor();
});
await step("an invitation makes an account, with a username offered from the name", async () => {
    const fresh = await (await browser.newContext({ locale: "zh-CN", viewport: { width: 390, height: 844 } })).newPage();
    await fresh.goto(`${fake.url}/invite#good`);
    await fresh.getByLabel("你的名字").fill("李娜");
    await fresh.waitForFunction(() => [...document.querySelectorAll("input")].some((input) => input.value === "lina"));
    await fresh.getByLabel("用户名").fill("lina2");
    await fresh.locator("input[type=password]").fill("long enough");
    await fresh.getByRole("button", { name: "加入" }).click();
    await fresh.locator(".bar-name", { hasText: "周末爬山" }).waitFor();
    assert.ok(!fresh.url().includes("good"));
    assert.equal(fake.user(`@lina2:${fake.serverName}`).name, "李娜");
    await fresh.context().close();
});
await step("with AI off nothing of it is shown", async () => {
    await tab.evaluate(() => void (location.hash = "#/me/assistant"));
    await tab.getByRole("switch", { name: "Use the assistant" }).click();
    await open(tab, scene.group);
    await tab.locator(".bubble").first().waitFor();
    await tab.waitForTimeout(500);
    assert.equal(await tab.locator(".assist-line").count(), 0);
});
await browser.close();
await fake.stop();
console.log(failures.length === 0 ? "all held" : `${failures.length} failed: ${failures.join("; ")}`);
process.exit(failures.length === 0 ? 0 : 1);
