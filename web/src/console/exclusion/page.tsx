import { Button, Checkbox, makeStyles, tokens } from "@fluentui/react-components";
import { useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, type FormEvent, type ReactNode } from "react";
import { client, of } from "../../api/client";
import { organizationsQuery, sessionQuery, type Organization } from "../../api/queries";
import { useAct } from "../../ui/act";
import { useFormat } from "../../ui/format";
import { Loading, Note, Page, Problem } from "../../ui/page";
import { FormPanel } from "../../ui/panel";
import { quote, type Act } from "../../ui/script";
import { DataTable } from "../../ui/table";
import { useText } from "../../ui/text/console";
import { useExclusionText } from "./text";

const useStyles = makeStyles({
  section: { maxWidth: "760px", margin: "0 0 28px" },
  h: { fontSize: tokens.fontSizeBase400, lineHeight: tokens.lineHeightBase400, margin: "0 0 4px" },
  h3: { fontSize: tokens.fontSizeBase300, lineHeight: tokens.lineHeightBase300, margin: "16px 0 4px" },
  about: { margin: "0 0 8px", color: tokens.colorNeutralForeground2 },
  boxes: { display: "flex", flexDirection: "column", border: "none", padding: 0, margin: "0 0 8px" },
  buttons: { display: "flex", gap: "8px", flexWrap: "wrap" },
});

const folders = ["deletedItems", "drafts", "junkEmail", "outbox", "syncIssues"] as const;
const spared = ["contacts", "calendar"] as const;

type Marks<K extends string> = Partial<Record<K, boolean | null>>; // the contract lets each be null
type Spared = Marks<(typeof spared)[number]>;

const foldersPath = "/v8/ExclusionSettings";
const sparedPath = "/v8/GlobalRetentionExclusionSettings";
const ofOrganization = (o: Organization) => ({ params: { path: { organizationId: o.id ?? "" } } });
const organizationPath = "/v8/Organizations/{organizationId}/RetentionExclusion";

// Exclusions hold for all jobs: folders that none backs up, and what retention spares.
export default function Exclusions() {
  const s = useStyles();
  const { t } = useText();
  const w = useExclusionText();
  const f = useFormat();
  const queries = useQueryClient();
  const acting = useQuery(sessionQuery).data?.user.acts;
  const may = (act: string) => !acting || acting.includes(act);
  const organizations = useQuery(organizationsQuery);
  const left = useQuery({ queryKey: ["exclusions", "folders"], queryFn: ({ signal }) => of(client.GET(foldersPath, { signal })) });
  const everywhere = useQuery({ queryKey: ["exclusions", "spared"], queryFn: ({ signal }) => of(client.GET(sparedPath, { signal })) });
  const rows = organizations.data ?? [];
  const own = useQueries({ queries: rows.map((o) => ({ queryKey: ["exclusions", "spared", o.id], queryFn: ({ signal }: { signal: AbortSignal }) => of(client.GET(organizationPath, { ...ofOrganization(o), signal })) })) });
  const [changing, setChanging] = useState<{ organization: Organization; now: Spared }>();
  const { busy, error, said, setSaid, act } = useAct();
  const again = () => queries.invalidateQueries({ queryKey: ["exclusions"] });
  const nameOf = (o: Organization) => o.officeName || o.name || "";
  const list = (e: Spared | undefined) => (e ? f.list(spared.filter((k) => e[k]).map((k) => w[k])) || w.nothing : "");
  const inherit = (o: Organization) => act(async () => {
    await of(client.DELETE(organizationPath, ofOrganization(o)));
    await again();
    setSaid(w.inherited(nameOf(o)));
  });
  const [first] = rows;
  const id = first?.id ?? "ORGANIZATION";
  const named = first ? quote(nameOf(first)) : "ORGANIZATION";
  const acts: Act[] = [
    { title: w.acts.show, command: "holdfast exclusion show", method: "GET", path: foldersPath },
    { title: w.acts.folders, command: "holdfast exclusion folders --junk-email --deleted-items", method: "PUT", path: foldersPath, body: { junkEmail: true, deletedItems: true } },
    { title: w.acts.retention, command: "holdfast exclusion retention --calendar", method: "PUT", path: sparedPath, body: { contacts: false, calendar: true } },
    { title: w.acts.organization, command: `holdfast exclusion retention --calendar --org ${named}`, method: "PUT", path: `/v8/Organizations/${id}/RetentionExclusion`, body: { contacts: false, calendar: true } },
    { title: w.acts.inherit, command: `holdfast exclusion retention --inherit --org ${named}`, method: "DELETE", path: `/v8/Organizations/${id}/RetentionExclusion` },
  ];
  const sparing = may("change what retention spares of an organization");
  return (
    <Page title={t.pages.exclusions} about={w.about} acts={acts}>
      <section className={s.section} aria-labelledby="exclusions-folders">
        <h2 className={s.h} id="exclusions-folders">{w.folders}</h2>
        <p className={s.about}>{w.foldersAbout}</p>
        <Problem error={left.error} onRetry={() => void left.refetch()} />
        {left.isPending && <Loading />}
        {left.data && (
          <Choose label={w.folders} keys={folders} names={w.names} now={left.data} may={may("change which folders are left out of backups")} saved={w.saved} save={async (to) => {
            await of(client.PUT(foldersPath, { body: to }));
            await again();
          }}>
            <Note>{w.holds}</Note>
          </Choose>
        )}
      </section>
      <section className={s.section} aria-labelledby="exclusions-retention">
        <h2 className={s.h} id="exclusions-retention">{w.retention}</h2>
        <p className={s.about}>{w.retentionAbout}</p>
        <h3 className={s.h3}>{w.everywhere}</h3>
        <Problem error={everywhere.error} onRetry={() => void everywhere.refetch()} />
        {everywhere.isPending && <Loading />}
        {everywhere.data && (
          <Choose label={w.everywhere} keys={spared} names={w} now={everywhere.data} may={may("change what retention spares")} saved={w.savedRetention} save={async (to) => {
            await of(client.PUT(sparedPath, { body: to }));
            await again();
          }} />
        )}
        <h3 className={s.h3}>{w.organizations}</h3>
        <p className={s.about}>{w.organizationsAbout}</p>
        <Problem error={error ?? organizations.error ?? own.find((q) => q.error)?.error} />
        {said && <Note intent="success">{said}</Note>}
        {organizations.data?.length === 0 && <p className={s.about}>{w.none}</p>}
        {rows.length > 0 && (
          <DataTable
            label={w.organizations}
            rows={rows.map((o, n) => ({ o, now: own[n]?.data }))}
            rowKey={(r) => r.o.id ?? ""}
            columns={[
              { key: "name", title: t.job.organization, render: (r) => nameOf(r.o) },
              { key: "spared", title: w.spared, render: (r) => list(r.now) },
              {
                key: "acts", title: "", end: true,
                render: (r) => sparing && r.now && (
                  <span className={s.buttons}>
                    <Button size="small" aria-label={`${w.change}: ${nameOf(r.o)}`} onClick={() => { setSaid(""); setChanging({ organization: r.o, now: r.now ?? {} }); }}>{w.change}</Button>
                    <Button size="small" appearance="subtle" disabledFocusable={busy} aria-label={`${w.inherit}: ${nameOf(r.o)}`} onClick={() => void inherit(r.o)}>{w.inherit}</Button>
                  </span>
                ),
              },
            ]}
          />
        )}
      </section>
      {changing && <Organizations of={changing.organization} name={nameOf(changing.organization)} now={changing.now} onClose={() => setChanging(undefined)} onDone={async () => {
        await again();
        setSaid(w.changed(nameOf(changing.organization)));
      }} />}
    </Page>
  );
}

