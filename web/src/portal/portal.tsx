import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useState } from "react";
import { ApiError, whenSignedOut } from "../api/client";
import { sessionQuery } from "../api/queries";
import { session } from "../api/session";
import { Loading, Problem } from "../ui/page";
import type { Why } from "./welcome";

// What is behind the sign-in is loaded after it, and the way to it by those alone who have not gone it.
const Welcome = lazy(async () => ({ default: (await import("./welcome")).Welcome }));
const Frame = lazy(() => import("./frame"));
const SignIn = lazy(async () => ({ default: (await import("../ui/signin")).SignIn }));

// arrived reads once how the browser came here: sent back by the sign-in, with what became of it, or after a sign-out.
function arrived(): Why {
  const query = new URLSearchParams(location.search);
  const why: Why = { error: query.get("error"), signedOut: query.has("signed-out") };
  if (query.has("signed-in")) session.returned();
  if (location.search) history.replaceState(null, "", location.pathname + location.hash); // a reload begins anew
  return why;
}

const first = arrived();

// Portal is where people restore for themselves, and operators for others.
export function Portal() {
  const client = useQueryClient();
  const { data, error, isPending, refetch } = useQuery(sessionQuery);
  const [local, setLocal] = useState(false);
  const [why, setWhy] = useState(first);
  const [leaving, setLeaving] = useState(false);
  useEffect(() => whenSignedOut(() => {
    setWhy({ error: "ended", signedOut: false });
    void client.resetQueries({ queryKey: sessionQuery.queryKey });
    client.removeQueries({ predicate: (q) => q.queryKey[0] !== "session" }); // what the session could see goes with it
  }), [client]);
  // Nothing is asked any more when the session ends: it would be refused.
  useEffect(() => {
    if (!leaving) return;
    const end = async () => {
      await client.cancelQueries();
      await session.end().catch(() => undefined); // the cookie's end is the server's; here everything is forgotten anyway
      location.replace("/portal?signed-out"); // a new page: nothing of what the session could see stays in memory
    };
    void end();
  }, [client, leaving]);
  if (isPending || leaving) return <Loading />;
  if (error && !(error instanceof ApiError && error.status === 401)) return <Problem error={error} onRetry={() => void refetch()} />;
  if (data && !error)
    return (
      <Suspense fallback={<Loading />}>
        <Frame session={data} onLeave={() => setLeaving(true)} />
      </Suspense>
    );
  if (local)
    return (
      <Suspense fallback={<Loading />}>
        <SignIn onDone={(s) => client.setQueryData(sessionQuery.queryKey, s)} onBack={() => setLocal(false)} />
      </Suspense>
    );
  return (
    <Suspense fallback={<Loading />}>
      <Welcome why={why} onLocal={() => setLocal(true)} />
    </Suspense>
  );
}
