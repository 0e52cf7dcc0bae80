// Looks at every page: screenshots of both languages, light and dark, phone and desktop, and axe's findings.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { furnish } from "./fake/scene.mjs";
import { startFake } from "./fake/server.mjs";

const folder = process.argv[2] ?? "/tmp/lingxi-look";
const only = process.argv[3] ?? "";
mkdirSync(folder, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const now = Date.now();
const fake = await startFake({ dist: fileURLToPath(new URL("../dist", import.meta.url)), now });
const scene = furnish(fake, now);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
let findings = 0;

async function check(page, name) {
    await page.evaluate(axe);
    const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    for (const violation of result.violations) {
        findings += 1;
        console.log(`axe ${name}: ${violation.id} (${violation.impact}) ${violation.nodes.slice(0, 3).map((node) => node.html.slice(0, 140)).join(" | ")}`);
    }
}

for (const [shape, viewport] of [["phone", { width: 390, height: 844 }], ["desktop", { width: 1280, height: 800 }]])
    for (const language of ["zh", "en"])
        for (const scheme of ["light", "dark"]) {
            const tag = `${shape}-${language}-${scheme}`;
            if (only && !tag.includes(only)) continue;
            const context = await browser.newContext({ viewport, colorScheme: scheme, locale: language === "zh" ? "zh-CN" : "en-GB", hasTouch: shape === "phone", isMobile: shape === "phone", timezoneId: "Asia/Shanghai", bypassCSP: false });
            const page = await context.newPage();
            page.on("pageerror", (error) => console.log(`error ${tag}: ${error.message}`));
            page.on("console", (message) => (message.type() === "error" || message.text().includes("Content Security")) && console.log(`console ${tag}: ${message.text().slice(0, 300)}`));
            const shot = async (name, wait = 350) => {
                await page.waitForTimeout(wait);
                await page.screenshot({ path: `${folder}/${tag}-${name}.png` });
                await check(page, `${tag}-${name}`);
            };
            const go = (fragment) => page.evaluate((next) => void (location.hash = next), fragment);
            await page.goto(`${fake.url}/setup#secret`);
            await shot("setup");
            await page.goto(`${fake.url}/invite#good`);
            await shot("invite");
            await page.goto(`${fake.url}/reset#abc`);
            await shot("reset");
            await page.goto(fake.url);
            await shot("login");
            await page.getByLabel(language === "zh" ? "用户名" : "Username").fill("zhangwei");
            await page.locator("input[type=password]").fill("password");
            await page.keyboard.press("Enter");
            await page.locator("[data-chat]").first().waitFor();
            await shot("chats");
            await go(`#/chat/${encodeURIComponent(scene.group.id)}`);
            await page.locator(".bubble").first().waitFor();
            await shot("chat", 900);
            await page.getByRole("button", { name: language === "zh" ? "请助手建议回复" : "Suggest replies", exact: true }).click().catch(() => console.log(`no suggest button ${tag}`));
            await shot("suggestions", 700);
            if (shape === "desktop") {
                await page.keyboard.press("Alt+i");
                await shot("panel");
                await page.getByRole("tab").last().click();
                await shot("assistant");
                await page.keyboard.press("Escape");
                await page.keyboard.press("Control+k");
                await shot("palette");
                await page.keyboard.press("Escape");
            } else {
                await page.getByRole("button", { name: language === "zh" ? "聊天信息" : "About this chat", exact: true }).click();
                await shot("panel");
            }
            await go("#/contacts");
            await shot("contacts");
            await go("#/contacts/invite");
            await shot("invitations");
            await go("#/me");
            await shot("me");
            await go("#/me/preferences");
            await shot("preferences");
            await go("#/me/receipts");
            await shot("receipts");
            await go("#/me/devices");
            await shot("devices");
            await go("#/admin/people");
            await shot("admin-people");
            await go("#/admin/models");
            await shot("admin-models");
            await go("#/admin/budget");
            await shot("admin-budget");
            await context.close();
        }
await browser.close();
await fake.stop();
console.log(findings === 0 ? "axe: no violation" : `axe: ${findings} violations`);
