// Every page in its five states (empty, loading, content, offline, error), in both languages: each is looked at by
// axe and kept as a screenshot. Chinese on a phone, English at a desk; colours are judged in light and dark, contents
// in the other shape as well.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { bubble, chatLink, register, setUp } from "./people.mjs";
import { launchBrowser, personPage, shot, startModel, startServer, violations } from "./server.mjs";

let server, unnamed, bare, model, browser, admin, bareAdmin, lonely, links, roomId, emptyRoom, unread, liked;

const everything = /\/_(matrix|lingxi)\//;

/** What a page asks for; its answer is held, refused or broken to bring the states about. */
const pages = [
    { name: "contacts", fragment: "#/contacts", content: ".list-button:has(.avatar)" },
    // A person whom one knows stands there at once.
    { name: "person", fragment: () => `#/contacts/${encodeURIComponent(links.emma)}`, asks: /\/profile\//, content: ".card h2", late: false, error: true },
    { name: "invitations", fragment: "#/contacts/invite", asks: /\/client\/v1\/invitations/, content: ".list-line", error: true },
    { name: "me", fragment: "#/me", content: ".settings-menu" },
    { name: "profile", fragment: "#/me/profile", asks: /\/profile\//, content: ".settings-body form", error: true },
    { name: "preferences", fragment: "#/me/preferences", content: ".settings-body select" },
    { name: "assistant", fragment: "#/me/assistant", content: ".settings-body [role=switch]" },
    { name: "receipts", fragment: "#/me/receipts", asks: /\/assist\/receipts/, content: ".settings-body .list-button", error: true },
    { name: "devices", fragment: "#/me/devices", asks: /\/v3\/devices/, content: ".settings-body .list-line", error: true },
    { name: "account", fragment: "#/me/account", content: ".settings-body form" },
    { name: "people", fragment: "#/admin/people", asks: /\/admin\/v1\/users/, content: ".list-line", error: true },
    { name: "server-invitations", fragment: "#/admin/invitations", asks: /\/client\/v1\/invitations/, content: ".list-line", error: true },
    { name: "models", fragment: "#/admin/models", asks: /\/admin\/v1\/models$/, content: ".list-line", error: true },
    { name: "budget", fragment: "#/admin/budget", asks: /\/admin\/v1\/budget/, content: "input[type=number]", error: true },
];

before(async () => {
    server = await startServer("--registration", "open");
    unnamed = await startServer(); // nobody has set it up, and nobody does
    bare = await startServer(); // set up, and then left alone
    model = await startModel();
    browser = await launchBrowser();
    const setupLink = ({ output }) => /http\S+\/setup#\S+/.exec(output)[0];
    const usedLink = setupLink(server);
    admin = await setUp(server, { name: "王小明" });
    bareAdmin = await setUp(bare);
    const emma = await register(server, "emma", "Emma Hart");
    lonely = await register(server, "lonely", "Lonely");
    await admin.call("PUT", "/_lingxi/admin/v1/budget", { ai_enabled: true, person_tokens_per_day: 100_000, server_tokens_per_day: 1_000_000, time_zone: "Asia/Shanghai" });
    await admin.call("PUT", "/_lingxi/admin/v1/models/test", { name: "Test model", base_url: `${model.url}/v1`, model: "test-model", enabled: true });
    roomId = await admin.createRoom("周末计划 Weekend", [emma]);
    await emma.say(roomId, "周六去爬山吗？", "I can bring water and fruit.");
    await admin.say(roomId, "好，八点北门见。");
    // More unread than the list brings along: opening one asks for what is older. Reading is the account's, so one a language.
    unread = {};
    for (const language of ["zh", "en"]) {
        unread[language] = await admin.createRoom(`Tickets ${language}`, [emma]);
        const [first] = await emma.say(unread[language], ...Array.from({ length: 25 }, (_, count) => `ticket ${count + 1}`));
        await admin.read(unread[language], first);
    }
    // Of this one the list brings along nothing that could be shown.
    liked = await admin.createRoom("Liked", [emma]);
    const [target] = await admin.say(liked, "what they all liked");
    for (const key of "abcdefghijkl") await emma.send(liked, { "m.relates_to": { rel_type: "m.annotation", event_id: target, key } }, "m.reaction");
    emptyRoom = await lonely.createRoom("Nothing yet");
    const invitation = await admin.call("POST", "/_lingxi/client/v1/invitations", { uses: 5, expires_in_seconds: 86_400, room_ids: [roomId] });
    const reset = await admin.call("POST", `/_lingxi/admin/v1/users/${encodeURIComponent(emma.userId)}/reset-link`, {});
    await (await fetch(`${server.url}/_lingxi/client/v1/assist/translations`, { method: "POST", headers: { Authorization: `Bearer ${admin.token}` }, body: JSON.stringify({ room_id: roomId, text: "你好", target_language: "en" }) })).text();
    links = { setup: setupLink(unnamed), usedSetup: usedLink, invite: invitation.url, reset: reset.url, emma: emma.userId };
});
after(async () => {
    await browser?.close();
    model?.end();
    await server?.end();
    await unnamed?.end();
    await bare?.end();
});

for (const [language, locale, phone] of [["zh", "zh-CN", true], ["en", "en-GB", false]])
    describe(`${language}, ${phone ? "phone" : "desktop"}`, () => {
        let page;
        const shape = phone ? "phone" : "desktop";
        const go = (fragment) => page.evaluate((next) => void (location.hash = next), fragment);
        const otherSize = phone ? { width: 1280, height: 800 } : { width: 390, height: 844 };
        const size = phone ? { width: 390, height: 844 } : { width: 1280, height: 800 };

        /** Looks at what is there: a screenshot and axe; what has colours of its own in the dark too, contents also in the other shape. */
        async function look(name, state) {
            await shot(page, `states-${name}-${state}-${language}-${shape}`);
            const found = await violations(page);
            if (state === "content" || state === "error") {
                await page.emulateMedia({ colorScheme: "dark" });
                found.push(...(await violations(page, ["color-contrast"])).map((one) => `dark, ${one}`));
                if (state === "content") {
                    await shot(page, `states-${name}-${state}-${language}-${shape}-dark`);
                    await page.setViewportSize(otherSize);
                    found.push(...(await violations(page)).map((one) => `dark, other shape, ${one}`));
                    await page.setViewportSize(size);
                }
                await page.emulateMedia({ colorScheme: "light" });
            }
            assert.deepEqual(found, [], `${name}, ${state}`);
        }
        /** Holds what matches; answers a function that lets it go. */
        async function hold(pattern) {
            const waiting = [];
            let free = false;
            await page.route(pattern, async (route) => {
                if (!free) await new Promise((resolve) => waiting.push(resolve));
                await route.continue().catch(() => undefined); // the page has gone on
            });
            return async () => {
                free = true;
                for (const resolve of waiting) resolve();
                await page.unroute(pattern);
            };
        }
        const fail = (pattern) => page.route(pattern, (route) => route.fulfill({ status: 500, contentType: "application/json", body: '{"errcode":"M_UNKNOWN","error":"broken for the test"}' }));
        const cut = (pattern) => page.route(pattern, (route) => route.abort("connectionfailed"));
        const skeleton = () => page.locator(".skeleton").first();
        const notice = (code) => page.locator("[role=alert], .chats-failure, .state", { hasText: code }).first();

        before(async () => {
            page = await personPage(browser, { locale, phone });
        });
        after(() => page?.context().close());

        for (const [name, link, check, sign] of [
            ["setup", () => links.setup, /setup\/check/, "input[type=password]"],
            ["invite", () => links.invite, /invitations\/preview/, "input[type=password]"],
            ["reset", () => links.reset, /password-reset\/check/, "input[type=password]"],
        ])
            test(`${name}: loading, error, offline, content`, async () => {
                const release = await hold(check);
                await page.goto(link());
                await skeleton().waitFor();
                await look(name, "loading");
                await release();
                await page.locator(sign).waitFor();
                await look(name, "content");
                await fail(check);
                await page.goto(link()); // to the browser the page that is open: it takes the link all the same
                await notice("M_UNKNOWN").waitFor();
                await look(name, "error");
                await page.unroute(check);
                await cut(check);
                await page.reload();
                await notice("NETWORK").waitFor();
                await look(name, "offline");
                await page.unroute(check);
                await notice("NETWORK").getByRole("button").click();
                await page.locator(sign).waitFor();
            });

        test("setup: a link that was used says so, with what to do", async () => {
            await page.goto(links.usedSetup);
            await notice("IM.LINGXI.BAD_SETUP_TOKEN").waitFor();
            await look("setup-used", "error");
        });

        test("log-in: content, error, offline", async () => {
            await page.goto(server.url);
            await page.locator("input[type=password]").waitFor();
            await look("login", "content");
            await page.locator("input[autocomplete=username]").fill("nobody");
            await page.locator("input[type=password]").fill("wrong password");
            await page.keyboard.press("Enter");
            await notice("M_FORBIDDEN").waitFor();
            await look("login", "error");
            await cut(everything);
            await page.reload();
            await notice("NETWORK").waitFor();
            await look("login", "offline");
            await page.unroute(everything);
        });

        test("chats: loading, error, empty, content, offline", async () => {
            const release = await hold(/\/sync\?/);
            await admin.enter(page);
            await skeleton().waitFor();
            await look("chats", "loading");
            await release();
            await page.locator("[data-chat]").first().waitFor();
            await look("chats", "content");
            await fail(/\/sync\?/);
            await page.evaluate(async () => {
                for (const { name } of await indexedDB.databases()) indexedDB.deleteDatabase(name);
            });
            const session = await lonely.enter(page);
            await notice("M_UNKNOWN").waitFor();
            await look("chats", "error");
            await page.unroute(/\/sync\?/);
            await page.reload();
            await page.locator("[data-chat]").first().waitFor();
            await session.call("POST", `/rooms/${encodeURIComponent(emptyRoom)}/leave`, {});
            await page.locator(".chats-list .state").waitFor();
            await look("chats", "empty");
            await lonely.call("POST", `/join/${encodeURIComponent(emptyRoom)}`, {}, null);
            emptyRoom = await lonely.createRoom("Nothing yet");
            await page.locator("[data-chat]").first().waitFor();
        });

        test("chat: empty, loading, error, content, offline with what is written queued", async () => {
            await go(chatLink(emptyRoom));
            await page.locator(".composer").waitFor();
            await look("chat", "empty");
            await admin.enter(page);
            await page.locator("[data-chat]").first().waitFor();
            await go(chatLink("!nothing-of-the-kind"));
            await notice("M_NOT_FOUND").waitFor();
            await look("chat", "error");
            const release = await hold(/\/messages\?/);
            await go(chatLink(liked));
            await page.locator(".timeline .skeleton").first().waitFor();
            await look("chat", "loading");
            await page.locator(".timeline .state .button").waitFor();
            await look("chat", "waiting");
            // What is here is shown, and the place where reading ended is found when the server answers.
            await go(chatLink(unread[language]));
            await bubble(page, "ticket 25").waitFor();
            await release();
            await go(chatLink(roomId));
            await page.locator(".bubble").first().waitFor();
            await look("chat", "content");
            await page.context().setOffline(true);
            await page.locator("textarea").fill(language === "zh" ? "断线时写的" : "written while offline");
            await page.locator(".icon-button.primary").click();
            await page.locator(".status.queued").waitFor();
            await page.locator(".offline-banner").waitFor();
            await look("chat", "offline");
            await page.context().setOffline(false);
            await page.locator(".status.queued").waitFor({ state: "detached" });
        });

        test("the chat’s panel: about, files, assistant", async () => {
            await page.locator(".conversation .bar > .icon-button").last().click();
            await page.locator(".panel-head").waitFor();
            await look("panel-about", "content");
            await page.getByRole("tab").nth(1).click();
            await page.locator(".panel .state").waitFor();
            await look("panel-files", "empty");
            await page.getByRole("tab").nth(2).click();
            await page.locator(".panel [role=switch]").first().waitFor();
            await look("panel-assistant", "content");
            await page.keyboard.press("Escape");
        });

        for (const { name, fragment, asks, content, error, late = asks !== undefined } of pages) {
            const target = () => (typeof fragment === "function" ? fragment() : fragment);
            test(`${name}: ${["content", late && "loading", error && "error", "offline"].filter(Boolean).join(", ")}`, async () => {
                await go("#/");
                await page.locator("[data-chat]").first().waitFor();
                if (late) {
                    const release = await hold(asks);
                    await go(target());
                    await skeleton().waitFor();
                    await look(name, "loading");
                    await release();
                } else await go(target());
                await page.locator(content).first().waitFor();
                await look(name, "content");
                if (error) {
                    await go("#/");
                    await fail(asks);
                    await go(target());
                    await notice("M_UNKNOWN").waitFor();
                    await look(name, "error");
                    await page.unroute(asks);
                    await go("#/");
                    await page.context().setOffline(true);
                    await go(target());
                    await notice("NETWORK").waitFor();
                    await page.locator(".offline-banner").waitFor();
                    await look(name, "offline");
                    await page.context().setOffline(false);
                    // What could not be loaded comes by itself when the server is back.
                    await page.locator(content).first().waitFor();
                    await page.locator(".offline-banner").waitFor({ state: "detached" });
                } else {
                    await page.context().setOffline(true);
                    await page.locator(".offline-banner").waitFor();
                    assert.ok(await page.locator(content).first().isVisible(), "what is here can be read");
                    await look(name, "offline");
                    await page.context().setOffline(false);
                    await page.locator(".offline-banner").waitFor({ state: "detached" });
                }
            });
        }

        test("empty: contacts, invitations, receipts, model servers and the server’s invitations say what to do first", async () => {
            const empty = async (name, fragment, title) => {
                await go(fragment);
                await page.locator(".state h2", { hasText: title[language] }).waitFor();
                await look(name, "empty");
            };
            const fresh = await register(server, `fresh-${language}`, "Fresh");
            await fresh.enter(page);
            await empty("contacts", "#/contacts", { zh: "这里还没有人", en: "Nobody here yet" });
            await empty("invitations", "#/contacts/invite", { zh: "还没有链接", en: "No links yet" });
            await empty("receipts", "#/me/receipts", { zh: "还没有调用过模型", en: "No model calls yet" });
            await bareAdmin.enter(page);
            await empty("models", "#/admin/models", { zh: "还没有模型服务器", en: "No model server yet" });
            await empty("server-invitations", "#/admin/invitations", { zh: "还没有链接", en: "No links yet" });
        });

        test("nothing broke in the page", () => {
            assert.deepEqual(page.faults, []);
        });
    });

test("a skeleton shows when an answer is 150 ms late, and not before", async () => {
    const page = await personPage(browser);
    await page.clock.install();
    await admin.enter(page, "#/me/profile");
    await page.locator(".settings-body form").waitFor();
    await page.route(/\/v3\/devices/, () => undefined); // never answered
    const asked = page.waitForRequest(/\/v3\/devices/);
    await page.clock.pauseAt(Date.now() + 3_600_000);
    await page.evaluate(() => void (location.hash = "#/me/devices"));
    await asked;
    const skeletons = () => page.locator(".settings-body .skeleton").count();
    await page.clock.runFor(140);
    assert.equal(await skeletons(), 0);
    await page.clock.runFor(20);
    await page.locator(".settings-body .skeleton").first().waitFor();
    await page.context().close();
});
