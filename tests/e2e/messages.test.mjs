// What two people do in a chat, one on a phone in English and one at a desk in Chinese.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { deflateSync } from "node:zlib";
import { after, before, test } from "node:test";
import { bubble, chatLink, register, until, words } from "./people.mjs";
import { launchBrowser, personPage, shot, startServer, violations } from "./server.mjs";

let server, browser, wang, emma, desk, phone, roomId;
const zh = words.zh;
const en = words.en;
const write = async (page, label, text) => {
    await page.getByLabel(label).fill(text);
    await page.keyboard.press("Enter");
};
const menuOf = async (page, text, label) => {
    await bubble(page, text).hover();
    await page.locator(".message", { hasText: text }).last().getByRole("button", { name: label }).click();
};

/** A picture of noise, so that it is as large as it looks. */
function png(width, height) {
    const crcTable = Array.from({ length: 256 }, (_, n) => {
        let c = n;
        for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
        return c >>> 0;
    });
    const crc = (bytes) => (bytes.reduce((c, byte) => crcTable[(c ^ byte) & 255] ^ (c >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;
    const chunk = (type, data) => {
        const body = Buffer.concat([Buffer.from(type), data]);
        const size = Buffer.alloc(4);
        const sum = Buffer.alloc(4);
        size.writeUInt32BE(data.length);
        sum.writeUInt32BE(crc(body));
        return Buffer.concat([size, body, sum]);
    };
    const head = Buffer.alloc(13);
    head.writeUInt32BE(width, 0);
    head.writeUInt32BE(height, 4);
    head.set([8, 2, 0, 0, 0], 8);
    const row = () => Buffer.concat([Buffer.from([0]), randomBytes(width * 3)]);
    const pixels = Buffer.concat(Array.from({ length: height }, row));
    return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), chunk("IHDR", head), chunk("IDAT", deflateSync(pixels)), chunk("IEND", Buffer.alloc(0))]);
}

before(async () => {
    server = await startServer("--server-name", "test.lingxi", "--registration", "open");
    browser = await launchBrowser();
    wang = await register(server, "wang", "王小明");
    emma = await register(server, "emma", "Emma Hart");
    roomId = await wang.createRoom("周末计划", [emma]);
    await wang.say(roomId, "周六去爬山吗？");
    desk = await personPage(browser, { locale: "zh-CN" });
    phone = await personPage(browser, { locale: "en-GB", phone: true });
    await wang.enter(desk, chatLink(roomId));
    await emma.enter(phone, chatLink(roomId));
    await bubble(desk, "周六去爬山吗").waitFor();
    await bubble(phone, "周六去爬山吗").waitFor();
});
after(async () => {
    await browser?.close();
    await server?.end();
});

test("who writes is shown to be typing, and no longer once the message is there", async () => {
    await phone.getByLabel(en.write).fill("Sat");
    await desk.getByText("Emma Hart 正在输入").waitFor();
    await phone.getByLabel(en.write).fill("Saturday is fine");
    await phone.getByRole("button", { name: en.send, exact: true }).click();
    await bubble(desk, "Saturday is fine").waitFor();
    await desk.getByText("Emma Hart 正在输入").waitFor({ state: "detached" });
});

test("a message that was read says so to its author", async () => {
    await phone.bringToFront();
    await desk.bringToFront();
    await write(desk, zh.write, "那就八点北门见");
    await bubble(phone, "那就八点北门见").waitFor();
    await phone.bringToFront();
    const message = desk.locator(".message.own", { hasText: "那就八点北门见" });
    await message.getByText("1 人已读").waitFor({ state: "attached" });
});

test("a reply shows what it answers, and leads there", async () => {
    await menuOf(desk, "Saturday is fine", zh.menu);
    await desk.getByRole("menuitem", { name: "回复" }).click();
    await desk.locator(".composer-mode", { hasText: "Saturday is fine" }).waitFor();
    assert.equal(await desk.evaluate(() => document.activeElement?.tagName), "TEXTAREA", "the composer has the focus");
    await desk.keyboard.type("太好了");
    await desk.keyboard.press("Enter");
    const reply = bubble(phone, "太好了");
    await reply.locator(".quote", { hasText: "Saturday is fine" }).waitFor();
    // It is marked for a moment.
    await Promise.all([phone.locator("[data-message].found", { hasText: "Saturday is fine" }).waitFor(), reply.locator(".quote").click()]);
});

