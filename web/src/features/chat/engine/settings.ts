import { ClientEvent, type MatrixClient, type MatrixEvent } from "matrix-js-sdk";
import { AccountRecord } from "@/features/chat/engine/accountRecord";
import { isLanguage, type Language } from "@/i18n";
import type { Store } from "@/lib/store";

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
    private readonly settingsRecord: AccountRecord<Settings>;
    private readonly remarksRecord: AccountRecord<Readonly<Record<string, string>>>;
    readonly settings: Store<Settings>;
    readonly remarks: Store<Readonly<Record<string, string>>>;
    /** False until the account's own were read: until then nothing of this device is overwritten by defaults. */
    loaded = false;

    constructor(private readonly client: MatrixClient) {
        // Only what was set: an absent language means "as the device".
        this.settingsRecord = new AccountRecord(client, settingsType, readSettings, (settings) => Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null)));
        this.remarksRecord = new AccountRecord(client, remarksType, readRemarks, (remarks) => remarks);
        this.settings = this.settingsRecord.store;
        this.remarks = this.remarksRecord.store;
        client.on(ClientEvent.AccountData, (event: MatrixEvent) => this.take(event.getType(), event.getContent()));
    }

    /** How many changes of the settings are on their way. */
    get saving(): number {
        return this.settingsRecord.saving;
    }

    refresh(): void {
        this.loaded = true;
        for (const type of [settingsType, remarksType] as const) {
            const event = this.client.getAccountData(type);
            if (event) this.take(type, event.getContent());
        }
    }

    change(change: Partial<Settings>): Promise<void> {
        return this.settingsRecord.change((last) => ({ ...last, ...change }));
    }

    /** Since when a model is asked by itself in a chat; null: it is not. Of other chats only what the server has goes with it. */
    setAutoSuggest(roomId: string, sinceMs: number | null): Promise<void> {
        return this.settingsRecord.change((last) => {
            const { [roomId]: _former, ...others } = last.auto_suggest_since_ms;
            return { ...last, auto_suggest_since_ms: sinceMs === null ? others : { ...others, [roomId]: sinceMs } };
        });
    }

    setRemark(userId: string, name: string): Promise<void> {
        return this.remarksRecord.change(({ [userId]: _former, ...others }) => (name.trim() ? { ...others, [userId]: name.trim() } : others));
    }

    private take(type: string, content: Record<string, unknown>): void {
        if (type === settingsType) this.settingsRecord.take(content);
        if (type === remarksType) this.remarksRecord.take(content);
    }
}
