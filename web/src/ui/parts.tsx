import * as RadixDialog from "@radix-ui/react-dialog";
import * as RadixSwitch from "@radix-ui/react-switch";
import { Eye, EyeOff, Search, X } from "lucide-react";
import { useEffect, useId, useRef, useState, type ComponentProps, type FormEvent, type InputHTMLAttributes, type ReactNode } from "react";
import { useI18n } from "@/i18n";
import { errcodeOf, errorWords } from "@/lib/errors";
import { useLate } from "@/lib/hooks";
import { rememberFocus } from "@/ui/rememberFocus";

export function IconButton({
    label,
    className = "",
    children,
    ...rest
}: { label: string; className?: string; children: ReactNode } & React.ButtonHTMLAttributes<HTMLButtonElement>) {
    return (
        <button type="button" className={`icon-button ${className}`} aria-label={label} title={label} {...rest}>
            {children}
        </button>
    );
}

export function Field({
    label,
    hint,
    error,
    ...rest
}: { label: string; hint?: ReactNode; error?: string | null } & InputHTMLAttributes<HTMLInputElement>) {
    const id = useId();
    const hintId = `${id}-hint`;
    const checked = useOwnWords(rest.value);
    return (
        <div className="field">
            <label htmlFor={id}>{label}</label>
            {rest.type === "password" ? (
                <PasswordInput id={id} describedBy={hint || error ? hintId : undefined} invalid={!!error} {...checked} {...rest} />
            ) : (
                <input id={id} className="input" aria-describedby={hint || error ? hintId : undefined} aria-invalid={error ? true : undefined} {...checked} {...rest} />
            )}
            {(error || hint) && (
                <span id={hintId} className="hint" style={error ? { color: "var(--danger)" } : undefined}>
                    {error || hint}
                </span>
            )}
        </div>
    );
}

/** What the browser says of a field that it will not send is in the browser's language; here it is in the page's. */
function useOwnWords(value: unknown) {
    const { t } = useI18n();
    const field = useRef<HTMLInputElement>(null);
    // Also where it was filled in for the person: words that stayed would hold the form back.
    useEffect(() => field.current?.setCustomValidity(""), [value]);
    return {
        ref: field,
        onInvalid: ({ currentTarget }: FormEvent<HTMLInputElement>) => {
            const { valueMissing, tooShort } = currentTarget.validity;
            currentTarget.setCustomValidity(valueMissing ? t("field.missing") : tooShort ? t("field.short", currentTarget.minLength) : t("field.unfit"));
        },
        onInput: ({ currentTarget }: FormEvent<HTMLInputElement>) => currentTarget.setCustomValidity(""),
    };
}

function PasswordInput({
    describedBy,
    invalid,
    ...rest
}: { describedBy: string | undefined; invalid: boolean } & ComponentProps<"input">) {
    const { t } = useI18n();
    const [shown, setShown] = useState(false);
    return (
        <div className="input-with-button">
            <input className="input" aria-describedby={describedBy} aria-invalid={invalid || undefined} {...rest} type={shown ? "text" : "password"} />
            <IconButton label={t("common.show_password")} aria-pressed={shown} onClick={() => setShown(!shown)}>
                {shown ? <EyeOff size={18} /> : <Eye size={18} />}
            </IconButton>
        </div>
    );
}

export function SearchField({ label, value, onChange, ...rest }: { label: string; value: string; onChange(value: string): void } & Omit<InputHTMLAttributes<HTMLInputElement>, "onChange" | "value">) {
    return (
        <div className="search">
            <Search size={18} aria-hidden="true" />
            <input type="search" className="input" aria-label={label} placeholder={label} value={value} onChange={(event) => onChange(event.target.value)} {...rest} />
        </div>
    );
}

export function SwitchRow({ label, hint, checked, disabled, onChange }: { label: string; hint?: ReactNode; checked: boolean; disabled?: boolean; onChange(checked: boolean): void }) {
    const id = useId();
    return (
        <div className="switch-row">
            <div className="grow">
                <label htmlFor={id}>{label}</label>
                {hint && (
                    <div className="small quiet" id={`${id}-hint`}>
                        {hint}
                    </div>
                )}
            </div>
            <RadixSwitch.Root id={id} className="switch" checked={checked} disabled={disabled ?? false} onCheckedChange={onChange} aria-describedby={hint ? `${id}-hint` : undefined}>
                <RadixSwitch.Thumb className="switch-thumb" />
            </RadixSwitch.Root>
        </div>
    );
}

