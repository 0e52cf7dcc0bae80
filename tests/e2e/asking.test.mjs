// Several things asked of a model at once, what ends them, and what stands in their place; with tests/model_server as the model.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { agree, area, deskAndPhone, holds, line, offlineChip, setModel } from "./assisted.mjs";
import { bubble } from "./people.mjs";
import { anotherTab, launchBrowser, shot, startModel, startServer, violations } from "./server.mjs";

let server, model, browser, admin, emma, desk, phone, roomId;
const suggest = (page) => line(page).getByRole("button", { name: /^(请助手建议回复|Suggest replies)$/ }).click();
const messageOf = (words) => desk.locator(".message", { hasText: words }).last();
const translate = async (words) => {
    const message = messageOf(words);
    await message.hover();
    await message.getByRole("button", { name: "消息操作" }).click();
    await desk.getByRole("menuitem", { name: "翻译" }).click();
    return message.locator(".translation");
};
const offlineChips = (page, writer) => offlineChip(page, (words) => writer.say(roomId, words));

before(async () => {
    server = await startServer("--registration", "open");
    model = await startModel();
    browser = await launchBrowser();
    ({ admin, emma, desk, phone, roomId } = await deskAndPhone(server, browser, {
        begin: async (own, other, chat) => {
            await setModel(own, model);
            for (const person of [own, other]) await agree(person, chat);
            await other.say(chat, "The first bus leaves at six.", "The second train is always late.");
        },
        last: "The second train",
    }));
});
after(async () => {
    await browser?.close();
    model?.end();
    await server?.end();
});

test("translations of two messages stand beside each other, each with a stop that says so", async () => {
    await model.control({ answer: "第一班车六点开，第二班火车总是晚点，所以我们坐第一班。", delay_ms: 600 });
    const first = await translate("The first bus");
    await first.getByText("第一班车").waitFor();
    // It says no more after its first words: so it is under way when the stop is tapped.
    await model.control({ fault: "stall", times: 1 });
    const second = await translate("The second train");
    await second.getByText("第一班").waitFor();
    await second.getByRole("button", { name: "停止" }).click();
    await second.getByText("已停止。").waitFor();
    await shot(desk, "asking-two-translations-zh");
    await first.getByRole("button", { name: "原文与译文对调" }).waitFor();
    assert.match(await first.innerText(), /所以我们坐第一班。/);
    await second.getByRole("button", { name: "重试" }).click();
    await second.getByRole("button", { name: "原文与译文对调" }).waitFor();
    assert.deepEqual(await violations(desk), []);
    await model.control({ reset: true });
});

test("a receipt of a call that runs says so, and what is an estimate is said to be one", async () => {
    await emma.say(roomId, "The third way is on foot.");
    await model.control({ answer: "第三条路是步行，要走很久很久，最好早一点出发，带上水和吃的。路上有两座桥，过了第二座桥就能看见北门，门口有人等着我们。", delay_ms: 2_500, fault: "no_usage" });
    await (await translate("The third way")).getByText("第三条").waitFor();
    const receipts = await anotherTab(desk);
    await receipts.goto(`${server.url}/#/me/receipts`);
    const running = receipts.getByRole("button", { name: /还在写/ });
    await running.first().click();
    const dialog = receipts.getByRole("dialog", { name: "回执" });
    await dialog.getByText("还在写，写完才知道用了多少。").waitFor();
    assert.equal(await dialog.getByText(/结果不明|花费/).count(), 0);
    await shot(receipts, "asking-receipt-running-zh");
    await model.control({ delay_ms: 1 }); // what it waits before each piece from now on
    await dialog.getByText(/输入约 [\d,]+ 个词元/).waitFor();
    await dialog.getByText("按文字长度估算", { exact: false }).waitFor();
    await shot(receipts, "asking-receipt-estimated-zh");
    assert.deepEqual(await violations(receipts), []);
    await receipts.close();
    await model.control({ reset: true });
});

test("a reply that one sends ends what was asked for before it", async () => {
    await emma.say(roomId, "Shall we go now?");
    await bubble(desk, "Shall we go now").waitFor();
    await model.control({ delay_ms: 2_500 });
    await suggest(desk);
    await line(desk).getByText("正在问模型").waitFor();
    const ended = desk.waitForEvent("requestfailed", { predicate: (request) => request.url().endsWith("/assist/suggestions") });
    await area(desk).fill("好，走吧");
    await area(desk).press("Enter");
    await ended;
    await messageOf("好，走吧").waitFor();
    assert.equal(await line(desk).locator(".chip").count(), 0);
    assert.equal(await line(desk).getByRole("status").count(), 0);
    await model.control({ reset: true });
});

test("what one was writing is a tap away where a chip took its place, also after a reload", async () => {
    const chip = await offlineChips(desk, emma);
    const words = (await chip.locator("span").first().textContent()).trim();
    const restore = desk.getByRole("button", { name: "恢复我写的" });
    await area(desk).fill("我想了很久才写下的话");
    await chip.click();
    await holds(desk, words);
    await shot(desk, "asking-chip-taken-zh");
    await restore.click();
    await holds(desk, "我想了很久才写下的话");
    assert.equal(await restore.count(), 0);
    const kept = desk.waitForRequest((request) => request.url().includes("im.lingxi.draft") && request.postData()?.includes(words));
    await chip.click();
    await holds(desk, words);
    await kept;
    await desk.reload();
    await holds(desk, words);
    await restore.click();
    await holds(desk, "我想了很久才写下的话");
    await area(desk).fill("");
    assert.equal(await restore.count(), 0);
});

test("a message that is being changed is not replaced by a chip", async () => {
    await offlineChips(desk, emma);
    await messageOf("好，走吧").hover();
    await messageOf("好，走吧").getByRole("button", { name: "消息操作" }).click();
    await desk.getByRole("menuitem", { name: "编辑" }).click();
    await area(desk).fill("好，七点走吧");
    assert.equal(await line(desk).locator(".chip").first().isDisabled(), true);
    await desk.keyboard.press("Escape");
    assert.equal(await line(desk).locator(".chip").first().isDisabled(), false);
});

test("where the model fails the offline chips stand there, with what is wrong beside them", async () => {
    const height = () => desk.evaluate(() => document.querySelector(".assist-line").offsetHeight);
    const before = await height();
    for (const [page, writer, offline, wrong] of [
        [desk, emma, "离线", /模型/],
        [phone, admin, "offline", /model/],
    ]) {
        const chip = await offlineChips(page, writer);
        await model.control({ fault: "error_503" });
        await suggest(page);
        await line(page).getByRole("status").filter({ hasText: wrong, hasNotText: /正在问|Asking/ }).waitFor();
        await chip.waitFor();
        await line(page).getByText(offline, { exact: true }).waitFor();
        await shot(page, page === desk ? "asking-offline-zh" : "asking-offline-en-phone");
        assert.deepEqual(await violations(page), []);
        await model.control({ reset: true });
        await setModel(admin, model); // a clean record with the gateway
    }
    assert.equal(await height(), before);
    assert.deepEqual([...desk.faults, ...phone.faults], []);
});
