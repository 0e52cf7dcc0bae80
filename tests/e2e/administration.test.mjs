// The administrator's page, and the pages that its links open.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { password } from "./people.mjs";
import { launchBrowser, personPage, shot, startModel, startServer, violations } from "./server.mjs";

let server, model, browser, admin, page, guest;
const go = (fragment) => page.evaluate((next) => void (location.hash = next), fragment);

before(async () => {
    server = await startServer("--registration", "invitation");
    model = await startModel();
    browser = await launchBrowser();
    page = await personPage(browser, { locale: "zh-CN" });
    guest = await personPage(browser, { locale: "en-GB", phone: true });
});
after(async () => {
    await browser?.close();
    model?.end();
    await server?.end();
});

test("a server that nobody has set up says so to who comes without its link, or by another, and offers no signing in", async () => {
    await guest.goto(server.url);
    await guest.getByText("This server waits to be set up.").waitFor();
    await shot(guest, "administration-waiting-en-phone");
    assert.deepEqual(await violations(guest), []);
    assert.equal(await guest.getByRole("link", { name: "Sign in" }).count(), 0);
    await guest.goto(`${server.url}/setup#another`);
    await guest.getByText("Code: IM.LINGXI.BAD_SETUP_TOKEN").waitFor();
    await guest.getByText(/not valid any more, and the server still waits/).waitFor();
    assert.equal(await guest.getByRole("link", { name: "Sign in" }).count(), 0);
});

