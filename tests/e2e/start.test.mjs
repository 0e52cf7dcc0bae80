// The second start: the list of chats stands as it was before the client has read anything or the server has answered.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bubble, chatLink, password, register, until } from "./people.mjs";
import { launchBrowser, personPage, shot, startServer, violations } from "./server.mjs";

const hostile = `<img src=x onerror="window.taken=1"> {{7*7}} \u202eevil`;
const keptKey = "lingxi.chats.@wang:test.lingxi";
let server, browser, wang, emma, gone, muted, pinned, open;

before(async () => {
    server = await startServer("--server-name", "test.lingxi", "--registration", "open");
    browser = await launchBrowser();
    wang = await register(server, "wang", "王小明");
    emma = await register(server, "emma", "Emma Hart");
    gone = await emma.createRoom("Over by tomorrow", [wang]);
    for (let index = 0; index < 30; index += 1) await emma.say(await emma.createRoom(`Group ${index}`, [wang]), `the last words of group ${index}`);
    const marked = await emma.createRoom(hostile, [wang]);
    await emma.say(marked, `<script>window.taken=2</script>${hostile}`);
    muted = await emma.createRoom("Muted", [wang]);
    await wang.call("PUT", `/pushrules/global/room/${encodeURIComponent(muted)}`, { actions: [] });
    await emma.say(muted, "shh");
    pinned = await emma.createRoom("Pinned", [wang]);
    await wang.call("PUT", `/user/${encodeURIComponent(wang.userId)}/rooms/${encodeURIComponent(pinned)}/tags/m.favourite`, { order: 0.5 });
    open = await wang.direct(emma);
    await emma.say(open, "Did you get the tickets?");
});
after(async () => {
    await browser?.close();
    await server?.end();
});

const live = (page) => page.locator(".chats-list[aria-busy=false] [data-chat]").first().waitFor();
const kept = (page) => page.evaluate((key) => localStorage.getItem(key), keptKey);
/** What stands in the list, without the times: at midnight they read otherwise. */
const rows = (page) => page.locator(".chat-row .chat-link").evaluateAll((all) => all.map((row) => row.innerText.replace(row.querySelector(".chat-when")?.innerText ?? "", "").replace(/\s+/g, " ")));

/** Away from the client, which so writes what it keeps; what the SDK keeps goes, so that its answer needs the server. */
async function leave(page) {
    await page.goto(`${server.url}/favicon.svg`);
    await page.evaluate(async () => {
        for (const { name } of await indexedDB.databases()) if (!name.startsWith("lingxi.outbox.")) indexedDB.deleteDatabase(name);
    });
}

/** Holds what /sync is asked; `release` lets it go. */
async function holdSync(page) {
    let release;
    const released = new Promise((resolve) => (release = resolve));
    await page.route(/\/sync\?/, async (route) => {
        await released;
        await route.continue().catch(() => undefined); // the page may have gone on
    });
    return async () => {
        release();
        await page.unroute(/\/sync\?/);
    };
}

/** Holds whatever the server is asked; `release` lets it go. */
async function holdAll(page) {
    const surface = /\/_(matrix|lingxi)\//;
    let release;
    const released = new Promise((resolve) => (release = resolve));
    await page.route(surface, async (route) => {
        await released;
        await route.continue().catch(() => undefined); // whoever asked may have given up
    });
    return async () => {
        release();
        await page.unroute(surface);
    };
}

