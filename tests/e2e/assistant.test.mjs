// The assistant in the client, with tests/model_server as the model: it is asked by a tap, says what it is and
// where it ran, and is gone where it is switched off.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { agree, area, deskAndPhone, holds, line, offlineChip, setModel } from "./assisted.mjs";
import { bubble, chatLink, until } from "./people.mjs";
import { launchBrowser, personPage, shot, startModel, startServer, violations } from "./server.mjs";

let server, model, browser, admin, emma, desk, phone, roomId;
const write = async (page, label, text) => {
    await page.getByLabel(label).fill(text);
    await page.getByRole("button", { name: /^(Send|发送)$/ }).click();
};
const budget = (change, by = admin) => by.call("PUT", "/_lingxi/admin/v1/budget", { ai_enabled: true, person_tokens_per_day: 1_000_000, server_tokens_per_day: 10_000_000, time_zone: "Asia/Shanghai", ...change });

before(async () => {
    server = await startServer("--registration", "open");
    model = await startModel();
    browser = await launchBrowser();
    ({ admin, emma, desk, phone, roomId } = await deskAndPhone(server, browser, {
        begin: async (own, _other, chat) => {
            await budget({}, own);
            await own.say(chat, "晚上一起吃饭吗？");
        },
        last: "晚上一起吃饭吗",
    }));
});
after(async () => {
    await browser?.close();
    model?.end();
    await server?.end();
});

test("chips of the offline method say so, and put their words into the composer without sending", async () => {
    const chip = await offlineChip(desk, (words) => write(phone, "Write a message", words));
    await line(desk).getByText("离线", { exact: true }).waitFor();
    await shot(desk, "assistant-chips-zh");
    const words = (await chip.locator("span").first().textContent()).trim();
    const before = (await emma.timeline(roomId)).length;
    await chip.click();
    assert.equal(await desk.getByLabel("写消息").inputValue(), words);
    assert.equal((await emma.timeline(roomId)).length, before, "nothing was sent");
    assert.equal((await model.requests()).length, 0, "no model was asked");
    await desk.getByLabel("写消息").fill("");
});

test("the line over the composer is as high with chips as without", async () => {
    const heights = await desk.evaluate(() => [document.querySelector(".assist-line").offsetHeight, document.querySelectorAll(".chip").length]);
    assert.ok(heights[1] > 0);
    await write(desk, "写消息", "好啊");
    await desk.waitForFunction(() => document.querySelectorAll(".chip").length === 0);
    assert.equal(await desk.evaluate(() => document.querySelector(".assist-line").offsetHeight), heights[0]);
});

test("without a model the place of the answer says so, and what can be done", async () => {
    await write(phone, "Write a message", "Where shall we meet?");
    await bubble(desk, "Where shall we meet").waitFor();
    await line(desk).getByRole("button", { name: "请助手建议回复" }).click();
    await line(desk).getByText(/还没有接上模型/).waitFor();
    await shot(desk, "assistant-no-model-zh");
});

test("where somebody has not agreed, the assistant asks by a card, answered with two buttons of one weight", async () => {
    await setModel(admin, model);
    await desk.reload();
    await bubble(desk, "Where shall we meet").waitFor();
    await line(desk).getByRole("button", { name: "请助手建议回复" }).click();
    await line(desk).getByRole("button", { name: "请求同意" }).click();
    const card = phone.locator(".consent");
    await card.getByRole("heading", { name: /asks: may the assistant read/ }).waitFor();
    await card.getByText("On this server; nothing leaves it").waitFor();
    const [yes, no] = [card.getByRole("button", { name: "Agree", exact: true }), card.getByRole("button", { name: "Do not agree" })];
    const looks = (button) => button.evaluate((element) => [element.offsetWidth, element.offsetHeight, getComputedStyle(element).backgroundColor, getComputedStyle(element).color, getComputedStyle(element).fontWeight].join());
    assert.equal(await looks(yes), await looks(no));
    await shot(phone, "assistant-consent-en-phone");
    assert.deepEqual(await violations(phone), []);
    await yes.tap();
    await card.getByText("You agreed").waitFor();
    await desk.getByText("Emma Hart 同意助手在这里读 ta 的消息", { exact: false }).first().waitFor();
});

