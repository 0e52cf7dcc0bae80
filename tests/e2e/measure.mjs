// Not a test: measures the client over the real server, where a person feels it. CPU seconds of the page beside the
// clock, since a busy machine makes the clock lie.   node tests/e2e/measure.mjs [rooms] [messages]
import { chatLink, register } from "./people.mjs";
import { launchBrowser, personPage, startServer } from "./server.mjs";

const rooms = Number(process.argv[2] ?? 1_000);
const messages = Number(process.argv[3] ?? 10_000);
const server = await startServer("--server-name", "test.lingxi", "--registration", "open");
const browser = await launchBrowser();
const [wang, emma] = [await register(server, "wang", "王小明"), await register(server, "emma", "Emma Hart")];
const others = [];
for (let index = 0; index < 20; index += 1) others.push(await register(server, `person${index}`, `Person ${index}`));

async function inParallel(count, work, width = 8) {
    let next = 0;
    await Promise.all(
        Array.from({ length: width }, async () => {
            while (next < count) {
                const index = next;
                next += 1;
                await work(index);
            }
        }),
    );
}
const show = (what, value) => console.log(`${what.padEnd(52)} ${value}`);

/** CPU seconds of the processes that draw pages; of all, since a page's workers count too. */
const system = await browser.newBrowserCDPSession();
async function cpu() {
    const { processInfo } = await system.send("SystemInfo.getProcessInfo");
    return processInfo.filter(({ type }) => type === "renderer").reduce((sum, { cpuTime }) => sum + cpuTime, 0);
}
async function spent(work) {
    const before = await cpu();
    await work();
    return (await cpu()) - before;
}

await inParallel(rooms, async (index) => {
    const owner = others[index % others.length];
    const roomId = await owner.createRoom(`Group ${index}`, [wang]);
    await owner.say(roomId, "first words", `the last words of group ${index}`);
});
const long = await emma.createRoom("Long", [wang]);
await inParallel(messages, (index) => emma.send(long, `message ${index} ${"with some words to read ".repeat(1 + ((index * 7) % 6))}`), 16);
const last = (await wang.timeline(long, 1))[0].event_id;
await wang.read(long, last);

/** Notes by the page's own clock, from its navigation on, when the list stands, when it is whole, and what blocked the page. */
const watch = () => {
    const seen = (window.seen = { tasks: [] });
    new PerformanceObserver((entries) => entries.getEntries().forEach(({ startTime, duration }) => seen.tasks.push([startTime, duration]))).observe({ type: "longtask", buffered: true });
    const look = () => {
        if (document.querySelector("[data-chat]")) seen.list ??= performance.now();
        if (document.querySelector(".chats-list[aria-busy=false] [data-chat]")) seen.live = performance.now();
        else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
};
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function start(page, go) {
    const before = await cpu();
    await go();
    await page.waitForFunction(() => window.seen?.live);
    await page.waitForTimeout(2_000);
    const { list, live, tasks } = await page.evaluate(() => window.seen);
    const after = tasks.filter(([from, took]) => from + took > list).map(([, took]) => took);
    return { list, live, blocked: Math.max(0, ...after), cpu: 1000 * ((await cpu()) - before) };
}
function showStarts(what, starts) {
    const of = (field) => median(starts.map((one) => one[field])).toFixed(0);
    show(`${what}, of ${starts.length}`, `${of("list")} ms until the list stands, ${of("live")} until it is whole, ${of("cpu")} ms of CPU`);
    show("  the longest task once it stands", `${of("blocked")} ms`);
}

let page;
const [firsts, seconds] = [[], []];
for (let turn = 0; turn < 5; turn += 1) {
    await page?.context().close();
    page = await personPage(browser);
    await page.addInitScript(watch);
    firsts.push(await start(page, () => wang.enter(page)));
    await page.evaluate(() => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
        document.dispatchEvent(new Event("visibilitychange"));
    });
    await page.waitForTimeout(4_000);
    seconds.push(await start(page, () => page.reload()));
}
showStarts(`first start with ${rooms} rooms`, firsts);
showStarts("second start, from what the browser kept", seconds);
await page.waitForTimeout(2_000);

show("a chat opens, CPU", `${(1000 * (await spent(async () => {
    await page.evaluate((fragment) => void (location.hash = fragment), chatLink(long));
    await page.locator(".bubble").first().waitFor();
}))).toFixed(0)} ms`);
await page.waitForTimeout(1_000);
show("a key press, of twenty, CPU", `${((1000 * (await spent(() => page.getByLabel("Write a message").pressSequentially("twenty letters typed", { delay: 30 })))) / 20).toFixed(1)} ms`);
await page.getByLabel("Write a message").fill("");

// All of the long chat, by scrolling up; then what a frame costs.
const scroller = page.locator(".timeline [role=region]");
for (let turn = 0; turn < 3_000; turn += 1) {
    await scroller.evaluate((element) => void (element.scrollTop = 0));
    if (/beginning of the chat/.test(await page.evaluate(() => document.querySelector(".timeline-head")?.textContent ?? ""))) break;
    await page.waitForTimeout(20);
}
await scroller.hover();
let frames = [];
const scrolling = await spent(async () => {
    frames = await page.evaluate(async () => {
        const element = document.querySelector(".timeline [role=region]");
        const times = [];
        let before = await new Promise(requestAnimationFrame);
        while (element.scrollTop + element.clientHeight < element.scrollHeight - 5 && times.length < 600) {
            element.scrollTop += 200;
            const now = await new Promise(requestAnimationFrame);
            times.push(now - before);
            before = now;
        }
        return times.sort((a, b) => a - b);
    });
});
const frame = frames[Math.floor(frames.length / 2)];
const dropped = frames.reduce((sum, took) => sum + Math.max(0, Math.round(took / frame) - 1), 0);
show(`scrolling through ${messages} messages, a frame of 200 px`, `${((scrolling * 1000) / frames.length).toFixed(1)} ms of CPU, median ${frame?.toFixed(1)} ms by the clock`);
show(`  dropped, of ${frames.length} frames`, `${dropped}; the longest took ${frames.at(-1)?.toFixed(0)} ms`);
const news = await spent(async () => {
    for (let count = 0; count < 20; count += 1) {
        await emma.send(long, `news ${count}`);
        await page.waitForFunction((wanted) => document.querySelector(".chats")?.textContent.includes(wanted), `news ${count}`);
    }
});
show("a new message with all of them loaded, CPU", `${((news * 1000) / 20).toFixed(1)} ms`);
await browser.close();
await server.end();
