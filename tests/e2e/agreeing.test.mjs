// From a call that somebody must agree to first to its answer: what one is told, where one asks, and what the agreement brings.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { agree, line, offlineChip, setModel, twoBesideAModel } from "./assisted.mjs";
import { bubble, chatLink } from "./people.mjs";
import { personPage, shot, violations } from "./server.mjs";

const longName = "Emma Charlotte Hart-Wellington";
let server, model, browser, wang, emma, desk, phone, hers, roomId;

before(async () => {
    ({ server, model, browser, wang, emma, roomId } = await twoBesideAModel());
    await emma.call("PUT", `/profile/${encodeURIComponent(emma.userId)}/displayname`, { displayname: longName });
    await wang.call("PUT", "/_lingxi/admin/v1/budget", { ai_enabled: true, person_tokens_per_day: 1_000_000, server_tokens_per_day: 10_000_000, time_zone: "Asia/Shanghai" });
    await setModel(wang, model);
    await agree(wang, roomId);
    desk = await personPage(browser);
    phone = await personPage(browser, { phone: true });
    hers = await personPage(browser, { locale: "zh-CN" });
    await emma.say(roomId, "Hello there");
    for (const page of [desk, phone]) await wang.enter(page, chatLink(roomId));
    for (const page of [desk, phone]) await bubble(page, "Hello there").waitFor();
});
after(async () => {
    await browser?.close();
    model?.end();
    await server?.end();
});

/** Words of the model's that Emma sends, with the label that the server gave them. */
async function emmaSendsOfAi(body) {
    await model.control({ answer: body });
    const answer = await fetch(`${server.url}/_lingxi/client/v1/assist/translations`, { method: "POST", headers: { Authorization: `Bearer ${emma.token}` }, body: JSON.stringify({ room_id: roomId, text: `${body}?`, target_language: "zh" }) });
    const { label } = JSON.parse(/event: ?done\s+data: ?(.*)/.exec(await answer.text())[1]);
    await model.control({ reset: true });
    await emma.send(roomId, { msgtype: "m.text", body, "im.lingxi.ai": label });
    await bubble(desk, body).waitFor();
}
const translate = async (body) => {
    const message = desk.locator(".message", { hasText: body });
    await message.hover();
    await message.getByRole("button", { name: "Message actions" }).click();
    await desk.getByRole("menuitem", { name: "Translate" }).click();
    return message;
};
/** Of the box of a button: what else would be met there than the button itself. */
const covering = (button) =>
    button.evaluate((element) => {
        const box = element.getBoundingClientRect();
        const met = new Set();
        for (let x = box.left + 1; x < box.right; x += 2) for (let y = box.top + 1; y < box.bottom; y += 2) met.add(document.elementFromPoint(x, y)?.closest("button, div"));
        met.delete(element);
        return [...met].map((other) => other?.outerHTML.slice(0, 80) ?? "nothing");
    });
/** How far a button reaches, with what is around it. */
const reach = (button) =>
    button.evaluate((element) => {
        const around = getComputedStyle(element, "::after");
        const box = element.getBoundingClientRect();
        return [Math.max(box.width, parseFloat(around.width) || 0), Math.max(box.height, parseFloat(around.height) || 0)].map(Math.round);
    });
const isLarge = async (button) => {
    const [width, height] = await reach(button);
    assert.ok(width >= 44 && height >= 44, `${await button.evaluate((element) => element.outerHTML.slice(0, 120))} reaches ${width} x ${height}`);
};

test("the mark of what AI wrote stays with its words, and what asks for consent under them is met over all its box", async () => {
    const words = "We meet at the north gate of the park at seven";
    await emmaSendsOfAi(words);
    const message = await translate(words);
    const translation = message.locator(".translation");
    const ask = translation.getByRole("button", { name: "Ask", exact: true });
    await ask.waitFor();
    const mark = message.getByRole("button", { name: /Written by AI/ });
    assert.equal(await mark.evaluate((element) => element.nextElementSibling?.className), "translation");
    for (const button of [ask, translation.getByRole("button", { name: "Hide translation" }), mark]) {
        assert.deepEqual(await covering(button), []);
        await isLarge(button);
    }
    await shot(desk, "agreeing-translation-en");
    assert.deepEqual(await violations(desk), []);
});

