import { Checkbox, Field, Input, makeStyles, Select, Switch, tokens, Textarea } from "@fluentui/react-components";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { client, of, type Schemas } from "../../api/client";
import { jobsQuery, organizationsQuery, repositoriesQuery, type Job } from "../../api/queries";
import { Loading, Problem } from "../../ui/page";
import { FormPanel } from "../../ui/panel";
import { quote, ScriptFolded, type Act } from "../../ui/script";
import { useText } from "../../ui/text/console";
import { Schedule, type Policy } from "./schedule";
import { asked, flags, type Item, type Services } from "./item";
import { ScopeEditor, type Scope } from "./scope";

const useStyles = makeStyles({
  group: { border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium, padding: "10px 14px 14px", margin: 0, display: "flex", flexDirection: "column", gap: "10px", minWidth: 0 },
  legend: { fontWeight: tokens.fontWeightSemibold, padding: "0 6px" },
});

// JobEditor makes a job, or changes one.
export default function JobEditor({ job, onClose }: { job?: Job; onClose: () => void }) {
  const { t } = useText();
  const organizations = useQuery(organizationsQuery);
  const repositories = useQuery(repositoriesQuery);
  const items = useQuery({
    queryKey: ["job-items", job?.id],
    enabled: job !== undefined,
    gcTime: 0,
    queryFn: async () => {
      const path = { jobId: job?.id ?? "" };
      const query = { limit: 10_000 };
      const [selected, excluded] = await Promise.all([
        job?.backupType === "SelectedItems" ? of(client.GET("/v8/Jobs/{jobId}/SelectedItems", { params: { path, query } })) : { results: [] },
        of(client.GET("/v8/Jobs/{jobId}/ExcludedItems", { params: { path, query } })),
      ]);
      return { selected: (selected.results ?? []) as Item[], excluded: (excluded.results ?? []) as Item[] };
    },
  });
  const title = job ? t.job.edit(job.name ?? "") : t.job.new;
  if (organizations.error || repositories.error || items.error)
    return (
      <FormPanel title={title} submit={t.common.save} onClose={onClose} save={() => Promise.resolve()}>
        <Problem error={organizations.error ?? repositories.error ?? items.error} />
      </FormPanel>
    );
  if (!organizations.data || !repositories.data || (job && !items.data))
    return (
      <FormPanel title={title} submit={t.common.save} onClose={onClose} save={() => Promise.resolve()}>
        <Loading />
      </FormPanel>
    );
  return <Form title={title} job={job} selected={items.data?.selected ?? []} excluded={items.data?.excluded ?? []} onClose={onClose} />;
}

