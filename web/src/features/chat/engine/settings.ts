import { ClientEvent, type MatrixClient, type MatrixEvent } from "matrix-js-sdk";
import { isLanguage, type Language } from "@/i18n";
import { Store } from "@/lib/store";

export interface Settings {
    language: Language | null;
    time_zone: string | null;
    enter_sends: boolean;
    ai_enabled: boolean;
    /** The chats in which a model is asked by itself: since the message of that time. */
    auto_suggest_since_ms: Readonly<Record<string, number>>;
}

const settingsType = "im.lingxi.settings" as const;
const remarksType = "im.lingxi.remarks" as const;

export const defaultSettings: Settings = { language: null, time_zone: null, enter_sends: true, ai_enabled: true, auto_suggest_since_ms: {} };

export function readSettings(content: Record<string, unknown>): Settings {
    const { language, time_zone, enter_sends, ai_enabled, auto_suggest_since_ms } = content;
    return {
        language: isLanguage(language) ? language : null,
        time_zone: typeof time_zone === "string" ? time_zone : null,
        enter_sends: enter_sends !== false,
        ai_enabled: ai_enabled !== false,
        auto_suggest_since_ms: Object.fromEntries(Object.entries(auto_suggest_since_ms ?? {}).filter((entry): entry is [string, number] => typeof entry[1] === "number")),
    };
}

function readRemarks(content: Record<string, unknown>): Readonly<Record<string, string>> {
    return Object.fromEntries(Object.entries(content).filter((entry): entry is [string, string] => typeof entry[1] === "string" && entry[1] !== ""));
}

/** What the person set, kept with the account so that every device has it. */
export class AccountSettings {
    readonly settings = new Store<Settings>(defaultSettings);
    readonly remarks = new Store<Readonly<Record<string, string>>>({});
    /** False until the account's own were read: until then nothing of this device is overwritten by defaults. */
    loaded = false;
    /** How many changes are on their way: until they are there, the server knows less than this tab. */
    saving = 0;

    constructor(private readonly client: MatrixClient) {
        client.on(ClientEvent.AccountData, (event: MatrixEvent) => this.take(event.getType(), event.getContent()));
    }

    refresh(): void {
        this.loaded = true;
        for (const type of [settingsType, remarksType] as const) {
            const event = this.client.getAccountData(type);
            if (event) this.take(type, event.getContent());
        }
    }

    async change(change: Partial<Settings>): Promise<void> {
        const next = { ...this.settings.get(), ...change };
        const before = this.settings.get();
        this.settings.set(next);
        this.saving += 1;
        try {
            // Only what was set: an absent language means "as the device".
            const stored = Object.fromEntries(Object.entries(next).filter(([, value]) => value !== null));
            await this.client.setAccountDataRaw(settingsType, stored);
        } catch (error) {
            this.settings.set(before);
            throw error;
        } finally {
            this.saving -= 1;
        }
    }

    async setRemark(userId: string, name: string): Promise<void> {
        const next = { ...this.remarks.get() };
        if (name.trim()) next[userId] = name.trim();
        else delete next[userId];
        this.remarks.set(next);
        await this.client.setAccountDataRaw(remarksType, next);
    }

    private take(type: string, content: Record<string, unknown>): void {
        if (type === settingsType) this.settings.set(readSettings(content));
        if (type === remarksType) this.remarks.set(readRemarks(content));
    }
}