const inside = (inner, outer) => inner.left >= outer.left - 1 && inner.right <= outer.right + 1 && inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
const boxOf = (element) => element.evaluate((one) => one.getBoundingClientRect().toJSON());
/** How many pixels of words are cut off. */
const cutOf = (words) =>
    words.evaluate((element) => [element, ...element.querySelectorAll("*")].reduce((most, one) => Math.max(most, one.clientHeight > 0 && one.scrollHeight > one.clientHeight + 2 ? one.scrollHeight - one.clientHeight : 0), 0));
/** Nothing of the line over a phone's composer is cut off but what one can scroll to, and a chip is whole. */
async function lineIsWhole() {
    const words = line(phone).locator("> .assist-words, > .ask-whom");
    const ownWidth = await words.evaluate((element) => {
        const walk = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
        const range = document.createRange();
        range.selectNodeContents(walk.nextNode());
        return [...range.getClientRects()].reduce((most, one) => Math.max(most, one.width), 0);
    });
    const [lineBox, wordsBox, scrollBox, chipBox] = await Promise.all([line(phone), words, line(phone).locator(".assist-scroll"), line(phone).locator(".chip").first()].map(boxOf));
    assert.ok(inside(wordsBox, lineBox), "the words stand in the line");
    assert.equal(await cutOf(words), 0, "no words are cut off");
    assert.ok(inside({ ...chipBox, top: lineBox.top, bottom: lineBox.bottom }, scrollBox), `the chip is whole: ${chipBox.left}..${chipBox.right} in ${scrollBox.left}..${scrollBox.right}`);
    assert.ok(await line(phone).locator(".chip span").first().evaluate((element) => element.scrollWidth <= element.clientWidth), "and so are its words");
    for (const button of await line(phone).locator(".assist-ask").all()) {
        assert.ok(inside(await boxOf(button), lineBox));
        await isLarge(button);
    }
    return { width: wordsBox.width, ownWidth };
}

test("on a phone the line over the composer has room for what is said, what can be done, and a chip", async () => {
    await offlineChip(phone, (words) => emma.say(roomId, words));
    await model.control({ fault: "hang", times: 1 });
    const suggest = () => line(phone).getByRole("button", { name: "Suggest replies" }).tap();
    await agree(emma, roomId);
    await suggest();
    await line(phone).getByRole("status").filter({ hasText: "Asking the model" }).waitFor();
    await lineIsWhole();
    await line(phone).getByRole("button", { name: "Stop" }).tap();
    await line(phone).getByText("Stopped.").waitFor();
    const { width, ownWidth } = await lineIsWhole();
    assert.ok(width <= ownWidth + 2, `the words take ${width} px and need ${ownWidth}`);
    await model.control({ reset: true });
    await setModel(wang, model);
    await emma.state(roomId, "im.lingxi.consent", { purposes: { suggest_replies: true, translate: true }, destination: { kind: "this_machine" }, agreed: false, at_ms: Date.now() }, emma.userId);
    await bubble(phone, "Hello there").waitFor();
    await suggest();
    await line(phone).getByRole("button", { name: /^Ask/ }).waitFor();
    await shot(phone, "agreeing-line-en-phone");
    await lineIsWhole();
    assert.deepEqual(await violations(phone), []);
});

