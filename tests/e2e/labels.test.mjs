// The label of AI's words: it goes with them over the clipboard, and goes when nothing of them is left.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setModel, twoBesideAModel } from "./assisted.mjs";
import { bubble, chatLink, until } from "./people.mjs";
import { personPage } from "./server.mjs";

const words = "See you at seven";
const ai = "Fine, no problem";
let server, model, browser, wang, emma, page, roomId, other, label;

/** Words of the model's, with the label that the server gives them. */
async function written(text) {
    await model.control({ answer: text });
    const answer = await fetch(`${server.url}/_lingxi/client/v1/assist/translations`, { method: "POST", headers: { Authorization: `Bearer ${wang.token}` }, body: JSON.stringify({ room_id: roomId, text: `${text}?`, target_language: "zh" }) });
    return JSON.parse(/event: ?done\s+data: ?(.*)/.exec(await answer.text())[1]).label;
}

before(async () => {
    ({ server, model, browser, wang, emma, roomId } = await twoBesideAModel());
    other = await wang.createRoom("Other", [emma]);
    await wang.call("PUT", "/_lingxi/admin/v1/budget", { ai_enabled: true, person_tokens_per_day: 1_000_000, server_tokens_per_day: 10_000_000, time_zone: "Asia/Shanghai" });
    await setModel(wang, model);
    label = await written(ai);
    await emma.say(roomId, "my own words");
    await emma.send(roomId, { msgtype: "m.text", body: ai, "im.lingxi.ai": label });
    await emma.say(roomId, "and again my own");
    await wang.call("PUT", `/user/${encodeURIComponent(wang.userId)}/rooms/${encodeURIComponent(roomId)}/account_data/im.lingxi.draft`, { text: words, at_ms: Date.now(), "im.lingxi.ai": await written(words) });
    page = await personPage(browser);
    await wang.enter(page, chatLink(roomId));
    await bubble(page, "and again my own").waitFor();
});
after(async () => {
    await browser?.close();
    model?.end();
    await server?.end();
});

const area = () => page.getByLabel("Write a message");
const tag = () => page.locator(".composer-field .ai-tag");
const isAi = async (yes) => tag().waitFor({ state: yes ? "visible" : "detached" });
const keys = async (...all) => {
    for (const key of all) await page.keyboard.press(key);
};
const holds = (text) => page.waitForFunction((value) => document.querySelector("textarea")?.value === value, text);
/** Selects in the timeline from within one message's words to within another's. */
const select = (from, start, to, end) =>
    page.evaluate(
        ([first, at, last, until]) => {
            const wordsOf = (text) => [...document.querySelectorAll(".bubble .body")].find((body) => body.textContent === text).firstChild;
            document.activeElement.blur();
            const node = (text) => (wordsOf(text).nodeType === Node.TEXT_NODE ? wordsOf(text) : wordsOf(text).firstChild);
            getSelection().setBaseAndExtent(node(first), at, node(last), until);
        },
        [from, start, to, end],
    );
const paste = async () => {
    await area().focus();
    await keys("ControlOrMeta+v");
};
const lastSent = async (text) => {
    await bubble(page, text).waitFor();
    const sent = await until(async () => (await emma.timeline(roomId, 5)).find((event) => event.content.body?.endsWith(text) && event.sender === wang.userId));
    return sent.content;
};
const empty = async () => {
    await area().fill("");
    await isAi(false);
};

test("AI's words that are typed over have no label any more, and have it again when that is undone", async () => {
    await holds(words);
    await isAi(true);
    await area().focus();
    await keys("ControlOrMeta+a", "S");
    await holds("S");
    await isAi(false);
    await keys("ControlOrMeta+z");
    await holds(words);
    await isAi(true);
    await keys("End", "!");
    await isAi(true);
    await keys("ControlOrMeta+a");
    await page.keyboard.type("Sorry, not today");
    await isAi(false);
    await keys("Enter");
    assert.equal((await lastSent("Sorry, not today"))["im.lingxi.ai"], undefined);
});

test("words copied out of an AI message by hand are AI's where they are pasted, others' are not", async () => {
    await select(ai, 0, ai, ai.length);
    await keys("ControlOrMeta+c");
    await paste();
    await holds(ai);
    await isAi(true);
    await keys("Enter");
    assert.deepEqual((await lastSent(ai))["im.lingxi.ai"], label);

    await select(ai, 6, ai, ai.length);
    await keys("ControlOrMeta+c");
    await area().fill("Really, ");
    await keys("End", "ControlOrMeta+v");
    await holds("Really, no problem");
    await isAi(true);
    await keys("ControlOrMeta+z");
    await holds("Really, ");
    await isAi(false);
    await empty();

    await select("my own words", 3, ai, 4);
    await keys("ControlOrMeta+c");
    await paste();
    await isAi(true);
    await empty();

    await select("my own words", 0, "my own words", 12);
    await keys("ControlOrMeta+c");
    await paste();
    await holds("my own words");
    await isAi(false);
    await empty();
});

