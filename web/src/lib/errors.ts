import type { I18n } from "@/i18n";

/** What a Matrix-shaped surface answered instead of what was asked for; `errcode` is what one quotes. */
export class ApiError extends Error {
    constructor(
        readonly status: number,
        readonly errcode: string,
        message: string,
        readonly data: Record<string, unknown> = {},
    ) {
        super(message);
    }
    get retryAfterMs(): number | null {
        const value = this.data["retry_after_ms"];
        return typeof value === "number" ? value : null;
    }
}

/** The server could not be reached at all. */
export class NetworkError extends Error {}

export function isAborted(error: unknown): boolean {
    return error instanceof DOMException && error.name === "AbortError";
}

/** The SDK's errors carry the same fields as ours. */
export function errcodeOf(error: unknown): string {
    if (error && typeof error === "object" && "errcode" in error && typeof error.errcode === "string") return error.errcode;
    if (error instanceof NetworkError || (error instanceof Error && error.name === "ConnectionError")) return "NETWORK";
    return "CLIENT";
}

export function statusOf(error: unknown): number {
    if (error instanceof ApiError) return error.status;
    if (error && typeof error === "object" && "httpStatus" in error && typeof error.httpStatus === "number") return error.httpStatus;
    return 0;
}

/** An error in words: what happened and what to do next. */
export function errorWords(error: unknown, i18n: I18n): string {
    const { t } = i18n;
    switch (errcodeOf(error)) {
        case "NETWORK":
            return t("error.network");
        case "M_LIMIT_EXCEEDED":
            return t("error.rate");
        case "M_FORBIDDEN":
            return t("error.forbidden");
        case "M_NOT_FOUND":
            return t("error.not_found");
        case "M_TOO_LARGE":
            return t("error.too_large");
        case "M_UNKNOWN_TOKEN":
        case "M_MISSING_TOKEN":
            return t("error.session");
        case "M_WEAK_PASSWORD":
            return t("setup.weak");
        case "M_INVALID_USERNAME":
        case "M_EXCLUSIVE":
            return t("setup.bad_user");
        case "M_USER_IN_USE":
            return t("invite.taken");
        case "WRONG_PASSWORD":
            return t("me.password_wrong");
        case "IM.LINGXI.LAST_ADMIN":
            return t("admin.last_admin");
        case "IM.LINGXI.MODEL_NAME_TAKEN":
            return t("admin.model_name_taken");
        case "IM.LINGXI.MODEL_NAME_OF_ANOTHER_HOST":
            return t("admin.model_name_of_another_host");
        case "IM.LINGXI.FORGED_LABEL":
            return t("error.forged_label");
        case "M_USER_DEACTIVATED":
            return t("login.deactivated");
        default:
            return t("error.server");
    }
}