test("an edit replaces the words for both, and says so", async () => {
    await write(desk, zh.write, "带够谁");
    await bubble(desk, "带够谁").waitFor();
    await desk.keyboard.press("ArrowUp");
    await desk.locator(".composer-mode", { hasText: "带够谁" }).waitFor();
    await desk.getByLabel(zh.write).fill("带够水");
    await desk.keyboard.press("Enter");
    await bubble(phone, "带够水").waitFor();
    assert.equal(await phone.locator(".bubble", { hasText: "带够谁" }).count(), 0);
    await phone.locator(".message", { hasText: "带够水" }).getByText("edited", { exact: true }).waitFor();
    await desk.locator(".message", { hasText: "带够水" }).getByText("已编辑", { exact: true }).waitFor();
});

test("a reaction is counted, and taken back by the same tap", async () => {
    await menuOf(desk, "Saturday is fine", zh.menu);
    await desk.getByRole("menuitem", { name: "表情回应 👍" }).click();
    const seen = phone.locator(".message", { hasText: "Saturday is fine" }).last().locator(".reaction", { hasText: "👍" });
    await seen.waitFor();
    await seen.tap();
    await desk.locator(".reaction", { hasText: "👍 2" }).waitFor();
    await seen.tap();
    await desk.locator(".reaction", { hasText: "👍 1" }).waitFor();
});

test("what is taken back is gone for both", async () => {
    await write(desk, zh.write, "这句写错了");
    await bubble(phone, "这句写错了").waitFor();
    await menuOf(desk, "这句写错了", zh.menu);
    await desk.getByRole("menuitem", { name: "撤回" }).click();
    await desk.getByRole("dialog").getByRole("button", { name: "撤回" }).click();
    await phone.getByText("Message taken back").waitFor();
    assert.equal(await phone.locator(".bubble", { hasText: "这句写错了" }).count(), 0);
    await desk.getByText("消息已撤回").first().waitFor();
    assert.equal(await desk.locator(".bubble", { hasText: "这句写错了" }).count(), 0);
});

test("a picture is looked at before it goes, and arrives as a thumbnail of its size", async () => {
    const thumbnails = [];
    phone.on("response", (answer) => answer.url().includes("/media/thumbnail/") && thumbnails.push(answer.status()));
    await desk.locator("input[type=file]").setInputFiles({ name: "山顶.png", mimeType: "image/png", buffer: png(600, 400) });
    const dialog = desk.getByRole("dialog");
    await dialog.getByRole("img", { name: "山顶.png" }).waitFor();
    await shot(desk, "messages-picture-preview-zh");
    await dialog.getByRole("button", { name: "发送" }).click();
    const picture = phone.locator(".picture img");
    await picture.waitFor();
    await phone.waitForFunction(() => document.querySelector(".picture img")?.complete);
    const box = await phone.locator(".picture").boundingBox();
    assert.ok(Math.abs(box.width / box.height - 1.5) < 0.05, "as it is shaped");
    assert.ok(thumbnails.includes(200), "a thumbnail, not the whole picture");
    await shot(phone, "messages-picture-en-phone");
    await phone.locator(".picture").tap();
    await phone.getByRole("dialog").locator("img").waitFor();
    await phone.keyboard.press("Escape");
});

test("a pasted picture asks first, too", async () => {
    const data = png(40, 40).toString("base64");
    await desk.getByLabel(zh.write).focus();
    await desk.evaluate((base64) => {
        const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
        const clipboard = new DataTransfer();
        clipboard.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
        document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: clipboard, bubbles: true, cancelable: true }));
    }, data);
    await desk.getByRole("dialog").getByRole("img", { name: "pasted.png" }).waitFor();
    await desk.keyboard.press("Escape");
    await desk.getByRole("dialog").waitFor({ state: "detached" });
});

test("what is dropped on a chat asks first, too", async () => {
    await desk.evaluate(() => {
        const dropped = new DataTransfer();
        dropped.items.add(new File(["words"], "dropped.txt", { type: "text/plain" }));
        const target = document.querySelector(".conversation");
        for (const type of ["dragover", "drop"]) target.dispatchEvent(new DragEvent(type, { dataTransfer: dropped, bubbles: true, cancelable: true }));
    });
    await desk.getByRole("dialog").getByText("dropped.txt").waitFor();
    await desk.keyboard.press("Escape");
    await desk.getByRole("dialog").waitFor({ state: "detached" });
});