for (const phone of [true, false])
    test(`the list stands and a chat opens before the server has answered, ${phone ? "phone" : "desktop"}`, async () => {
        const shape = phone ? "phone" : "desktop";
        const page = await personPage(browser, { phone });
        await wang.enter(page);
        await live(page);
        const before = await rows(page);
        assert.ok(before.length > 8 && before[0].includes("Pinned"), before.join("\n"));
        const own = () => page.locator(".rail-me").allInnerTexts();
        const myself = await own();
        if (!phone) assert.deepEqual(myself, ["小明"]);
        await leave(page);
        assert.ok(await kept(page), "the list was kept");
        if (phone) await wang.call("POST", `/rooms/${encodeURIComponent(gone)}/leave`, {});

        const release = await holdSync(page);
        await page.goto(`${server.url}/`);
        await page.locator(".chats-list[aria-busy=true] [data-chat]").first().waitFor();
        assert.deepEqual(await rows(page), before);
        assert.deepEqual(await own(), myself);
        assert.equal(await page.evaluate(() => window.taken), undefined);
        assert.ok((await rows(page)).some((row) => row.includes(hostile)), "hostile words are words");
        await page.locator(".chats-connecting", { hasText: "Connecting…" }).waitFor();
        await shot(page, `start-kept-${shape}`);
        assert.deepEqual(await violations(page), []);

        // Nothing can be done to a chat yet.
        const first = page.locator(".chat-row").nth(1);
        assert.equal(await first.locator(".chat-menu").isDisabled(), true);
        await first.locator(".chat-link").dispatchEvent("contextmenu");
        assert.equal(await page.locator("[role=menu]").count(), 0);

        // What is on the screen stays where it is when the live list comes.
        await page.locator(".chats-list .virtual").evaluate((element) => element.scrollTo(0, 500));
        const place = () => page.locator("[data-chat]", { hasText: "Group 20" }).evaluate((row) => Math.round(row.getBoundingClientRect().top));
        const top = await place();
        if (!phone) {
            await page.locator(`[data-chat="${open}"]`).evaluate((link) => link.click());
            await page.getByRole("heading", { level: 1, name: "Emma Hart" }).waitFor();
            await page.locator(".conversation [role=status]").waitFor();
            assert.equal(await page.getByLabel("Write a message").count(), 0);
            await shot(page, `start-kept-chat-${shape}`);
            assert.deepEqual(await violations(page), []);
        }
        await release();
        await live(page);
        await page.locator(".chats-connecting", { hasText: "Connecting…" }).waitFor({ state: "detached" });
        assert.equal(await place(), top);
        if (!phone) await bubble(page, "Did you get the tickets?").waitFor();
        await page.locator(".chats-list .virtual").evaluate((element) => element.scrollTo(0, 1e6));
        await page.locator("[data-chat]", { hasText: "Group 0" }).waitFor();
        assert.equal(await page.locator("[data-chat]", { hasText: "Over by tomorrow" }).count(), 0);
        assert.deepEqual(page.faults, []);
        await page.context().close();
    });

