import { Button, makeStyles } from "@fluentui/react-components";
import { Add20Regular, ClipboardTaskListLtrRegular, Delete20Regular, Edit20Regular, PauseCircle20Regular, Play20Regular, PlayCircle20Regular, RecordStop20Regular, ArrowRepeatAll20Regular, History20Regular } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { client, of } from "../../api/client";
import { jobsQuery, organizationsQuery, progressQuery, repositoriesQuery, type Job } from "../../api/queries";
import { useFormat } from "../../ui/format";
import { List } from "../../ui/list";
import { Empty, Page, type Command } from "../../ui/page";
import { Confirm } from "../../ui/panel";
import { quote, type Act } from "../../ui/script";
import { Status } from "../../ui/status";
import { useText } from "../../ui/text/console";
import { JobProgress } from "./progress";
import { scheduleText } from "./schedule";

// The editor is loaded when it is opened.
const JobEditor = lazy(() => import("./editor"));

const useStyles = makeStyles({ running: { minWidth: "260px" }, off: { opacity: 0.75 } });

export default function Jobs() {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const jobs = useQuery(jobsQuery);
  const progress = useQuery(progressQuery);
  const organizations = useQuery(organizationsQuery);
  const repositories = useQuery(repositoriesQuery);
  const [selected, setSelected] = useState<Set<string>>(new Set());
  const [editing, setEditing] = useState<Job | "new">();
  const [removing, setRemoving] = useState(false);
  const [full, setFull] = useState(false);
  const [error, setError] = useState<unknown>();

  // When a run begins or ends, what the list says of its job has changed.
  const running = (progress.data ?? []).map((p) => p.sessionId).join();
  const before = useRef(running);
  useEffect(() => {
    if (before.current !== running) void queries.invalidateQueries({ queryKey: jobsQuery.queryKey });
    before.current = running;
  }, [running, queries]);

  const all = jobs.data ?? [];
  const chosen = all.filter((j) => selected.has(j.id ?? ""));
  const one = chosen.length === 1 ? chosen[0] : undefined;
  const runs = (j: Job) => progress.data?.find((p) => p.jobId === j.id);
  const each = async (what: (jobId: string) => Promise<unknown>) => {
    setError(undefined);
    try {
      for (const j of chosen) await what(j.id ?? "");
    } catch (cause) {
      setError(cause);
    }
    await Promise.all([queries.invalidateQueries({ queryKey: jobsQuery.queryKey }), queries.invalidateQueries({ queryKey: progressQuery.queryKey })]);
  };
  const start = (anew: boolean) => each((jobId) => of(client.POST("/v8/Jobs/{jobId}/start", { params: { path: { jobId } }, body: { full: anew } })));
  const none = chosen.length === 0;
  const idle = chosen.filter((j) => !runs(j));
  const commands: Command[] = [
    { key: "new", label: t.job.new, icon: <Add20Regular />, onClick: () => setEditing("new"), disabled: organizations.data?.length === 0 || repositories.data?.length === 0, why: t.job.needs },
    { key: "start", label: t.job.start, icon: <Play20Regular />, onClick: () => void start(false), disabled: none || idle.length !== chosen.length, why: t.job.choose, divider: true },
    { key: "full", label: t.job.full, icon: <ArrowRepeatAll20Regular />, onClick: () => setFull(true), disabled: none || idle.length !== chosen.length, why: t.job.choose },
    { key: "stop", label: t.job.stop, icon: <RecordStop20Regular />, onClick: () => void each((jobId) => of(client.POST("/v8/Jobs/{jobId}/stop", { params: { path: { jobId } } }))), disabled: none || idle.length > 0, why: t.job.chooseRunning },
    { key: "edit", label: t.common.edit, icon: <Edit20Regular />, onClick: () => setEditing(one), disabled: !one, why: t.common.chooseOne, divider: true },
    { key: "sessions", label: t.pages.sessions, icon: <History20Regular />, onClick: () => void navigate({ to: "/sessions", search: { job: one?.id ?? "" } }), disabled: !one, why: t.common.chooseOne },
    chosen.length > 0 && chosen.every((j) => !j.isEnabled)
      ? { key: "enable", label: t.job.enable, icon: <PlayCircle20Regular />, onClick: () => void each((jobId) => of(client.POST("/v8/Jobs/{jobId}/enable", { params: { path: { jobId } } }))) }
      : { key: "disable", label: t.job.disable, icon: <PauseCircle20Regular />, onClick: () => void each((jobId) => of(client.POST("/v8/Jobs/{jobId}/disable", { params: { path: { jobId } } }))), disabled: none, why: t.common.choose },
    { key: "remove", label: t.common.remove, icon: <Delete20Regular />, onClick: () => setRemoving(true), disabled: none, why: t.common.choose },
  ];
  const name = one?.name ?? "NAME";
  const path = `/v8/Jobs/${one?.id ?? "JOB"}`;
  const acts: Act[] = [
    { title: t.job.acts.list, command: "holdfast job list", method: "GET", path: "/v8/Jobs" },
    { title: t.job.acts.add, command: "holdfast job add NAME --daily 22:00 --run", method: "POST", path: "/v8/Jobs", body: { name: "NAME", organizationId: organizations.data?.[0]?.id ?? "ORGANIZATION", repositoryId: repositories.data?.[0]?.id ?? "REPOSITORY", backupType: "EntireOrganization", schedulePolicy: { scheduleEnabled: true, type: "Daily", dailyType: "Everyday", dailyTime: "22:00:00" }, runNow: true } },
    { title: t.job.acts.start, command: `holdfast job start ${quote(name)}`, method: "POST", path: `${path}/start`, body: { full: false } },
    { title: t.job.acts.full, command: `holdfast job start ${quote(name)} --full`, method: "POST", path: `${path}/start`, body: { full: true } },
    { title: t.job.acts.stop, command: `holdfast job stop ${quote(name)}`, method: "POST", path: `${path}/stop` },
    { title: t.job.acts.disable, command: `holdfast job disable ${quote(name)}`, method: "POST", path: `${path}/disable` },
    { title: t.job.acts.remove, command: `holdfast job remove ${quote(name)}`, method: "DELETE", path },
  ];
  return (
    <Page title={t.pages.jobs} about={t.job.about} commands={commands} acts={acts}>
      <List
        query={jobs}
        failed={error}
        empty={
          <Empty
            icon={<ClipboardTaskListLtrRegular />}
            title={t.job.empty}
            action={
              organizations.data?.length === 0 || repositories.data?.length === 0 ? (
                <Button appearance="primary" onClick={() => void navigate({ to: "/setup" })}>{t.home.setup}</Button>
              ) : (
                <Button appearance="primary" onClick={() => setEditing("new")}>{t.job.new}</Button>
              )
            }
          >
            {t.job.emptyAbout}
          </Empty>
        }
        label={t.pages.jobs}
        rows={all}
        rowKey={(j) => j.id ?? ""}
        rowName={(j) => j.name ?? ""}
        selected={selected}
        onSelect={setSelected}
        first={{ key: "name" }}
        columns={[
          { key: "name", title: t.job.name, sort: (j) => j.name ?? "", render: (j) => <Link to="/sessions" search={{ job: j.id ?? "" }}>{j.name}</Link> },
          {
            key: "status",
            title: t.job.status,
            sort: (j) => (runs(j) ? "" : (j.lastStatus ?? "")),
            render: (j) => {
              const p = runs(j);
              if (p) return <div className={s.running}><JobProgress progress={p} named={false} bare /></div>;
              return j.lastRun ? <Status value={j.lastStatus} /> : t.job.neverRan;
            },
          },
          { key: "last", title: t.job.lastRun, sort: (j) => j.lastRun ?? "", render: (j) => (j.lastRun ? <time dateTime={j.lastRun} title={f.dateTime(j.lastRun)}>{f.ago(j.lastRun)}</time> : ""), wide: true },
          { key: "next", title: t.job.nextRun, sort: (j) => j.nextRun ?? "", render: (j) => (!j.isEnabled ? <em className={s.off}>{t.job.disabled}</em> : j.nextRun ? f.dateTime(j.nextRun) : t.schedule.manual), wide: true },
          { key: "schedule", title: t.schedule.title, render: (j) => scheduleText(t, j.schedulePolicy), wide: true },
          { key: "organization", title: t.job.organization, render: (j) => { const o = organizations.data?.find((x) => x.id === j.organizationId); return o?.officeName || o?.name || ""; }, wide: true },
          { key: "repository", title: t.job.repository, render: (j) => repositories.data?.find((r) => r.id === j.repositoryId)?.name ?? "", wide: true },
        ]}
      />
      {editing && <Suspense><JobEditor {...(editing === "new" ? {} : { job: editing })} onClose={() => setEditing(undefined)} /></Suspense>}
      {full && (
        <Confirm title={t.job.full} action={t.job.startFull} onClose={() => setFull(false)} run={() => start(true)}>
          {t.job.fullAbout}
        </Confirm>
      )}
      {removing && (
        <Confirm
          title={t.job.removeTitle(f.list(chosen.map((j) => j.name ?? "")))}
          action={t.common.remove}
          onClose={() => setRemoving(false)}
          run={async () => {
            for (const j of chosen) await of(client.DELETE("/v8/Jobs/{jobId}", { params: { path: { jobId: j.id ?? "" } } }));
            setSelected(new Set());
            await queries.invalidateQueries({ queryKey: jobsQuery.queryKey });
          }}
        >
          {t.job.removeAbout}
        </Confirm>
      )}
    </Page>
  );
}
