import { Button, makeStyles, MessageBar, MessageBarActions, MessageBarBody } from "@fluentui/react-components";
import { Dismiss20Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { client, of } from "../api/client";
import type { Session } from "../api/session";
import { keep, read } from "../ui/settings";
import { useFormat } from "../ui/format";
import { countsOf } from "../ui/outcome";
import { useText } from "../ui/text/portal";

const pageSize = 20;

// restoresQuery is a page of what the caller restored; it is quick while something runs.
export const restoresQuery = (page: number) => ({
  queryKey: ["portal-restores", page],
  queryFn: async ({ signal }: { signal: AbortSignal }) => (await of(client.GET("/holdfast/v1/portal/restores", { params: { query: { offset: page * pageSize, limit: pageSize } }, signal }))).results,
  refetchInterval: (q: { state: { data?: Restore[] | undefined } }) => (q.state.data?.some((r) => r.state === "Running") ? 1_500 : 15_000),
});
export type Restore = Awaited<ReturnType<typeof list>>["results"][number];
const list = () => of(client.GET("/holdfast/v1/portal/restores"));

export const full = (page: Restore[] | undefined) => page?.length === pageSize;

// useRestores gives the newest; who may not restore has none to ask for.
export const useRestores = (session: Session) => useQuery({ ...restoresQuery(0), enabled: mayRestore(session) });

export const mayRestore = (session: Session) => session.portal?.self === true || session.portal?.operator === true;

const useStyles = makeStyles({
  bar: { borderRadius: 0, alignItems: "start" },
  text: { overflowWrap: "anywhere", whiteSpace: "normal", minWidth: 0, padding: "4px 0" },
  link: { marginLeft: "8px", whiteSpace: "nowrap" },
});

const last = (all: Restore[]) => all.reduce((newest, r) => (r.endTime && r.endTime > newest ? r.endTime : newest), "");

// Notices says when a restore has ended, also one that ended while nobody looked. What was seen is remembered for each user as the time of the
// newest end, by the server's clock.
export function Notices({ session, here }: { session: Session; here: string }) {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const { data } = useRestores(session);
  const name = `portal.seen.${session.user.id ?? session.user.name}`;
  const [seen, setSeen] = useState(() => read(name));
  const see = (until: string) => {
    keep(name, until);
    setSeen(until);
  };
  // Before the first time everything is old.
  useEffect(() => {
    if (data && seen === null) see(last(data));
  }); // see() ends it
  const ended = (data ?? []).filter((r) => seen !== null && r.endTime && r.endTime > seen);
  const [one] = ended;
  const bad = ended.some((r) => r.state !== "Success");
  return (
    <div role="status" aria-label={t.portal.notices}>
      {one && (
        <MessageBar className={s.bar} intent={bad ? "warning" : "success"} layout="multiline">
          <MessageBarBody className={s.text}>
            <strong>{ended.length === 1 ? t.portal.ended(one.name) : t.portal.endedMany(ended.length)}</strong> {ended.length === 1 && ((one.state !== "Failed" && countsOf(t, f, one)) || one.message)}
            {here !== "restores" && (
              <a className={s.link} href="#/restores">
                {t.portal.restores}
              </a>
            )}
          </MessageBarBody>
          <MessageBarActions containerAction={<Button appearance="transparent" aria-label={t.portal.dismiss} icon={<Dismiss20Regular />} onClick={() => see(last(ended))} />} />
        </MessageBar>
      )}
    </div>
  );
}
