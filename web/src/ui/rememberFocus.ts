const focusable = "button:not(:disabled), a[href], input:not(:disabled), select:not(:disabled), textarea:not(:disabled), [tabindex]";

/** What has the focus; for an entry of a menu, which goes with its menu, what the menu belongs to. */
function holder(): Element | null {
    const active = document.activeElement;
    const menu = active?.closest("[role=menu]");
    if (!menu) return active;
    const trigger = document.getElementById(menu.getAttribute("aria-labelledby") ?? "");
    // A trigger that Tab passes over belongs to something that takes the keys in its stead, as a message does.
    return trigger && trigger.tabIndex < 0 ? (trigger.parentElement?.closest("[tabindex]") ?? trigger) : trigger;
}

/** Of what opened last and has not given the focus back yet. */
let lastPlace: HTMLElement[] = [];

/**
 * Called when something opens over the page; what it answers is called when that has closed, and gives the focus back
 * to what had it. Where that is gone meanwhile (an entry that was deleted), what is left of its place gets the focus,
 * so that the keys do not start again at the top of the page.
 */
export function rememberFocus(): () => void {
    const place: HTMLElement[] = [];
    for (let at = holder(); at && at !== document.body && at.id !== "root"; at = at.parentElement) if (at instanceof HTMLElement) place.push(at);
    // Over another dialog, or in its stead: that one may be gone by then, and what was below it is not.
    if (place.length === 0 || place.some((one) => one.matches("[role=dialog]"))) place.push(...lastPlace);
    lastPlace = place;
    return () => {
        if (lastPlace === place) lastPlace = [];
        const active = document.activeElement;
        if (active && active !== document.body) return; // what was chosen has taken it
        const left = place.find((one) => one.isConnected && one.offsetHeight > 0 && !one.matches(":disabled"));
        const inside = !left || left === place[0] || left.matches("ul, ol, [tabindex]") ? null : left.querySelector<HTMLElement>(focusable);
        if (left && !inside && !left.matches(focusable)) left.tabIndex = -1;
        (inside ?? left)?.focus({ preventScroll: true });
    };
}
