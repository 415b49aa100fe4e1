import { Badge, Button, Checkbox, makeStyles, Radio, RadioGroup, SearchBox, Select, Text, tokens } from "@fluentui/react-components";
import { Dismiss20Regular } from "@fluentui/react-icons";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { client, of, type Schemas } from "../../api/client";
import { useSettled } from "../../ui/act";
import { Busy } from "../../ui/busy";
import { useFormat } from "../../ui/format";
import { Problem } from "../../ui/page";
import { useText } from "../../ui/text/console";
import { asked, empty, everything, hasParts, keyOf, optionsOf, parts, withOption, type Item, type ItemType, type Services } from "./item";

const useStyles = makeStyles({
  list: { listStyle: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: "8px" },
  item: { border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium, padding: "6px 10px", display: "flex", flexDirection: "column", minWidth: 0 },
  head: { display: "flex", alignItems: "center", gap: "8px", minWidth: 0 },
  name: { flexGrow: 1, minWidth: 0, overflowWrap: "anywhere" },
  options: { display: "flex", flexWrap: "wrap", columnGap: "4px", border: "none", margin: 0, padding: 0, minWidth: 0 },
  hidden: { position: "absolute", width: "1px", height: "1px", overflow: "hidden", clipPath: "inset(50%)" },
  pick: { display: "flex", flexDirection: "column", gap: "6px", alignItems: "stretch" },
  row: { display: "flex", flexWrap: "wrap", gap: "8px" },
  search: { flexGrow: 1, minWidth: "200px", maxWidth: "none" },
  results: { listStyle: "none", margin: 0, padding: 0, maxHeight: "200px", overflowY: "auto", border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium },
  result: { display: "flex", alignItems: "center", justifyContent: "space-between", gap: "8px", padding: "2px 4px 2px 10px", overflowWrap: "anywhere" },
  address: { color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  error: { color: tokens.colorPaletteRedForeground1, fontSize: tokens.fontSizeBase200 },
  summary: { backgroundColor: tokens.colorNeutralBackground3, border: `1px solid ${tokens.colorTransparentStroke}`, borderRadius: tokens.borderRadiusMedium, padding: "8px 12px" },
  numbers: { margin: "4px 0 0", paddingLeft: "18px" },
});

export interface Scope {
  entire: boolean;
  personal: boolean; // of the entire organization: personal sites too
  selected: Item[];
  excluded: Item[];
}

// ScopeEditor chooses what a job protects and what it leaves out, and says what that means now.
export function ScopeEditor({ organization, job, services, value, onChange }: { organization: string; job: string | undefined; services: Services; value: Scope; onChange: (scope: Scope) => void }) {
  const { t } = useText();
  const organizationItem = everything({ type: "PartialOrganization" }, services, false);
  return (
    <>
      <RadioGroup value={value.entire ? "all" : "items"} onChange={(_, d) => onChange({ ...value, entire: d.value === "all" })} aria-label={t.job.what}>
        <Radio value="all" label={t.job.everybody} />
        <Radio value="items" label={t.job.chosen} />
      </RadioGroup>
      {value.entire && services.sharePoint && <Checkbox label={t.job.personalToo} checked={value.personal} onChange={(_, d) => onChange({ ...value, personal: d.checked === true })} />}
      {!value.entire && (
        <Items label={t.job.selected} organization={organization} services={services} types={services.teams ? ["User", "Group", "Site", "Team"] : services.sharePoint ? ["User", "Group", "Site"] : ["User", "Group"]} items={value.selected} onChange={(selected) => onChange({ ...value, selected })}>
          {!value.selected.some((i) => i.type === "PartialOrganization") && (
            <div>
              <Button size="small" onClick={() => onChange({ ...value, selected: [organizationItem, ...value.selected] })}>
                {t.job.addOrganization}
              </Button>
            </div>
          )}
        </Items>
      )}
      <Items label={t.job.excluded} organization={organization} services={services} types={["User", "Group"]} excludes items={value.excluded} onChange={(excluded) => onChange({ ...value, excluded })} />
      <Summary organization={organization} job={job} value={value} valid={value.entire || value.selected.length > 0} services={services} />
    </>
  );
}

const types: Record<string, "users" | "groups" | "sites" | "teams" | "organization"> = { User: "users", Group: "groups", Site: "sites", Team: "teams", PartialOrganization: "organization", PersonalSites: "sites" };

// Items is a list of objects with the data that is meant of each, and a search that adds to it.
function Items({ label, organization, services, types: offered, items, excludes = false, onChange, children }: {
  label: string;
  organization: string;
  services: Services;
  types: ItemType[];
  items: Item[];
  excludes?: boolean;
  onChange: (items: Item[]) => void;
  children?: React.ReactNode;
}) {
  const s = useStyles();
  const { t } = useText();
  const nameOf = (i: Item) => i.user?.displayName || i.user?.name || i.group?.displayName || i.site?.title || i.site?.url || i.team?.displayName || (i.type === "PersonalSites" ? t.job.allPersonal : t.job.wholeOrganization);
  const replace = (next: Item) => onChange(items.map((i) => (keyOf(i) === keyOf(next) ? next : i)));
  // No Field: it would give every check box in it the same id.
  return (
    <div className={s.pick} role="group" aria-label={label}>
      <Text>{label}</Text>
      {items.length > 0 && (
        <ul className={s.list} aria-label={t.job.itemsOf(label)}>
          {items.map((i) => (
            <li key={keyOf(i)} className={s.item}>
              <div className={s.head}>
                <Badge appearance="outline" color="informative">{t.job.type[types[i.type ?? ""] ?? "users"]}</Badge>
                <span className={s.name}>
                  {nameOf(i)} <span className={s.address}>{i.user?.name ?? i.site?.url ?? ""}</span>
                </span>
                <Button size="small" appearance="subtle" icon={<Dismiss20Regular />} aria-label={t.job.removeItem(nameOf(i))} onClick={() => onChange(items.filter((o) => keyOf(o) !== keyOf(i)))} />
              </div>
              {i.type === "Site" && <span className={s.address}>{t.job.siteAbout}</span>}
              {i.type === "Team" && <span className={s.address}>{t.job.teamAbout}</span>}
              <fieldset className={s.options}>
                <legend className={s.hidden}>{t.job.dataOf(nameOf(i))}</legend>
                {optionsOf(i, services, excludes).map((o) => (
                  <Checkbox key={o} size="medium" label={t.job.options[i.type === "Group" && o === "mailbox" ? "groupMailbox" : i.type === "PartialOrganization" && o === "personalSite" ? "personalSites" : o]} checked={i[o] ?? false} onChange={(_, d) => replace(withOption(i, o, d.checked === true))} />
                ))}
                {!excludes && hasParts(i) && parts.map((part) => (
                  <Checkbox key={part} label={t.job.parts[part]} checked={!(i.leaveOut ?? []).includes(part)} onChange={(_, d) => replace({ ...i, leaveOut: d.checked === true ? (i.leaveOut ?? []).filter((p) => p !== part) : [...(i.leaveOut ?? []), part] })} />
                ))}
              </fieldset>
              {empty(i, services, excludes) && <span className={s.error} role="alert">{t.job.nothingOf}</span>}
            </li>
          ))}
        </ul>
      )}
      {children}
      <Picker label={label} organization={organization} offered={offered} has={new Set(items.map(keyOf))} onPick={(i) => onChange([...items, everything(i, services, excludes)])} />
    </div>
  );
}

interface Found {
  item: Item;
  name: string;
  address: string;
  note: string;
}

// find asks the organization's directory for objects of a kind whose names begin so. Sites are not asked for by name: those are sought whose title or address has the text.
async function find(organization: string, type: ItemType, wanted: string, note: (of: string) => string, signal: AbortSignal): Promise<Found[]> {
  const path = { organizationId: organization };
  const unique = <T extends { id?: string }>(...lists: { results?: T[] }[]) => [...new Map(lists.flatMap((l) => l.results ?? []).map((o) => [o.id ?? "", o])).values()];
  switch (type) {
    case "User": {
      const [byName, byAddress] = await Promise.all([
        of(client.GET("/v8/Organizations/{organizationId}/Users", { params: { path, query: { displayName: wanted, limit: 20 } }, signal })),
        of(client.GET("/v8/Organizations/{organizationId}/Users", { params: { path, query: { userName: wanted, limit: 20 } }, signal })),
      ]);
      return unique<Schemas["RESTUser"]>(byName, byAddress).map((u) => ({
        item: { type, user: { id: u.id, name: u.name, displayName: u.displayName } } as Item, name: u.displayName ?? "", address: u.name ?? "", note: u.type === "Shared" ? note("Shared") : "",
      }));
    }
    case "Group": {
      const [byName, byAddress] = await Promise.all([
        of(client.GET("/v8/Organizations/{organizationId}/Groups", { params: { path, query: { displayName: wanted, limit: 20 } }, signal })),
        of(client.GET("/v8/Organizations/{organizationId}/Groups", { params: { path, query: { groupName: wanted, limit: 20 } }, signal })),
      ]);
      return unique<Schemas["RESTGroup"]>(byName, byAddress).map((g) => ({
        item: { type, group: { id: g.id, name: g.name, displayName: g.displayName, type: g.type, site: g.site } } as Item, name: g.displayName ?? "", address: g.name ?? "", note: note(g.type ?? ""),
      }));
    }
    case "Site": {
      const all = await of(client.GET("/v8/Organizations/{organizationId}/Sites", { params: { path, query: { includePersonalSite: false, limit: 10_000 } }, signal }));
      const text = wanted.toLowerCase();
      return (all.results ?? []).filter((w) => `${w.title} ${w.url}`.toLowerCase().includes(text)).slice(0, 20).map((w) => ({
        item: { type, site: { id: w.id, url: w.url, title: w.title, name: w.name, isCloud: w.isCloud, isPersonal: w.isPersonal } } as Item, name: w.title || w.url, address: w.url, note: "",
      }));
    }
    case "Team": {
      const all = await of(client.GET("/v8/Organizations/{organizationId}/Teams", { params: { path, query: { displayName: wanted, limit: 20 } }, signal }));
      return (all.results ?? []).map((w) => ({ item: { type, team: { id: w.id, displayName: w.displayName, mail: w.mail } } as Item, name: w.displayName, address: w.mail, note: "" }));
    }
  }
}

function Picker({ label, organization, offered, has, onPick }: { label: string; organization: string; offered: ItemType[]; has: Set<string>; onPick: (item: Item) => void }) {
  const s = useStyles();
  const { t } = useText();
  const [type, setType] = useState<ItemType>(offered[0] ?? "User");
  const [text, setText] = useState("");
  const wanted = useSettled(text);
  const { data, error, isFetching } = useQuery({
    queryKey: ["directory", organization, type, wanted],
    enabled: organization !== "" && wanted.length > 0,
    staleTime: 60_000,
    queryFn: ({ signal }) => find(organization, type, wanted, (of) => (t.job.groupTypes as Record<string, string>)[of] ?? of, signal),
  });
  const found = (data ?? []).filter((f) => !has.has(keyOf(f.item)));
  return (
    <>
      <div className={s.row}>
        <Select value={type} aria-label={`${label}: ${t.job.findKind}`} onChange={(_, d) => setType(d.value as ItemType)}>
          {offered.map((o) => (
            <option key={o} value={o}>
              {t.job.types[types[o] as "users"]}
            </option>
          ))}
        </Select>
        <SearchBox className={s.search} value={text} onChange={(_, d) => setText(d.value)} onKeyDown={(e) => e.key === "Enter" && e.preventDefault()} placeholder={type === "Site" ? t.job.findSite : t.job.find} aria-label={`${label}: ${t.job.find}`} contentAfter={isFetching ? <Busy size="extra-tiny" /> : null} />
      </div>
      <Problem error={error} />
      {wanted !== "" && data && (
        <ul className={s.results} aria-label={t.job.found}>
          {found.map((f) => (
            <li key={keyOf(f.item)} className={s.result}>
              <span>
                {f.name} <span className={s.address}>{[f.address, f.note].filter(Boolean).join(" · ")}</span>
              </span>
              <Button size="small" appearance="subtle" aria-label={t.job.addItem(f.name)} onClick={() => { onPick(f.item); setText(""); }}>
                {t.common.add}
              </Button>
            </li>
          ))}
          {found.length === 0 && <li className={s.result}>{t.common.nothingFound}</li>}
        </ul>
      )}
    </>
  );
}

// Summary says how much a scope is now, and what of it other jobs have.
function Summary({ organization, job, value, valid, services }: { organization: string; job: string | undefined; value: Scope; valid: boolean; services: Services }) {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const wanted = JSON.stringify({
    ...(job ? { jobId: job } : {}),
    backupType: value.entire ? "EntireOrganization" : "SelectedItems",
    ...(value.entire ? { personalSites: value.personal } : {}),
    selectedItems: value.entire ? [] : value.selected.map(asked),
    excludedItems: value.excluded.map(asked),
  });
  const whole = valid && [...value.selected.map((i) => empty(i, services, false)), ...value.excluded.map((i) => empty(i, services, true))].every((none) => !none);
  const [body, setBody] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setBody(whole ? wanted : ""), 400);
    return () => clearTimeout(timer);
  }, [wanted, whole]);
  const { data, error, isFetching } = useQuery({
    queryKey: ["job-scope", organization, body],
    enabled: organization !== "" && body !== "",
    staleTime: 30_000,
    placeholderData: keepPreviousData,
    retry: false,
    queryFn: ({ signal }) => of(client.POST("/holdfast/v1/Organizations/{organizationId}/JobScope", { params: { path: { organizationId: organization } }, body: JSON.parse(body), signal })),
  });
  return (
    <section className={s.summary} aria-label={t.job.now} aria-busy={isFetching}>
      <strong>{t.job.now}</strong>
      <div role="status">
        {body === "" ? t.job.nowNothing : error ? null : !data ? <Busy size="tiny" /> : (
          <>
            <ul className={s.numbers}>
              {data.counts.map((n) => (
                <li key={n.kind}>
                  {t.job.counts[n.kind as "mailbox"](f.number(n.objects), n.objects)}
                  {n.excluded > 0 && `, ${t.job.countExcluded(f.number(n.excluded))}`}
                  {n.elsewhere > 0 && `, ${t.job.countElsewhere(f.number(n.elsewhere))}`}
                </li>
              ))}
            </ul>
            {data.overlaps.slice(0, 5).map((o) => (
              <div key={o.job}>{t.job.overlap(o.job, f.number(o.objects), value.entire)}</div>
            ))}
            {data.notes.map((note) => (
              <div key={note}>{note}</div>
            ))}
            {data.synced && <div className={s.address}>{t.job.asOf(f.dateTime(data.synced))}</div>}
          </>
        )}
      </div>
      <Problem error={error} />
    </section>
  );
}
