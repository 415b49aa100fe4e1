import { Button, ProgressBar, Select } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { client, of } from "../../api/client";
import type { Basket } from "../../explorer/basket";
import { useFormat } from "../../ui/format";
import { outcomeOf } from "../../ui/outcome";
import { Loading, Note, Problem } from "../../ui/page";
import { Panel } from "../../ui/panel";
import { Status } from "../../ui/status";
import { DataTable } from "../../ui/table";
import { useText } from "../../ui/text/console";

// Runs shows what became of each item in the restores of a basket.
export function Runs({ basket, onClose }: { basket: Basket; onClose: () => void }) {
  const { t } = useText();
  const f = useFormat();
  const [run, setRun] = useState(basket.runs[0]?.id ?? "");
  const { data, error, isPending } = useQuery({
    queryKey: ["basket-run", basket.id, run],
    enabled: run !== "",
    queryFn: ({ signal }) => of(client.GET("/holdfast/v1/Baskets/{basketId}/Runs/{runId}", { params: { path: { basketId: basket.id, runId: run }, query: { limit: 10_000 } }, signal })),
    refetchInterval: (q) => (q.state.data?.status === "Running" || !q.state.data ? 1_000 : false),
  });
  return (
    <Panel size="large" title={t.restore.results} onClose={onClose} footer={<Button onClick={onClose}>{t.common.close}</Button>}>
      {basket.runs.length > 1 && (
        <Select aria-label={t.basket.run} value={run} onChange={(_, d) => setRun(d.value)}>
          {basket.runs.map((r) => <option key={r.id} value={r.id}>{f.dateTime(r.started)}</option>)}
        </Select>
      )}
      <Problem error={error} />
      {isPending && run !== "" && <Loading />}
      {data && (
        <>
          {data.status === "Running" ? (
            <ProgressBar aria-label={t.restore.running} />
          ) : (
            <Note intent={data.status === "Failed" ? "error" : data.status === "Warning" ? "warning" : "success"} title={t.status[data.status as "Success"] ?? data.status}>
              {t.basket.runSum(f.number(data.restored), f.number(data.skipped), f.number(data.failed))}
            </Note>
          )}
          {data.results.length > 0 && (
            <DataTable
              label={t.restore.results}
              rows={data.results}
              rowKey={(r) => `${r.restoreSessionId} ${r.entryId ?? ""} ${r.itemId}`}
              columns={[
                { key: "status", title: t.common.result, sort: (r) => r.status, render: (r) => <Status value={r.status} /> },
                { key: "item", title: t.restore.item, sort: (r) => r.name, render: (r) => r.name || t.mail.noSubject },
                { key: "message", title: t.common.details, render: (r) => outcomeOf(t, f, r) },
              ]}
            />
          )}
        </>
      )}
    </Panel>
  );
}
