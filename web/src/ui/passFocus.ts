/** Gives the focus of a control that goes with its own answer to what it stands in (`place`, a selector), so that the keys go on from there. */
export function passFocus(control: Element, place: string): void {
    if (control.contains(document.activeElement)) control.closest<HTMLElement>(place)?.focus({ preventScroll: true });
}
