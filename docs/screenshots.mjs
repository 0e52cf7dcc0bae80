// Makes the README's pictures from the demonstration, as it is: scripts/build node node docs/screenshots.mjs
// Needs the executables (LINGXI_BUILD names the build, build/release by default) and the built web client.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
process.env.LINGXI_BUILD ??= join(root, "build", "release");
process.env.TZ = "Asia/Shanghai"; // the evening of those who look
const { launchBrowser, startServer } = await import("../tests/e2e/server.mjs");

const images = fileURLToPath(new URL("images/", import.meta.url));
const LIMIT_BYTES = 200_000;
const WAIT_MS = 120_000;
const SIZES = {
    desktop: { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1.5 },
    phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
};
// Who looks, how large, in which light. Without `chat` it is the list of chats; each chat is one in which the other has the last
// word, so that suggestions stand over the composer.
const SCENES = [
    { name: "conversation-zh-desktop", person: "linxiao", locale: "zh-CN", size: "desktop", chat: "林晓 & Emma" },
    { name: "conversation-en-desktop", person: "emma", locale: "en-GB", size: "desktop", chat: "徒步", dark: true },
    { name: "conversation-en-phone", person: "emma", locale: "en-GB", size: "phone", chat: "徒步" },
    { name: "conversation-zh-phone", person: "linxiao", locale: "zh-CN", size: "phone", chat: "林晓 & Emma" },
    { name: "chats-zh-phone", person: "linxiao", locale: "zh-CN", size: "phone" },
];

/** The picture as WebP: the browser that made it converts it. */
async function webp(page, png) {
    const url = await page.evaluate(async (source) => {
        const image = new Image();
        image.src = source;
        await image.decode();
        const canvas = document.createElement("canvas");
        canvas.width = image.width;
        canvas.height = image.height;
        canvas.getContext("2d").drawImage(image, 0, 0);
        return canvas.toDataURL("image/webp", 0.9);
    }, `data:image/png;base64,${png.toString("base64")}`);
    return Buffer.from(url.split(",")[1], "base64");
}

async function take(browser, scene, link) {
    const context = await browser.newContext({ ...SIZES[scene.size], locale: scene.locale, colorScheme: scene.dark ? "dark" : "light", reducedMotion: "reduce", timezoneId: "Asia/Shanghai" });
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    await page.goto(link);
    const chats = page.locator("[data-chat]");
    await chats.first().waitFor();
    if (scene.chat) {
        await chats.filter({ hasText: scene.chat }).first().click();
        await page.locator(".bubble").last().waitFor();
        await page.locator(".chip, [data-chip]").first().waitFor();
    }
    await page.evaluate(() => document.fonts.ready);
    await page.mouse.move(0, 0); // nothing hovers
    const blank = await context.newPage(); // the client's own policy allows it no pictures of others
    const picture = await webp(blank, await page.screenshot());
    if (picture.length > LIMIT_BYTES) throw new Error(`${scene.name} has ${picture.length} bytes; the limit is ${LIMIT_BYTES}`);
    writeFileSync(join(images, `${scene.name}.webp`), picture);
    console.log(`${scene.name}.webp ${Math.round(picture.length / 1000)} kB`);
    await context.close();
}

mkdirSync(images, { recursive: true });
const server = await startServer("--demo");
const browser = await launchBrowser();
try {
    for (const scene of SCENES) {
        const [xiao, emma] = server.output.match(/http\S+\/login#\S+/g); // each works once: a new start gives new ones
        await take(browser, scene, scene.person === "emma" ? emma : xiao);
        if (scene !== SCENES.at(-1)) {
            await server.stop();
            await server.start();
        }
    }
} finally {
    await browser.close();
    await server.end();
}
