// A lived-in conversation for looking at pages: nothing in it was written by a model, save what is marked so.
import { deflateSync } from "node:zlib";

/** A small picture of hills, as PNG. */
export function hills(width = 480, height = 320) {
    const raw = Buffer.alloc((width * 3 + 1) * height);
    for (let y = 0; y < height; y += 1)
        for (let x = 0; x < width; x += 1) {
            const ridge = height * 0.55 + Math.sin(x / 60) * 30 + Math.sin(x / 23) * 10;
            const near = height * 0.75 + Math.sin(x / 90 + 2) * 24;
            const [r, g, b] = y > near ? [46, 110, 80] : y > ridge ? [110, 160, 140] : [200 - y / 4, 220 - y / 8, 235];
            const at = y * (width * 3 + 1) + 1 + x * 3;
            raw[at] = r;
            raw[at + 1] = g;
            raw[at + 2] = b;
        }
    const table = Array.from({ length: 256 }, (_, n) => {
        for (let k = 0; k < 8; k += 1) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
        return n >>> 0;
    });
    const chunk = (type, data) => {
        const body = Buffer.concat([Buffer.from(type), data]);
        let crc = 0xffffffff;
        for (const byte of body) crc = table[(crc ^ byte) & 255] ^ (crc >>> 8);
        const out = Buffer.alloc(body.length + 8);
        out.writeUInt32BE(data.length, 0);
        body.copy(out, 4);
        out.writeUInt32BE((crc ^ 0xffffffff) >>> 0, body.length + 4);
        return out;
    };
    const head = Buffer.alloc(13);
    head.writeUInt32BE(width, 0);
    head.writeUInt32BE(height, 4);
    head.set([8, 2, 0, 0, 0], 8);
    return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", head), chunk("IDAT", deflateSync(raw)), chunk("IEND", Buffer.alloc(0))]);
}

export function furnish(fake, now) {
    const id = (name) => `@${name}:${fake.serverName}`;
    const me = id("zhangwei");
    const lina = id("lina");
    const ben = id("ben");
    const people = { zhangwei: "张伟", lina: "李娜", ben: "Ben Carter", wangfang: "王芳", grace: "Grace Okafor", chenjie: "陈杰" };
    for (const [key, name] of Object.entries(people)) fake.user(id(key)).name = name;
    const minute = 60_000;
    const group = fake.createRoom(me, { name: "周末爬山", join: [lina, ben], at: now - 2 * 86_400_000 });
    const say = (room, who, body, minutesAgo, more = {}) => fake.addEvent(room, who, "m.room.message", { msgtype: "m.text", body, ...more }, { at: now - minutesAgo * minute });
    for (let index = 0; index < 60; index += 1) say(group, [me, lina, ben][index % 3], `第 ${index + 1} 条旧消息，聊聊路线 route ${index + 1}`, 2800 - index * 3);
    say(group, lina, "周末去香山吗？天气预报说是晴天 ☀️", 95);
    say(group, lina, "我查了路线：https://example.org/xiangshan/route?id=7，大概三个小时。", 94);
    const plan = say(group, ben, "Sounds good! Shall I bring some snacks?", 90);
    say(group, me, "好，我八点在北门等你们", 80);
    const picture = fake.putMedia("image/png", hills());
    fake.addEvent(group, lina, "m.room.message", { msgtype: "m.image", body: "香山.png", url: picture, info: { w: 480, h: 320, mimetype: "image/png", size: 9000 } }, { at: now - 70 * minute });
    say(group, me, "太美了", 66, { "m.relates_to": { "m.in_reply_to": { event_id: plan.event_id } } });
    fake.addEvent(group, ben, "m.reaction", { "m.relates_to": { rel_type: "m.annotation", event_id: plan.event_id, key: "👍" } });
    fake.addEvent(group, lina, "m.reaction", { "m.relates_to": { rel_type: "m.annotation", event_id: plan.event_id, key: "👍" } });
    const marked = "See you at eight at the north gate. I’ll bring water for everyone.";
    say(group, me, marked, 60, { "im.lingxi.ai": { ...fake.label(marked), kind: "assisted" } });
    fake.addEvent(group, ben, "m.room.message", { msgtype: "m.file", body: "packing-list.pdf", filename: "packing-list.pdf", url: picture, info: { size: 284_113, mimetype: "application/pdf" } }, { at: now - 30 * minute });
    fake.addEvent(group, lina, "im.lingxi.consent.request", { purposes: { suggest_replies: true, translate: true }, destination: { kind: "this_machine" }, model: "qwen3-8b", body: "…" }, { at: now - 20 * minute });
    const last = say(group, lina, "要不要叫上王芳一起去？", 3);
    fake.receipt(group, lina, last.event_id);
    fake.receipt(group, ben, last.event_id);
    fake.receipt(group, me, group.timeline.at(-4).event_id);
    group.unread.set(me, 2);

    const direct = fake.createRoom(me, { join: [ben], at: now - 86_400_000 });
    say(direct, ben, "Did you get the tickets?", 300);
    say(direct, me, "Yes, two seats by the window.", 298);
    direct.unread.clear();
    const classmates = fake.createRoom(id("wangfang"), { name: "大学同学", join: [me, id("chenjie")], at: now - 9 * 86_400_000 });
    say(classmates, id("chenjie"), "[链接] 校庆活动安排", 1500);
    const third = fake.createRoom(id("wangfang"), { join: [me], at: now - 9 * 86_400_000 });
    say(third, id("wangfang"), "文件收到了，谢谢！", 4000);
    third.unread.clear();
    const invited = fake.createRoom(id("grace"), { name: "Book club", invite: [me], at: now - 60 * minute });
    void invited;
    fake.setAccount(me, "m.direct", { [ben]: [direct.id], [id("wangfang")]: [third.id] });
    fake.setTag(me, group.id, "m.favourite", { order: 0.5 });
    fake.user(me).muted = [{ rule_id: classmates.id, actions: [], enabled: true, default: false }];
    return { me, lina, ben, group, direct };
}