test("a file shows how far it is, and can be taken down by the other", async () => {
    const cdp = await desk.context().newCDPSession(desk);
    await cdp.send("Network.enable");
    await cdp.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 300_000 });
    await desk.locator("input[type=file]").setInputFiles({ name: "路线.bin", mimeType: "application/octet-stream", buffer: randomBytes(6_000_000) });
    await desk.getByRole("dialog").getByRole("button", { name: "发送" }).click();
    const bar = desk.locator("progress.upload");
    await bar.waitFor();
    await desk.waitForFunction(() => Number(document.querySelector("progress.upload")?.value) > 10);
    await shot(desk, "messages-file-uploading-zh");
    await cdp.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
    const file = phone.locator(".file", { hasText: "路线.bin" });
    await file.waitFor();
    const download = phone.waitForEvent("download");
    await file.tap();
    assert.equal((await download).suggestedFilename(), "路线.bin");
});

test("unread messages are counted in the list and in the title, and gone when read", async () => {
    await desk.evaluate(() => void (location.hash = "#/contacts"));
    await emma.say(roomId, "one", "two", "three");
    await desk.getByRole("link", { name: /聊天.*3 条未读/ }).waitFor();
    assert.match(await desk.title(), /^\(3\) /);
    await desk.evaluate(() => void (location.hash = "#/"));
    await desk.locator("[data-chat] .badge", { hasText: "3" }).waitFor();
    await desk.bringToFront();
    await desk.locator("[data-chat]").first().click();
    await bubble(desk, "three").waitFor();
    await desk.waitForFunction(() => !document.title.startsWith("("));
    assert.equal(await desk.locator("[data-chat] .badge").count(), 0);
});

test("a screen reader hears each new message once, with who and what", async () => {
    const log = desk.getByRole("log");
    await desk.evaluate(() => {
        window.heard = [];
        new MutationObserver((changes) => {
            for (const change of changes) for (const node of change.addedNodes) window.heard.push(node.textContent);
        }).observe(document.querySelector("[role=log]"), { childList: true, subtree: true, characterData: true });
    });
    assert.equal(await log.getAttribute("aria-live"), "polite");
    await emma.say(roomId, "the same", "the same", "and another");
    await bubble(desk, "and another").waitFor();
    await desk.waitForFunction(() => window.heard.length >= 3);
    assert.deepEqual(await desk.evaluate(() => window.heard), ["Emma Hart：the same", "Emma Hart：the same", "Emma Hart：and another"]);
});

test("a message that the server refuses stands with what to do, and goes out once when tried again", async () => {
    await desk.route("**/send/**", (route) => route.fulfill({ status: 403, contentType: "application/json", body: '{"errcode":"M_FORBIDDEN","error":"no"}' }));
    await write(desk, zh.write, "起初被拒绝");
    const message = desk.locator(".message", { hasText: "起初被拒绝" });
    await message.getByText("M_FORBIDDEN").waitFor();
    await desk.locator("[data-chat] .chat-failed").waitFor();
    await desk.unroute("**/send/**");
    await message.getByRole("button", { name: "重发" }).click();
    await bubble(phone, "起初被拒绝").waitFor();
    await message.getByText("M_FORBIDDEN").waitFor({ state: "detached" });
    assert.equal((await wang.timeline(roomId)).filter((event) => event.content.body === "起初被拒绝").length, 1);
});

test("an invitation is accepted or declined in the list", async () => {
    const book = await emma.createRoom("Book club");
    const other = await emma.createRoom("Not for me");
    for (const room of [book, other]) await emma.call("POST", `/rooms/${encodeURIComponent(room)}/invite`, { user_id: wang.userId });
    const row = (name) => desk.locator(".chat-row.invite", { hasText: name });
    await row("Not for me").getByText("Emma Hart").waitFor();
    await row("Not for me").getByRole("button", { name: "谢绝" }).click();
    await row("Not for me").waitFor({ state: "detached" });
    await row("Book club").getByRole("button", { name: "加入" }).click();
    await desk.locator(".bar-name", { hasText: "Book club" }).waitFor();
    await desk.locator(`[data-chat="${book}"]`).waitFor();
    assert.equal(await desk.locator(`[data-chat="${other}"]`).count(), 0);
    await desk.locator(`[data-chat="${roomId}"]`).click();
    await bubble(desk, "起初被拒绝").waitFor();
});