test("on a phone a chat that is tapped early has its head and its way back, and fills", async () => {
    const page = await personPage(browser, { phone: true });
    await wang.enter(page);
    await live(page);
    await leave(page);
    const release = await holdSync(page);
    await page.goto(`${server.url}/`);
    const row = page.locator(`.chats-list[aria-busy=true] [data-chat="${open}"]`);
    await row.tap();
    await page.getByRole("heading", { level: 1, name: "Emma Hart" }).waitFor();
    await page.getByRole("button", { name: "Back" }).tap();
    await row.tap();
    await page.locator(".conversation [role=status]").waitFor();
    await shot(page, "start-kept-chat-phone");
    assert.deepEqual(await violations(page), []);
    await release();
    await bubble(page, "Did you get the tickets?").waitFor();
    await page.getByLabel("Write a message").waitFor();
    await page.getByRole("button", { name: "Back" }).tap();
    await live(page);
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

/** What the SDK keeps in this browser: how many chats, and the token it goes on from. */
const stored = (page) =>
    page.evaluate(async () => {
        const found = (await indexedDB.databases()).find(({ name }) => name.startsWith("matrix-js-sdk:"));
        if (!found) return null;
        const of = (request) => new Promise((resolve, reject) => ((request.onsuccess = () => resolve(request.result)), (request.onerror = () => reject(request.error))));
        const database = await of(indexedDB.open(found.name));
        const [sync] = await of(database.transaction("sync").objectStore("sync").getAll());
        database.close();
        return sync ? { token: sync.nextBatch, chats: Object.keys(sync.roomsData.join).length } : null;
    });

test("with very many chats the upper ones stand before the others are taken in, and in the end all are there", async () => {
    const count = 120;
    const li = await register(server, "li", "Li");
    const rooms = [];
    for (let index = 0; index < count; index += 1) {
        rooms.push(await emma.createRoom(`Many ${index}`, [li]));
        await emma.say(rooms.at(-1), `words ${index}`);
    }
    await li.call("PUT", `/user/${encodeURIComponent(li.userId)}/rooms/${encodeURIComponent(rooms[7])}/tags/m.favourite`, { order: 0.5 });
    const page = await personPage(browser);
    const asked = [];
    page.on("request", (request) => request.url().includes("/sync?") && asked.push(new URL(request.url()).searchParams.get("since")));
    await page.addInitScript(() => {
        new MutationObserver(() => {
            if (window.firstSeen || !document.querySelector("[data-chat]")) return;
            window.firstSeen = { busy: document.querySelector(".chats-list").ariaBusy, rows: [...document.querySelectorAll("[data-chat]")].map((row) => row.innerText.replace(row.querySelector(".chat-when")?.innerText ?? "", "").replace(/\s+/g, " ")), title: document.title };
        }).observe(document, { subtree: true, childList: true });
    });
    const whole = async (top, unread) => {
        await live(page);
        const seen = await page.evaluate(() => window.firstSeen);
        const now = await rows(page);
        assert.ok(now[0].includes("Many 7") && now[1].includes(top), now.join("\n"));
        assert.equal(await page.title(), `(${unread}) Lingxi`);
        const list = page.locator(".chats-list .virtual");
        const names = new Set();
        for (let y = 0; y <= count * 72; y += 400) {
            await list.evaluate((element, to) => element.scrollTo(0, to), y);
            await page.evaluate(() => new Promise(requestAnimationFrame));
            for (const name of await page.locator("[data-chat] .chat-name").allInnerTexts()) names.add(name);
        }
        assert.equal(names.size, count);
        return { seen, now };
    };

    await li.enter(page);
    const first = await whole("Many 119", count);
    assert.equal(first.seen.busy, "true", "the list stood before all of it was there");
    assert.deepEqual(first.seen.rows, first.now.slice(0, first.seen.rows.length));
    assert.equal(first.seen.title, "Lingxi", "no sum is made of a part");
    assert.equal(asked.filter((since) => since === null).length, 1, "the first question is asked once");
    await until(async () => (await stored(page))?.chats === count);
    // What is kept is the server's token, with which it is asked on.
    await until(async () => asked.includes((await stored(page)).token));

    // A second time, from what the SDK kept alone.
    await page.goto(`${server.url}/favicon.svg`);
    await page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("lingxi.chats.")).forEach((key) => localStorage.removeItem(key)));
    await emma.say(rooms[3], "news");
    await page.goto(`${server.url}/`);
    await page.locator("[data-chat]", { hasText: "news" }).waitFor();
    await whole("Many 3", count + 1);
    assert.ok(asked.every((since) => !since?.includes("portion")), asked.join(" "));
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

for (const answers of ["refuses", "is silent"])
    test(`with very many chats kept, one opens and is written in while the server ${answers}`, async () => {
        const zhao = await register(server, `zhao-${answers.length}`, "Zhao");
        const rooms = [];
        for (let index = 0; index < 60; index += 1) rooms.push(await emma.createRoom(`Kept ${index}`, [zhao]));
        for (const index of [0, 59]) await zhao.read(rooms[index], (await emma.say(rooms[index], `words ${index}`))[0]);
        const page = await personPage(browser);
        await zhao.enter(page);
        await live(page);
        await until(async () => (await stored(page))?.chats === 60);
        await page.goto(`${server.url}/favicon.svg`);
        let release;
        const released = new Promise((resolve) => (release = resolve));
        const surface = /\/_(matrix|lingxi)\//;
        await page.route(surface, async (route) => {
            if (answers === "refuses") return route.abort();
            await released;
            return route.continue().catch(() => undefined); // whoever asked may have given up
        });
        await page.goto(`${server.url}/${chatLink(rooms[0])}`);
        await bubble(page, "words 0").waitFor();
        const area = page.getByLabel("Write a message");
        await area.fill("written without a server");
        await area.press("Enter");
        await page.locator(".message.own", { hasText: "written without a server" }).locator(".status.queued, .status.sending").waitFor();
        await page.locator("[data-chat]", { hasText: "Kept 59" }).click();
        await bubble(page, "words 59").waitFor();
        await page.locator(answers === "is silent" ? ".chats-connecting:not(:empty)" : ".offline-banner").waitFor();
        assert.equal((await zhao.timeline(rooms[0])).filter((event) => event.type === "m.room.message").length, 1);
        release();
        await page.unroute(surface);
        await page.locator(".chats-connecting:not(:empty), .offline-banner").first().waitFor({ state: "detached" });
        await until(async () => (await zhao.timeline(rooms[0])).some((event) => event.content.body === "written without a server"));
        assert.deepEqual(page.faults, []);
        await page.context().close();
    });

test("while the server is silent what is stored of a chat is shown, and where nothing is, one is told and can try again", async () => {
    const qian = await register(server, "qian", "Qian");
    const unread = await emma.createRoom("Unread", [qian]);
    const [first] = await emma.say(unread, ...Array.from({ length: 25 }, (_, count) => `ticket ${count + 1}`));
    await qian.read(unread, first);
    // Of this one the list brings along nothing that could be shown.
    const liked = await emma.createRoom("Liked", [qian]);
    const [target] = await emma.say(liked, "what they all liked");
    for (const key of "abcdefghijkl") await emma.send(liked, { "m.relates_to": { rel_type: "m.annotation", event_id: target, key } }, "m.reaction");
    const page = await personPage(browser);
    await qian.enter(page);
    await live(page);
    await until(async () => (await stored(page))?.chats === 2);
    await page.goto(`${server.url}/favicon.svg`);
    const release = await holdAll(page);
    await page.goto(`${server.url}/${chatLink(unread)}`);
    await bubble(page, "ticket 25").waitFor();
    await page.locator("[data-chat]", { hasText: "Liked" }).click();
    await page.getByText("The server has not answered yet.").waitFor();
    await shot(page, "start-silent-chat");
    assert.deepEqual(await violations(page), []);
    const asked = page.waitForRequest(/\/messages\?/);
    await page.getByRole("button", { name: "Try again" }).click();
    await asked;
    await release();
    await bubble(page, "what they all liked").waitFor();
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

test("a damaged list is none", async () => {
    const page = await personPage(browser);
    await wang.enter(page);
    await live(page);
    await leave(page);
    await page.evaluate((key) => localStorage.setItem(key, localStorage.getItem(key).replace('"unread":', '"unread":"many","was":')), keptKey);
    const release = await holdSync(page);
    await page.goto(`${server.url}/`);
    await page.locator(".chats-list [role=status]").waitFor();
    assert.equal(await page.locator("[data-chat]").count(), 0);
    await release();
    await live(page);
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

test("signing out, or the end of the session by the server, leaves nothing of the list here", async () => {
    const page = await personPage(browser);
    const session = await wang.enter(page);
    await live(page);
    await leave(page);
    await page.goto(`${server.url}/`);
    await live(page);
    assert.ok(await kept(page));
    await session.call("POST", "/logout", {});
    await page.evaluate(() => void (location.hash = "#/me/devices")); // asks something now
    await page.getByLabel("Username").waitFor();
    assert.equal(await kept(page), null);

    await page.evaluate(() => void (location.hash = "#/"));
    await page.getByLabel("Username").fill("wang");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await live(page);
    await page.waitForFunction((key) => localStorage.getItem(key) !== null, keptKey);
    await page.evaluate(() => void (location.hash = "#/me/account"));
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Username").waitFor();
    await page.goto(`${server.url}/favicon.svg`);
    assert.equal(await kept(page), null);
    assert.deepEqual(page.faults, []);
    await page.context().close();
});
