import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { mount } from "@/entries/mount";
import { LoginPage } from "@/features/identity/LoginPage";
import { currentSession, type Session } from "@/session/sessions";
import { LoadingPage } from "@/ui/parts";
import { Toasts } from "@/ui/toast";

const ChatApp = lazy(() => import("@/features/chat/ChatApp"));

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

function App() {
    // Opening a sign-in link means wanting that account, whoever else is signed in here.
    const [session, setSession] = useState<Session | null>(() => (loginToken ? null : currentSession()));
    const [ended, setEnded] = useState(false);

    useEffect(() => {
        if (!session) void import("@/features/chat/ChatApp"); // fetched while the person types
    }, [session]);
    const onEnded = useCallback((expected: boolean) => {
        setEnded(!expected);
        setSession(null);
    }, []);

    return (
        <>
            {session ? (
                <Suspense fallback={<LoadingPage />}>
                    <ChatApp key={session.userId + session.deviceId} session={session} onEnded={onEnded} />
                </Suspense>
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