test("suggestions of the model come by a tap, are marked, and are never sent by themselves", async () => {
    await write(phone, "Write a message", "Shall I book a table?");
    await bubble(desk, "Shall I book a table").waitFor();
    await line(desk).getByRole("button", { name: "请助手建议回复" }).click();
    const chip = line(desk).locator(".chip.ai", { hasText: "好的，没问题" });
    await chip.waitFor();
    await chip.getByText("AI", { exact: true }).waitFor();
    await shot(desk, "assistant-suggestions-zh");
    const asked = (await model.requests()).at(-1);
    assert.match(asked.raw, /Shall I book a table/);
    await chip.click();
    assert.equal(await desk.getByLabel("写消息").inputValue(), "好的，没问题 👌");
    await desk.locator(".composer").getByText("AI", { exact: true }).waitFor();
    await desk.getByRole("button", { name: "发送", exact: true }).click();
    const message = phone.locator(".message", { hasText: "好的，没问题" });
    await message.getByRole("button", { name: /Written by AI/ }).waitFor();
});

test("the mark tells in words which model, what it was given and what it cost", async () => {
    await desk.locator(".message.own", { hasText: "好的，没问题" }).getByRole("button", { name: /由 AI 撰写/ }).click();
    const dialog = desk.getByRole("dialog", { name: "回执" });
    await dialog.getByText(/模型 test-model/).waitFor();
    await dialog.getByText(/交给它/).waitFor();
    await dialog.getByText(/Emma Hart 的话/).waitFor();
    await dialog.getByText(/花费/).waitFor();
    await shot(desk, "assistant-receipt-zh");
    assert.deepEqual(await violations(desk), []);
    await desk.keyboard.press("Escape");
    await desk.waitForFunction(() => document.activeElement?.matches(".ai-mark"));
    await phone.locator(".message", { hasText: "好的，没问题" }).getByRole("button", { name: /Written by AI/ }).tap();
    await phone.getByRole("dialog").getByText(/test-model/).waitFor();
    await phone.keyboard.press("Escape");
});

test("what a person changes is marked as written with AI", async () => {
    await write(phone, "Write a message", "At seven?");
    await bubble(desk, "At seven?").waitFor();
    await line(desk).getByRole("button", { name: "请助手建议回复" }).click();
    await line(desk).locator(".chip.ai", { hasText: "几点开始" }).click();
    await desk.getByLabel("写消息").press("End");
    await desk.keyboard.type("我都可以");
    await desk.keyboard.press("Enter");
    await phone.locator(".message", { hasText: "几点开始？我都可以" }).getByRole("button", { name: /Written with AI/ }).waitFor();
});

test("where one has said nothing yet, the model is to follow the conversation’s language, not the client’s", async () => {
    const quiet = await emma.createRoom("Quiet", [admin]);
    await agree(emma, quiet);
    await emma.say(quiet, "Are you coming tomorrow?");
    await desk.evaluate((fragment) => void (location.hash = fragment), chatLink(quiet));
    await bubble(desk, "Are you coming tomorrow").waitFor();
    await line(desk).getByRole("button", { name: "请助手建议回复" }).click();
    await line(desk).locator(".chip.ai").first().waitFor();
    const { raw } = (await model.requests()).at(-1);
    assert.match(raw, /Are you coming tomorrow/);
    assert.match(raw, /in the language of the conversation/);
    assert.doesNotMatch(raw, /Write in this language/);
    await desk.evaluate((fragment) => void (location.hash = fragment), chatLink(roomId));
    await bubble(desk, "At seven?").waitFor();
});

test("what is forwarded keeps its mark, there and in the list", async () => {
    const other = await admin.createRoom("另一个群");
    await desk.locator(`[data-chat="${other}"]`).waitFor();
    const message = desk.locator(".message", { hasText: "几点开始？我都可以" }).last();
    await message.hover();
    await message.getByRole("button", { name: "消息操作" }).click();
    await desk.getByRole("menuitem", { name: "转发" }).click();
    await desk.getByRole("dialog").getByRole("button", { name: "另一个群" }).click();
    await desk.locator(`[data-chat="${other}"] .ai-tag`).waitFor();
    // The list shows it before the server has it.
    const event = await until(async () => (await admin.timeline(other, 1)).find(({ type }) => type === "m.room.message"));
    assert.equal(event.content.body, "几点开始？我都可以");
    assert.equal(event.content["im.lingxi.ai"].kind, "assisted");
});

