import { Button, Checkbox, Field, Input, makeStyles, mergeClasses, Radio, RadioGroup, tokens } from "@fluentui/react-components";
import { CheckmarkCircle20Filled, Circle20Regular, RadioButton20Filled } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { client, of, type Schemas } from "../../api/client";
import { jobsQuery, organizationsQuery, overviewQuery, progressQuery, repositoriesQuery, sessionQuery } from "../../api/queries";
import { Loading, Note, Page, Problem } from "../../ui/page";
import { useSay } from "../../ui/said";
import type { Act } from "../../ui/script";
import { Status } from "../../ui/status";
import { useText } from "../../ui/text/console";
import { Schedule, type Policy } from "../job/schedule";
import { JobProgress } from "../job/progress";
import { addOrganization, emptyOrganization, NeededPermissions, OrganizationFields } from "../organization/form";
import { Onboard } from "../organization/onboard";
import { Permissions } from "../organization/page";
import { addRepository, emptyRepository, Kit, RepositoryFields } from "../repository/form";
import { Passkeys } from "../settings/passkeys";
import { SecondFactor } from "../settings/totp";
import { Step } from "../step";
import { leaveSetup } from "./left";

const useStyles = makeStyles({
  wizard: { display: "grid", gridTemplateColumns: "240px minmax(0, 720px)", gap: "32px", "@media (max-width: 800px)": { gridTemplateColumns: "1fr" } },
  steps: { listStyle: "none", margin: 0, padding: 0 },
  step: {
    display: "flex", alignItems: "center", gap: "10px", width: "100%", padding: "10px 8px", border: "none", background: "none", font: "inherit", color: tokens.colorNeutralForeground1, cursor: "pointer", textAlign: "left", borderRadius: tokens.borderRadiusMedium,
    ":hover": { backgroundColor: tokens.colorNeutralBackground1Hover, color: tokens.colorNeutralForeground1Hover }, ":disabled": { color: tokens.colorNeutralForegroundDisabled, cursor: "default", backgroundColor: "transparent" }, ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
  here: { fontWeight: tokens.fontWeightSemibold, backgroundColor: tokens.colorNeutralBackground1Selected, color: tokens.colorNeutralForeground1Selected },
  done: { color: tokens.colorPaletteGreenForeground1 },
  now: { color: tokens.colorBrandForeground1 },
  h: { margin: "0 0 4px", fontSize: tokens.fontSizeBase500, lineHeight: tokens.lineHeightBase500, fontWeight: tokens.fontWeightSemibold },
  about: { margin: "0 0 16px", color: tokens.colorNeutralForeground2 },
  foot: { display: "flex", gap: "8px", flexWrap: "wrap", marginTop: "8px" },
});

type StepName = "factor" | "repository" | "organization" | "job" | "run" | "kit" | "restore";

// Setup leads from an empty server to a first restore. What is done is read from the server each time, so it can be left and resumed anywhere.
export default function Setup() {
  const s = useStyles();
  const { t } = useText();
  const navigate = useNavigate();
  const session = useQuery(sessionQuery).data;
  const repositories = useQuery(repositoriesQuery);
  const organizations = useQuery(organizationsQuery);
  const jobs = useQuery(jobsQuery);
  const overview = useQuery(overviewQuery);
  const [chosen, setChosen] = useState<StepName>();
  const [skipped, setSkipped] = useState(false);
  const [way, setWay] = useState<"totp" | "passkey">("totp"); // to the second factor
  const [restored, setRestored] = useState(false);
  const error = repositories.error ?? organizations.error ?? jobs.error ?? overview.error;
  const title = t.setup.title;
  const acts: Act[] = [
    { title: t.repository.acts.add, command: "holdfast repo add main --path /srv/backup --keep 3y", method: "POST", path: "/v8/BackupRepositories", body: { name: "main", path: "/srv/backup" } },
    { title: t.organization.acts.add, command: "holdfast org add contoso.onmicrosoft.com --application ID --certificate app.pfx", method: "POST", path: "/v8/Organizations", body: { type: "Office365" } },
    { title: t.job.acts.add, command: "holdfast job add all --daily 22:00 --run", method: "POST", path: "/v8/Jobs", body: { name: "all", backupType: "EntireOrganization", runNow: true } },
    { title: t.repository.acts.kit, command: "holdfast repo kit main --out main-kit.age", method: "POST", path: "/holdfast/v1/BackupRepositories/REPOSITORY/RecoveryKit", body: { passphrase: "PASSPHRASE" } },
    { title: t.restore.acts.restore, command: "holdfast restore --user ada --query 'subject:budget'", method: "POST", path: "/v8/Organizations/ORGANIZATION/explore", body: { type: "Vex" } },
  ];
  if (error) return <Page title={title}><Problem error={error} /></Page>;
  if (!repositories.data || !organizations.data || !jobs.data || !overview.data) return <Page title={title}><Loading /></Page>;

  const repository = repositories.data[0];
  const organization = organizations.data[0];
  const job = jobs.data[0];
  const ran = organization?.isBackedup === true || jobs.data.some((j) => j.lastBackup);
  const done: Record<StepName, boolean> = {
    factor: (session?.user.secondFactor ?? false) || skipped,
    repository: repository !== undefined,
    organization: organization !== undefined,
    job: job !== undefined,
    run: ran,
    kit: overview.data.storage.length > 0 && overview.data.storage.every((r) => r.recoveryKitExported),
    restore: restored,
  };
  const order: StepName[] = ["factor", "repository", "organization", "job", "run", "kit", "restore"];
  const needs: Record<StepName, boolean> = { factor: true, repository: true, organization: true, job: done.repository && done.organization, run: done.job, kit: done.run, restore: done.run };
  const current = chosen ?? order.find((n) => !done[n]) ?? "restore";
  const next = () => setChosen(undefined);
  const leave = () => {
    leaveSetup();
    void navigate({ to: "/" });
  };
  const leaveFactor = session?.user.secondFactor ? (
    <Button appearance="primary" onClick={() => setChosen("repository")}>{t.common.next}</Button>
  ) : (
    <Button onClick={() => { setSkipped(true); setChosen(undefined); }}>{t.setup.later}</Button>
  );
  return (
    <Page title={title} about={t.setup.about} acts={acts}>
      <div className={s.wizard}>
        <nav aria-label={t.setup.steps}>
          <ol className={s.steps}>
            {order.map((n) => (
              <li key={n}>
                <button type="button" className={mergeClasses(s.step, n === current && s.here)} aria-current={n === current ? "step" : undefined} disabled={!needs[n]} onClick={() => setChosen(n)}>
                  {done[n] ? <CheckmarkCircle20Filled className={s.done} aria-label={t.setup.done} /> : n === current ? <RadioButton20Filled className={s.now} aria-hidden /> : <Circle20Regular aria-hidden />}
                  {t.setup.step[n]}
                </button>
              </li>
            ))}
          </ol>
          <Button appearance="subtle" onClick={leave}>{t.setup.leave}</Button>
        </nav>
        <section aria-label={t.setup.step[current]}>
          <h2 className={s.h}>{t.setup.step[current]}</h2>
          <p className={s.about}>{t.setup.explain[current]}</p>
          {current === "factor" && (
            <>
              <Field label={t.passkey.which}>
                <RadioGroup layout="horizontal" value={way} onChange={(_, d) => setWay(d.value as "totp")}>
                  <Radio value="totp" label={t.totp.app} />
                  <Radio value="passkey" label={t.passkey.title} />
                </RadioGroup>
              </Field>
              {way === "totp" ? <SecondFactor on={session?.user.totp ?? false} onDone={next} beside={leaveFactor} /> : <Passkeys onDone={next} beside={leaveFactor} />}
            </>
          )}
          {current === "repository" && (repository ? <Already onNext={() => setChosen("organization")}>{t.setup.haveRepository(repository.name ?? "", repository.path ?? "")}</Already> : <RepositoryStep onDone={next} />)}
          {current === "organization" && (organization ? (
            <Already onNext={() => setChosen("job")}>
              {t.setup.haveOrganization(organization.officeName || organization.name || "")}
              <Permissions id={organization.id ?? ""} />
            </Already>
          ) : (
            <OrganizationStep onDone={() => setChosen("organization")} />
          ))}
          {current === "job" && (job ? <Already onNext={() => setChosen("run")}>{t.setup.haveJob(job.name ?? "")}</Already> : organization && repository && <JobStep organization={organization.id ?? ""} name={organization.officeName || organization.name || ""} repository={repository.id ?? ""} onDone={() => setChosen("run")} />)}
          {current === "run" && job && <RunStep job={job.id ?? ""} status={job.lastStatus ?? undefined} ran={ran} onNext={() => setChosen("kit")} />}
          {current === "kit" && repositories.data.map((r) => (
            <div key={r.id}>
              {repositories.data.length > 1 && <h3>{r.name}</h3>}
              {overview.data.storage.find((x) => x.repositoryId === r.id)?.recoveryKitExported ? <Already onNext={() => setChosen("restore")}>{t.setup.haveKit(r.name ?? "")}</Already> : <Kit id={r.id ?? ""} name={r.name ?? ""} onDone={() => setChosen("restore")} />}
            </div>
          ))}
          {current === "restore" && (
            <div className={s.foot}>
              <Button appearance="primary" onClick={() => { setRestored(true); leaveSetup(); void navigate({ to: "/explore" }); }}>{t.setup.browse}</Button>
              <Button onClick={leave}>{t.setup.toHome}</Button>
            </div>
          )}
        </section>
      </div>
    </Page>
  );
}

function Already({ children, onNext }: { children: ReactNode; onNext: () => void }) {
  const s = useStyles();
  const { t } = useText();
  return (
    <>
      <Note intent="success">{t.setup.already}</Note>
      <div>{children}</div>
      <div className={s.foot}>
        <Button appearance="primary" onClick={onNext}>{t.common.next}</Button>
      </div>
    </>
  );
}

function RepositoryStep({ onDone }: { onDone: () => void }) {
  const { t } = useText();
  const queries = useQueryClient();
  const [draft, setDraft] = useState({ ...emptyRepository, name: "main" });
  return (
    <Step submit={t.repository.create} save={async () => { await addRepository(queries, draft); await queries.invalidateQueries(); onDone(); }}>
      <RepositoryFields value={draft} onChange={setDraft} />
    </Step>
  );
}

function OrganizationStep({ onDone }: { onDone: () => void }) {
  const { t } = useText();
  const queries = useQueryClient();
  const [draft, setDraft] = useState(emptyOrganization);
  return (
    <Onboard onDone={onDone}>
      <Step submit={t.organization.connect} save={async () => { await addOrganization(draft); await queries.invalidateQueries(); onDone(); }}>
        <NeededPermissions mail={draft.exchange} files={draft.oneDrive} />
        <OrganizationFields value={draft} onChange={setDraft} />
      </Step>
    </Onboard>
  );
}

function JobStep({ organization, name, repository, onDone }: { organization: string; name: string; repository: string; onDone: () => void }) {
  const { t } = useText();
  const queries = useQueryClient();
  const [jobName, setJobName] = useState(t.setup.jobName(name));
  const [policy, setPolicy] = useState<Policy>({ scheduleEnabled: true, type: "Daily", dailyType: "Everyday", dailyTime: "22:00:00", retryEnabled: true, retryNumber: 3, retryWaitInterval: 10 });
  const [runNow, setRunNow] = useState(true);
  const save = async () => {
    await of(client.POST("/v8/Jobs", { body: { name: jobName, organizationId: organization, repositoryId: repository, backupType: "EntireOrganization", schedulePolicy: policy, isEnabled: true, runNow } as Schemas["RESTCreateBackupJob"] }));
    await queries.invalidateQueries();
    onDone();
  };
  return (
    <Step submit={t.job.create} save={save}>
      <Field label={t.job.name} required>
        <Input required value={jobName} onChange={(_, d) => setJobName(d.value)} />
      </Field>
      <p style={{ margin: 0 }}>{t.setup.everything}</p>
      <Schedule value={policy} onChange={setPolicy} />
      <Checkbox label={t.job.runNow} checked={runNow} onChange={(_, d) => setRunNow(d.checked === true)} />
    </Step>
  );
}

function RunStep({ job, status, ran, onNext }: { job: string; status: string | undefined; ran: boolean; onNext: () => void }) {
  const s = useStyles();
  const { t } = useText();
  const say = useSay();
  const queries = useQueryClient();
  const progress = useQuery(progressQuery);
  const jobs = useQuery({ ...jobsQuery, refetchInterval: 2_000 });
  useQuery({ ...organizationsQuery, refetchInterval: ran ? false : 3_000 });
  const p = progress.data?.find((x) => x.jobId === job);
  const last = jobs.data?.find((j) => j.id === job);
  // The overview learns of a run's end a moment after the list of jobs.
  const unwell = last?.lastStatus === "Warning" || last?.lastStatus === "Failed";
  const trouble = useQuery({ ...overviewQuery, refetchInterval: (q) => (unwell && !q.state.data?.problems.some((x) => x.jobId === job) ? 2_000 : false) }).data?.problems.find((x) => x.jobId === job);
  const finished = !p && (ran || last?.lastRun);
  const result = last?.lastStatus ?? status;
  const start = async () => {
    await of(client.POST("/v8/Jobs/{jobId}/start", { params: { path: { jobId: job } }, body: { full: false } }));
    await queries.invalidateQueries({ queryKey: progressQuery.queryKey });
  };
  if (p)
    return (
      <>
        <JobProgress progress={p} />
        <p>{t.setup.mayLeave}</p>
      </>
    );
  if (finished)
    return (
      <>
        <p>
          {t.setup.lastRun} <Status value={result} /> <Link to="/sessions" search={{ job }}>{t.session.log}</Link>
        </p>
        {trouble && <Note intent={trouble.status === "Failed" ? "error" : "warning"}>{say(trouble.details, trouble.detailsSaid)}</Note>}
        <div className={s.foot}>
          {ran ? <Button appearance="primary" onClick={onNext}>{t.common.next}</Button> : null}
          <StartAgain run={start} again primary={!ran} />
        </div>
      </>
    );
  return <StartAgain run={start} primary />;
}

function StartAgain({ run, primary, again = false }: { run: () => Promise<void>; primary: boolean; again?: boolean }) {
  const { t } = useText();
  const [error, setError] = useState<unknown>();
  return (
    <>
      <Problem error={error} />
      <div>
        <Button appearance={primary ? "primary" : "secondary"} onClick={() => void run().catch(setError)}>{again ? t.setup.again : t.job.start}</Button>
      </div>
    </>
  );
}
