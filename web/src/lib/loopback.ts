/** Whether a host's name means the machine that asks: what has it in its address opens nowhere else. */
export function isLoopback(host: string): boolean {
    return /^(localhost|([^.]+\.)*localhost|127(\.\d{1,3}){3}|\[::1\]|::1)\.?$/i.test(host);
}

/** The host in front of the port, in a URL or a server's name; "" where there is none. */
export function hostOf(address: string): string {
    const url = address.includes("://") ? address : `http://${address}`;
    return URL.canParse(url) ? new URL(url).hostname : "";
}
