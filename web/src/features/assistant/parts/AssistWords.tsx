import { useLayoutEffect, useRef, useState } from "react";

/**
 * What there is to say in the line over the composer. Where not all of it can be read beside the chips, a tap gives it
 * their place, and another gives it back: a finger meets no title. `short` is what stands there in few words.
 */
export function AssistWords({ words, short = words, className }: { words: string; short?: string; className: string }) {
    return (
        <div className={className} role="status" title={words}>
            {className === "visually-hidden" ? words : <Said key={words} words={words} short={short} />}
        </div>
    );
}

function Said({ words, short }: { words: string; short: string }) {
    const [isOpen, setOpen] = useState(false);
    const [isCut, setCut] = useState(false);
    const said = useRef<HTMLSpanElement>(null);
    useLayoutEffect(() => {
        const element = said.current;
        if (isOpen || !element) return undefined;
        const measure = () => setCut(short !== words || element.scrollHeight > element.clientHeight + 2);
        measure();
        const observer = new ResizeObserver(measure);
        observer.observe(element);
        return () => observer.disconnect();
    });
    const text = (
        <span ref={said} className="said">
            {isOpen ? words : short}
        </span>
    );
    if (!isCut) return text;
    return (
        <button type="button" className="read-whole" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {text}
        </button>
    );
}
