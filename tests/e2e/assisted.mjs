// Two people in a direct chat with the assistant beside them: how their tests begin, and what they ask for again and again.
import { bubble, chatLink, register, setUp } from "./people.mjs";
import { launchBrowser, personPage, startModel, startServer } from "./server.mjs";

/** A server, a model's and a browser, and Wang and Emma, who write English in a direct chat. No model is in use yet. */
export async function twoBesideAModel() {
    const server = await startServer("--registration", "open");
    const model = await startModel();
    const browser = await launchBrowser();
    const wang = await setUp(server, { language: "en" });
    const emma = await register(server, "emma", "Emma Hart");
    return { server, model, browser, wang, emma, roomId: await wang.direct(emma) };
}

/**
 * An administrator at a desk, in Chinese, and Emma on a phone, in English; `begin` is called with both and their chat before
 * the pages open, which then show `last`.
 */
export async function deskAndPhone(server, browser, { begin, last }) {
    const admin = await setUp(server);
    const emma = await register(server, "emma", "Emma Hart");
    const roomId = await admin.direct(emma);
    await begin(admin, emma, roomId);
    const desk = await personPage(browser, { locale: "zh-CN" });
    const phone = await personPage(browser, { locale: "en-GB", phone: true });
    await admin.enter(desk, chatLink(roomId));
    await emma.enter(phone, chatLink(roomId));
    for (const page of [desk, phone]) await bubble(page, last).waitFor();
    return { admin, emma, desk, phone, roomId };
}

export const setModel = (admin, model, change = {}) => admin.call("PUT", "/_lingxi/admin/v1/models/test", { name: "Test model", base_url: `${model.url}/v1`, model: "test-model", enabled: true, ...change });
/** `person` agrees that a model on this machine reads their words in a chat. */
export const agree = (person, roomId) => person.state(roomId, "im.lingxi.consent", { purposes: { suggest_replies: true, translate: true }, destination: { kind: "this_machine" }, agreed: true, at_ms: Date.now() }, person.userId);

export const line = (page) => page.locator(".assist-line");
export const area = (page) => page.getByLabel(/^(写消息|Write a message)$/);
/** Until these words stand in the composer, and no model writes there any more: until then nothing is sent. */
export const holds = (page, words) => page.waitForFunction((text) => ((field) => field?.value === text && !field.readOnly)(document.querySelector("textarea")), words);

/** Chips of the offline method come within a second or not at all: on a busy machine, for one of a few messages that `say` writes. */
export async function offlineChip(page, say) {
    const chip = line(page).locator(".chip").first();
    for (let turn = 1; turn < 8 && !(await chip.isVisible()); turn += 1) {
        const words = `Do you want to have dinner together tonight${"?".repeat(turn)}`;
        const asked = page.waitForResponse((answer) => answer.url().includes("/assist/chips"), { timeout: 5_000 }).catch(() => null);
        await say(words);
        await bubble(page, words).waitFor();
        await asked;
        await chip.waitFor({ timeout: 1_500 }).catch(() => undefined);
    }
    await chip.waitFor();
    return chip;
}