test("a translation stands under the original, is swapped by a tap, and is put away again", async () => {
    await model.control({ answer: "我们七点在北门见吧。" });
    await write(phone, "Write a message", "Let us meet at seven at the north gate.");
    const message = desk.locator(".message", { hasText: "north gate" }).last();
    await message.waitFor();
    await message.hover();
    await message.getByRole("button", { name: "消息操作" }).click();
    await desk.getByRole("menuitem", { name: "翻译" }).click();
    const translation = message.locator(".translation", { hasText: "我们七点在北门见吧。" });
    await translation.getByRole("button", { name: "原文与译文对调" }).waitFor();
    await message.locator(".body", { hasText: "north gate" }).waitFor();
    await shot(desk, "assistant-translation-zh");
    await translation.locator(".body").evaluate((words) => getSelection().selectAllChildren(words));
    await desk.keyboard.press("ControlOrMeta+c");
    await area(desk).focus();
    await desk.keyboard.press("ControlOrMeta+v");
    await holds(desk, "我们七点在北门见吧。");
    await composerTag(desk).waitFor();
    await area(desk).fill("");
    await translation.getByRole("button", { name: "原文与译文对调" }).click();
    await message.locator(".translation", { hasText: "north gate" }).waitFor();
    await message.locator(".bubble > .body", { hasText: "我们七点" }).waitFor();
    assert.deepEqual(await violations(desk), []);
    await message.getByRole("button", { name: "收起译文" }).click();
    await message.locator(".translation").waitFor({ state: "detached" });
    await message.locator(".body", { hasText: "north gate" }).waitFor();
    await model.control({ reset: true });
});

const composerTag = (page) => page.locator(".composer-field .ai-tag");
const translateDraft = async (page) => {
    await page.getByRole("button", { name: "翻译我写的" }).click();
    await page.getByRole("menuitem", { name: /英语/ }).click();
};
const said = async () => (await emma.timeline(roomId)).filter((event) => event.type === "m.room.message").map((event) => event.content);
/** Has the model suggest a reply to `question`, and puts it into the composer. */
async function takeModelsChip(question) {
    await write(phone, "Write a message", question);
    await bubble(desk, question).waitFor();
    await line(desk).getByRole("button", { name: "请助手建议回复" }).click();
    await line(desk).locator(".chip.ai", { hasText: "好的，没问题" }).click();
    await composerTag(desk).waitFor();
}
const chipWords = "好的，没问题 👌";

test("what one wrote is translated in the composer, with the names of others hidden, and one’s own words are a tap away", async () => {
    await model.control({ answer: "See you at seven." });
    await area(desk).fill("告诉 Emma Hart 七点见");
    await translateDraft(desk);
    await holds(desk, "See you at seven.");
    const asked = (await model.requests()).at(-1);
    assert.match(asked.raw, /七点见/);
    assert.doesNotMatch(asked.raw, /Emma|Hart/);
    assert.equal((await admin.call("GET", "/_lingxi/client/v1/assist/receipts")).receipts[0].room_id, roomId);
    await composerTag(desk).waitFor();
    await desk.getByRole("button", { name: "恢复我写的" }).click();
    await holds(desk, "告诉 Emma Hart 七点见");
    await composerTag(desk).waitFor({ state: "detached" });
    await translateDraft(desk);
    await holds(desk, "See you at seven.");
    await area(desk).press("Enter");
    await phone.locator(".message", { hasText: "See you at seven." }).getByRole("button", { name: /Written by AI/ }).waitFor();
    await area(desk).fill("新的话");
    await desk.getByRole("button", { name: "翻译我写的" }).waitFor();
    assert.equal(await desk.getByRole("button", { name: "恢复我写的" }).count(), 0, "what went out is not brought back");
    await area(desk).fill("");
    await model.control({ reset: true });
});

