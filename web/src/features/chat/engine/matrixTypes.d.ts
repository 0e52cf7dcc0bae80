import "matrix-js-sdk";

/** Our own types of events, for the SDK's typed methods. */
declare module "matrix-js-sdk/lib/@types/event" {
    interface AccountDataEvents {
        "im.lingxi.settings": Record<string, unknown>;
        "im.lingxi.remarks": Record<string, string>;
    }
    interface RoomAccountDataEvents {
        "im.lingxi.draft": { [key: string]: unknown; text: string; at_ms: number };
    }
    interface StateEvents {
        "im.lingxi.consent": Record<string, unknown>;
        "im.lingxi.ai_policy": { ai: "allowed" | "forbidden" };
    }
}
