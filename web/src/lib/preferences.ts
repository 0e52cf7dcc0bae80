import { Store } from "@/lib/store";

export type Theme = "system" | "light" | "dark";

const key = "lingxi.theme";

function stored(): Theme {
    const value = localStorage.getItem(key);
    return value === "light" || value === "dark" ? value : "system";
}

export const theme = new Store<Theme>(stored());

/** The appearance belongs to the device, not to the account. */
export function applyTheme(next: Theme = theme.get()): void {
    theme.set(next);
    if (next === "system") {
        localStorage.removeItem(key);
        delete document.documentElement.dataset["theme"];
    } else {
        localStorage.setItem(key, next);
        document.documentElement.dataset["theme"] = next;
    }
}