function Form({ title, job, selected, excluded, onClose }: { title: string; job: Job | undefined; selected: Item[]; excluded: Item[]; onClose: () => void }) {
  const s = useStyles();
  const { t } = useText();
  const queries = useQueryClient();
  const organizations = useQuery(organizationsQuery).data ?? [];
  const repositories = useQuery(repositoriesQuery).data ?? [];
  const [name, setName] = useState(job?.name ?? "");
  const [description, setDescription] = useState(job?.description ?? "");
  const [organization, setOrganization] = useState(job?.organizationId ?? organizations[0]?.id ?? "");
  const [repository, setRepository] = useState(job?.repositoryId ?? repositories[0]?.id ?? "");
  const [scope, setScope] = useState<Scope>({ entire: job?.backupType !== "SelectedItems", personal: job?.personalSites ?? false, selected, excluded });
  const [policy, setPolicy] = useState<Policy>(job?.schedulePolicy ?? { scheduleEnabled: true, type: "Daily", dailyType: "Everyday", dailyTime: "22:00:00", retryEnabled: true, retryNumber: 3, retryWaitInterval: 10 });
  const [enabled, setEnabled] = useState(job?.isEnabled ?? true);
  const [runNow, setRunNow] = useState(!job);
  const protects = organizations.find((o) => o.id === organization);
  const services: Services = { exchange: protects?.isExchangeOnline ?? true, sharePoint: protects?.isSharePointOnline ?? true, teams: protects?.isTeamsOnline ?? false, posts: protects?.isTeamsChatsOnline ?? false };

  const body = {
    name,
    description,
    repositoryId: repository,
    backupType: scope.entire ? ("EntireOrganization" as const) : ("SelectedItems" as const),
    ...(scope.entire ? { personalSites: scope.personal } : { selectedItems: scope.selected.map(asked) }),
    excludedItems: scope.excluded.map(asked),
    schedulePolicy: policy,
    isEnabled: enabled,
    runNow,
  };
  const save = async () => {
    if (!scope.entire && scope.selected.length === 0) throw new Error(t.job.nothingChosen);
    if (job) await of(client.PUT("/v8/Jobs/{jobId}", { params: { path: { jobId: job.id ?? "" } }, body: body as Schemas["RESTEditBackupJob"] }));
    else await of(client.POST("/v8/Jobs", { body: { ...body, organizationId: organization } as Schemas["RESTCreateBackupJob"] }));
    await Promise.all([queries.invalidateQueries({ queryKey: jobsQuery.queryKey }), queries.invalidateQueries({ queryKey: ["progress"] }), queries.invalidateQueries({ queryKey: ["overview"] })]);
  };
  const words = job ? undefined : flags(scope.selected, scope.excluded, scope.entire, scope.personal, services);
  const daily = policy.scheduleEnabled && policy.type === "Daily" && policy.dailyType === "Everyday" && policy.dailyTime ? [`--daily ${policy.dailyTime.slice(0, 5)}`] : [];
  const act: Act = {
    title: job ? t.job.acts.change : t.job.acts.make,
    ...(words ? { command: ["holdfast job add", quote(name || "NAME"), `--repo ${quote(repositories.find((r) => r.id === repository)?.name || "REPOSITORY")}`, ...words, ...daily, ...(runNow ? ["--run"] : [])].join(" ") } : {}),
    method: job ? "PUT" : "POST",
    path: job ? `/v8/Jobs/${job.id}` : "/v8/Jobs",
    body: job ? body : { ...body, organizationId: organization },
  };
  return (
    <FormPanel size="large" title={title} submit={job ? t.common.save : t.job.create} onClose={onClose} save={save}>
      <Field label={t.job.name} required>
        <Input required value={name} onChange={(_, d) => setName(d.value)} />
      </Field>
      <Field label={t.common.description}>
        <Textarea value={description} onChange={(_, d) => setDescription(d.value)} rows={2} />
      </Field>
      <Field label={t.job.organization} required>
        <Select required value={organization} disabled={job !== undefined} onChange={(_, d) => { setOrganization(d.value); setScope({ ...scope, selected: [], excluded: [] }); }}>
          {organizations.map((o) => (
            <option key={o.id} value={o.id ?? ""}>
              {o.officeName || o.name} ({o.name})
            </option>
          ))}
        </Select>
      </Field>
      <Field label={t.job.repository} required>
        <Select required value={repository} onChange={(_, d) => setRepository(d.value)}>
          {repositories.map((r) => (
            <option key={r.id} value={r.id ?? ""}>
              {r.name}
            </option>
          ))}
        </Select>
      </Field>
      <fieldset className={s.group}>
        <legend className={s.legend}>{t.job.what}</legend>
        <ScopeEditor organization={organization} job={job?.id ?? undefined} services={services} value={scope} onChange={setScope} />
      </fieldset>
      <fieldset className={s.group}>
        <legend className={s.legend}>{t.schedule.title}</legend>
        <Schedule value={policy} onChange={setPolicy} />
        <Switch label={t.job.enabled} checked={enabled} onChange={(_, d) => setEnabled(d.checked)} />
      </fieldset>
      <Checkbox label={t.job.runNow} checked={runNow} onChange={(_, d) => setRunNow(d.checked === true)} />
      <ScriptFolded acts={[act]} />
    </FormPanel>
  );
}
