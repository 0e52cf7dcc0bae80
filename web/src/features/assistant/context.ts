import { createContext, useContext, useEffect } from "react";
import type { Room } from "matrix-js-sdk";
import { askedFor, consentMarks, consentOf, hasAgreed, isInForce, isWaitedFor, type Place, type Purpose } from "@/features/assistant/consent";
import type { Assistant } from "@/features/assistant/assistant";
import type { Problem } from "@/features/assistant/assistant";
import { policyType } from "@/features/chat/engine/content";
import { useEngine, useOutbox, useRoomState } from "@/features/chat/engine/context";
import type { I18n } from "@/i18n";
import { online } from "@/lib/online";
import { useStore } from "@/lib/store";

export const AssistantContext = createContext<Assistant | null>(null);

export function useAssistant(): Assistant {
    const assistant = useContext(AssistantContext);
    if (!assistant) throw new Error("AssistantContext is missing");
    return assistant;
}

/** Whether the assistant is on for me and for the server. */
export function useAiOn(): boolean {
    const settings = useStore(useEngine().account.settings);
    const serverOn = useStore(useAssistant().serverOn);
    return settings.ai_enabled && serverOn;
}

/** Whether anything of the assistant is shown in this chat: for me, for the chat, for the server. */
export function useAiVisible(room: Room): boolean {
    const on = useAiOn();
    useRoomState(room);
    return on && room.currentState.getStateEvents(policyType, "")?.getContent()["ai"] !== "forbidden";
}

/** Tells of a person whether their agreement in this chat is in force; null until that is known. `wanted`: whether it matters now. */
export function useInForce(room: Room, wanted = true): (userId: string) => boolean | null {
    const assistant = useAssistant();
    const { me } = useEngine();
    useRoomState(room);
    const inForce = useStore(assistant.inForce.of(room.roomId));
    const reachable = useStore(online);
    const marks = consentMarks(room, me);
    const isOld = inForce?.marks !== marks;
    useEffect(() => {
        if (wanted && isOld && reachable) return assistant.followConsents(room);
        return undefined;
    }, [assistant, room, marks, isOld, reachable, wanted]);
    return (userId) => isInForce(room, userId, me, inForce);
}

/** Whether all whose agreement a call was refused for have given it since. */
export function useHaveAgreed(room: Room, problem: Problem | null, purpose: Purpose): boolean {
    const wanting = problem?.kind === "consent" && problem.users.length > 0 ? problem : null;
    const stands = useInForce(room, wanting !== null);
    const place = wanting?.place;
    return !!place && wanting.users.every((userId) => hasAgreed(consentOf(room, userId), place, purpose, stands(userId)));
}

/** Whether the answer to a card of mine is waited for: of those who have to agree, for the place that they were asked for. */
export function useWaitedFor(room: Room, place: Place | null, users: readonly string[]): boolean {
    const { me } = useEngine();
    const outgoing = useOutbox().filter((item) => item.roomId === room.roomId);
    const stands = useInForce(room, place !== null);
    return !!place && isWaitedFor(room, askedFor(room, me, outgoing, place), users, stands);
}

const shownPeople = 2;
const shownName = 14;

/** Names in a row; of many people the first. */
export function people(names: readonly string[], { t, formats }: I18n): string {
    return formats.list(names.length > shownPeople ? [...names.slice(0, shownPeople - 1), t("ai.more_people", names.length - shownPeople + 1)] : names);
}

/** A name for a narrow place: of a long one its first words. */
export function shortName(name: string): string {
    const letters = [...name];
    if (letters.length <= shownName) return name;
    const begin = letters.slice(0, shownName - 1).join("");
    return `${begin.replace(/\s+\S*$/, "") || begin}…`;
}

/** The one line that stands where the answer would be. */
export function problemWords(problem: Problem, i18n: I18n, isAdmin: boolean, names: (userId: string) => string): string {
    const { t } = i18n;
    switch (problem.kind) {
        case "no_model":
            return t(isAdmin ? "ai.no_model_admin" : "ai.no_model");
        case "no_answer":
            return t("ai.no_answer");
        case "offline":
            return t("error.network");
        case "budget":
            return t("ai.budget", problem.resetsAtMs === null ? "" : i18n.formats.full(problem.resetsAtMs));
        case "late":
            return t("ai.late");
        case "off":
            return t("ai.is_off");
        case "forbidden":
            return t("ai.forbidden");
        case "nothing":
            return t("ai.nothing");
        case "changed":
            return t("ai.changed");
        case "forwarded":
            return t("ai.forwarded");
        case "too_often":
            return t("error.rate");
        case "too_long":
            return t("ai.too_long");
        case "gone":
            return t("error.not_found");
        case "not_here":
            return t("error.forbidden");
        case "no_words":
            return t("ai.no_words");
        case "server":
            return t("error.server");
        case "signed_out":
            return t("error.session");
        case "consent":
            return t("ai.needs_consent", i18n.list(problem.users.map(names)));
        case "stopped":
            return t("ai.stopped");
        case "moved_on":
            return t("ai.moved_on");
        case "cut":
            return t("ai.cut");
        case "failed":
            return t("ai.failed");
    }
}
