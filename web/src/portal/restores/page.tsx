import { Button, Card, makeStyles, ProgressBar, Title2, tokens } from "@fluentui/react-components";
import { HistoryRegular } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { client, of } from "../../api/client";
import { RestoreResult } from "../../explorer/outcome";
import { useFormat } from "../../ui/format";
import { countsOf } from "../../ui/outcome";
import { Empty, Loading, Problem } from "../../ui/page";
import { Confirm, Panel } from "../../ui/panel";
import { Status } from "../../ui/status";
import { useText } from "../../ui/text/portal";
import { full, restoresQuery, type Restore } from "../notices";

const useStyles = makeStyles({
  page: { maxWidth: "760px", margin: "0 auto", padding: "20px 16px 40px", boxSizing: "border-box", display: "flex", flexDirection: "column", gap: "12px" },
  title: { margin: 0 },
  list: { listStyle: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: "12px" },
  card: { gap: "8px" },
  head: { display: "flex", gap: "8px", alignItems: "flex-start", justifyContent: "space-between" },
  name: { margin: 0, fontSize: tokens.fontSizeBase400, lineHeight: tokens.lineHeightBase400, overflowWrap: "anywhere" },
  facts: { display: "grid", gridTemplateColumns: "max-content 1fr", gap: "2px 12px", margin: 0 },
  dt: { color: tokens.colorNeutralForeground2 },
  dd: { margin: 0, overflowWrap: "anywhere" },
  acts: { display: "flex", gap: "8px", flexWrap: "wrap" },
  pages: { display: "flex", gap: "8px" },
});

// Restores is what the caller restored and restores, newest first.
export default function Restores() {
  const s = useStyles();
  const { t } = useText();
  const [page, setPage] = useState(0);
  const [details, setDetails] = useState<Restore>();
  const [stopping, setStopping] = useState<Restore>();
  const queries = useQueryClient();
  const { data, error, isPending, refetch } = useQuery(restoresQuery(page));
  useEffect(() => {
    document.title = `${t.portal.restores} – Holdfast`;
  }, [t]);
  return (
    <div className={s.page}>
      <Title2 as="h1" className={s.title}>
        {t.portal.restores}
      </Title2>
      <Problem error={error} onRetry={() => void refetch()} />
      {isPending && <Loading />}
      {data?.length === 0 && page === 0 && (
        <Empty icon={<HistoryRegular />} title={t.portal.noRestores} action={<a href="#/">{t.portal.begin}</a>} />
      )}
      <ul className={s.list} aria-label={t.portal.restores}>
        {(data ?? []).map((r) => (
          <li key={r.id}>
            <One restore={r} onDetails={() => setDetails(r)} onStop={() => setStopping(r)} />
          </li>
        ))}
      </ul>
      {(page > 0 || full(data)) && (
        <div className={s.pages}>
          <Button disabledFocusable={page === 0} onClick={() => setPage(page - 1)}>
            {t.common.newer}
          </Button>
          <Button disabledFocusable={!full(data)} onClick={() => setPage(page + 1)}>
            {t.common.older}
          </Button>
        </div>
      )}
      {details && (
        <Panel size="large" title={t.restore.results} onClose={() => setDetails(undefined)} footer={<Button onClick={() => setDetails(undefined)}>{t.common.close}</Button>}>
          <RestoreResult session={details.restoreSessionId} />
        </Panel>
      )}
      {stopping && (
        <Confirm
          title={t.portal.stopTitle(stopping.name)}
          action={t.portal.stop}
          onClose={() => setStopping(undefined)}
          run={async () => {
            await of(client.POST("/v8/RestoreSessions/{restoreSessionId}/Stop", { params: { path: { restoreSessionId: stopping.restoreSessionId } } }));
            await queries.invalidateQueries({ queryKey: ["portal-restores"] });
          }}
        >
          {t.portal.stopAbout}
        </Confirm>
      )}
    </div>
  );
}

function One({ restore: r, onDetails, onStop }: { restore: Restore; onDetails: () => void; onStop: () => void }) {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const running = r.state === "Running";
  const facts: [string, string][] = [
    [t.portal.from, r.source],
    [t.portal.to, r.target],
    [t.portal.reason, r.reason ?? ""],
    [t.portal.began, f.dateTime(r.creationTime)],
    [t.portal.endedAt, f.dateTime(r.endTime)],
    [t.portal.items, running ? t.portal.done(f.number(r.processedItems)) : countsOf(t, f, r)],
    [t.common.details, r.state === "Failed" ? r.message : ""],
  ];
  return (
    <Card className={s.card} role="group" aria-label={r.name}>
      <div className={s.head}>
        <h2 className={s.name}>{r.name}</h2>
        <Status value={r.state} />
      </div>
      {running && <ProgressBar aria-label={t.restore.running} />}
      <dl className={s.facts}>
        {facts.filter(([, value]) => value).map(([term, value]) => [
          <dt key={term} className={s.dt}>{term}</dt>,
          <dd key={`${term}d`} className={s.dd}>{value}</dd>,
        ])}
      </dl>
      <div className={s.acts}>
        <Button size="small" onClick={onDetails}>
          {t.portal.each}
        </Button>
        {running && (
          <Button size="small" onClick={onStop}>
            {t.portal.stop}
          </Button>
        )}
      </div>
    </Card>
  );
}