/** `top` is for what grows and shrinks while one types: its upper edge stays where it is. */
export function Dialog({ title, wide, top, hideTitle, className = "", children, onClose }: { title: string; wide?: boolean; top?: boolean; hideTitle?: boolean; className?: string; children: ReactNode; onClose(): void }) {
    const { t } = useI18n();
    // While it is drawn for the first time, before anything in it takes the focus.
    const [giveFocusBack] = useState(rememberFocus);
    return (
        <RadixDialog.Root open onOpenChange={(open) => !open && onClose()}>
            <RadixDialog.Portal>
                <RadixDialog.Overlay className="scrim" />
                <RadixDialog.Content
                    className={`dialog ${wide ? "wide" : ""} ${top ? "top" : ""} ${className}`}
                    aria-describedby={undefined}
                    onCloseAutoFocus={(event) => {
                        event.preventDefault();
                        giveFocusBack();
                    }}
                >
                    <div className={hideTitle ? "visually-hidden" : "dialog-head"}>
                        <RadixDialog.Title>{title}</RadixDialog.Title>
                        {!hideTitle && (
                            <RadixDialog.Close asChild>
                                <IconButton label={t("common.close")}>
                                    <X size={20} />
                                </IconButton>
                            </RadixDialog.Close>
                        )}
                    </div>
                    {children}
                </RadixDialog.Content>
            </RadixDialog.Portal>
        </RadixDialog.Root>
    );
}

/** A question with two answers. `onYes` may take its time; what fails is shown in place. */
export function Confirm({ text, yes, danger, children, onYes, onClose }: { text: string; yes: string; danger?: boolean; children?: ReactNode; onYes(): Promise<unknown> | void; onClose(): void }) {
    const { t } = useI18n();
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState<unknown>(null);
    const answer = async () => {
        setBusy(true);
        try {
            await onYes();
            onClose();
        } catch (failure) {
            setError(failure);
        } finally {
            setBusy(false);
        }
    };
    return (
        <Dialog title={yes} onClose={onClose}>
            <p>{text}</p>
            {children}
            {error !== null && <ErrorNotice error={error} />}
            <div className="dialog-actions">
                <button type="button" className="button" onClick={onClose}>
                    {t("common.cancel")}
                </button>
                <button type="button" className={`button ${danger ? "danger" : "primary"}`} disabled={busy} onClick={() => void answer()}>
                    {yes}
                </button>
            </div>
        </Dialog>
    );
}

/** What happened, what to do, a code to quote. */
export function ErrorNotice({ error, words, onRetry }: { error: unknown; words?: string; onRetry?: () => void }) {
    const i18n = useI18n();
    return (
        <div className="notice error" role="alert">
            {words ?? errorWords(error, i18n)} <span className="code">{i18n.t("common.code", errcodeOf(error))}</span>
            {onRetry && (
                <button type="button" className="button plain" onClick={onRetry}>
                    {i18n.t("common.retry")}
                </button>
            )}
        </div>
    );
}

/** `whole`: this is all that the page has, so its words are the page's heading. */
export function EmptyState({ icon, title, hint, action, whole }: { icon?: ReactNode; title: string; hint?: string; action?: ReactNode; whole?: boolean }) {
    const Heading = whole ? "h1" : "h2";
    return (
        <div className="state">
            {icon}
            <Heading>{title}</Heading>
            {hint && <p>{hint}</p>}
            {action}
        </div>
    );
}

/** When the last skeleton went: one that follows at once goes on where it stood, without a blink between. */
let skeletonGone_ms = -Infinity;
const sameWait_ms = 400;

export function SkeletonRows({ count = 6 }: { count?: number }) {
    const { t } = useI18n();
    const [goesOn] = useState(() => performance.now() - skeletonGone_ms < sameWait_ms);
    const late = useLate(true) || goesOn;
    useEffect(() => {
        if (!late) return undefined;
        return () => {
            skeletonGone_ms = performance.now();
        };
    }, [late]);
    if (!late) return null;
    return (
        <div role="status" aria-label={t("common.loading")}>
            {Array.from({ length: count }, (_, index) => (
                <div className="skeleton-row" key={index} aria-hidden="true">
                    <div className="skeleton" style={{ width: 44, height: 44, borderRadius: "26%" }} />
                    <div className="grow">
                        <div className="skeleton" style={{ width: `${38 + ((index * 17) % 30)}%`, height: 14, marginBottom: 8 }} />
                        <div className="skeleton" style={{ width: `${60 + ((index * 13) % 30)}%`, height: 12 }} />
                    </div>
                </div>
            ))}
        </div>
    );
}

/** A page whose code or contents are on their way. */
export function LoadingPage() {
    const { t } = useI18n();
    return (
        <main className="page">
            <h1 className="visually-hidden">{t("common.loading")}</h1>
            <SkeletonRows count={8} />
        </main>
    );
}
