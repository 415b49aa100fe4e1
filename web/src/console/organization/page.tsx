import { Badge, Button, Input, Link } from "@fluentui/react-components";
import { Add20Regular, BuildingRegular, Delete20Regular, ShieldCheckmark20Regular, FolderSearch20Regular } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { client, of } from "../../api/client";
import { organizationsQuery, type Organization } from "../../api/queries";
import { useOnboardText } from "./text";
import { Address } from "../../ui/address";
import { useFormat } from "../../ui/format";
import { List } from "../../ui/list";
import { Empty, Loading, Note, Page, Problem } from "../../ui/page";
import { Confirm, Panel } from "../../ui/panel";
import { useSay } from "../../ui/said";
import { quote, type Act } from "../../ui/script";
import { DataTable } from "../../ui/table";
import { useText } from "../../ui/text/console";
import { addOrganization, emptyOrganization, NeededPermissions, organizationBody, OrganizationFields } from "./form";
import { Step } from "../step";
import { Onboard } from "./onboard";

export default function Organizations() {
  const { t } = useText();
  const w = useOnboardText();
  const f = useFormat();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const list = useQuery(organizationsQuery);
  const [selected, setSelected] = useState<Set<string>>(new Set());
  const [adding, setAdding] = useState(false);
  const check = (o: Organization | undefined) => o && void navigate({ to: "/organizations/$organization", params: { organization: o.id ?? "" } });
  const [removing, setRemoving] = useState(false);
  const all = list.data ?? [];
  const chosen = all.filter((o) => selected.has(o.id ?? ""));
  const one = chosen.length === 1 ? chosen[0] : undefined;
  const id = one?.id ?? "ORGANIZATION";
  const acts: Act[] = [
    { title: t.organization.acts.list, command: "holdfast org list", method: "GET", path: "/v8/Organizations" },
    { title: t.organization.acts.add, command: "holdfast org add contoso.onmicrosoft.com --application APPLICATION --certificate app.pfx --certificate-password-file password.txt", method: "POST", path: "/v8/Organizations", body: organizationBody({ ...emptyOrganization, tenant: "contoso.onmicrosoft.com", application: "APPLICATION", certificate: "BASE64 OF app.pfx" }) },
    { title: t.organization.acts.check, command: `holdfast org check ${quote(one?.name ?? "NAME")}`, method: "GET", path: `/holdfast/v1/Organizations/${id}/Check` },
    { title: t.organization.acts.users, command: "holdfast org users", method: "GET", path: `/v8/Organizations/${id}/Users?limit=10000` },
    { title: t.organization.acts.remove, command: `holdfast org remove ${quote(one?.name ?? "NAME")}`, method: "DELETE", path: `/v8/Organizations/${id}` },
  ];
  return (
    <Page
      title={t.pages.organizations}
      about={t.organization.about}
      acts={acts}
      commands={[
        { key: "add", label: t.organization.add, icon: <Add20Regular />, onClick: () => setAdding(true) },
        { key: "check", label: t.organization.check, icon: <ShieldCheckmark20Regular />, onClick: () => check(one), disabled: !one, why: t.common.chooseOne, divider: true },
        { key: "explore", label: t.nav.explore, icon: <FolderSearch20Regular />, onClick: () => void navigate({ to: "/explore" }), disabled: !one, why: t.common.chooseOne },
        { key: "remove", label: t.common.remove, icon: <Delete20Regular />, onClick: () => setRemoving(true), disabled: !one, why: t.common.chooseOne },
      ]}
    >
      <List
        query={list}
        empty={
          <Empty icon={<BuildingRegular />} title={t.organization.empty} action={<Button appearance="primary" onClick={() => setAdding(true)}>{t.organization.add}</Button>}>
            {t.organization.emptyAbout}
          </Empty>
        }
        label={t.pages.organizations}
        rows={all}
        rowKey={(o) => o.id ?? ""}
        rowName={(o) => o.officeName || o.name || ""}
        selected={selected}
        onSelect={setSelected}
        columns={[
          { key: "name", title: t.organization.name, sort: (o) => o.officeName || o.name || "", render: (o) => <Link as="button" inline onClick={() => check(o)} style={{ color: "inherit" }}>{o.officeName || o.name}</Link> },
          { key: "domain", title: t.organization.domain, render: (o) => o.name },
          { key: "region", title: t.organization.region, render: (o) => t.organization.regions[o.region as "China"] ?? o.region, wide: true },
          { key: "protects", title: t.organization.protect, render: (o) => f.list([...(o.isExchangeOnline ? [t.kind.mail] : []), ...(o.isSharePointOnline ? [t.kind.files, t.kind.sites] : []), ...(o.isTeamsOnline ? [w.teams] : [])]), wide: true },
          { key: "last", title: t.home.lastBackup, render: (o) => (o.lastBackuptime ? f.ago(o.lastBackuptime) : t.common.never) },
        ]}
      />
      {adding && <Add onClose={() => setAdding(false)} />}
      {removing && one && (
        <Confirm
          title={t.organization.removeTitle(one.officeName || one.name || "")}
          action={t.common.remove}
          onClose={() => setRemoving(false)}
          run={async () => {
            await of(client.DELETE("/v8/Organizations/{organizationId}", { params: { path: { organizationId: one.id ?? "" } } }));
            setSelected(new Set());
            await queries.invalidateQueries();
          }}
        >
          {t.organization.removeAbout}
        </Confirm>
      )}
    </Page>
  );
}