test("no accessibility rule is broken, and nothing broke", async () => {
    assert.deepEqual(await violations(desk), []);
    assert.deepEqual(await violations(phone), []);
    assert.deepEqual(desk.faults, []);
    assert.deepEqual(phone.faults, []);
});

test("what calls itself a picture and is none says so, and can still be taken down", async () => {
    const forged = Buffer.concat([png(60, 40).subarray(0, 8), randomBytes(400)]);
    const uri = await emma.upload(forged, "image/png", "forged.png");
    await emma.send(roomId, { msgtype: "m.image", body: "forged.png", url: uri, info: { mimetype: "image/png", w: 600, h: 400, size: forged.length } });
    const file = desk.locator(".file", { hasText: "forged.png" });
    await file.getByText("这张图片无法显示").waitFor();
    const download = desk.waitForEvent("download");
    await file.click();
    assert.equal((await download).suggestedFilename(), "forged.png");
});

/** A bitmap of one colour, which a browser shows. */
function bmp(width, height) {
    const row = Math.ceil((width * 3) / 4) * 4;
    const bytes = Buffer.alloc(54 + row * height, 0x80);
    bytes.fill(0, 0, 54);
    bytes.write("BM");
    bytes.writeUInt32LE(bytes.length, 2);
    bytes.writeUInt32LE(54, 10);
    bytes.writeUInt32LE(40, 14);
    bytes.writeInt32LE(width, 18);
    bytes.writeInt32LE(height, 22);
    bytes.writeUInt16LE(1, 26);
    bytes.writeUInt16LE(24, 28);
    return bytes;
}

test("a picture of which the server makes no thumbnail is shown whole", async () => {
    const uri = await emma.upload(bmp(60, 40), "image/bmp", "scan.bmp");
    await emma.send(roomId, { msgtype: "m.image", body: "scan.bmp", url: uri, info: { mimetype: "image/bmp", w: 60, h: 40 } });
    await desk.locator(".picture").getByRole("img", { name: "scan.bmp" }).waitFor();
    assert.equal(await desk.locator(".file", { hasText: "scan.bmp" }).count(), 0);
});

test("a picture that was cut off stands as a file that says so, not as an empty frame", async () => {
    const cut = png(400, 300).subarray(0, 5_000);
    const uri = await emma.upload(cut, "image/png", "cut-off.png");
    await emma.send(roomId, { msgtype: "m.image", body: "cut-off.png", url: uri, info: { mimetype: "image/png", w: 400, h: 300, size: cut.length } });
    const file = desk.locator(".file", { hasText: "cut-off.png" });
    await file.getByText("这张图片无法显示").waitFor();
    const box = await file.boundingBox();
    assert.ok(Math.abs(box.height - 210) <= 2, `as high as the picture would be: ${box.height}`); // 400 × 300 within 280 wide
    await shot(desk, "messages-picture-cut-off-zh");
    const download = desk.waitForEvent("download");
    await file.click();
    assert.equal((await download).suggestedFilename(), "cut-off.png");
});

test("after signing out, no picture of the account is left in the tab", async () => {
    await bubble(phone, "and another").waitFor();
    const loads = (url) =>
        phone.evaluate(
            (source) =>
                new Promise((resolve) => {
                    const image = new Image();
                    image.onload = () => resolve(true);
                    image.onerror = () => resolve(false);
                    image.src = source;
                }),
            url,
        );
    await phone.locator(".timeline [role=region]").hover();
    await until(async () => (await phone.mouse.wheel(0, -400), await phone.locator(".picture img").count()));
    const url = await phone.locator(".picture img").first().getAttribute("src");
    assert.equal(await loads(url), true);
    await phone.evaluate(() => void (location.hash = "#/me/account"));
    await phone.getByRole("button", { name: "Sign out" }).click();
    await phone.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
    await phone.locator("input[autocomplete=username]").waitFor();
    assert.equal(await loads(url), false);
});
