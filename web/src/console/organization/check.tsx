import { Badge, Button, Field, Link as FluentLink, makeStyles, Radio, RadioGroup, tokens } from "@fluentui/react-components";
import { ArrowClockwise20Regular, Key20Regular } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { client, of } from "../../api/client";
import { organizationsQuery, type Organization } from "../../api/queries";
import { Busy } from "../../ui/busy";
import { Loading, Note, Page, Problem } from "../../ui/page";
import { FormPanel, Panel } from "../../ui/panel";
import { useSay } from "../../ui/said";
import { quote, type Act } from "../../ui/script";
import { DataTable } from "../../ui/table";
import { useText } from "../../ui/text/console";
import { DeviceSignIn } from "./device";
import { changeOrganization, emptyOrganization, OrganizationFields, type OrganizationDraft } from "./form";
import { People } from "./page";
import { useOnboardText } from "./text";

const useStyles = makeStyles({
  h: { fontSize: tokens.fontSizeBase400, lineHeight: tokens.lineHeightBase400, margin: "20px 0 4px" },
  wrap: { overflowWrap: "anywhere" },
});

const worst = ["error", "warning", "note", "ok"]; // first

const colors = { ok: "success", warning: "warning", error: "danger", note: "informative" } as const;

// Check is an organization as a page: everything that it needs from Microsoft, looked at now, and what to do about it.
export default function Check() {
  const s = useStyles();
  const { t } = useText();
  const w = useOnboardText();
  const say = useSay();
  const { organization: id } = useParams({ from: "/organizations/$organization" });
  const organization = useQuery(organizationsQuery).data?.find((o) => o.id === id);
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ["org-check", id],
    queryFn: ({ signal }) => of(client.GET("/holdfast/v1/Organizations/{organizationId}/Check", { params: { path: { organizationId: id } }, signal })),
    staleTime: 60_000,
  });
  const [renewing, setRenewing] = useState(false);
  const [changing, setChanging] = useState(false);
  const name = organization?.officeName || organization?.name || "";
  const count = (state: string) => data?.findings.filter((f) => f.state === state).length ?? 0;
  const areas = [...new Set(data?.findings.map((f) => f.area))];
  const command = quote(organization?.name ?? "NAME");
  const acts: Act[] = [
    { title: w.acts.check, command: `holdfast org check ${command}`, method: "GET", path: `/holdfast/v1/Organizations/${id}/Check` },
    { title: w.acts.renew, command: `holdfast org renew ${command}`, method: "POST", path: `/holdfast/v1/Organizations/${id}/Certificate/renew`, body: {} },
  ];
  return (
    <Page
      title={name || t.pages.organizations}
      about={w.checkAbout}
      acts={acts}
      commands={[
        { key: "again", label: w.lookAgain, icon: isFetching ? <Busy /> : <ArrowClockwise20Regular />, onClick: () => void refetch(), disabled: isFetching },
        { key: "renew", label: w.renew, icon: <Key20Regular />, onClick: () => setRenewing(true), disabled: !organization, divider: true },
        { key: "other", label: w.other, icon: <Key20Regular />, onClick: () => setChanging(true), disabled: !organization },
      ]}
    >
      <FluentLink href="#/organizations">{w.all}</FluentLink>
      <Problem error={error} onRetry={() => void refetch()} />
      {isFetching && !data && <Loading label={w.looking} />}
      {data && (
        <>
          {data.state === "error" ? <Note intent="error">{w.errors(count("error"))} {count("warning") > 0 && w.warnings(count("warning"))}</Note> : data.state === "warning" ? <Note intent="warning">{w.warnings(count("warning"))}</Note> : <Note intent="success">{w.well}</Note>}
          {areas.map((area) => (
            <section key={area} aria-label={w.areas[area] ?? area}>
              <h2 className={s.h}>{w.areas[area] ?? area}</h2>
              <DataTable
                label={w.areas[area] ?? area}
                rows={data.findings.filter((f) => f.area === area).sort((a, b) => worst.indexOf(a.state) - worst.indexOf(b.state)).map((f, n) => ({ ...f, n }))}
                rowKey={(f) => `${f.name} ${f.n}`}
                columns={[
                  { key: "state", title: w.state, width: "9%", render: (f) => <Badge appearance="tint" color={colors[f.state as "ok"] ?? "informative"}>{w.states[f.state] ?? f.state}</Badge> },
                  { key: "name", title: w.what, width: "27%", render: (f) => <span className={s.wrap}>{area === "right" ? <code>{f.name}</code> : say(f.name, f.nameSaid)}</span> },
                  { key: "found", title: w.found, width: "36%", render: (f) => <span className={s.wrap}>{say(f.detail, f.detailSaid)}</span> },
                  { key: "fix", title: w.fix, render: (f) => say(f.fix, f.fixSaid) },
                ]}
              />
            </section>
          ))}
          <h2 className={s.h}>{w.users}</h2>
          <People id={id} />
        </>
      )}
      {renewing && organization && <Renew organization={organization} onClose={() => setRenewing(false)} />}
      {changing && organization && <Change organization={organization} onClose={() => setChanging(false)} />}
    </Page>
  );
}

