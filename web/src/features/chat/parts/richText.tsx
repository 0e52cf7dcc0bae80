import { Fragment, type ReactNode } from "react";

const link = /https?:\/\/[^\s<>"'，。；：！？、（）《》「」]+/g;

/** Text as it is, with addresses as links. Nothing of a message is ever taken as HTML. */
export function richText(text: string): ReactNode {
    const parts: ReactNode[] = [];
    let end = 0;
    for (const match of text.matchAll(link)) {
        const address = match[0].replace(/[.,;:!?)\]]+$/, "");
        parts.push(text.slice(end, match.index));
        parts.push(
            <a key={match.index} href={address} target="_blank" rel="noopener noreferrer nofollow">
                {address}
            </a>,
        );
        end = match.index + address.length;
    }
    parts.push(text.slice(end));
    return parts.map((part, index) => <Fragment key={index}>{part}</Fragment>);
}
