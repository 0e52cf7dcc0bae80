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
    await other.getByRole("button", { name: "Agree", exact: true }).tap();
    await other.getByText("You agreed", { exact: true }).waitFor();
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