// Renew gives an organization's application a new certificate.
function Renew({ organization: o, onClose }: { organization: Organization; onClose: () => void }) {
  const { t } = useText();
  const w = useOnboardText();
  const queries = useQueryClient();
  const [way, setWay] = useState<"itself" | "person">("itself");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [done, setDone] = useState<{ thumbprint: string; note?: string }>();
  const id = o.id ?? "";
  const renew = async (userCode?: string) => {
    const got = await of(client.POST("/holdfast/v1/Organizations/{organizationId}/Certificate/renew", { params: { path: { organizationId: id } }, body: userCode ? { userCode } : {} }));
    setDone({ thumbprint: got.certificateThumbprint, ...(got.note ? { note: got.note } : {}) });
    await queries.invalidateQueries();
  };
  const itself = async () => {
    setBusy(true);
    setError(undefined);
    await renew().catch(setError);
    setBusy(false);
  };
  return (
    <Panel title={w.renew} onClose={onClose} footer={<Button onClick={onClose}>{t.common.close}</Button>}>
      {done ? (
        <Note intent="success">{w.renewed(done.thumbprint)} {done.note}</Note>
      ) : (
        <>
          <p>{w.renewAbout}</p>
          <Field label={w.renewHow}>
            <RadioGroup value={way} onChange={(_, d) => setWay(d.value as "itself")}>
              <Radio value="itself" label={w.renewItself} />
              <Radio value="person" label={w.renewPerson} />
            </RadioGroup>
          </Field>
          {way === "itself" ? (
            <>
              <Problem error={error} />
              <Button appearance="primary" disabledFocusable={busy} icon={busy ? <Busy /> : null} onClick={() => void itself()}>{busy ? w.renewing : w.renew}</Button>
            </>
          ) : (
            <DeviceSignIn ready begin={() => of(client.POST("/v8/Organizations/{organizationId}/DeviceCode", { params: { path: { organizationId: id } } } as never))} run={renew} doing={w.renewing} />
          )}
        </>
      )}
    </Panel>
  );
}

// Change takes another secret or certificate for an organization's application.
function Change({ organization: o, onClose }: { organization: Organization; onClose: () => void }) {
  const { t } = useText();
  const queries = useQueryClient();
  const [draft, setDraft] = useState<OrganizationDraft>({
    ...emptyOrganization, tenant: o.msid ?? o.name ?? "", region: o.region ?? "Worldwide", application: (o.exchangeOnlineSettings ?? o.sharePointOnlineSettings)?.applicationId ?? "",
    exchange: o.isExchangeOnline ?? true, oneDrive: o.isSharePointOnline ?? true,
  });
  return (
    <FormPanel size="large" title={t.organization.renew} submit={t.organization.connect} onClose={onClose} save={async () => { await changeOrganization(o.id ?? "", draft); await queries.invalidateQueries(); }}>
      <OrganizationFields value={draft} onChange={setDraft} tenantFixed />
    </FormPanel>
  );
}