test("while a model writes in the composer nothing goes out, and it goes on while one reads elsewhere", async () => {
    const words = "See you at seven, at the north gate of the park.";
    await model.control({ answer: words, delay_ms: 2_000 });
    const before = await said();
    await area(desk).fill("七点公园北门见");
    await translateDraft(desk);
    await desk.waitForFunction(() => document.querySelector("textarea").value.startsWith("See"));
    assert.equal(await desk.getByRole("button", { name: "发送", exact: true }).isDisabled(), true);
    await area(desk).focus();
    await desk.keyboard.press("Enter");
    await desk.keyboard.type("x");
    assert.notEqual(await area(desk).inputValue(), "", "the model still writes");
    await composerTag(desk).waitFor();
    await shot(desk, "assistant-draft-zh");
    await desk.evaluate((fragment) => void (location.hash = fragment), chatLink(admin.roomId));
    await desk.locator("[data-chat]", { hasText: "Emma" }).getByText("七点公园北门见").waitFor();
    await model.control({ delay_ms: 1 }); // what it waits before each piece from now on
    await desk.evaluate((fragment) => void (location.hash = fragment), chatLink(roomId));
    await holds(desk, words);
    await area(desk).press("Enter");
    await phone.locator(".message", { hasText: words }).getByRole("button", { name: /Written by AI/ }).waitFor();
    const after = await said();
    assert.equal(after.length, before.length + 1);
    assert.equal(after[0].body, words);
    await model.control({ reset: true });
});

test("what AI wrote keeps its mark when its translation fails, is stopped or is undone", async () => {
    await takeModelsChip("Shall we share a taxi?");
    await model.control({ fault: "cut", times: 1 });
    await translateDraft(desk);
    await desk.locator(".toast").getByText(/模型/).waitFor();
    await holds(desk, chipWords);
    await composerTag(desk).waitFor();
    await model.control({ reset: true });
    await setModel(admin, model); // a clean record with the gateway
    await model.control({ fault: "stall" });
    await translateDraft(desk);
    await desk.locator(".composer").getByRole("button", { name: "停止" }).click();
    await holds(desk, chipWords);
    await composerTag(desk).waitFor();
    await model.control({ reset: true });
    await model.control({ answer: "Fine, no problem." });
    await translateDraft(desk);
    await holds(desk, "Fine, no problem.");
    await desk.getByRole("button", { name: "恢复我写的" }).click();
    await holds(desk, chipWords);
    await area(desk).press("Enter");
    await phone.waitForFunction((words) => [...document.querySelectorAll(".bubble")].at(-1)?.textContent.startsWith(words), chipWords);
    await phone.locator(".message").last().getByRole("button", { name: /Written by AI/ }).waitFor();
    const [last] = await said();
    assert.deepEqual([last.body, last["im.lingxi.ai"].kind], [chipWords, "generated"]);
    await model.control({ reset: true });
});

test("what AI wrote and one deleted has its mark again when the browser’s undo brings it back", async () => {
    await takeModelsChip("Shall I bring the tickets?");
    await area(desk).focus();
    await desk.keyboard.press("ControlOrMeta+a");
    await desk.keyboard.press("Delete");
    await composerTag(desk).waitFor({ state: "detached" });
    await desk.keyboard.press("ControlOrMeta+z");
    await holds(desk, chipWords);
    await composerTag(desk).waitFor();
    await area(desk).fill("");
    await area(desk).fill("自己的话");
    await composerTag(desk).waitFor({ state: "detached" });
    await area(desk).fill("");
});

test("what AI wrote keeps its mark in the list, in a reply and an edit, and is sent with it from another device", async () => {
    const other = await personPage(browser, { locale: "zh-CN", phone: true });
    await admin.enter(other, chatLink(roomId));
    await area(other).waitFor();
    await takeModelsChip("Do you know the way?");
    await desk.keyboard.press("End");
    await desk.keyboard.type("走吧");
    await desk.evaluate((fragment) => void (location.hash = fragment), chatLink(admin.roomId));
    const row = desk.locator("[data-chat]", { hasText: "Emma" });
    await row.getByText("草稿：").waitFor();
    await row.locator(".chat-last .ai-tag").waitFor();
    await holds(other, `${chipWords}走吧`);
    await composerTag(other).waitFor();
    await other.getByRole("button", { name: "发送", exact: true }).tap();
    await phone.locator(".message", { hasText: "走吧" }).getByRole("button", { name: /Written with AI/ }).waitFor();
    await desk.evaluate((fragment) => void (location.hash = fragment), chatLink(roomId));
    await holds(desk, "");
    const sent = desk.locator(".message.own", { hasText: "走吧" });
    await sent.hover();
    await sent.getByRole("button", { name: "回复" }).first().click();
    await desk.locator(".composer-mode .ai-tag").waitFor();
    await desk.keyboard.press("Escape");
    await desk.keyboard.press("ArrowUp");
    await desk.locator(".composer-mode .ai-tag").waitFor();
    await composerTag(desk).waitFor();
    await desk.keyboard.press("End");
    await desk.keyboard.type("！");
    await desk.keyboard.press("Enter");
    await phone.locator(".message", { hasText: "走吧！" }).getByRole("button", { name: /Written with AI/ }).waitFor();
    assert.deepEqual(other.faults, []);
    await other.context().close();
});

