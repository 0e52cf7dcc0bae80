// From an empty server to two people who chat, in a real browser against the real executables.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchBrowser, personPage, shot, startServer, violations } from "./server.mjs";

let server, browser, wang, emma;
const bubble = (page, text) => page.locator(".bubble", { hasText: text }).last();
const write = async (page, label, text) => {
    await page.getByLabel(label).fill(text);
    await page.getByRole("button", { name: /^(Send|发送)$/ }).click();
};

before(async () => {
    server = await startServer();
    browser = await launchBrowser();
    wang = await personPage(browser, { locale: "zh-CN" });
    emma = await personPage(browser, { locale: "en-GB", phone: true });
});
after(async () => {
    await browser?.close();
    await server?.end();
});

test("the administrator's link sets the server up, in Chinese", async () => {
    await wang.goto(/http\S+\/setup#\S+/.exec(server.output)[0]);
    await wang.locator("input[type=password]").waitFor();
    await shot(wang, "setup-zh-desktop");
    await wang.locator("input[autocomplete=name]").fill("王小明");
    await wang.locator("input[autocomplete=username]").fill("wang");
    await wang.locator("input[type=password]").fill("a long password");
    const server_name = wang.locator("input:not([readonly])").first();
    if (!(await server_name.inputValue())) await server_name.fill("home.lingxi");
    await wang.locator("input[type=password]").press("Enter");
    await wang.locator("[data-chat]").first().waitFor();
    await shot(wang, "chats-zh-desktop");
});

test("an invitation brings a second person into the first chat, on a phone, in English", async () => {
    const token = await wang.evaluate(async () => {
        const stored = Object.values(localStorage).join("\n");
        return /lxa_[A-Za-z0-9_-]+/.exec(stored)?.[0];
    });
    assert.ok(token, "the session's token is kept by the browser");
    const call = (path, options = {}) => fetch(server.url + path, { ...options, headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" } }).then((answer) => answer.json());
    const { joined_rooms } = await call("/_matrix/client/v3/joined_rooms");
    const invitation = await call("/_lingxi/client/v1/invitations", { method: "POST", body: JSON.stringify({ uses: 1, expires_in_seconds: 3600, room_ids: joined_rooms }) });
    await emma.goto(invitation.url);
    await emma.locator("input[type=password]").waitFor();
    await shot(emma, "invite-en-phone");
    await emma.locator("input[autocomplete=name]").fill("Emma Hart");
    await emma.locator("input[autocomplete=username]").fill("emma");
    await emma.locator("input[type=password]").fill("another long password");
    await emma.locator("input[type=password]").press("Enter");
    // A person who came by an invitation stands in its chat, or sees it in the list.
    const arrived = emma.locator("[data-chat], .composer, [aria-label='Write a message']").first();
    await arrived.waitFor().catch(async (error) => {
        await shot(emma, "failed-invite");
        throw error;
    });
    await shot(emma, "chats-en-phone");
});

test("what one writes the other reads, and answers", async () => {
    await wang.locator("[data-chat]").first().click();
    const row = emma.locator("[data-chat]").first();
    if (await row.isVisible()) await row.click();
    await write(wang, "写消息", "Emma 你好，晚上一起吃饭吗？");
    await bubble(emma, "晚上一起吃饭吗").waitFor();
    await write(emma, "Write a message", "I'd love to! Where shall we meet?");
    await bubble(wang, "Where shall we meet").waitFor();
    assert.equal(await wang.locator(".bubble", { hasText: "Where shall we meet" }).count(), 1);
    await shot(wang, "conversation-zh-desktop");
    await shot(emma, "conversation-en-phone");
});

test("no accessibility rule is broken in the conversation", async () => {
    assert.deepEqual(await violations(wang), []);
    assert.deepEqual(await violations(emma), []);
});

test("what is written while the server is down is sent once when it is back", async () => {
    await server.kill();
    await write(emma, "Write a message", "written while it was down");
    await bubble(emma, "written while it was down").waitFor();
    await server.start();
    await bubble(wang, "written while it was down").waitFor();
    await write(wang, "写消息", "收到了");
    await bubble(emma, "收到了").waitFor();
    assert.equal(await wang.locator(".bubble", { hasText: "written while it was down" }).count(), 1);
    assert.equal(await emma.locator(".bubble", { hasText: "written while it was down" }).count(), 1);
});

test("nothing broke in the pages", () => {
    assert.deepEqual(wang.faults, []);
    assert.deepEqual(emma.faults, []);
});