test("who presses twice on what asks the model sends nothing in their name, and neither does a key that is held down", async () => {
    const suggest = line(phone).getByRole("button", { name: "Suggest replies" });
    const ask = line(phone).getByRole("button", { name: /^Ask/ });
    const cards = phone.locator(".consent");
    const refusal = () => phone.waitForResponse((answer) => answer.url().endsWith("/assist/suggestions"));
    await emma.say(roomId, "And tomorrow?");
    await bubble(phone, "And tomorrow?").waitFor();
    await ask.waitFor({ state: "detached" });
    const box = await suggest.boundingBox();
    const press = () => phone.touchscreen.tap(box.x + box.width - 16, box.y + box.height / 2);
    await press();
    await ask.waitFor();
    const again = refusal().catch(() => null);
    await press();
    await Promise.race([again, cards.waitFor().catch(() => null)]);
    assert.equal(await cards.count(), 0);
    await ask.waitFor();
    await suggest.focus();
    const refused = refusal();
    await phone.keyboard.down("Enter");
    await refused;
    await ask.waitFor();
    await phone.keyboard.down("Enter");
    await phone.keyboard.down("Enter");
    await phone.keyboard.up("Enter");
    await emma.say(roomId, "Or on Sunday?");
    await bubble(phone, "Or on Sunday?").waitFor();
    assert.equal(await cards.count(), 0);
    assert.deepEqual((await wang.timeline(roomId)).filter((event) => event.type === "im.lingxi.consent.request"), []);
});

test("on a phone every reason is read whole: a tap gives it the line, another gives the chips their place back", async () => {
    const chip = await offlineChip(phone, (words) => emma.say(roomId, words));
    const words = line(phone).getByRole("status");
    const height = (await boxOf(line(phone))).height;
    for (const [errcode, said] of [
        ["IM.LINGXI.BUDGET_EXHAUSTED", "budget is used up"],
        ["IM.LINGXI.MODEL_UNAVAILABLE", "No model server is answering"],
        ["IM.LINGXI.NOBODY_TO_ASK", "forwarded"],
        ["M_UNKNOWN", "server could not"],
    ]) {
        await phone.route("**/assist/suggestions", (route) => route.fulfill({ status: 403, json: { errcode, error: "", resets_at_ms: Date.now() + 3_600_000 } }));
        await line(phone).getByRole("button", { name: "Suggest replies" }).tap();
        await words.filter({ hasText: said }).waitFor();
        if ((await cutOf(words)) > 0) {
            const all = words.getByRole("button", { expanded: false });
            await isLarge(all);
            await all.tap({ timeout: 5_000 });
            await words.getByRole("button", { expanded: true }).waitFor();
            assert.equal(await cutOf(words), 0, `${said}: it is read whole`);
            assert.ok(inside(await boxOf(words), await boxOf(line(phone))));
            assert.equal((await boxOf(line(phone))).height, height);
            await shot(phone, `agreeing-whole-${errcode.replaceAll(".", "-")}-en-phone`);
            await words.getByRole("button", { expanded: true }).tap();
        }
        await chip.waitFor();
        await phone.unroute("**/assist/suggestions");
    }
    assert.deepEqual(await violations(phone), []);
    await line(phone).getByRole("button", { name: "Suggest replies" }).tap();
    await line(phone).getByRole("button", { name: /^Ask/ }).waitFor();
});