test("what AI wrote goes out with its mark though the server was away when it was sent", async () => {
    await takeModelsChip("Is it far from here?");
    await server.kill();
    await area(desk).press("Enter");
    await desk.locator(".message.own").last().getByRole("button", { name: /由 AI 撰写/ }).waitFor();
    await server.start();
    await phone.waitForFunction((words) => [...document.querySelectorAll(".bubble")].at(-1)?.textContent.startsWith(words), chipWords);
    await phone.locator(".message").last().getByRole("button", { name: /Written by AI/ }).waitFor();
});

test("a translation carries the mark from its first words on", async () => {
    await model.control({ answer: "在北门旁边的咖啡馆里等你们。", delay_ms: 2_500 });
    await write(phone, "Write a message", "I wait in the café beside the gate.");
    const message = desk.locator(".message", { hasText: "I wait in the café" }).last();
    await message.waitFor();
    await message.hover();
    await message.getByRole("button", { name: "消息操作" }).click();
    await desk.getByRole("menuitem", { name: "翻译" }).click();
    const busy = message.locator(".translation[aria-busy=true]", { hasText: "在北门" });
    await busy.locator(".ai-tag").waitFor();
    await model.control({ delay_ms: 1 });
    await message.locator(".translation", { hasText: "等你们。" }).getByRole("button", { name: /由 AI 撰写/ }).waitFor();
    await model.control({ reset: true });
});

test("switched on for a chat, a model is asked by itself: for what comes from then on, once a message on all devices", async () => {
    await model.control({ reset: true });
    const setAuto = async () => {
        await desk.getByRole("button", { name: "聊天信息" }).click();
        await desk.getByRole("tab", { name: "助手" }).click();
        const saved = desk.waitForResponse((answer) => answer.request().method() === "PUT" && answer.url().endsWith("/im.lingxi.settings"));
        await desk.getByRole("switch", { name: "自动请模型建议回复" }).click();
        await saved;
        await desk.keyboard.press("Escape");
    };
    const asks = (page) => page.waitForResponse((answer) => answer.url().endsWith("/assist/suggestions"));
    const reopen = async (page) => {
        const chips = page.waitForResponse((answer) => answer.url().endsWith("/assist/chips"));
        await page.reload();
        await chips;
        await line(page).waitFor();
    };
    const onDesk = [];
    desk.on("request", (request) => onDesk.push(request.url()));
    await setAuto();
    await reopen(desk);
    assert.deepEqual(onDesk.filter((url) => url.endsWith("/assist/suggestions")), [], "what stood there is not asked about");
    assert.equal((await model.requests()).length, 0);

    const other = await personPage(browser, { locale: "zh-CN", phone: true });
    await admin.enter(other, chatLink(roomId));
    await line(other).waitFor();
    const answers = Promise.all([asks(desk), asks(other)]);
    await write(phone, "Write a message", "Is anybody asked by itself?");
    const codes = (await answers).map((answer) => answer.status());
    assert.deepEqual(codes.toSorted(), [200, 400], "one of two devices");
    await (codes[0] === 200 ? line(desk) : line(other)).locator(".chip.ai").first().waitFor();
    for (const page of [desk, other]) {
        const again = asks(page);
        await page.reload();
        assert.equal((await again).status(), 400, "a reload is no second message");
        await bubble(page, "Is anybody asked by itself").waitFor();
        await line(page).getByRole("status").waitFor({ state: "detached" }); // nothing is said of it
    }
    assert.equal((await model.requests()).length, 1);
    const tapped = asks(desk);
    await line(desk).getByRole("button", { name: "请助手建议回复" }).click();
    assert.equal((await tapped).status(), 200);
    await line(desk).locator(".chip.ai").first().waitFor();
    assert.equal((await model.requests()).length, 2);
    await setAuto();
    await write(phone, "Write a message", "And now nobody?");
    await bubble(desk, "And now nobody").waitFor();
    await reopen(desk);
    assert.equal((await model.requests()).length, 2);
    assert.deepEqual(other.faults, []);
    await other.context().close();
});

