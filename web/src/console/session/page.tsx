import { Button, makeStyles, Select, Tab, TabList, tokens } from "@fluentui/react-components";
import { ArrowDownload20Regular, ArrowSync20Regular, ChevronLeft20Regular, ChevronRight20Regular, HistoryRegular } from "@fluentui/react-icons";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { client, of } from "../../api/client";
import { jobsQuery, progressQuery, type JobSession, type RestoreSession } from "../../api/queries";
import { RestoreResult } from "../../explorer/outcome";
import { useFormat } from "../../ui/format";
import { List } from "../../ui/list";
import { Empty, Loading, Note, Page, Problem } from "../../ui/page";
import { Panel } from "../../ui/panel";
import type { Act } from "../../ui/script";
import { useSay } from "../../ui/said";
import { Status } from "../../ui/status";
import { useText } from "../../ui/text/console";
import { JobProgress } from "../job/progress";

const pageSize = 50;

const useStyles = makeStyles({
  facts: { display: "grid", gridTemplateColumns: "max-content 1fr", gap: "4px 16px", margin: "0 0 16px" },
  dt: { color: tokens.colorNeutralForeground2 },
  dd: { margin: 0 },
  log: { listStyle: "none", margin: 0, padding: 0 },
  line: { display: "grid", gridTemplateColumns: "max-content minmax(92px, max-content) 1fr", gap: "0 12px", padding: "5px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke2}`, alignItems: "start" },
  time: { color: tokens.colorNeutralForeground2, fontVariantNumeric: "tabular-nums", fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase300 },
  pager: { display: "flex", gap: "8px", alignItems: "center", marginTop: "12px" },
  head: { display: "flex", justifyContent: "space-between", alignItems: "center", margin: "16px 0 4px" },
  h: { margin: 0, fontSize: tokens.fontSizeBase400 },
  message: { overflowWrap: "anywhere" },
});

export default function Sessions() {
  const { t } = useText();
  const search = useSearch({ from: "/sessions" });
  const navigate = useNavigate();
  const tab = search.tab ?? "backup";
  const acts: Act[] = [
    { title: t.session.acts.list, command: "holdfast session list", method: "GET", path: `/v8/JobSessions${search.job ? `?jobId=${search.job}` : ""}` },
    { title: t.session.acts.log, command: `holdfast session log ${search.session ?? "SESSION"}`, method: "GET", path: `/v8/JobSessions/${search.session ?? "SESSION"}/LogItems?limit=10000` },
    { title: t.session.acts.wait, command: `holdfast session wait ${search.session ?? "SESSION"}`, method: "GET", path: `/holdfast/v1/JobProgress/${search.session ?? "SESSION"}` },
    { title: t.session.acts.restores, command: "holdfast explore sessions", method: "GET", path: "/v8/RestoreSessions" },
  ];
  return (
    <Page title={t.pages.sessions} about={t.session.about} acts={acts}>
      <TabList selectedValue={tab} onTabSelect={(_, d) => void navigate({ to: "/sessions", search: d.value === "backup" ? {} : { tab: String(d.value) } })}>
        <Tab value="backup">{t.session.backups}</Tab>
        <Tab value="restore">{t.session.restores}</Tab>
      </TabList>
      {tab === "restore" ? <Restores open={search.session} /> : <Backups job={search.job} open={search.session} />}
    </Page>
  );
}

function Pager({ page, more, onPage }: { page: number; more: boolean; onPage: (n: number) => void }) {
  const s = useStyles();
  const { t } = useText();
  if (page === 0 && !more) return null;
  return (
    <div className={s.pager}>
      <Button icon={<ChevronLeft20Regular />} disabledFocusable={page === 0} onClick={() => onPage(page - 1)}>
        {t.common.newer}
      </Button>
      <Button icon={<ChevronRight20Regular />} iconPosition="after" disabledFocusable={!more} onClick={() => onPage(page + 1)}>
        {t.common.older}
      </Button>
    </div>
  );
}

function Backups({ job, open }: { job: string | undefined; open: string | undefined }) {
  const { t } = useText();
  const say = useSay();
  const f = useFormat();
  const navigate = useNavigate();
  const jobs = useQuery(jobsQuery);
  const [page, setPage] = useState(0);
  const [status, setStatus] = useState("");
  const query = { limit: pageSize, offset: page * pageSize, ...(job ? { jobId: job } : {}), ...(status ? { status: status as "Failed" } : {}) };
  const list = useQuery({
    queryKey: ["job-sessions", query],
    queryFn: ({ signal }) => of(client.GET("/v8/JobSessions", { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: 5_000,
  });
  const names = new Map((jobs.data ?? []).map((j) => [j.id, j.name]));
  const rows = (list.data?.results ?? []) as JobSession[];
  return (
    <>
      <div style={{ display: "flex", gap: 12, margin: "12px 0", flexWrap: "wrap" }}>
        <Select aria-label={t.session.job} value={job ?? ""} onChange={(_, d) => { setPage(0); void navigate({ to: "/sessions", search: d.value ? { job: d.value } : {} }); }}>
          <option value="">{t.session.allJobs}</option>
          {(jobs.data ?? []).map((j) => (
            <option key={j.id} value={j.id ?? ""}>
              {j.name}
            </option>
          ))}
        </Select>
        <Select aria-label={t.session.status} value={status} onChange={(_, d) => { setPage(0); setStatus(d.value); }}>
          <option value="">{t.session.allStatuses}</option>
          {(["Running", "Succeeded", "Warning", "Failed", "Stopped", "Queued"] as const).map((x) => (
            <option key={x} value={x}>
              {t.status[x === "Succeeded" ? "Success" : x]}
            </option>
          ))}
        </Select>
      </div>
      <List
        query={list}
        empty={<Empty icon={<HistoryRegular />} title={t.session.empty} action={<Link to="/jobs">{t.session.toJobs}</Link>} />}
        label={t.session.backups}
        rows={rows}
        rowKey={(r) => r.id ?? ""}
        columns={[
          { key: "job", title: t.session.job, render: (r) => <Link to="/sessions" search={{ ...(job ? { job } : {}), session: r.id ?? "" }}>{names.get(r.jobId ?? "") ?? t.session.removedJob}</Link> },
          { key: "status", title: t.session.status, render: (r) => <Status value={r.status} /> },
          { key: "start", title: t.session.started, render: (r) => f.dateTime(r.creationTime), whole: true },
          { key: "length", title: t.session.length, render: (r) => (r.endTime && r.creationTime ? f.duration((new Date(r.endTime).getTime() - new Date(r.creationTime).getTime()) / 1000) : ""), wide: true, end: true },
          { key: "objects", title: t.session.objects, render: (r) => f.number(r.statistics?.processedObjects), wide: true, end: true },
          { key: "bytes", title: t.session.transferred, render: (r) => f.bytes(r.statistics?.transferredDataBytes), wide: true, end: true },
          { key: "details", title: t.common.details, render: (r) => <span style={{ overflowWrap: "anywhere" }}>{say(r.details, r.detailsSaid)}</span>, wide: true },
        ]}
      />
      <Pager page={page} more={rows.length === pageSize} onPage={setPage} />
      {open && <Detail id={open} name={(id) => names.get(id) ?? t.session.removedJob} onClose={() => void navigate({ to: "/sessions", search: job ? { job } : {} })} />}
    </>
  );
}

function Detail({ id, name, onClose }: { id: string; name: (job: string) => string; onClose: () => void }) {
  const s = useStyles();
  const { t } = useText();
  const say = useSay();
  const f = useFormat();
  const running = useQuery(progressQuery).data?.find((p) => p.sessionId === id);
  const { data: p, error } = useQuery({
    queryKey: ["session-progress", id],
    queryFn: ({ signal }) => of(client.GET("/holdfast/v1/JobProgress/{sessionId}", { params: { path: { sessionId: id } }, signal })),
    refetchInterval: (q) => (q.state.data?.endTime ? false : 2_000),
  });
  const log = useQuery({
    queryKey: ["session-log", id, p?.endTime],
    queryFn: ({ signal }) => of(client.GET("/v8/JobSessions/{sessionId}/LogItems", { params: { path: { sessionId: id }, query: { limit: 10_000 } }, signal })),
    refetchInterval: p?.endTime ? false : 3_000,
  });
  const lines = log.data?.results ?? [];
  const save = () => {
    const text = lines.map((l) => `${l.creationTime}\t${l.type}\t${l.message}`).join("\n");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text + "\n"], { type: "text/plain" }));
    link.download = `session-${id}.log`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };
  const fact = (term: string, value: React.ReactNode) => (
    <>
      <dt className={s.dt}>{term}</dt>
      <dd className={s.dd}>{value}</dd>
    </>
  );
  return (
    <Panel size="large" title={p ? t.session.title(p.jobName || name(p.jobId)) : t.common.details} onClose={onClose}>
      <Problem error={error ?? log.error} />
      {!p && !error && <Loading />}
      {running && <JobProgress progress={running} named={false} />}
      {p && (
        <dl className={s.facts}>
          {fact(t.session.status, <Status value={p.status} />)}
          {fact(t.session.started, f.dateTime(p.creationTime))}
          {p.endTime && fact(t.session.ended, f.dateTime(p.endTime))}
          {fact(t.session.type, p.full ? t.session.full : t.session.incremental)}
          {fact(t.session.objects, t.progress.objects(f.number(p.objects), f.number(p.objectsTotal)))}
          {fact(t.session.items, f.number(p.items))}
          {p.skippedItems > 0 && fact(t.session.skipped, f.number(p.skippedItems))}
          {fact(t.session.read, f.bytes(p.readBytes))}
          {fact(t.session.written, f.bytes(p.writtenBytes))}
          {fact(t.session.requests, f.number(p.requests))}
          {fact(t.session.throttled, p.throttledSeconds > 0 ? f.duration(p.throttledSeconds) : t.session.notThrottled)}
        </dl>
      )}
      {p?.details && <Note intent={p.status === "Failed" ? "error" : p.status === "Warning" ? "warning" : "info"}>{say(p.details, p.detailsSaid)}</Note>}
      <div className={s.head}>
        <h2 className={s.h}>{t.session.log}</h2>
        <Button size="small" icon={<ArrowDownload20Regular />} onClick={save} disabled={lines.length === 0}>
          {t.session.saveLog}
        </Button>
      </div>
      <ol className={s.log}>
        {lines.map((l) => (
          <li key={l.id} className={s.line}>
            <time className={s.time} dateTime={l.creationTime}>
              {f.time(l.creationTime)}
            </time>
            <Status value={l.type === "Error" ? "Failed" : l.type === "Stop" ? "Stopped" : l.type} />
            <span className={s.message}>{say(l.message, l.messageSaid)}</span>
          </li>
        ))}
      </ol>
      {log.isFetching && lines.length === 0 && <Loading />}
    </Panel>
  );
}

function Restores({ open }: { open: string | undefined }) {
  const { t } = useText();
  const f = useFormat();
  const navigate = useNavigate();
  const [page, setPage] = useState(0);
  const query = { limit: pageSize, offset: page * pageSize };
  const list = useQuery({
    queryKey: ["restore-sessions", query],
    queryFn: ({ signal }) => of(client.GET("/v8/RestoreSessions", { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: 10_000,
  });
  const rows = (list.data?.results ?? []) as RestoreSession[];
  const kindName = (type: string | undefined) => ({ Veod: t.kind.files, Vesp: t.kind.sites, Vet: t.kind.teams, Chats: t.kind.chats } as Record<string, string>)[type ?? ""] ?? t.kind.mail;
  return (
    <>
      <div style={{ margin: "12px 0" }}>
        <Button icon={<ArrowSync20Regular />} appearance="subtle" onClick={() => void list.refetch()}>
          {t.common.refresh}
        </Button>
      </div>
      <List
        query={list}
        empty={<Empty icon={<HistoryRegular />} title={t.session.noRestores} action={<Link to="/explore">{t.nav.explore}</Link>} />}
        label={t.session.restores}
        rows={rows}
        rowKey={(r) => r.id}
        columns={[
          { key: "name", title: t.session.restore, render: (r) => <Link to="/sessions" title={r.name} search={{ tab: "restore", session: r.id }}>{t.explore.title(r.organization || t.session.everywhere, kindName(r.type))}</Link> },
          { key: "point", title: t.session.asOf, render: (r) => (r.scopeName ? f.dateTime(r.scopeName.replace(/^state of /, "")) : t.session.newest), wide: true },
          { key: "state", title: t.session.state, render: (r) => <Status value={r.state} {...(r.state === "Stopped" ? { word: t.session.closed } : {})} /> },
          { key: "result", title: t.common.result, render: (r) => <Status value={r.result} /> },
          { key: "who", title: t.session.who, render: (r) => r.initiatedBy, wide: true },
          { key: "start", title: t.session.started, render: (r) => f.dateTime(r.creationTime), whole: true },
          { key: "open", title: "", whole: true, render: (r) => (r.state === "Working" ? <Link to="/explore/$session" params={{ session: r.id }}>{t.session.reopen}</Link> : null) },
        ]}
      />
      <Pager page={page} more={rows.length === pageSize} onPage={setPage} />
      {open && (
        <Panel size="large" title={t.session.restoreTitle} onClose={() => void navigate({ to: "/sessions", search: { tab: "restore" } })}>
          <RestoreResult session={open} />
        </Panel>
      )}
    </>
  );
}
