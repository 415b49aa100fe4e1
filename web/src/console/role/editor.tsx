import { Checkbox, Field, Input, makeStyles, Radio, RadioGroup, Select } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { own, type Schemas } from "../../api/client";
import { organizationsQuery, usersQuery } from "../../api/queries";
import { Loading, Problem } from "../../ui/page";
import { FormPanel, Panel } from "../../ui/panel";
import { useText } from "../../ui/text/console";
import { bodyOf, Members, type Member } from "./members";

export type Role = Schemas["RESTRbacRole"];

export const grants = ["read", "download", "restore", "restoreElsewhere"] as const;

interface Entry {
  type: string;
  user?: { id?: string | null; name?: string | null; displayName?: string | null };
  group?: { id?: string | null; name?: string | null; displayName?: string | null };
  site?: { id?: string | null; url?: string | null; title?: string | null };
  team?: { id?: string | null; mail?: string | null; displayName?: string | null };
}

const memberOf = (e: Entry): Member => {
  if (e.site) return { id: e.site.id ?? "", name: e.site.url ?? "", displayName: e.site.title ?? "", kind: "Site" };
  if (e.team) return { id: e.team.id ?? "", name: e.team.mail ?? "", displayName: e.team.displayName ?? "", kind: "Team" };
  const object = e.group ?? e.user;
  return { id: object?.id ?? "", name: object?.name ?? "", displayName: object?.displayName ?? "", kind: e.group ? "Group" : "User" };
};

// Contents is all of a role.
export interface Contents {
  operators: Member[];
  selected: Member[];
  excluded: Member[];
  acts: string[];
}

export async function contentsOf(role: string, signal: AbortSignal): Promise<Contents> {
  const at = `/v8/RbacRoles/${role}`;
  const entries = async (what: string) => {
    const answer = await own<Entry[] | { results?: Entry[] }>("GET", `${at}/${what}`, undefined, signal);
    return (Array.isArray(answer) ? answer : (answer.results ?? [])).map(memberOf);
  };
  const [operators, selected, excluded, { acts }] = await Promise.all([entries("operators"), entries("selectedItems"), entries("excludedItems"), own<{ acts: string[] }>("GET", `/holdfast/v1/RbacRoles/${role}/acts`, undefined, signal)]);
  return { operators, selected, excluded, acts };
}

// RoleEditor makes a restore role or changes one.
export function RoleEditor({ role, onClose, onDone }: { role?: Role; onClose: () => void; onDone: () => Promise<unknown> }) {
  const { data, error } = useQuery({ queryKey: ["rbac-role", role?.id], enabled: role !== undefined, queryFn: ({ signal }) => contentsOf(role?.id ?? "", signal), gcTime: 0 });
  if (role && !data)
    return (
      <Panel title={role.name ?? ""} onClose={onClose}>
        <Problem error={error} />
        {!error && <Loading />}
      </Panel>
    );
  return <Form role={role} contents={data ?? { operators: [], selected: [], excluded: [], acts: [...grants] }} onClose={onClose} onDone={onDone} />;
}

const useStyles = makeStyles({ group: { border: "none", margin: 0, padding: 0, minWidth: 0 } });

function Form({ role, contents, onClose, onDone }: { role: Role | undefined; contents: Contents; onClose: () => void; onDone: () => Promise<unknown> }) {
  const s = useStyles();
  const { t } = useText();
  const organizations = useQuery(organizationsQuery).data ?? [];
  const users = useQuery(usersQuery).data ?? [];
  const [organization, setOrganization] = useState(role?.organizationId ?? "");
  const org = organization || organizations[0]?.id || "";
  const [name, setName] = useState(role?.name ?? "");
  const [description, setDescription] = useState(role?.description ?? "");
  const [whole, setWhole] = useState(role ? role.roleType === "EntireOrganization" : true);
  const [operators, setOperators] = useState(contents.operators);
  const [selected, setSelected] = useState(contents.selected);
  const [excluded, setExcluded] = useState(contents.excluded);
  const [acts, setActs] = useState(new Set(contents.acts));
  const locals: Member[] = users.filter((u) => (u.roles ?? [u.role]).includes("RestoreOperator")).map((u) => ({ id: "", name: u.name, displayName: u.name, kind: "User" }));
  const save = async () => {
    const body = { name, description, roleType: whole ? "EntireOrganization" : "SpecificObjects", operators: operators.map(bodyOf), selectedItems: whole ? [] : selected.map(bodyOf), excludedItems: excluded.map(bodyOf) };
    let id = role?.id;
    if (id) await own("PUT", `/v8/RbacRoles/${id}`, body);
    else id = (await own<{ id: string }>("POST", `/v8/Organizations/${org}/RbacRoles`, body)).id;
    await own("PUT", `/holdfast/v1/RbacRoles/${id}/acts`, { acts: grants.filter((g) => acts.has(g)) });
    await onDone();
  };
  return (
    <FormPanel size="large" title={role ? (role.name ?? "") : t.grant.add} submit={role ? t.common.save : t.grant.create} onClose={onClose} save={save}>
      <Field label={t.user.name} required>
        <Input required value={name} onChange={(_, d) => setName(d.value)} />
      </Field>
      <Field label={t.common.description}>
        <Input value={description} onChange={(_, d) => setDescription(d.value)} />
      </Field>
      <Field label={t.job.organization} required>
        <Select value={org} disabled={role !== undefined} onChange={(_, d) => { setOrganization(d.value); setOperators([]); setSelected([]); setExcluded([]); }}>
          {organizations.map((o) => <option key={o.id} value={o.id ?? ""}>{o.officeName || o.name}</option>)}
        </Select>
      </Field>
      <Members label={t.grant.operators} hint={t.grant.operatorsHint} organization={org} others={locals} members={operators} onChange={setOperators} />
      <Field label={t.grant.manages}>
        <RadioGroup value={whole ? "all" : "some"} onChange={(_, d) => setWhole(d.value === "all")}>
          <Radio value="all" label={t.grant.everybody} />
          <Radio value="some" label={t.grant.some} />
        </RadioGroup>
      </Field>
      {!whole && <Members places label={t.grant.selected} hint={t.grant.groupHint} organization={org} members={selected} onChange={setSelected} />}
      <Members places label={t.grant.excluded} hint={t.grant.excludedHint} organization={org} members={excluded} onChange={setExcluded} />
      {/* No Field: it gives every box in it the same id. */}
      <fieldset className={s.group}>
        <legend>{t.grant.acts}</legend>
        {grants.map((g) => (
          <Checkbox key={g} label={t.grant.act[g]} checked={acts.has(g)} onChange={(_, d) => {
            const next = new Set(acts);
            if (d.checked === true) next.add(g);
            else next.delete(g);
            setActs(next);
          }} />
        ))}
      </fieldset>
    </FormPanel>
  );
}
