import { makeStyles, ProgressBar, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { client, of } from "../api/client";
import type { RestoreEvent } from "../api/queries";
import { useFormat } from "../ui/format";
import { phone, useMedia } from "../ui/media";
import { countsOf, outcomeOf } from "../ui/outcome";
import { Loading, Note, Problem } from "../ui/page";
import { Status } from "../ui/status";
import { DataTable } from "../ui/table";
import { useText } from "../ui/text";

const useStyles = makeStyles({
  list: { listStyle: "none", margin: 0, padding: 0 },
  item: { padding: "10px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke2}` },
  name: { fontWeight: tokens.fontWeightSemibold, overflowWrap: "anywhere", marginTop: "4px" },
  message: { overflowWrap: "anywhere" },
});

// useRestoreEvents follows what a restore session does until nothing of it runs any more.
export function useRestoreEvents(session: string) {
  return useQuery({
    queryKey: ["restore-events", session],
    queryFn: async ({ signal }) => (await of(client.GET("/v8/RestoreSessions/{restoreSessionId}/Events", { params: { path: { restoreSessionId: session }, query: { limit: 10_000 } }, signal }))).results ?? [],
    refetchInterval: (q) => (q.state.data?.some(runs) ? 1_000 : 5_000),
  });
}

export const runs = (e: RestoreEvent) => e.status === "Running";

// RestoreResult shows what became of each item of a session's restores.
export function RestoreResult({ session }: { session: string }) {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const small = useMedia(phone);
  const { data, error, isPending } = useRestoreEvents(session);
  if (isPending) return <Loading />;
  if (error) return <Problem error={error} />;
  const restores = data.filter((e) => e.type === "Restore");
  const whole = restores.filter((e) => e.itemType); // of a whole request; those of its items have no kind
  const items = restores.filter((e) => !e.itemType);
  const running = restores.some(runs);
  return (
    <>
      {running && <ProgressBar aria-label={t.restore.running} />}
      {!running && whole.map((e) => (
        <Note key={e.id} intent={e.status === "Failed" ? "error" : e.status === "Warning" ? "warning" : "success"}>
          <strong>{e.itemName}</strong>: {(e.status !== "Failed" && countsOf(t, f, e)) || e.message || t.status[e.status as "Success"]}
        </Note>
      ))}
      {restores.length === 0 && <p>{t.restore.none}</p>}
      {items.length > 0 && small && (
        <ul className={s.list} aria-label={t.restore.results}>
          {items.map((e) => (
            <li key={e.id} className={s.item}>
              <Status value={e.status} />
              <div className={s.name}>{e.itemName}</div>
              {e.message && <div className={s.message}>{outcomeOf(t, f, e)}</div>}
            </li>
          ))}
        </ul>
      )}
      {items.length > 0 && !small && (
        <DataTable
          label={t.restore.results}
          rows={items}
          rowKey={(e) => e.id}
          columns={[
            { key: "status", title: t.common.result, render: (e) => <Status value={e.status} />, sort: (e) => e.status },
            { key: "item", title: t.restore.item, render: (e) => e.itemName, sort: (e) => e.itemName ?? "" },
            ...(items.some((e) => e.target) ? [{ key: "target", title: t.restore.target, render: (e: (typeof items)[number]) => e.target, wide: true }] : []),
            { key: "message", title: t.common.details, render: (e) => outcomeOf(t, f, e) },
          ]}
        />
      )}
      {data.length > restores.length && <p>{t.restore.reads(f.number(data.length - restores.length))}</p>}
    </>
  );
}
