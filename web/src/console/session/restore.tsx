import { ProgressBar } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { client, of } from "../../api/client";
import type { RestoreEvent } from "../../api/queries";
import { useFormat } from "../../ui/format";
import { Loading, Note, Problem } from "../../ui/page";
import { Status } from "../../ui/status";
import { DataTable } from "../../ui/table";
import { useText } from "../../ui/text";

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
  const { t } = useText();
  const f = useFormat();
  const { data, error, isPending } = useRestoreEvents(session);
  if (isPending) return <Loading />;
  if (error) return <Problem error={error} />;
  const restores = data.filter((e) => e.type === "Restore");
  const whole = restores.filter((e) => !e.itemName);
  const items = restores.filter((e) => e.itemName);
  const running = restores.some(runs);
  return (
    <>
      {running && <ProgressBar aria-label={t.restore.running} />}
      {!running && whole.map((e) => (
        <Note key={e.id} intent={e.status === "Failed" ? "error" : e.status === "Warning" ? "warning" : "success"}>
          {e.message || t.status[e.status as "Success"]}
        </Note>
      ))}
      {restores.length === 0 && <p>{t.restore.none}</p>}
      {items.length > 0 && (
        <DataTable
          label={t.restore.results}
          rows={items}
          rowKey={(e) => e.id}
          columns={[
            { key: "status", title: t.session.result, render: (e) => <Status value={e.status} />, sort: (e) => e.status },
            { key: "item", title: t.restore.item, render: (e) => e.itemName, sort: (e) => e.itemName ?? "" },
            { key: "target", title: t.restore.target, render: (e) => e.target, wide: true },
            { key: "message", title: t.session.details, render: (e) => e.message },
          ]}
        />
      )}
      {data.length > restores.length && <p>{t.restore.reads(f.number(data.length - restores.length))}</p>}
    </>
  );
}