function Add({ onClose }: { onClose: () => void }) {
  const { t } = useText();
  const queries = useQueryClient();
  const [draft, setDraft] = useState(emptyOrganization);
  return (
    <Panel size="large" title={t.organization.add} onClose={onClose}>
      <Onboard onDone={onClose}>
        <Step submit={t.organization.connect} save={async () => { await addOrganization(draft); await queries.invalidateQueries(); onClose(); }}>
          <NeededPermissions mail={draft.exchange} files={draft.oneDrive} />
          <OrganizationFields value={draft} onChange={setDraft} />
        </Step>
      </Onboard>
    </Panel>
  );
}

// Permissions asks Microsoft what the organization's application was granted.
export function Permissions({ id }: { id: string }) {
  const { t } = useText();
  const say = useSay();
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["permissions", id],
    queryFn: ({ signal }) => of(client.GET("/holdfast/v1/Organizations/{organizationId}/Permissions", { params: { path: { organizationId: id } }, signal })),
    staleTime: 60_000,
  });
  if (isPending) return <Loading label={t.organization.asking} />;
  if (error) return <Problem error={error} onRetry={() => void refetch()} />;
  const lacking = data.filter((p) => !p.granted);
  const once = data.filter((p, i) => data.findIndex((o) => o.api === p.api && o.name === p.name) === i); // two workloads may need the same one
  return (
    <>
      {lacking.length === 0 ? <Note intent="success">{t.organization.allGranted}</Note> : <Note intent="warning">{t.organization.lacking}</Note>}
      <DataTable
        label={t.organization.permissions}
        rows={once}
        rowKey={(p) => p.api + p.name}
        columns={[
          { key: "name", title: t.organization.permission, render: (p) => <code>{p.name}</code> },
          { key: "why", title: t.organization.why, render: (p) => say(p.why, p.whySaid) },
          { key: "granted", title: t.organization.granted, render: (p) => <Badge appearance="tint" color={p.granted ? "success" : "danger"}>{p.granted ? t.common.yes : t.common.no}</Badge> },
        ]}
      />
    </>
  );
}

export function People({ id }: { id: string }) {
  const { t } = useText();
  const [name, setName] = useState("");
  const { data, error, isPending } = useQuery({
    queryKey: ["directory", id, name, "page"],
    queryFn: ({ signal }) => of(client.GET("/v8/Organizations/{organizationId}/Users", { params: { path: { organizationId: id }, query: { limit: 100, ...(name ? { displayName: name } : {}) } }, signal })),
    staleTime: 60_000,
  });
  const rows = (data?.results ?? []) as { id?: string; displayName?: string; name?: string; type?: string }[];
  return (
    <>
      <Input placeholder={t.job.find} aria-label={t.job.find} value={name} onChange={(_, d) => setName(d.value)} />
      <Problem error={error} />
      {isPending && <Loading />}
      {data && rows.length === 0 && <p>{t.common.nothingFound}</p>}
      {rows.length > 0 && (
        <DataTable
          label={t.organization.users}
          rows={rows}
          rowKey={(u) => u.id ?? ""}
          columns={[
            { key: "name", title: t.organization.name, render: (u) => u.displayName, sort: (u) => u.displayName ?? "" },
            { key: "address", title: t.organization.address, render: (u) => <Address>{u.name ?? ""}</Address> },
          ]}
        />
      )}
      {rows.length === 100 && <p>{t.organization.first100}</p>}
    </>
  );
}
