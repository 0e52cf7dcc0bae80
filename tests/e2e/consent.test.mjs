// Cards that ask for consent, answered one over the other, and what one agreed to where AI is off.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bubble, chatLink, register, setUp } from "./people.mjs";
import { launchBrowser, personPage, shot, startServer, violations } from "./server.mjs";

let server, browser, admin, emma, desk, phone, roomId;
const purposes = { suggest_replies: true, translate: true };
const here = { kind: "this_machine" };
const cloud = { kind: "provider", name: "CloudX" };
const ask = (destination, model) => admin.send(roomId, { purposes, destination, model, body: "May the assistant read here?" }, "im.lingxi.consent.request");
const cards = (page) => ["small-model", "large-model"].map((model) => page.locator(".consent", { hasText: model }));

before(async () => {
    server = await startServer("--registration", "open");
    browser = await launchBrowser();
    admin = await setUp(server);
    emma = await register(server, "emma", "Emma Hart");
    roomId = await admin.direct(emma);
    await admin.say(roomId, "晚上一起吃饭吗？");
    desk = await personPage(browser, { locale: "zh-CN" });
    phone = await personPage(browser, { locale: "en-GB", phone: true });
    await admin.enter(desk, chatLink(roomId));
    await emma.enter(phone, chatLink(roomId));
    await bubble(phone, "晚上一起吃饭吗").waitFor();
});
after(async () => {
    await browser?.close();
    await server?.end();
});

test("a card says what was agreed to by its own destination, and when another took its place", async () => {
    await ask(here, "small-model");
    await ask(cloud, "large-model");
    const [one, other] = cards(phone);
    const [asked, askedOther] = cards(desk);
    await other.getByRole("button", { name: "Agree", exact: true }).press("Enter");
    await other.getByText("You agreed", { exact: true }).waitFor();
    assert.ok(await other.evaluate((card) => card === document.activeElement), "the keys go on from the card");
    await one.getByText("You have agreed to something else since: At CloudX").waitFor();
    assert.equal(await one.getByText("You agreed", { exact: true }).count(), 0);
    await askedOther.getByText(/Emma Hart[:：] ?同意$/).waitFor();
    await asked.getByText(/Emma Hart.*改为同意另一项（在 CloudX/).waitFor();
    await shot(phone, "consent-overtaken-en-phone");
    await shot(desk, "consent-overtaken-zh");
    assert.deepEqual(await violations(phone), []);

    await one.getByRole("button", { name: "Agree", exact: true }).tap();
    await one.getByText("You agreed", { exact: true }).waitFor();
    await other.getByText("You have agreed to something else since: On this server").waitFor();
    await asked.getByText(/Emma Hart[:：] ?同意$/).waitFor();
    await askedOther.getByText(/Emma Hart.*改为同意另一项（就在这台服务器上/).waitFor();

    await one.getByRole("button", { name: "Take back" }).tap();
    await one.getByText("You did not agree").waitFor();
    await other.getByRole("button", { name: "Do not agree" }).waitFor();
    await asked.getByText(/Emma Hart[:：] ?不同意$/).waitFor();
    await askedOther.getByText("等待答复").waitFor();
});

test("who comes back is asked anew, and nobody is shown an agreement of before", async () => {
    await ask(cloud, "before-model");
    await emma.state(roomId, "im.lingxi.consent", { purposes, destination: cloud, agreed: true, at_ms: Date.now() }, emma.userId);
    const one = phone.locator(".consent", { hasText: "before-model" });
    await one.getByText("You agreed", { exact: true }).waitFor();
    await desk.locator(".consent", { hasText: "before-model" }).getByText(/Emma Hart[:：] ?同意$/).waitFor();
    await emma.call("POST", `/rooms/${encodeURIComponent(roomId)}/leave`, {});
    await admin.call("POST", `/rooms/${encodeURIComponent(roomId)}/invite`, { user_id: emma.userId });
    await emma.call("POST", `/join/${encodeURIComponent(roomId)}`, {});
    await ask(cloud, "after-model");
    await phone.evaluate((fragment) => void (location.hash = fragment), chatLink(roomId));
    const asked = desk.locator(".consent", { hasText: "after-model" });
    await asked.getByText("等待答复").waitFor();
    await desk.getByRole("button", { name: "聊天信息" }).first().click();
    await desk.getByRole("tab", { name: "助手" }).click();
    await desk.locator(".panel").getByText("还没有人同意", { exact: false }).waitFor();
    await shot(desk, "consent-anew-zh");
    const card = phone.locator(".consent", { hasText: "after-model" });
    await card.getByRole("button", { name: "Agree", exact: true }).waitFor();
    assert.equal(await phone.getByText("You agreed", { exact: true }).count(), 0);
    await shot(phone, "consent-anew-en-phone");
    await card.getByRole("button", { name: "Agree", exact: true }).tap();
    await card.getByText("You agreed", { exact: true }).waitFor();
    await asked.getByText(/Emma Hart[:：] ?同意$/).waitFor();
    await desk.locator(".panel").getByText(/Emma Hart/).waitFor();
    assert.deepEqual(await violations(desk), []);
});

