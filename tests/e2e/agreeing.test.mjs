// From a call that somebody must agree to first to its answer: what one is told, where one asks, and what the agreement brings.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { agree, setModel, twoBesideAModel } from "./assisted.mjs";
import { bubble, chatLink } from "./people.mjs";
import { personPage, shot, violations } from "./server.mjs";

const longName = "Emma Charlotte Hart-Wellington";
let server, model, browser, wang, emma, desk, roomId;

before(async () => {
    ({ server, model, browser, wang, emma, roomId } = await twoBesideAModel());
    await emma.call("PUT", `/profile/${encodeURIComponent(emma.userId)}/displayname`, { displayname: longName });
    await wang.call("PUT", "/_lingxi/admin/v1/budget", { ai_enabled: true, person_tokens_per_day: 1_000_000, server_tokens_per_day: 10_000_000, time_zone: "Asia/Shanghai" });
    await setModel(wang, model);
    await agree(wang, roomId);
    desk = await personPage(browser);
    await emma.say(roomId, "Hello there");
    await wang.enter(desk, chatLink(roomId));
    await bubble(desk, "Hello there").waitFor();
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

const boxOf = (element) => element.evaluate((one) => one.getBoundingClientRect().toJSON());

test("offline, what tries again is large enough for a finger", async () => {
    await desk.context().setOffline(true);
    const banner = desk.locator(".offline-banner");
    await isLarge(banner.getByRole("button", { name: "Try again" }));
    assert.ok((await boxOf(banner)).height >= 44, "it is not cut off by the window's edge");
    await desk.context().setOffline(false);
});