test("so are those that the message's menu copies", async () => {
    const message = page.locator(".message:not(.own)", { hasText: "Fine, no problem" });
    await message.hover();
    await message.getByRole("button", { name: "Message actions" }).click();
    await page.getByRole("menuitem", { name: "Copy" }).click();
    await page.locator(".toast").getByText("Copied").waitFor();
    await paste();
    await holds("Fine, no problem");
    await isAi(true);
});

test("a part that is cut out of one composer is AI's in another, and in a message that is changed", async () => {
    await area().evaluate((element) => element.setSelectionRange(0, 4));
    await keys("ControlOrMeta+x");
    await holds(", no problem");
    await isAi(true);
    await keys("ControlOrMeta+z");
    await holds("Fine, no problem");
    await keys("ControlOrMeta+y");
    await holds(", no problem");
    await empty();
    await page.locator(`[data-chat="${other}"]`).click();
    await page.getByRole("heading", { level: 1, name: "Other" }).waitFor();
    await paste();
    await holds("Fine");
    await isAi(true);
    await empty();
    await page.locator(`[data-chat="${roomId}"]`).click();
    await bubble(page, "Sorry, not today").waitFor();

    await area().fill("changed soon");
    await keys("Enter");
    await lastSent("changed soon");
    await area().focus();
    await keys("ArrowUp");
    await holds("changed soon");
    await isAi(false);
    await keys("End", "ControlOrMeta+v");
    await holds("changed soonFine");
    await isAi(true);
    await keys("Enter");
    const { "m.new_content": changed } = await lastSent("changed soonFine");
    assert.deepEqual(changed["im.lingxi.ai"], { ...label, kind: "assisted" });
    assert.deepEqual(page.faults, []);
});

test("a message that is changed into AI's exact words says generated, and words that are undone leave no label", async () => {
    await area().fill("soon AI's");
    await keys("Enter");
    await lastSent("soon AI's");
    await select(ai, 0, ai, ai.length);
    await keys("ControlOrMeta+c");
    await area().focus();
    await keys("ArrowUp");
    await holds("soon AI's");
    await keys("End", "ControlOrMeta+v");
    await isAi(true);
    await keys("ControlOrMeta+z");
    await holds("soon AI's");
    await isAi(false);
    await keys("ControlOrMeta+a", "ControlOrMeta+v");
    await holds(ai);
    await keys("Enter");
    const changed = await until(async () => (await emma.timeline(roomId, 5)).map((event) => event.content["m.new_content"]).find((content) => content?.body === ai));
    assert.deepEqual(changed["im.lingxi.ai"], label);
    assert.deepEqual(page.faults, []);
});

test("a change that the server refuses is told in words in its message, and is discarded", async () => {
    await area().fill("as it was");
    await keys("Enter");
    await lastSent("as it was");
    await page.route("**/send/m.room.message/**", (route) => route.fulfill({ status: 400, json: { errcode: "IM.LINGXI.FORGED_LABEL", error: "no" } }));
    await area().focus();
    await keys("ArrowUp");
    await holds("as it was");
    await area().fill("as it would be");
    await keys("Enter");
    const message = page.locator(".message.own", { hasText: "as it would be" });
    await message.getByText("its mark can no longer be verified").waitFor();
    await page.unroute("**/send/m.room.message/**");
    await message.getByRole("button", { name: "Discard the change" }).click();
    await bubble(page, "as it was").waitFor();
    assert.equal(await page.locator(".meta.failed").count(), 0);
});

test("words that a model is still writing are not copied, since they have no label yet", async () => {
    await empty();
    await emma.state(roomId, "im.lingxi.consent", { purposes: { translate: true }, destination: { kind: "this_machine" }, agreed: true, at_ms: Date.now() }, emma.userId);
    await select("my own words", 0, "my own words", 12);
    await keys("ControlOrMeta+c");
    await model.control({ answer: "half of it and the rest", piece: 10, fault: "stall", times: 1 });
    await bubble(page, "my own words").hover();
    await page.locator(".message", { hasText: "my own words" }).last().getByRole("button", { name: "Message actions" }).click();
    await page.getByRole("menuitem", { name: "Translate" }).click();
    const half = page.locator(".translation[aria-busy=true] .body", { hasText: "half of it" });
    await half.waitFor();
    await half.evaluate((body) => {
        document.activeElement.blur();
        getSelection().selectAllChildren(body);
    });
    await keys("ControlOrMeta+c");
    await paste();
    await holds("my own words");
    await page.locator(".translation").getByRole("button", { name: "Stop" }).click();

    await model.control({ answer: "half of it and the rest", piece: 10, fault: "stall", times: 1 });
    await area().fill("translate me please");
    await page.getByRole("button", { name: "Translate what I wrote" }).click();
    await page.getByRole("menuitem", { name: "to English" }).click();
    await page.waitForFunction(() => document.querySelector("textarea")?.value === "half of it");
    await area().focus();
    await keys("ControlOrMeta+a", "ControlOrMeta+c");
    await page.getByRole("button", { name: "Stop" }).click();
    await holds("translate me please");
    await area().fill("");
    await paste();
    await holds("my own words");
    await model.control({ reset: true });
    await empty();
});