test("who asked for consent goes on answering meanwhile, and is told of it and offered the answer when it is given", async () => {
    const chip = line(phone).locator(".chip").first();
    const words = await chip.innerText();
    await line(phone).getByRole("button", { name: /^Ask/ }).tap();
    await phone.waitForFunction(() => document.activeElement.matches(".assist-line *"));
    const card = phone.locator(".consent");
    await card.waitFor();
    await line(phone).getByText("Waiting for Emma… to answer.").waitFor();
    await lineIsWhole();
    assert.equal(await chip.innerText(), words);
    const suggest = line(phone).getByRole("button", { name: "Suggest replies" });
    await suggest.waitFor();
    await shot(phone, "agreeing-asked-en-phone");

    // The asker's own words for it, in the card and in the list.
    await card.getByText("Their recent text messages in this chat", { exact: false }).waitFor();
    await card.getByText("Until they take it back", { exact: false }).waitFor();
    const row = (page) => page.locator(`[data-chat="${roomId}"]`);
    await row(desk).getByText("You asked for agreement").waitFor();
    await emma.enter(hers);
    await row(hers).getByText(/请求同意$/).waitFor();
    assert.doesNotMatch(await row(hers).innerText(), /may the assistant/);

    const translation = desk.locator(".translation");
    // Asked once, on whatever device and for whatever call, it is asked.
    await translation.getByRole("button", { name: "Asked", exact: true }).waitFor();
    await phone.evaluate(() => void (location.hash = "#/"));
    await line(phone).waitFor({ state: "detached" });
    await phone.evaluate((fragment) => void (location.hash = fragment), chatLink(roomId));
    await line(phone).getByText("Waiting for Emma… to answer.").waitFor();
    const isAgreed = (agreed) => emma.state(roomId, "im.lingxi.consent", { purposes: { suggest_replies: true, translate: true }, destination: { kind: "this_machine" }, agreed, at_ms: Date.now() }, emma.userId);
    await isAgreed(false);
    await line(phone).getByRole("button", { name: /^Ask/ }).waitFor();
    await translation.getByRole("button", { name: "Ask", exact: true }).press("Enter");
    await translation.getByRole("button", { name: "Asked", exact: true }).waitFor();
    assert.equal(await desk.evaluate(() => document.activeElement.textContent), "Asked");
    await line(phone).getByText("Waiting for Emma… to answer.").waitFor();
    await isAgreed(true);
    await line(phone).getByText(/Emma… agreed\./).waitFor();
    await lineIsWhole();
    await translation.getByText(`${longName} agreed.`).waitFor();
    await shot(desk, "agreeing-agreed-en");
    await model.control({ answer: "七点在公园北门见" });
    await translation.getByRole("button", { name: "Translate", exact: true }).click();
    await translation.getByText("七点在公园北门见").waitFor();
    await model.control({ reset: true });
    await suggest.tap();
    await line(phone).locator(".chip.ai").first().waitFor();
    for (const name of ["Swap original and translation", "Hide translation"]) {
        const button = translation.getByRole("button", { name });
        assert.deepEqual(await covering(button), []);
        await isLarge(button);
    }
    await desk.locator(".system", { hasText: "You agreed: the assistant may read your messages here" }).getByRole("button", { name: "Take back" }).waitFor();
    const takeBack = desk.locator(".system").getByRole("button", { name: "Take back" });
    await isLarge(takeBack);
    await takeBack.press("Enter");
    await takeBack.waitFor({ state: "detached" });
    assert.equal(await desk.evaluate(() => document.activeElement.getAttribute("role")), "region", "the keys go on from the messages");
});

test("the panel of a chat of two gives nobody a role, and its button says who is asked", async () => {
    await emma.state(roomId, "im.lingxi.consent", { purposes: { suggest_replies: true, translate: true }, destination: { kind: "this_machine" }, agreed: false, at_ms: Date.now() }, emma.userId);
    await desk.getByRole("button", { name: "About this chat" }).first().click();
    const panel = desk.locator(".panel");
    await panel.locator(".list-line", { hasText: longName }).waitFor();
    assert.equal(await panel.getByText("Admin", { exact: true }).count(), 0);
    await desk.getByRole("tab", { name: "Assistant" }).click();
    await panel.getByRole("button", { name: `Ask ${longName} to agree` }).waitFor();
    await shot(desk, "agreeing-panel-en");
    assert.deepEqual([...desk.faults, ...phone.faults, ...hers.faults], []);
});

test("offline, what tries again is large enough for a finger", async () => {
    await hers.context().setOffline(true);
    const banner = hers.locator(".offline-banner");
    await isLarge(banner.getByRole("button", { name: "重试" }));
    assert.ok((await boxOf(banner)).height >= 44, "it is not cut off by the window's edge");
    await hers.context().setOffline(false);
});