// Choose is boxes with a button that saves them once one differs.
function Choose<K extends string>({ label, keys, names, now, may, saved, save, children }: { label: string; keys: readonly K[]; names: Record<K, string>; now: Marks<K>; may: boolean; saved: string; save: (to: Record<K, boolean>) => Promise<void>; children?: ReactNode }) {
  const s = useStyles();
  const { t } = useText();
  const w = useExclusionText();
  const [to, setTo] = useState<Marks<K>>(now);
  const { busy, error, said, setSaid, act } = useAct();
  useEffect(() => setTo(now), [now]);
  const differs = keys.some((k) => (to[k] ?? false) !== (now[k] ?? false));
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (!differs || busy) return;
    void act(async () => {
      await save(Object.fromEntries(keys.map((k) => [k, to[k] ?? false])) as Record<K, boolean>);
      setSaid(saved);
    });
  };
  return (
    <form onSubmit={submit}>
      <fieldset className={s.boxes} aria-label={label} disabled={!may}>
        {keys.map((k) => <Checkbox key={k} label={names[k]} disabled={!may} checked={to[k] ?? false} onChange={(_, d) => { setSaid(""); setTo({ ...to, [k]: d.checked === true }); }} />)}
      </fieldset>
      {children}
      <Problem error={error} />
      {said && <Note intent="success">{said}</Note>}
      {may ? <Button type="submit" appearance="primary" disabledFocusable={!differs || busy}>{t.common.save}</Button> : <Note>{w.may}</Note>}
    </form>
  );
}

// Organizations has an organization's own exclusion.
function Organizations({ of: o, name, now, onClose, onDone }: { of: Organization; name: string; now: Spared; onClose: () => void; onDone: () => Promise<void> }) {
  const s = useStyles();
  const { t } = useText();
  const w = useExclusionText();
  const [to, setTo] = useState(now);
  return (
    <FormPanel title={w.changeTitle(name)} submit={t.common.save} onClose={onClose} save={async () => {
      await of(client.PUT(organizationPath, { ...ofOrganization(o), body: { contacts: to.contacts ?? false, calendar: to.calendar ?? false } }));
      await onDone();
    }}>
      <fieldset className={s.boxes} aria-label={w.retention}>
        {spared.map((k) => <Checkbox key={k} label={w[k]} checked={to[k] ?? false} onChange={(_, d) => setTo({ ...to, [k]: d.checked === true })} />)}
      </fieldset>
      <Note>{w.retentionAbout}</Note>
    </FormPanel>
  );
}
