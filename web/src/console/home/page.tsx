import { Button, Card, makeStyles, mergeClasses, ProgressBar, tokens } from "@fluentui/react-components";
import { ArrowSync20Regular, CheckmarkCircle32Filled, DatabaseRegular, Info20Regular, RocketRegular, Warning32Filled, DismissCircle32Filled } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useRouterState } from "@tanstack/react-router";
import { useEffect, type ReactNode } from "react";
import { client, of } from "../../api/client";
import { organizationsQuery, overviewQuery, progressQuery, type Overview } from "../../api/queries";
import { useFormat } from "../../ui/format";
import { Empty, Loading, Note, Page, Problem } from "../../ui/page";
import { useSay } from "../../ui/said";
import type { Act } from "../../ui/script";
import { Status } from "../../ui/status";
import { DataTable } from "../../ui/table";
import { useText } from "../../ui/text/console";
import { JobProgress } from "../job/progress";
import { setupLeft } from "../setup/left";
import { Calendar } from "./calendar";

const useStyles = makeStyles({
  grid: { display: "grid", gridTemplateColumns: "repeat(12, 1fr)", gap: "16px" },
  full: { gridColumn: "span 12", minWidth: 0 },
  half: { gridColumn: "span 6", minWidth: 0, "@media (max-width: 1000px)": { gridColumn: "span 12" } },
  health: { display: "flex", alignItems: "center", gap: "16px", flexWrap: "wrap" },
  sentence: { fontSize: tokens.fontSizeBase500, lineHeight: tokens.lineHeightBase500, fontWeight: tokens.fontWeightSemibold },
  good: { color: tokens.colorPaletteGreenForeground1 },
  warning: { color: tokens.colorPaletteMarigoldForeground1 },
  critical: { color: tokens.colorPaletteRedForeground1 },
  counts: { display: "flex", flexWrap: "wrap", gap: "8px 28px", margin: 0 },
  count: { display: "flex", flexDirection: "column-reverse" },
  number: { margin: 0, fontSize: tokens.fontSizeHero700, lineHeight: tokens.lineHeightHero700, fontWeight: tokens.fontWeightSemibold, fontVariantNumeric: "tabular-nums" },
  term: { color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  head: { margin: 0, fontSize: tokens.fontSizeBase400, lineHeight: tokens.lineHeightBase400, fontWeight: tokens.fontWeightSemibold },
  quiet: { color: tokens.colorNeutralForeground2, margin: 0 },
  store: { display: "flex", flexDirection: "column", gap: "4px" },
  storeLine: { display: "flex", justifyContent: "space-between", gap: "8px", flexWrap: "wrap" },
  any: { overflowWrap: "anywhere" },
  running: { display: "flex", flexDirection: "column", gap: "16px" },
});

const acts = (t: ReturnType<typeof useText>["t"]): Act[] => [
  { title: t.home.acts.overview, method: "GET", path: "/holdfast/v1/Overview" },
  { title: t.home.acts.calendar, method: "GET", path: "/holdfast/v1/Overview/Calendar?days=28" },
  { title: t.home.acts.failed, command: "holdfast session list --status Failed", method: "GET", path: "/v8/JobSessions?status=Failed" },
  { title: t.home.acts.proven, command: "holdfast vault verify --data D --repository NAME", method: "GET", path: "/holdfast/v1/Warnings" },
];

export default function Home() {
  const { t } = useText();
  const { data, error, isPending, refetch, isFetching } = useQuery(overviewQuery);
  const queries = useQueryClient();
  const navigate = useNavigate();
  // This page stays while another one is being loaded: whoever chose that one is not led away from it.
  const stays = useRouterState({ select: (r) => r.location.pathname === "/" });
  useEffect(() => {
    if (stays && data?.health === "empty" && !setupLeft()) void navigate({ to: "/setup", replace: true });
  }, [stays, data, navigate]);
  return (
    <Page
      title={t.home.title}
      commands={[{ key: "refresh", label: t.common.refresh, icon: <ArrowSync20Regular />, onClick: () => void queries.invalidateQueries(), disabled: isFetching }]}
      acts={acts(t)}
    >
      <Problem error={error} onRetry={() => void refetch()} />
      {isPending && <Loading />}
      {data && <Content overview={data} />}
    </Page>
  );
}

function Content({ overview: o }: { overview: Overview }) {
  const s = useStyles();
  const { t } = useText();
  const navigate = useNavigate();
  if (o.health === "empty")
    return (
      <Empty icon={<RocketRegular />} title={t.home.empty} action={<Button appearance="primary" onClick={() => void navigate({ to: "/setup" })}>{t.home.setup}</Button>}>
        {t.home.emptyAbout}
      </Empty>
    );
  return (
    <div className={s.grid}>
      <Health overview={o} />
      <Running />
      <Section className={s.full} title={t.home.calendar}>
        <Calendar />
      </Section>
      <Section className={s.full} title={t.home.failed}>
        <Failed overview={o} />
      </Section>
      <Section className={s.full} title={t.home.attention}>
        <Attention overview={o} />
      </Section>
      <Section className={s.half} title={t.home.unprotected}>
        <Unprotected />
      </Section>
      <Section className={s.half} title={t.home.storage}>
        <Storage overview={o} />
      </Section>
    </div>
  );
}

function Section({ title, className, children }: { title: string; className?: string; children: ReactNode }) {
  const s = useStyles();
  return (
    <Card className={className} role="region" aria-label={title}>
      <h2 className={s.head}>{title}</h2>
      {children}
    </Card>
  );
}

function Health({ overview: o }: { overview: Overview }) {
  const s = useStyles();
  const { t } = useText();
  const say = useSay();
  const f = useFormat();
  const icon =
    o.health === "good" ? <CheckmarkCircle32Filled className={s.good} /> : o.health === "warning" ? <Warning32Filled className={s.warning} /> : <DismissCircle32Filled className={s.critical} />;
  const numbers: [string, number][] = [
    [t.standing.current, o.counts.current],
    [t.standing.skipped, o.counts.skipped],
    [t.standing.late, o.counts.late],
    [t.standing.never, o.counts.never],
    [t.standing.gone, o.counts.gone],
  ];
  return (
    <Card className={s.full} role="region" aria-label={t.home.health}>
      <div className={s.health}>
        <span aria-hidden>{icon}</span>
        <div>
          <div className={s.sentence}>{o.health === "good" ? t.home.good : o.health === "warning" ? t.home.warning : t.home.critical}</div>
          <p className={s.quiet}>
            {t.home.last(f.ago(o.lastBackup))} {o.nextRun ? t.home.next(f.dateTime(o.nextRun)) : t.home.noNext}
          </p>
        </div>
      </div>
      <dl className={s.counts}>
        {numbers.map(([term, n], i) => (
          <div key={term} className={s.count}>
            <dt className={s.term}>{term}</dt>
            <dd className={mergeClasses(s.number, n > 0 && (i === 2 || i === 3) && s.critical)}>{f.number(n)}</dd>
          </div>
        ))}
      </dl>
      {o.storage.filter((r) => !r.recoveryKitExported).map((r) => (
        <Note key={r.repositoryId} intent="warning" title={t.home.kitTitle(r.name)}>
          {t.home.kit} <Link to="/repositories">{t.home.kitLink}</Link>
        </Note>
      ))}
      {o.warnings.map((w, i) => [w, o.warningsSaid?.[i]] as const).filter(([, said]) => !said?.code || said.code.startsWith("warning.certificate")).map(([warning, said]) => (
        <Note key={warning} intent="warning">
          {say(warning, said)}
        </Note>
      ))}
      {o.storage.filter((r) => r.isOutOfSync).map((r) => (
        <Note key={r.repositoryId} intent="warning">
          {t.home.outOfSync(r.name)} <Link to="/repositories">{t.pages.repositories}</Link>
        </Note>
      ))}
    </Card>
  );
}

function Running() {
  const s = useStyles();
  const { t } = useText();
  const queries = useQueryClient();
  const { data } = useQuery(progressQuery);
  const count = data?.length ?? 0;
  useEffect(() => {
    void queries.invalidateQueries({ queryKey: overviewQuery.queryKey });
  }, [count, queries]);
  if (!data || data.length === 0) return null;
  return (
    <Section className={s.full} title={t.home.running}>
      <div className={s.running}>
        {data.map((p) => (
          <JobProgress key={p.sessionId} progress={p} />
        ))}
      </div>
    </Section>
  );
}

function Failed({ overview: o }: { overview: Overview }) {
  const s = useStyles();
  const { t } = useText();
  const say = useSay();
  const f = useFormat();
  if (o.problems.length === 0) return <p className={s.quiet}>{t.home.noFailed}</p>;
  return (
    <DataTable
      label={t.home.failed}
      rows={o.problems}
      rowKey={(p) => p.sessionId}
      columns={[
        { key: "job", title: t.session.job, render: (p) => <Link to="/sessions" search={{ session: p.sessionId }}>{p.jobName}</Link> },
        { key: "status", title: t.session.status, render: (p) => <Status value={p.status} /> },
        { key: "ended", title: t.session.ended, render: (p) => f.ago(p.endTime), wide: true, whole: true },
        { key: "details", title: t.common.details, render: (p) => <span className={s.any}>{say(p.details, p.detailsSaid)}</span> },
      ]}
    />
  );
}

function Attention({ overview: o }: { overview: Overview }) {
  const s = useStyles();
  const { t } = useText();
  const say = useSay();
  const f = useFormat();
  if (o.attention.length === 0) return <p className={s.quiet}>{t.home.noAttention}</p>;
  return (
    <DataTable
      label={t.home.attention}
      rows={o.attention}
      rowKey={(a) => a.object.organizationId + a.object.id}
      columns={[
        { key: "name", title: t.home.object, render: (a) => `${a.object.name} (${t.kind[a.object.kind as "site"]})`, sort: (a) => a.object.name },
        { key: "standing", title: t.home.state, render: (a) => (a.standing === "skipped" ? t.home.skipped(f.number(a.skippedItems)) : t.standing[a.standing as keyof typeof t.standing]), sort: (a) => a.standing },
        { key: "last", title: t.home.lastBackup, render: (a) => f.ago(a.lastBackup), wide: true, whole: true },
        { key: "why", title: t.home.why, render: (a) => <span className={s.any}>{say(a.reason, a.reasonSaid)}</span>, wide: true },
      ]}
    />
  );
}

function Unprotected() {
  const s = useStyles();
  const { t } = useText();
  const { data } = useQuery(organizationsQuery);
  if (!data) return <Loading />;
  return (
    <>
      {data.map((o) => (
        <UnprotectedIn key={o.id} id={o.id ?? ""} name={o.officeName || o.name || ""} />
      ))}
      {data.length === 0 && <p className={s.quiet}>{t.organization.empty}</p>}
    </>
  );
}

function UnprotectedIn({ id, name }: { id: string; name: string }) {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["unprotected", id],
    queryFn: ({ signal }) => of(client.GET("/holdfast/v1/Organizations/{organizationId}/Unprotected", { params: { path: { organizationId: id } }, signal })),
    staleTime: 300_000, // it asks Microsoft
    refetchOnWindowFocus: false,
  });
  if (isPending) return <Loading label={t.home.asking(name)} />;
  if (error) return <Problem error={error} title={t.home.notAsked(name)} onRetry={() => void refetch()} />;
  if (data.total === 0) return <p className={s.quiet}>{t.home.allProtected(name, f.number(data.directoryUsers))}</p>;
  const shown = data.results.slice(0, 8);
  return (
    <div>
      <p>
        <strong>{t.home.unprotectedCount(f.number(data.total), f.number(data.directoryUsers), name)}</strong> <Link to="/jobs">{t.home.addToJob}</Link>
      </p>
      <p className={s.quiet}>
        {f.list(shown.map((u) => u.displayName || u.name))}
        {data.total > shown.length && ` ${t.home.more(f.number(data.total - shown.length))}`}
      </p>
    </div>
  );
}