test("a consent is one tap to take back, and then holds for the next call", async () => {
    await phone.getByRole("button", { name: "Take back" }).last().tap();
    await desk.getByText("Emma Hart 不让助手在这里读 ta 的消息").waitFor();
    await write(phone, "Write a message", "not for any model");
    await bubble(desk, "not for any model").waitFor();
    await line(desk).getByRole("button", { name: "请助手建议回复" }).click();
    await line(desk).getByRole("button", { name: "请求同意" }).waitFor();
    assert.ok((await model.requests()).every((request) => !request.raw.includes("not for any model")));
});

test("a model that fails, hangs or is over budget is said in one line, and no spinner stays", async () => {
    await agree(emma, roomId);
    await model.control({ fault: "error_503" });
    await write(phone, "Write a message", "one more question?");
    await bubble(desk, "one more question").waitFor();
    await line(desk).getByRole("button", { name: "请助手建议回复" }).click();
    await line(desk).locator(".assist-words", { hasText: /模型/, hasNotText: "正在问模型" }).waitFor();
    await shot(desk, "assistant-failed-zh");
    await model.control({ reset: true });
    await budget({ person_tokens_per_day: 1 });
    await line(desk).getByRole("button", { name: "请助手建议回复" }).click();
    await line(desk).getByText(/额度用完了/).waitFor();
    await shot(desk, "assistant-budget-zh");
    await budget({});
});

test("a model that says nothing is given up at the deadline, in words", async () => {
    await setModel(admin, model);
    await model.control({ fault: "hang" });
    await write(phone, "Write a message", "is there anybody?");
    const waiting = await personPage(browser, { locale: "zh-CN" });
    await waiting.clock.install();
    await admin.enter(waiting, chatLink(roomId));
    await bubble(waiting, "is there anybody").waitFor();
    await line(waiting).getByRole("button", { name: "请助手建议回复" }).click();
    await line(waiting).getByText("正在问模型").waitFor();
    await waiting.clock.fastForward(60_000);
    await line(waiting).getByText("模型太慢了").waitFor();
    assert.equal(await line(waiting).getByText("正在问模型").count(), 0);
    await line(waiting).getByRole("button", { name: "请助手建议回复" }).waitFor();
    await shot(waiting, "assistant-late-zh");
    assert.deepEqual(waiting.faults, []);
    await waiting.context().close();
    await model.control({ reset: true });
});

test("a model that says nothing is stopped by a tap", async () => {
    await setModel(admin, model);
    await model.control({ fault: "hang" });
    await write(phone, "Write a message", "and what now?");
    await bubble(desk, "and what now").waitFor();
    await line(desk).getByRole("button", { name: "请助手建议回复" }).click();
    await line(desk).getByText("正在问模型").waitFor();
    await line(desk).getByRole("button", { name: "停止" }).click();
    await line(desk).getByText("正在问模型").waitFor({ state: "detached" });
    await line(desk).getByRole("button", { name: "请助手建议回复" }).waitFor();
    await model.control({ reset: true });
});

test("the chat’s panel tells who agreed and what was used, and switches AI off for the chat", async () => {
    await desk.getByRole("button", { name: "聊天信息" }).click();
    await desk.getByRole("tab", { name: "助手" }).click();
    await desk.locator(".panel li", { hasText: "Emma Hart" }).waitFor();
    await desk.locator(".panel").getByText(/test-model · /).waitFor();
    await shot(desk, "assistant-panel-zh");
    assert.deepEqual(await violations(desk), []);
    await desk.getByRole("switch", { name: "在这个聊天里使用 AI" }).click();
    await line(desk).waitFor({ state: "detached" });
    await line(phone).waitFor({ state: "detached" });
    await desk.getByRole("switch", { name: "在这个聊天里使用 AI" }).click();
    await line(desk).waitFor();
    await desk.keyboard.press("Escape");
});

