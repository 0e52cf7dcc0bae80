/** FNV-1a, 32 bits: the same everywhere and always, which is all that a colour needs. */
export function hash32(text: string): number {
    let hash = 0x811c9dc5;
    for (let i = 0; i < text.length; i += 1) {
        hash ^= text.charCodeAt(i);
        hash = Math.imul(hash, 0x01000193);
    }
    return hash >>> 0;
}

/** How many avatar colours tokens.css has. */
export const avatar_colours = 10;

export function avatarColour(id: string): number {
    return hash32(id) % avatar_colours;
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const han = /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}/u;

/** What stands in an avatar without picture: the last two characters of a Chinese name (as one calls the person), otherwise initials. */
export function initials(name: string): string {
    const clean = name.trim().replace(/^[@#]/, "");
    const characters = [...segmenter.segment(clean)].map((part) => part.segment).filter((part) => part.trim() !== "");
    const ideographs = characters.filter((part) => han.test(part));
    if (ideographs.length > 0) return ideographs.slice(-2).join("");
    const words = clean.split(/[\s._-]+/).filter(Boolean);
    const first = (word: string | undefined) => (word ? ([...segmenter.segment(word)][0]?.segment ?? "") : "");
    if (words.length === 0) return "?";
    return (first(words[0]) + (words.length > 1 ? first(words.at(-1)) : "")).toUpperCase();
}
