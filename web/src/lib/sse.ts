export interface ServerEvent {
    event: string;
    data: string;
}

const limit_chars = 1_000_000;

/**
 * Reads `text/event-stream` as it comes, in any cutting: LF, CR and CRLF line ends, comments, several data
 * lines an event. An event without its closing blank line is not one.
 */
export class SseParser {
    private rest = "";
    private event = "";
    private data: string[] = [];
    private size = 0;

    push(chunk: string): ServerEvent[] {
        const events: ServerEvent[] = [];
        let text = this.rest + chunk;
        // A CR at the very end may be the first half of CRLF.
        let held = "";
        if (text.endsWith("\r")) {
            text = text.slice(0, -1);
            held = "\r";
        }
        const lines = text.split(/\r\n|\n|\r/);
        this.rest = (lines.pop() ?? "") + held;
        if (this.rest.length > limit_chars) throw new Error("a line of the event stream is too long");
        for (const line of lines) {
            if (line === "") {
                if (this.data.length > 0) events.push({ event: this.event || "message", data: this.data.join("\n") });
                this.event = "";
                this.data = [];
                this.size = 0;
                continue;
            }
            if (line.startsWith(":")) continue;
            const colon = line.indexOf(":");
            const field = colon < 0 ? line : line.slice(0, colon);
            const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
            if (field === "event") this.event = value;
            else if (field === "data") {
                this.size += value.length;
                if (this.size > limit_chars) throw new Error("an event of the stream is too long");
                this.data.push(value);
            }
        }
        return events;
    }
}

/** The events of a response, as they come. */
export async function* readEvents(response: Response): AsyncGenerator<ServerEvent> {
    if (!response.body) return;
    const parser = new SseParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    try {
        for (;;) {
            const { done, value } = await reader.read();
            if (done) return;
            yield* parser.push(value);
        }
    } finally {
        await reader.cancel().catch(() => undefined); // already closed or aborted: nothing is left to do
    }
}
