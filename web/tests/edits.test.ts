import { createHash } from "node:crypto";
import { MatrixEvent, type Room } from "matrix-js-sdk";
import { describe, expect, it, vi } from "vitest";
import { editContent, labelKey, labelOf, textContent } from "@/features/chat/engine/content";
import { draftOfEdit } from "@/features/chat/engine/drafts";
import { Outbox, type OutboxItem } from "@/features/chat/engine/outbox";
import { buildTimeline } from "@/features/chat/engine/timeline";
import { I18n } from "@/i18n";
import { ApiError, errorWords } from "@/lib/errors";
import { sha256 } from "@/lib/sha256";

const label = { call_id: "c", kind: "generated" as const, model: "m", sha256: sha256("See you "), signature: "s" };
const message = (id: string, content: Record<string, unknown>) => new MatrixEvent({ type: "m.room.message", event_id: id, room_id: "!r", sender: "@me:s", content: { msgtype: "m.text", ...content } });
const newContent = (content: Record<string, unknown>) => content["m.new_content"] as Record<string, unknown>;

describe("a hash", () => {
    it("is SHA-256 of the text's bytes, whatever their number", () => {
        for (const text of ["", "abc", "灵犀 🙂", ...Array.from({ length: 130 }, (_, length) => "é".repeat(length)), "x".repeat(70_000)]) {
            expect(sha256(text)).toBe(createHash("sha256").update(text).digest("hex"));
        }
    });
});

describe("the label of a text that goes out", () => {
    it("says what became of the words, whatever it said before", () => {
        for (const kind of ["generated", "assisted"] as const) {
            expect(textContent("See you ", { ...label, kind })).toEqual({ msgtype: "m.text", body: "See you ", [labelKey]: label });
            expect(textContent("See you soon ", { ...label, kind })).toEqual({ msgtype: "m.text", body: "See you soon", [labelKey]: { ...label, kind: "assisted" } });
        }
        expect(textContent(" mine ", null)).toEqual({ msgtype: "m.text", body: "mine" });
    });
    it("is generated where a change brings the model's own words back", () => {
        const changed = editContent("$1", textContent("See you ", { ...label, kind: "assisted" }));
        expect([labelOf(changed), labelOf(newContent(changed))]).toEqual([label, label]);
        expect([changed["body"], newContent(changed)["body"]]).toEqual(["* See you ", "See you "]);
    });
});

describe("AI's words in a message that is changed", () => {
    const own = () => draftOfEdit("@me:s", message("$1", { body: "I say: " }));
    const at = (caret: number, from = caret) => ({ selected: { from, to: from }, caret });
    it("have their label while they are there, and none when they are deleted or undone", () => {
        const drafts = own();
        const labelNow = () => drafts.of("!r").get().origin?.label ?? null;
        const paste = () => drafts.writeCarried("!r", "I say: you", label, at(10, 7));
        paste();
        expect(labelNow()).toEqual(label);
        drafts.writeAgain("!r", "I say: ", true);
        expect(labelNow()).toBeNull();
        paste();
        drafts.write("!r", "I say: me", { selected: { from: 7, to: 10 }, caret: 9 });
        expect(labelNow()).toBeNull();
        drafts.writeAgain("!r", "I say: you", true);
        expect(labelNow()).toEqual(label);
        drafts.stop();
    });
    it("are all of a labelled message until it is changed, however long it is", () => {
        const long = "x".repeat(30_000);
        const drafts = draftOfEdit("@me:s", message("$1", { body: long, [labelKey]: label }));
        expect(drafts.of("!r").get().text).toBe(long);
        expect(drafts.labelIn("!r", { from: 5, to: 6 })).toEqual(label);
        drafts.stop();
    });
});

describe("a change that the server refused", () => {
    const item = (state: OutboxItem["state"], target: string): OutboxItem => ({ txnId: state + target, roomId: "!r", type: "m.room.message", content: editContent(target, { msgtype: "m.text", body: "new" }), file: null, createdAtMs: 2, sequence: 0, state, progress: null, errcode: null, eventId: null });
    const rowsWith = (...outgoing: OutboxItem[]) => {
        const room = {
            getLiveTimeline: () => ({ getEvents: () => [message("$here", { body: "old" })] }),
            getReceiptsForEvent: () => [],
            currentState: { getStateEvents: () => null },
            relations: { getChildEventsForEvent: () => undefined },
        } as unknown as Room;
        return buildTimeline({ room, me: "@me:s", name: (id) => id, i18n: new I18n("en", "Asia/Shanghai"), outgoing, unreadFromId: null }).map((row) => row.key);
    };
    it("is seen in its message, and by itself where that is not here", () => {
        expect(rowsWith(item("failed", "$here"), item("queued", "$away"), item("failed", "$away"))).toEqual(["$here", "failed$away"]);
    });
    it("gives way to a later one of the same message, and to no other", async () => {
        let refuses = true;
        const storage = { load: async () => [], put: async () => undefined, remove: async () => undefined };
        const outbox = new Outbox(storage, {
            send: async (_room, _type, txnId) => {
                if (refuses) throw new ApiError(400, "IM.LINGXI.FORGED_LABEL", "no");
                return { event_id: `$${txnId}` };
            },
            upload: async () => "",
            redact: async () => undefined,
        });
        for (const target of ["$1", "$2"]) outbox.enqueue(`first${target}`, "!r", "m.room.message", editContent(target, { body: "a" }));
        outbox.enqueue("words", "!r", "m.room.message", { body: "a" });
        await vi.waitFor(() => expect(outbox.all().map((one) => one.state)).toEqual(["failed", "failed", "failed"]));
        refuses = false;
        outbox.enqueue("second", "!r", "m.room.message", editContent("$1", { body: "b" }));
        expect(outbox.all().map((one) => one.txnId)).toEqual(["first$2", "words", "second"]);
    });
    it("is told in words, and so is a model's name that people agreed to with another host", () => {
        for (const i18n of [new I18n("en", "Asia/Shanghai"), new I18n("zh", "Asia/Shanghai")]) {
            expect(errorWords({ errcode: "IM.LINGXI.FORGED_LABEL" }, i18n)).toBe(i18n.t("error.forged_label"));
            expect(errorWords({ errcode: "IM.LINGXI.MODEL_NAME_OF_ANOTHER_HOST" }, i18n)).toBe(i18n.t("admin.model_name_of_another_host"));
        }
    });
});
