import { useCallback, useEffect, useState, type ComponentType } from "react";
import { mount } from "@/entries/mount";
import { LoginPage } from "@/features/identity/LoginPage";
import { currentSession, type Session } from "@/session/sessions";
import { LoadingPage } from "@/ui/parts";
import { Toasts } from "@/ui/toast";

const loadChatApp = () => import("@/features/chat/ChatApp");

/** `/login#token=…`: a one-use link; its secret leaves the address bar at once. */
function takeLoginToken(): string | null {
    const match = /^#token=(.+)$/.exec(location.hash);
    if (!match?.[1]) return null;
    history.replaceState(null, "", "/");
    return decodeURIComponent(match[1]);
}

// Pages of their own; where a server answers every path with index.html, it is sent on from here.
const pages = ["/setup", "/invite", "/reset"];
const away = pages.includes(location.pathname);
if (away) location.replace(`${location.pathname}.html${location.hash}`);

const loginToken = takeLoginToken();

interface ChatAppProps {
    session: Session;
    onEnded(expected: boolean): void;
}

/** Not `lazy`: what a Suspense waits for is held back for 300 ms after its fallback was drawn, at every start. */
function SignedIn(props: ChatAppProps) {
    const [loaded, setLoaded] = useState<{ ChatApp: ComponentType<ChatAppProps> } | { error: unknown } | null>(null);
    useEffect(() => {
        loadChatApp().then(
            (module) => setLoaded({ ChatApp: module.default }),
            (error: unknown) => setLoaded({ error }),
        );
    }, []);
    if (!loaded) return <LoadingPage />;
    if ("error" in loaded) throw loaded.error;
    return <loaded.ChatApp {...props} />;
}

function App() {
    // Opening a sign-in link means wanting that account, whoever else is signed in here.
    const [session, setSession] = useState<Session | null>(() => (loginToken ? null : currentSession()));
    const [ended, setEnded] = useState(false);

    useEffect(() => {
        if (!session) loadChatApp().catch(() => undefined); // fetched while the person types
    }, [session]);
    const onEnded = useCallback((expected: boolean) => {
        setEnded(!expected);
        setSession(null);
    }, []);

    return (
        <>
            {session ? (
                <SignedIn key={session.userId + session.deviceId} session={session} onEnded={onEnded} />
            ) : (
                <LoginPage
                    linkToken={loginToken}
                    ended={ended}
                    onSession={(next) => {
                        if (location.pathname !== "/") history.replaceState(null, "", "/");
                        setSession(next);
                    }}
                />
            )}
            <Toasts />
        </>
    );
}

if (!away) mount(<App />);