/** No control of the assistant, in the open chat and where else it could be. */
async function assertGone(page) {
    await area(page).waitFor(); // a chat is open
    await line(page).waitFor({ state: "detached" });
    assert.equal(await page.getByRole("button", { name: /助手|翻译|AI/ }).count(), 0);
    await page.locator(".message", { hasText: "north gate" }).last().hover();
    await page.locator(".message", { hasText: "north gate" }).last().getByRole("button", { name: "消息操作" }).click();
    await page.getByRole("menuitem", { name: "复制" }).waitFor();
    assert.equal(await page.getByRole("menuitem", { name: "翻译" }).count(), 0);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "聊天信息" }).click();
    await page.getByRole("tab", { name: "文件" }).waitFor();
    assert.equal(await page.getByRole("tab", { name: "助手" }).count(), 0);
    await page.keyboard.press("Escape");
    // What AI wrote keeps its mark.
    await page.locator(".message.own", { hasText: "好的，没问题" }).locator(".ai-tag").first().waitFor();
}

test("switched off for me, nothing of it is left but the switch", async () => {
    await desk.evaluate(() => void (location.hash = "#/me/assistant"));
    await desk.getByRole("switch", { name: "使用助手" }).click();
    // But for the receipts of before, where there are any.
    await desk.evaluate(() => void (location.hash = "#/me/profile"));
    await desk.reload();
    await desk.getByRole("link", { name: "模型调用回执" }).click();
    await desk.getByRole("button", { name: /建议回复/ }).first().waitFor();
    await shot(desk, "assistant-off-receipts-zh");
    await desk.evaluate((fragment) => void (location.hash = fragment), chatLink(roomId));
    await assertGone(desk);
    await line(phone).waitFor();
    await desk.evaluate(() => void (location.hash = "#/me/assistant"));
    await desk.getByRole("switch", { name: "使用助手" }).click();
    await desk.getByRole("link", { name: "模型调用回执" }).waitFor();
    await desk.evaluate((fragment) => void (location.hash = fragment), chatLink(roomId));
    await line(desk).waitFor();
});

test("receipts are seen, exported and erased", async () => {
    await desk.evaluate(() => void (location.hash = "#/me/receipts"));
    await desk.getByRole("button", { name: /建议回复/ }).first().waitFor();
    await shot(desk, "assistant-receipts-zh");
    const download = desk.waitForEvent("download");
    await desk.getByRole("button", { name: "导出" }).click();
    const exported = await (await download).createReadStream();
    let text = "";
    for await (const piece of exported) text += piece;
    const receipts = text.trim().split("\n").map((one) => JSON.parse(one));
    assert.ok(receipts.length >= 3);
    assert.ok(receipts.every((one) => (one.outcome === "cached" ? one.outbound_bytes === 0 : one.outbound_sha256) && !("text" in one)));
    await desk.getByRole("button", { name: "全部抹去" }).click();
    await desk.getByRole("dialog").getByRole("button", { name: "全部抹去" }).click();
    await desk.getByText("还没有调用过模型").waitFor();
    await desk.reload();
    await desk.getByText("还没有调用过模型").waitFor();
    // Of words of one's own the erased receipt is not said to be somebody else's; of others' words it is.
    await desk.evaluate((fragment) => void (location.hash = fragment), chatLink(roomId));
    const receiptOf = async (page, message, words) => {
        await message.getByRole("button", { name: /由 AI|by AI|with AI/ }).first().click();
        await page.getByRole("dialog").getByText(words, { exact: false }).waitFor();
        await shot(page, page === desk ? "assistant-receipt-erased-zh" : "assistant-receipt-others-en-phone");
        await page.keyboard.press("Escape");
    };
    await receiptOf(desk, desk.locator(".message.own", { hasText: "好的，没问题" }).last(), "可能已经抹去");
    await receiptOf(phone, phone.locator(".message:not(.own)", { hasText: "好的，没问题" }).last(), "belongs to the person who asked");
});

test("switched off for the server, nothing of it is left for anybody", async () => {
    await budget({ ai_enabled: false });
    for (const page of [desk, phone]) {
        await page.goto(`${server.url}/${chatLink(roomId)}`);
        await page.reload();
        await bubble(page, "and what now").waitFor();
        await line(page).waitFor({ state: "detached" });
    }
    await assertGone(desk);
    await desk.evaluate(() => void (location.hash = "#/me"));
    await desk.getByRole("link", { name: "偏好" }).waitFor();
    assert.equal(await desk.getByRole("link", { name: /助手|回执/ }).count(), 0);
    assert.deepEqual(desk.faults, []);
    assert.deepEqual(phone.faults, []);
});
