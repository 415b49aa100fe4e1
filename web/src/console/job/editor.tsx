import { Button, Checkbox, Field, Input, makeStyles, Radio, RadioGroup, SearchBox, Select, Switch, Tag, TagGroup, tokens, Textarea } from "@fluentui/react-components";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { client, of, type Schemas } from "../../api/client";
import { jobsQuery, organizationsQuery, repositoriesQuery, type Job } from "../../api/queries";
import { Busy } from "../../ui/busy";
import { Loading, Problem } from "../../ui/page";
import { FormPanel } from "../../ui/panel";
import { useText } from "../../ui/text/console";
import { Schedule, type Policy } from "./schedule";
import { useSettled } from "../../ui/act";

export type Item = Schemas["RESTJobItemComposed"];

const useStyles = makeStyles({
  group: { border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium, padding: "10px 14px 14px", margin: 0, display: "flex", flexDirection: "column", gap: "10px", minWidth: 0 },
  legend: { fontWeight: tokens.fontWeightSemibold, padding: "0 6px" },
  results: { listStyle: "none", margin: 0, padding: 0, maxHeight: "180px", overflowY: "auto", border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium },
  result: { display: "flex", alignItems: "center", justifyContent: "space-between", gap: "8px", padding: "2px 4px 2px 10px" },
  address: { color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  tags: { flexWrap: "wrap", rowGap: "4px" },
  pick: { display: "flex", flexDirection: "column", gap: "6px", alignItems: "stretch" },
});

// JobEditor makes a job, or changes one.
export function JobEditor({ job, onClose }: { job?: Job; onClose: () => void }) {
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
  const users = selected.filter((i) => i.type === "User");
  const first = selected[0];
  const [name, setName] = useState(job?.name ?? "");
  const [description, setDescription] = useState(job?.description ?? "");
  const [organization, setOrganization] = useState(job?.organizationId ?? organizations[0]?.id ?? "");
  const [repository, setRepository] = useState(job?.repositoryId ?? repositories[0]?.id ?? "");
  const [scope, setScope] = useState(users.length > 0 ? "users" : "all");
  const [mailbox, setMailbox] = useState(first ? (first.mailbox ?? false) : true);
  const [leaveOut, setLeaveOut] = useState<string[]>(first?.leaveOut ?? []);
  const [oneDrive, setOneDrive] = useState(first ? (first.oneDrive ?? false) : true);
  const [chosen, setChosen] = useState<Item[]>(users);
  const [left, setLeft] = useState<Item[]>(excluded);
  const [policy, setPolicy] = useState<Policy>(job?.schedulePolicy ?? { scheduleEnabled: true, type: "Daily", dailyType: "Everyday", dailyTime: "22:00:00", retryEnabled: true, retryNumber: 3, retryWaitInterval: 10 });
  const [enabled, setEnabled] = useState(job?.isEnabled ?? true);
  const [runNow, setRunNow] = useState(!job);

  const save = async () => {
    const workloads = { mailbox, oneDrive, ...(leaveOut.length > 0 ? { leaveOut } : {}) };
    const everything = scope === "all" && mailbox && oneDrive && leaveOut.length === 0;
    const body = {
      name,
      description,
      repositoryId: repository,
      backupType: everything ? ("EntireOrganization" as const) : ("SelectedItems" as const),
      ...(everything ? {} : { selectedItems: scope === "all" ? [{ type: "PartialOrganization" as const, ...workloads }] : chosen.map((i) => ({ type: "User" as const, user: i.user, ...workloads })) }),
      excludedItems: left.map((i) => ({ type: i.type, user: i.user, mailbox: i.mailbox, oneDrive: i.oneDrive })),
      schedulePolicy: policy,
      isEnabled: enabled,
      runNow,
    };
    if (job) await of(client.PUT("/v8/Jobs/{jobId}", { params: { path: { jobId: job.id ?? "" } }, body: body as Schemas["RESTEditBackupJob"] }));
    else await of(client.POST("/v8/Jobs", { body: { ...body, organizationId: organization } as Schemas["RESTCreateBackupJob"] }));
    await Promise.all([queries.invalidateQueries({ queryKey: jobsQuery.queryKey }), queries.invalidateQueries({ queryKey: ["progress"] }), queries.invalidateQueries({ queryKey: ["overview"] })]);
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
        <Select required value={organization} disabled={job !== undefined} onChange={(_, d) => setOrganization(d.value)}>
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
        <RadioGroup value={scope} onChange={(_, d) => setScope(d.value)} aria-label={t.job.who}>
          <Radio value="all" label={t.job.everybody} />
          <Radio value="users" label={t.job.chosen} />
        </RadioGroup>
        {scope === "users" && <Users label={t.job.chosenUsers} organization={organization} items={chosen} onChange={setChosen} />}
        <div>
          <Checkbox label={t.kind.mail} checked={mailbox} onChange={(_, d) => setMailbox(d.checked === true)} />
          {mailbox && (["calendars", "contacts", "tasks", "settings"] as const).map((part) => (
            <Checkbox key={part} label={t.job.parts[part]} checked={!leaveOut.includes(part)} onChange={(_, d) => setLeaveOut(d.checked === true ? leaveOut.filter((p) => p !== part) : [...leaveOut, part])} />
          ))}
          <Checkbox label={t.kind.files} checked={oneDrive} onChange={(_, d) => setOneDrive(d.checked === true)} />
        </div>
        {scope === "all" && <Users label={t.job.excluded} organization={organization} items={left} onChange={setLeft} />}
      </fieldset>
      <fieldset className={s.group}>
        <legend className={s.legend}>{t.schedule.title}</legend>
        <Schedule value={policy} onChange={setPolicy} />
        <Switch label={t.job.enabled} checked={enabled} onChange={(_, d) => setEnabled(d.checked)} />
      </fieldset>
      <Checkbox label={t.job.runNow} checked={runNow} onChange={(_, d) => setRunNow(d.checked === true)} />
    </FormPanel>
  );
}


type User = Schemas["RESTUser"];

// Users picks users of the organization's directory, as Microsoft has them now.
export function Users({ label, organization, items, onChange }: { label: string; organization: string; items: Item[]; onChange: (items: Item[]) => void }) {
  const s = useStyles();
  const { t } = useText();
  const [text, setText] = useState("");
  const wanted = useSettled(text);
  const { data, error, isFetching } = useQuery({
    queryKey: ["directory", organization, wanted],
    enabled: organization !== "" && wanted.length > 0,
    staleTime: 60_000,
    queryFn: async ({ signal }) => {
      const path = { organizationId: organization };
      // The directory finds by the beginning of either name.
      const [byName, byAddress] = await Promise.all([
        of(client.GET("/v8/Organizations/{organizationId}/Users", { params: { path, query: { displayName: wanted, limit: 20 } }, signal })),
        of(client.GET("/v8/Organizations/{organizationId}/Users", { params: { path, query: { userName: wanted, limit: 20 } }, signal })),
      ]);
      const seen = new Map<string, User>();
      for (const u of [...((byName.results ?? []) as User[]), ...((byAddress.results ?? []) as User[])]) seen.set(u.id ?? "", u);
      return [...seen.values()];
    },
  });
  const has = new Set(items.map((i) => i.user?.id));
  const found = (data ?? []).filter((u) => !has.has(u.id));
  return (
    <Field label={label} hint={t.job.findHint}>
      <div className={s.pick}>
        {items.length > 0 && (
          <TagGroup className={s.tags} aria-label={label} onDismiss={(_, d) => onChange(items.filter((i) => (i.user?.id ?? i.id) !== d.value))}>
            {items.map((i) => (
              <Tag key={i.user?.id ?? i.id} value={i.user?.id ?? i.id ?? ""} dismissible dismissIcon={{ "aria-label": t.common.remove }} size="small">
                {i.user?.displayName || i.user?.name || i.type}
              </Tag>
            ))}
          </TagGroup>
        )}
        <SearchBox value={text} onChange={(_, d) => setText(d.value)} placeholder={t.job.find} aria-label={`${label}: ${t.job.find}`} contentAfter={isFetching ? <Busy size="extra-tiny" /> : null} />
        <Problem error={error} />
        {wanted !== "" && data && (
          <ul className={s.results} aria-label={t.job.found}>
            {found.map((u) => (
              <li key={u.id} className={s.result}>
                <span>
                  {u.displayName} <span className={s.address}>{u.name}</span>
                </span>
                <Button
                  size="small"
                  appearance="subtle"
                  aria-label={t.job.addUser(u.displayName ?? u.name ?? "")}
                  onClick={() => {
                    onChange([...items, { type: "User", user: { id: u.id, name: u.name, displayName: u.displayName }, mailbox: true, oneDrive: true } as Item]);
                    setText("");
                  }}
                >
                  {t.common.add}
                </Button>
              </li>
            ))}
            {found.length === 0 && <li className={s.result}>{t.common.nothingFound}</li>}
          </ul>
        )}
      </div>
    </Field>
  );
}