const translate = async () => {
    const message = desk.locator(".message", { hasText: "At seven then" });
    await message.hover();
    await message.getByRole("button", { name: "消息操作" }).click();
    await desk.getByRole("menuitem", { name: "翻译" }).click();
};

test("a card asks for where the call was to go, also where the model was changed while the chat is open", async () => {
    await desk.locator(".panel").getByText("还没有接上模型", { exact: false }).first().waitFor();
    await emma.say(roomId, "At seven then");
    await bubble(desk, "At seven then").waitFor();
    const put = (id, model) => admin.call("PUT", `/_lingxi/admin/v1/models/${id}`, { enabled: true, ...model });
    await put("here", { name: "Here", base_url: "http://127.0.0.1:9/v1", model: "small" });
    await emma.state(roomId, "im.lingxi.consent", { purposes, destination: here, agreed: false, at_ms: Date.now() }, emma.userId);
    const panel = desk.locator(".panel");
    const own = panel.getByRole("switch", { name: "允许助手读我在这里的消息" });
    await panel.getByText("就在这台服务器上，内容不会外传").waitFor();
    await put("far", { name: "FarAway", base_url: "https://far.example/v1", model: "large", api_key: "k" });
    await admin.call("PUT", "/_lingxi/admin/v1/models", { order: ["far", "here"] });
    await translate();
    await desk.locator(".translation").getByRole("button", { name: "请求同意" }).click();
    const card = phone.locator(".consent", { hasText: "FarAway" }).last();
    await card.getByText("At FarAway; the text is sent there").waitFor();
    await card.getByText("large", { exact: true }).waitFor();
    await card.getByRole("button", { name: "Agree", exact: true }).tap();
    await card.getByText("You agreed", { exact: true }).waitFor();
    const again = desk.waitForResponse((answer) => answer.url().endsWith("/assist/translations"));
    await translate();
    const answer = await again;
    assert.ok(answer.status() !== 403, `consent is not asked for again: ${answer.status()}`);

    // The switch says what one agrees to before it is on, in the words of a card.
    await panel.getByText("在 FarAway，文字会发送到那里").waitFor();
    await panel.getByText("到你收回为止，随时一点就能收回").waitFor();
    await own.scrollIntoViewIfNeeded();
    await shot(desk, "consent-switch-zh");
    await own.click();
    await panel.getByText(/建议回复、?和?翻译 · FarAway/).first().waitFor();
    const state = await admin.call("GET", `/rooms/${encodeURIComponent(roomId)}/state/im.lingxi.consent/${encodeURIComponent(admin.userId)}`);
    assert.deepEqual([state.agreed, state.destination], [true, { kind: "provider", name: "FarAway" }]);
    assert.deepEqual(await violations(desk), []);
    await phone.getByRole("button", { name: "About this chat" }).first().tap();
    await phone.getByRole("tab", { name: "Assistant" }).tap();
    await phone.locator(".panel").getByText(/FarAway/).first().waitFor();
    await shot(phone, "consent-switch-en-phone");
    await phone.getByRole("button", { name: "Close", exact: true }).tap();
});

test("with AI off, what one agreed to is seen in the chat’s panel and taken back there", async () => {
    await emma.state(roomId, "im.lingxi.consent", { purposes, destination: cloud, agreed: true, at_ms: Date.now() }, emma.userId);
    await phone.evaluate(() => void (location.hash = "#/me/assistant"));
    await phone.getByRole("switch", { name: "Use the assistant" }).tap();
    const tab = phone.getByRole("tab", { name: "Assistant" });
    const openPanel = async () => {
        await phone.evaluate((fragment) => void (location.hash = fragment), chatLink(roomId));
        await phone.getByRole("button", { name: "About this chat" }).first().tap();
        await phone.getByRole("tab", { name: "About", exact: true }).waitFor();
    };
    await openPanel();
    await tab.tap();
    const panel = phone.locator(".panel");
    await panel.getByText("AI is off for you.", { exact: false }).waitFor();
    await panel.getByText(/suggest replies.*CloudX/).waitFor();
    assert.equal(await panel.getByRole("switch").count(), 0);
    await shot(phone, "consent-off-en-phone");
    assert.deepEqual(await violations(phone), []);
    await panel.getByRole("button", { name: "Take back" }).tap();
    await panel.getByRole("button", { name: "Take back" }).waitFor({ state: "detached" });
    await panel.getByText("AI is off for you.", { exact: false }).waitFor();
    const state = await emma.call("GET", `/rooms/${encodeURIComponent(roomId)}/state/im.lingxi.consent/${encodeURIComponent(emma.userId)}`);
    assert.equal(state.agreed, false);
    await phone.getByRole("button", { name: "Close", exact: true }).tap();
    await openPanel();
    assert.equal(await tab.count(), 0, "off, nothing of it is left");
    assert.deepEqual([...phone.faults, ...desk.faults], []);
});