function Storage({ overview: o }: { overview: Overview }) {
  const s = useStyles();
  const { t } = useText();
  const say = useSay();
  const f = useFormat();
  if (o.storage.length === 0)
    return (
      <Empty icon={<DatabaseRegular />} title={t.repository.empty}>
        <Link to="/repositories">{t.repository.add}</Link>
      </Empty>
    );
  return (
    <>
      {o.storage.map((r) => {
        const used = r.used.reduce((sum, u) => sum + u.usedSpaceBytes, 0);
        const known = r.capacityBytes > 0;
        const full = known ? 1 - r.freeSpaceBytes / r.capacityBytes : 0;
        return (
          <div key={r.repositoryId} className={s.store}>
            <div className={s.storeLine}>
              <strong>{r.name}</strong>
              <span>{known ? t.home.space(f.bytes(used), f.bytes(r.freeSpaceBytes), f.bytes(r.capacityBytes)) : t.home.used(f.bytes(used))}</span>
            </div>
            {known && <ProgressBar value={full} color={full > 0.95 ? "error" : full > 0.85 ? "warning" : "brand"} aria-label={t.home.fullness(r.name)} />}
            {r.problem && <Note intent="error" title={t.home.notReached(r.name)}>{say(r.problem, r.problemSaid)}</Note>}
            <p className={s.quiet}>
              <Info20Regular aria-hidden style={{ verticalAlign: "text-bottom" }} /> {t.home.notProven} <code>holdfast vault verify --data D --repository {r.name}</code>
            </p>
          </div>
        );
      })}
    </>
  );
}

