/** A random id that needs no secure context (`crypto.randomUUID` does). */
export function randomId(bytes = 12): string {
    const random = crypto.getRandomValues(new Uint8Array(bytes));
    return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
