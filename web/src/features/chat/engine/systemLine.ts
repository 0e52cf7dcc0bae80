import type { MatrixEvent } from "matrix-js-sdk";
import { consentType, policyType, text } from "@/features/chat/engine/content";
import type { I18n } from "@/i18n";
import type { Someone } from "@/i18n/dictionary";

/** A state event in words, or null where it says nothing to people. Who reads it is told of what they did themselves as such. */
export function systemLine(event: MatrixEvent, me: string, nameOf: (userId: string) => string, i18n: I18n): string | null {
    const { t } = i18n;
    const one = (userId: string, then = ""): Someone => ({ name: then || nameOf(userId), own: userId === me });
    const sender = event.getSender() ?? "";
    const content = event.getContent();
    const before = event.getPrevContent();
    switch (event.getType()) {
        case "m.room.create":
            return t("chat.sys_created", one(sender));
        case "m.room.name": {
            const to = text(content["name"]);
            return to ? t("chat.sys_room_name", one(sender), to) : null;
        }
        case "m.room.topic":
            return t("chat.sys_topic", one(sender));
        case "m.room.avatar":
            return t("chat.sys_room_avatar", one(sender));
        case policyType:
            return t(content["ai"] === "forbidden" ? "chat.sys_ai_forbidden" : "chat.sys_ai_allowed", one(sender));
        case consentType: {
            const destination = content["destination"] as { kind?: unknown; name?: unknown } | undefined;
            const where = destination?.kind === "provider" ? text(destination.name) : t("ai.panel_here");
            if (content["agreed"] === true) return t("chat.sys_agreed", one(sender), where);
            return t("chat.sys_withdrew", one(sender));
        }
        case "m.room.member": {
            const who = event.getStateKey() ?? "";
            const membership = content["membership"];
            const previous = before["membership"];
            if (membership === "invite") return t("chat.sys_invited", one(sender), one(who));
            if (membership === "ban") return t("chat.sys_banned", one(sender), one(who));
            if (membership === "join") {
                if (previous !== "join") return t("chat.sys_joined", one(who, text(content["displayname"])));
                if (content["displayname"] !== before["displayname"] && text(content["displayname"]))
                    // A first name is none that changed: a new account gets it a moment after it came in.
                    return text(before["displayname"]) ? t("chat.sys_renamed", one(who, text(before["displayname"])), text(content["displayname"])) : null;
                if (content["avatar_url"] !== before["avatar_url"]) return t("chat.sys_avatar", one(who));
                return null;
            }
            if (membership === "leave") {
                if (previous === "ban") return t("chat.sys_unbanned", one(sender), one(who));
                if (sender !== who) return t("chat.sys_kicked", one(sender), one(who, text(before["displayname"])));
                if (previous === "invite") return t("chat.sys_declined", one(who, text(before["displayname"])));
                return t("chat.sys_left", one(who, text(before["displayname"])));
            }
            return null;
        }
        default:
            return null;
    }
}
