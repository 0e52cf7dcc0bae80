import { usePicture } from "@/features/chat/engine/media";
import { Avatar } from "@/ui/Avatar";

const picture_px = 96;

/** An avatar whose picture lies on the server. */
export function RemoteAvatar({ id, name, mxc, size = 44 }: { id: string; name: string; mxc: string | null | undefined; size?: number }) {
    const picture = usePicture(mxc, { width: picture_px, height: picture_px, crop: true });
    return <Avatar id={id} name={name} url={picture.url} size={size} />;
}