test("the setup page has the server’s name, offers a username and the zone, and makes the first room", async () => {
    await page.goto(/http\S+\/setup#\S+/.exec(server.output)[0]);
    await page.getByLabel("你的名字").waitFor();
    assert.ok(!page.url().includes("#"), "the secret has left the address bar");
    assert.notEqual(await page.getByLabel("服务器名").inputValue(), "", "the name is prefilled");
    await page.getByText(/127\.0\.0\.1:?\d* 只指这台电脑/).waitFor();
    await shot(page, "administration-setup-zh");
    assert.deepEqual(await violations(page), []);
    await page.waitForFunction(() => document.activeElement === document.querySelector("form input"));
    await page.getByRole("button", { name: "开始使用灵犀" }).click();
    await page.waitForFunction(() => document.querySelector("input[autocomplete=name]").validationMessage === "请填写这一项。");
    await page.getByLabel("服务器名").fill("not a name");
    await page.getByLabel("你的名字").fill("王小明");
    await page.waitForFunction(() => document.querySelector("input[autocomplete=username]").value !== "");
    assert.match(await page.getByLabel("用户名").inputValue(), /^wangxiaoming/);
    assert.equal(await page.getByLabel("时区").inputValue(), "Asia/Shanghai");
    await page.getByLabel("时区").selectOption("Asia/Tokyo");
    await page.getByLabel("密码", { exact: true }).fill(password);
    await page.getByLabel("第一个群").fill("我们家");
    await page.getByRole("button", { name: "开始使用灵犀" }).click();
    await page.getByText(/服务器名不对/).waitFor();
    await page.getByText(/代码：IM.LINGXI.BAD_SERVER_NAME/).waitFor();
    await page.getByLabel("服务器名").fill("test.lingxi");
    await page.getByRole("button", { name: "开始使用灵犀" }).click();
    await page.locator(".bar-name", { hasText: "我们家" }).waitFor();
    await go("#/me/preferences");
    await page.waitForFunction(() => [...document.querySelectorAll("select")].some((one) => one.value === "Asia/Tokyo"));
    await go("#/me/devices");
    await page.getByText(/^Lingxi Web \(Chrome/).waitFor();
    admin = { userId: "@wangxiaoming:test.lingxi" };
});

test("once there is an account the setup page says so, and leads to the log-in", async () => {
    await guest.goto(`${server.url}/setup`);
    await guest.getByText("This server is set up already.").waitFor();
    await guest.getByRole("link", { name: "Sign in" }).tap();
    await guest.getByLabel("Username").waitFor();
});

test("an invitation is a link with a code to scan, for so many and so long, and is seen in the list", async () => {
    await go("#/admin/invitations");
    await page.getByLabel("可用人数").selectOption("5");
    await page.getByLabel("有效期").selectOption({ label: "1 天" });
    await page.getByRole("button", { name: "生成链接" }).click();
    await page.getByRole("img", { name: "链接的二维码" }).waitFor();
    const link = await page.locator(".link-box code").first().textContent();
    assert.ok(link.startsWith(server.url), link);
    await page.getByText(/这个链接只能在这台电脑上打开/).waitFor();
    await page.locator(".list-line", { hasText: "还可用于 5 人 → 我们家" }).waitFor();
    await shot(page, "administration-invitation-zh");
    assert.deepEqual(await violations(page), []);
    admin.link = link;
});

test("who opens it sees who invites, and is in the first chat a moment later", async () => {
    await guest.goto(admin.link);
    await guest.getByRole("heading", { name: "王小明 invites you" }).waitFor();
    await shot(guest, "administration-invite-en-phone");
    assert.deepEqual(await violations(guest), []);
    await guest.getByLabel("Your name").fill("Emma Hart");
    await guest.getByLabel("Username").fill("wangxiaoming");
    await guest.getByLabel("Password", { exact: true }).fill(password);
    await guest.getByRole("button", { name: "Join" }).tap();
    await guest.getByRole("alert").getByText(/taken|M_USER_IN_USE/).first().waitFor();
    await guest.getByLabel("Username").fill("emma");
    await guest.getByRole("button", { name: "Join" }).tap();
    await guest.locator(".bar-name", { hasText: "我们家" }).waitFor();
    assert.equal(await guest.evaluate(() => document.documentElement.lang), "en");
});

test("a revoked link says that it is no longer good", async () => {
    await page.reload();
    await page.getByRole("button", { name: "作废" }).first().click();
    await page.getByText("还没有链接").waitFor();
    const other = await personPage(browser, { locale: "en-GB" });
    await other.goto(admin.link);
    await other.getByText(/used up or has expired/).waitFor();
    await other.context().close();
});

test("after a link another one can be made, and the focus goes along", async () => {
    await page.getByRole("button", { name: "生成链接" }).click();
    await page.locator(".link-box").waitFor();
    // A second press copies the link, and throws nothing away.
    await page.waitForFunction(() => document.activeElement?.matches(".link-box button"));
    await page.keyboard.press("Enter");
    await page.locator(".link-box").getByRole("button", { name: "已复制" }).waitFor();
    await page.getByRole("button", { name: "再生成一个" }).press("Enter");
    await page.waitForFunction(() => document.activeElement?.matches("select"));
    await page.getByLabel("可用人数").selectOption("20");
    await page.getByRole("button", { name: "生成链接" }).click();
    await page.locator(".list-line", { hasText: "还可用于 20 人" }).waitFor();
    assert.equal(await page.locator(".list-line").count(), 2);
    for (const left of [1, 0]) {
        await page.getByRole("button", { name: "作废" }).first().click();
        await page.waitForFunction((count) => document.querySelectorAll(".list-line").length === count, left);
    }
});

test("people are found, and made administrators and back", async () => {
    await go("#/admin/people");
    await page.locator(".list-line", { hasText: "Emma Hart" }).waitFor();
    await page.getByLabel("找人").fill("emma");
    await page.locator(".list-line", { hasText: "王小明" }).waitFor({ state: "detached" });
    const menu = () => page.getByRole("button", { name: "更多: Emma Hart" }).click();
    await menu();
    await page.getByRole("menuitem", { name: "设为管理员" }).click();
    await page.locator(".list-line", { hasText: "Emma Hart" }).getByText("管理员", { exact: true }).waitFor();
    await menu();
    await page.getByRole("menuitem", { name: "撤销管理员" }).click();
    await page.locator(".list-line", { hasText: "Emma Hart" }).getByText("管理员", { exact: true }).waitFor({ state: "detached" });
});

test("a reset link sets a new password, once", async () => {
    await page.getByRole("button", { name: "更多: Emma Hart" }).click();
    await page.getByRole("menuitem", { name: "密码重设链接" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("img", { name: "链接的二维码" }).waitFor();
    const link = await dialog.locator("code").textContent();
    await shot(page, "administration-reset-link-zh");
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press("Escape");
    const other = await personPage(browser, { locale: "en-GB" });
    await other.goto(link);
    await other.getByText("for Emma Hart", { exact: false }).or(other.getByText("Emma Hart")).first().waitFor();
    await other.getByLabel("New password").fill("quite another password");
    await other.getByRole("button", { name: /Set/ }).click();
    await other.getByRole("status").waitFor();
    await other.getByRole("link", { name: "Sign in" }).click();
    await other.getByLabel("Username").fill("emma");
    await other.getByLabel("Password", { exact: true }).fill(password);
    await other.getByRole("button", { name: "Sign in" }).click();
    await other.getByText("Wrong username or password.").waitFor();
    await other.getByText("Code: M_FORBIDDEN").waitFor();
    await other.getByLabel("Password", { exact: true }).fill("quite another password");
    await other.getByRole("button", { name: "Sign in" }).click();
    await other.locator("[data-chat]").first().waitFor();
    await other.goto(link);
    await other.getByText(/was used already or has expired/).waitFor();
    await other.context().close();
});

test("an account is closed, which ends it everywhere, and opened again with a new password", async () => {
    const line = page.locator(".list-line", { hasText: "Emma Hart" });
    const signIn = async (device, word) => {
        await device.getByLabel("Username").fill("emma");
        await device.getByLabel("Password", { exact: true }).fill(word);
        await device.getByRole("button", { name: "Sign in" }).click();
    };
    await page.getByRole("button", { name: "更多: Emma Hart" }).click();
    await page.getByRole("menuitem", { name: "注销账号" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(/Emma Hart/).waitFor();
    assert.deepEqual(await violations(page), []);
    await dialog.getByRole("button", { name: "注销账号" }).click();
    await line.getByText("已注销", { exact: true }).waitFor();
    await signIn(guest, "quite another password");
    await guest.getByText("Code: M_USER_DEACTIVATED").waitFor();
    await page.getByRole("button", { name: "更多: Emma Hart" }).click();
    await page.getByRole("menuitem", { name: "恢复账号" }).waitFor();
    assert.equal(await page.getByRole("menuitem", { name: "密码重设链接" }).count(), 0);
    await page.getByRole("menuitem", { name: "恢复账号" }).click();
    await line.getByText("已注销", { exact: true }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "更多: Emma Hart" }).click();
    await page.getByRole("menuitem", { name: "密码重设链接" }).click();
    const link = await dialog.locator("code").textContent();
    await page.keyboard.press("Escape");
    await guest.goto(link);
    await guest.getByLabel("New password").fill("a third password");
    await guest.getByRole("button", { name: /Set/ }).click();
    await guest.getByRole("link", { name: "Sign in" }).click();
    await signIn(guest, "a third password");
    await guest.locator(".chats-list").waitFor();
});

test("who is no administrator finds a page that says so, and no tabs that lead nowhere", async () => {
    await guest.locator(".chats-list").waitFor();
    await guest.evaluate(() => void (location.hash = "#/admin"));
    await guest.getByText("This page is for the server’s administrators").waitFor();
    assert.equal(await guest.locator(".page-tabs, .notice.error").count(), 0);
    await shot(guest, "administration-refused-en-phone");
    assert.deepEqual(await violations(guest), []);
});

test("a model server on this machine is offered, and in use only once it is added", async (context) => {
    const local = await startModel(1234).catch(() => null); // where LM Studio listens
    if (!local) return context.skip("port 1234 is taken on this machine");
    try {
        await go("#/admin/models");
        await page.getByText("还没有模型服务器").waitFor();
        const found = page.locator(".list-line", { hasText: "lm-studio" });
        // It has 200 ms to answer, which a busy machine may miss; each time that the page opens it is looked for anew.
        const isFound = () => found.waitFor({ timeout: 3000 }).then(() => true, () => false);
        for (let opened = 1; opened < 20 && !(await isFound()); opened++) {
            await page.reload();
            await page.getByText("还没有模型服务器").waitFor();
        }
        await found.waitFor();
        await page.getByText("在本机上找到，添加之后才会使用。").waitFor();
        await shot(page, "administration-found-zh");
        assert.deepEqual(await violations(page), []);
        await page.getByText("还没有模型服务器").waitFor();
        await found.getByRole("button", { name: "添加" }).click();
        const dialog = page.getByRole("dialog");
        assert.equal(await dialog.getByLabel("地址").inputValue(), "http://127.0.0.1:1234/v1");
        assert.equal(await dialog.getByLabel("模型", { exact: true }).inputValue(), "test-model");
        await dialog.getByRole("button", { name: "保存" }).click();
        const line = page.locator(".list-line", { hasText: "test-model · http://127.0.0.1:1234/v1" });
        await line.getByRole("button", { name: "测试" }).click();
        await line.getByText(/毫秒内有答复/).waitFor();
        await line.getByRole("button", { name: "编辑" }).click();
        await dialog.getByRole("button", { name: "删除" }).click();
        await page.getByText("删除“lm-studio”？").waitFor();
        await dialog.getByRole("button", { name: "删除" }).click();
        await page.getByText("还没有模型服务器").waitFor();
    } finally {
        local.end();
    }
    await page.getByRole("button", { name: "在本机上找" }).click();
    await page.locator(".list-line", { hasText: "lm-studio" }).waitFor({ state: "detached" });
});

test("model servers are added, tested, put in order and removed", async () => {
    await go("#/admin/models");
    for (const name of ["First", "Second"]) {
        await page.getByRole("button", { name: "添加模型服务器" }).click();
        const dialog = page.getByRole("dialog");
        await dialog.waitFor();
        assert.equal(await dialog.getByLabel("名称").evaluate((field) => field === document.activeElement), true, "one can write at once");
        await dialog.getByLabel("名称").fill(name);
        await dialog.getByLabel("地址").fill(`${model.url}/v1`);
        await dialog.getByLabel("模型", { exact: true }).fill("test-model");
        await dialog.getByLabel("密钥").fill("secret-key");
        assert.equal(await dialog.getByRole("switch").count(), 1, "where it runs is what its address says, not a switch");
        if (name === "First") {
            await shot(page, "administration-model-new-zh");
            const save = await dialog.getByRole("button", { name: "保存" }).boundingBox();
            assert.ok(save.y + save.height <= 800, `the button is in view: ${save.y}`);
            await dialog.getByText("价格", { exact: true }).click();
            await dialog.getByLabel("每百万输入词元的价格").fill("2");
            await shot(page, "administration-model-zh");
            assert.deepEqual(await violations(page), []);
        }
        await dialog.getByRole("button", { name: "保存" }).click();
        await dialog.waitFor({ state: "detached" });
        await page.locator(".list-line", { hasText: name }).getByText(/在本机运行/).waitFor();
        assert.equal(await page.getByText("本机上没有找到").count(), 0);
    }
    const stored = await page.evaluate(async () => (await fetch("/_lingxi/admin/v1/models", { headers: { Authorization: `Bearer ${/lxa_[A-Za-z0-9_-]+/.exec(Object.values(localStorage).join())[0]}` } })).json());
    assert.deepEqual(stored.providers.map((one) => [one.name, one.input_price_micros_per_million, one.currency]), [["First", 2_000_000, "CNY"], ["Second", 0, "CNY"]], "as the form showed it");
    await page.locator(".list-line", { hasText: "First" }).getByRole("button", { name: "测试" }).click();
    await page.locator(".list-line", { hasText: "First" }).getByText(/毫秒内有答复/).waitFor();
    assert.equal((await model.requests()).at(-1).authorization, "Bearer secret-key");
    await page.getByRole("button", { name: "提前: Second" }).click();
    await page.waitForFunction(() => document.querySelector(".list-line")?.textContent.includes("Second"));
    await shot(page, "administration-models-zh");
    await page.reload();
    await page.locator(".list-line", { hasText: "Second" }).waitFor();
    assert.match(await page.locator(".list-line").first().textContent(), /Second/);
    await page.locator(".list-line", { hasText: "First" }).getByRole("button", { name: "编辑" }).click();
    await page.getByRole("dialog").getByText("已存有密钥，留空则不变。").waitFor();
    assert.equal(await page.getByRole("dialog").getByLabel("密钥").inputValue(), "", "a key never comes back");
    await page.getByRole("dialog").getByLabel("地址").fill("https://models.example/v1");
    await page.getByRole("dialog").getByRole("button", { name: "保存" }).click();
    await page.locator(".list-line", { hasText: "First" }).getByText(/models\.example.*交出的内容会发到那里/).waitFor();
    await page.locator(".list-line", { hasText: "First" }).getByRole("button", { name: "编辑" }).click();
    const form = page.getByRole("dialog", { name: "模型服务器" });
    const ask = page.getByRole("dialog", { name: "删除" });
    const focused = (words) => page.waitForFunction((wanted) => document.activeElement?.matches("button") && document.activeElement.textContent === wanted, words);
    await form.getByLabel("模型", { exact: true }).fill("another-model");
    await form.getByRole("button", { name: "删除" }).click();
    await page.getByText("删除“First”？").waitFor();
    await shot(page, "administration-model-remove-zh");
    const onTop = await page.evaluate(() => {
        const below = document.querySelector(".dialog");
        const { x, y } = below.getBoundingClientRect();
        const style = below.style.pointerEvents;
        below.style.pointerEvents = "auto"; // else it is looked through
        const { className } = document.elementFromPoint(x + 30, y + 30);
        below.style.pointerEvents = style;
        return className;
    });
    assert.equal(onTop, "scrim", "the form below is dimmed");
    await ask.getByRole("button", { name: "取消" }).click();
    await ask.waitFor({ state: "detached" });
    await focused("删除");
    assert.equal(await form.getByLabel("模型", { exact: true }).inputValue(), "another-model", "what is not saved yet stays");
    await form.getByRole("button", { name: "删除" }).click();
    await page.getByText("删除“First”？").waitFor();
    await ask.getByRole("button", { name: "删除" }).click();
    await form.waitFor({ state: "detached" });
    await page.locator(".list-line", { hasText: "First" }).waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement?.matches("ul") && document.activeElement.textContent.includes("Second")); // what is left of its place
    const edit = page.locator(".list-line", { hasText: "Second" }).getByRole("button", { name: "编辑" });
    await edit.click();
    await form.waitFor();
    await page.keyboard.press("Escape");
    await form.waitFor({ state: "detached" });
    await focused("编辑");
    await edit.click();
    await form.getByRole("button", { name: "保存" }).click();
    await form.waitFor({ state: "detached" });
    await focused("编辑");
});

test("the caps are set, and hold on the next look", async () => {
    await go("#/admin/budget");
    await page.getByLabel("每人每天的词元数").fill("12345");
    await page.getByLabel("全服务器每天的词元数").fill("678900");
    await page.getByRole("button", { name: "保存" }).click();
    await page.getByText("已保存").waitFor();
    await page.reload();
    await page.waitForFunction(() => document.querySelector("input[type=number]")?.value === "12345");
    assert.deepEqual(await violations(page), []);
});

test("language and time zone go with the account to another device", async () => {
    await go("#/me/preferences");
    await page.getByLabel("语言").selectOption("en");
    await page.getByLabel("Time zone").selectOption("Europe/Paris");
    await page.waitForFunction(() => document.documentElement.lang === "en");
    const other = await personPage(browser, { locale: "zh-CN" });
    await other.goto(server.url);
    await other.getByLabel("用户名").fill("wangxiaoming");
    await other.getByLabel("密码", { exact: true }).fill(password);
    await other.getByRole("button", { name: "登录" }).click();
    await other.locator("[data-chat]").first().waitFor();
    await other.waitForFunction(() => document.documentElement.lang === "en");
    await other.evaluate(() => void (location.hash = "#/me/preferences"));
    await other.waitForFunction(() => [...document.querySelectorAll("select")].some((one) => one.value === "Europe/Paris"));
    await other.context().close();
});

test("nothing broke in the pages", () => {
    assert.deepEqual(page.faults, []);
    assert.deepEqual(guest.faults, []);
});
