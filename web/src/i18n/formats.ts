const dayMs = 86_400_000;
const mostDays = 20_000;

/** Numbers, sizes, dates and relative times by Intl, in one language and zone. */
export class Formats {
    private readonly locale: string;
    private readonly cache = new Map<string, Intl.DateTimeFormat>();
    private readonly days = new Map<number, string>();
    private readonly zone: string;

    constructor(language: "zh" | "en", zone: string) {
        this.locale = language === "zh" ? "zh-CN" : "en-GB";
        this.zone = isTimeZone(zone) ? zone : "UTC";
    }

    private format(at: number, options: Intl.DateTimeFormatOptions): string {
        const key = JSON.stringify(options);
        let format = this.cache.get(key);
        if (!format) {
            format = new Intl.DateTimeFormat(this.locale, { timeZone: this.zone, ...options });
            this.cache.set(key, format);
        }
        return format.format(at);
    }

    /** The calendar day in the zone, as a key that sorts: "2026-11-23". */
    dayKey(at: number): string {
        // Every zone's midnight lies on a quarter of an hour: one look-up a quarter is enough for a long chat.
        const quarter = Math.floor(at / 900_000);
        const known = this.days.get(quarter);
        if (known !== undefined) return known;
        let format = this.cache.get("day-key");
        if (!format) {
            format = new Intl.DateTimeFormat("en-CA", { timeZone: this.zone, year: "numeric", month: "2-digit", day: "2-digit" });
            this.cache.set("day-key", format);
        }
        const day = format.format(at);
        if (this.days.size >= mostDays) this.days.clear();
        this.days.set(quarter, day);
        return day;
    }

    /** How many calendar days before `now`. */
    daysAgo(at: number, now: number): number {
        return Math.round((Date.parse(this.dayKey(now)) - Date.parse(this.dayKey(at))) / dayMs);
    }

    time(at: number): string {
        return this.format(at, { hour: "2-digit", minute: "2-digit", hour12: false });
    }

    /** For a row of a list: the time today, then yesterday, the weekday, the date. */
    short(at: number, now: number, yesterday: string): string {
        const days = this.daysAgo(at, now);
        if (days <= 0) return this.time(at);
        if (days === 1) return yesterday;
        if (days < 7) return this.format(at, { weekday: "short" });
        if (this.dayKey(at).slice(0, 4) === this.dayKey(now).slice(0, 4)) return this.format(at, { month: "numeric", day: "numeric" });
        return this.format(at, { year: "numeric", month: "numeric", day: "numeric" });
    }

    /** For a divider between days. */
    day(at: number, now: number, words: { today: string; yesterday: string }): string {
        const days = this.daysAgo(at, now);
        if (days === 0) return words.today;
        if (days === 1) return words.yesterday;
        const sameYear = this.dayKey(at).slice(0, 4) === this.dayKey(now).slice(0, 4);
        return this.format(at, { month: "long", day: "numeric", weekday: "long", ...(sameYear ? {} : { year: "numeric" }) });
    }

    full(at: number): string {
        return this.format(at, { dateStyle: "medium", timeStyle: "short" });
    }

    relative(at: number, now: number): string {
        const relative = new Intl.RelativeTimeFormat(this.locale, { numeric: "auto" });
        const seconds = Math.round((at - now) / 1000);
        const size = Math.abs(seconds);
        if (size < 60) return this.locale === "zh-CN" ? "刚刚" : "just now"; // Intl has only words of calendars: 此刻, this minute
        if (size < 3600) return relative.format(Math.round(seconds / 60), "minute");
        if (size < 86_400) return relative.format(Math.round(seconds / 3600), "hour");
        if (size < 30 * 86_400) return relative.format(Math.round(seconds / 86_400), "day");
        return this.full(at);
    }

    number(value: number): string {
        return new Intl.NumberFormat(this.locale).format(value);
    }

    percent(share: number): string {
        return new Intl.NumberFormat(this.locale, { style: "percent" }).format(share);
    }

    bytes(count: number): string {
        const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
        let value = count;
        let unit = 0;
        while (value >= 1000 && unit < units.length - 1) {
            value /= 1000;
            unit += 1;
        }
        return new Intl.NumberFormat(this.locale, {
            style: "unit",
            unit: units[unit] ?? "byte",
            unitDisplay: unit === 0 ? "long" : "short",
            maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0,
        }).format(value);
    }

    /** Every currency with its name, `kept` among them whatever it is. */
    currencies(kept: string): { code: string; words: string }[] {
        const names = new Intl.DisplayNames(this.locale, { type: "currency", fallback: "none" });
        const nameOf = (code: string) => {
            try {
                return names.of(code);
            } catch {
                return undefined; // none that is shaped so
            }
        };
        const codes = new Set([kept, ...(Intl.supportedValuesOf?.("currency") ?? ["CNY", "EUR", "USD"])]);
        return [...codes].sort().map((code) => ({ code, words: [code, nameOf(code)].filter(Boolean).join(" · ") }));
    }

    /** Millionths of a currency unit; more digits where the amount is small. */
    money(micros: number, currency: string): string {
        const value = micros / 1e6;
        try {
            return new Intl.NumberFormat(this.locale, {
                style: "currency",
                currency,
                maximumFractionDigits: value !== 0 && Math.abs(value) < 0.1 ? 6 : 2,
            }).format(value);
        } catch {
            return `${value} ${currency}`; // a currency that Intl does not know
        }
    }

    list(names: readonly string[]): string {
        return new Intl.ListFormat(this.locale, { type: "conjunction", style: "short" }).format(names);
    }

    language(code: string): string {
        return new Intl.DisplayNames(this.locale, { type: "language" }).of(code) ?? code;
    }
}

export function isTimeZone(zone: string): boolean {
    try {
        Intl.DateTimeFormat("en", { timeZone: zone });
        return true;
    } catch {
        return false;
    }
}
