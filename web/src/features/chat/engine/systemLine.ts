import type { MatrixEvent } from "matrix-js-sdk";
import { consentType, policyType, text } from "@/features/chat/engine/content";
import type { I18n } from "@/i18n";

/** A state event in words, or null where it says nothing to people. Who reads it is told of what they did themselves as such. */
export function systemLine(event: MatrixEvent, me: string, nameOf: (userId: string) => string, i18n: I18n): string | null {
    const { t } = i18n;
    const name = (userId: string, then = "") => (userId === me ? t("chat.sys_you") : then || nameOf(userId));
    const sender = event.getSender() ?? "";
    const content = event.getContent();
    const before = event.getPrevContent();
    switch (event.getType()) {
        case "m.room.create":
            return t("chat.sys_created", name(sender));
        case "m.room.name": {
            const to = text(content["name"]);
            return to ? t("chat.sys_room_name", name(sender), to) : null;
        }
        case "m.room.topic":
            return t("chat.sys_topic", name(sender));
        case "m.room.avatar":
            return t("chat.sys_room_avatar", name(sender));
        case policyType:
            return t(content["ai"] === "forbidden" ? "chat.sys_ai_forbidden" : "chat.sys_ai_allowed", name(sender));
        case consentType: {
            const destination = content["destination"] as { kind?: unknown; name?: unknown } | undefined;
            const where = destination?.kind === "provider" ? text(destination.name) : t("ai.panel_here");
            if (content["agreed"] === true) return t("chat.sys_agreed", name(sender), where);
            return t("chat.sys_withdrew", name(sender));
        }
        case "m.room.member": {
            const who = event.getStateKey() ?? "";
            const membership = content["membership"];
            const previous = before["membership"];
            if (membership === "invite") return t("chat.sys_invited", name(sender), name(who));
            if (membership === "ban") return t("chat.sys_banned", name(sender), name(who));
            if (membership === "join") {
                if (previous !== "join") return t("chat.sys_joined", name(who, text(content["displayname"])));
                if (content["displayname"] !== before["displayname"] && text(content["displayname"]))
                    // A first name is none that changed: a new account gets it a moment after it came in.
                    return text(before["displayname"]) ? t("chat.sys_renamed", name(who, text(before["displayname"])), text(content["displayname"])) : null;
                if (content["avatar_url"] !== before["avatar_url"]) return t("chat.sys_avatar", name(who));
                return null;
            }
            if (membership === "leave") {
                if (previous === "ban") return t("chat.sys_unbanned", name(sender), name(who));
                if (sender !== who) return t("chat.sys_kicked", name(sender), name(who, text(before["displayname"])));
                if (previous === "invite") return t("chat.sys_declined", name(who, text(before["displayname"])));
                return t("chat.sys_left", name(who, text(before["displayname"])));
            }
            return null;
        }
        default:
            return null;
    }
}
