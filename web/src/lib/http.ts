import { ApiError, NetworkError } from "@/lib/errors";

export type Json = Record<string, unknown>;
export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

/** The error that a response of 400 and above carries. */
export async function errorOf(response: Response): Promise<ApiError> {
    let data: Json = {};
    try {
        data = (await response.json()) as Json;
    } catch {
        // A proxy's page, or nothing: the status alone has to do.
    }
    const errcode = typeof data["errcode"] === "string" ? data["errcode"] : `HTTP_${response.status}`;
    const message = typeof data["error"] === "string" ? data["error"] : response.statusText;
    return new ApiError(response.status, errcode, message, data);
}

/** `fetch` that tells an unreachable server from an aborted request. */
export async function reach(input: string, init?: RequestInit): Promise<Response> {
    try {
        return await fetch(input, init);
    } catch (error) {
        if (error instanceof DOMException) throw error;
        throw new NetworkError("the server cannot be reached");
    }
}

/** One JSON request; throws ApiError, NetworkError, or the abort. */
export async function request<T = Json>(
    method: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    body?: unknown,
    options: { fetch?: Fetch; signal?: AbortSignal } = {},
): Promise<T> {
    const init: RequestInit = { method };
    if (body !== undefined) {
        init.headers = { "Content-Type": "application/json" };
        init.body = JSON.stringify(body);
    }
    if (options.signal) init.signal = options.signal;
    const response = await (options.fetch ?? reach)(path, init);
    if (!response.ok) throw await errorOf(response);
    if (response.status === 204) return {} as T;
    return (await response.json()) as T;
}
