import { memo, type CSSProperties } from "react";
import { avatarColour, initials } from "@/lib/colour";
import { useDrawable } from "@/lib/hooks";

interface Props {
    /** What the colour hangs on: a user or room id. */
    id: string;
    name: string;
    /** A picture that is loaded already. */
    url?: string | null;
    size?: number;
}

/** Decoration beside a name, so silent for screen readers. */
export const Avatar = memo(function Avatar({ id, name, url, size = 44 }: Props) {
    const letters = initials(name);
    const picture = useDrawable(url ?? null);
    const style: CSSProperties = {
        width: size,
        height: size,
        background: picture.url ? "transparent" : `var(--avatar-${avatarColour(id)})`,
        fontSize: Math.round(size * (letters.length > 1 ? 0.34 : 0.42)),
    };
    return (
        <span className="avatar" style={style} aria-hidden="true">
            {picture.url ? <img src={picture.url} alt="" draggable={false} onError={picture.onError} /> : letters}
        </span>
    );
});
