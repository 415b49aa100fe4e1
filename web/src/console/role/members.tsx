import { Button, Field, makeStyles, SearchBox, Tag, TagGroup, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { client, of } from "../../api/client";
import { Busy } from "../../ui/busy";
import { Problem } from "../../ui/page";
import { useText } from "../../ui/text/console";
import { useSettled } from "../../ui/act";

type Kind = "User" | "Group" | "Site" | "Team";

// Member is a user, a group, a site or a team in a restore role. A group counts as its members.
export interface Member {
  id: string; // Entra's object id, or a site's; empty for a user of Holdfast
  name: string; // of a site and a team its address
  displayName: string;
  kind: Kind;
}

export const keyOf = (m: Member) => `${m.kind} ${m.id || m.name}`;

// bodyOf is a member as the API takes it.
export const bodyOf = (m: Member) => {
  const object = { id: m.id, name: m.name, displayName: m.displayName };
  switch (m.kind) {
    case "Group":
      return { type: m.kind, group: { ...object, type: "Unknown" } };
    case "Site":
      return { type: m.kind, site: { id: m.id, url: m.name, title: m.displayName, isCloud: true, isPersonal: false } };
    case "Team":
      return { type: m.kind, team: { id: m.id, description: "", displayName: m.displayName, mail: m.name } };
  }
  return { type: m.kind, user: { ...object, type: "User" } };
};

const useStyles = makeStyles({
  pick: { display: "flex", flexDirection: "column", gap: "8px" },
  box: { maxWidth: "none" },
  tags: { display: "flex", flexWrap: "wrap", gap: "4px" },
  found: { listStyle: "none", margin: 0, padding: 0, maxHeight: "220px", overflowY: "auto", border: `1px solid ${tokens.colorNeutralStroke2}` },
  line: { display: "flex", justifyContent: "space-between", alignItems: "center", padding: "2px 8px", gap: "8px" },
  about: { color: tokens.colorNeutralForeground2 },
});

// Members picks users and groups of an organization's directory, with places its sites and teams too, and of others, which are offered when their names contain what is typed.
export function Members({ label, hint, organization, others = [], places = false, members, onChange }: {
  label: string;
  hint: string;
  organization: string;
  others?: Member[];
  places?: boolean;
  members: Member[];
  onChange: (members: Member[]) => void;
}) {
  const s = useStyles();
  const { t } = useText();
  const [text, setText] = useState("");
  const wanted = useSettled(text);
  const { data, error, isFetching } = useQuery({
    queryKey: ["directory-members", organization, places, wanted],
    enabled: organization !== "" && wanted !== "",
    staleTime: 60_000,
    queryFn: async ({ signal }) => {
      const path = { organizationId: organization };
      // The directory finds by the beginning of a name.
      const [byName, byAddress, groups, sites, teams] = await Promise.all([
        of(client.GET("/v8/Organizations/{organizationId}/Users", { params: { path, query: { displayName: wanted, limit: 20 } }, signal })),
        of(client.GET("/v8/Organizations/{organizationId}/Users", { params: { path, query: { userName: wanted, limit: 20 } }, signal })),
        of(client.GET("/v8/Organizations/{organizationId}/Groups", { params: { path, query: { displayName: wanted, limit: 20 } }, signal })),
        places ? of(client.GET("/v8/Organizations/{organizationId}/Sites", { params: { path, query: { includePersonalSite: false, limit: 10_000 } }, signal })) : undefined,
        places ? of(client.GET("/v8/Organizations/{organizationId}/Teams", { params: { path, query: { displayName: wanted, limit: 20 } }, signal })) : undefined,
      ]);
      const found = new Map<string, Member>();
      const take = (kind: Kind) => (u: { id?: string | null; name?: string | null; displayName?: string | null }) => {
        const m = { id: u.id ?? "", name: u.name ?? "", displayName: u.displayName ?? "", kind };
        found.set(keyOf(m), m);
      };
      (byName.results ?? []).forEach(take("User"));
      (byAddress.results ?? []).forEach(take("User"));
      (groups.results ?? []).forEach(take("Group"));
      (teams?.results ?? []).map((w) => ({ id: w.id, name: w.mail, displayName: w.displayName })).forEach(take("Team"));
      const words = wanted.toLowerCase();
      (sites?.results ?? []).filter((w) => `${w.title} ${w.url}`.toLowerCase().includes(words)).slice(0, 20).map((w) => ({ id: w.id, name: w.url, displayName: w.title })).forEach(take("Site"));
      return [...found.values()];
    },
  });
  const has = new Set(members.map(keyOf));
  const matching = wanted ? others.filter((o) => o.name.toLowerCase().includes(wanted.toLowerCase())) : [];
  const found = [...matching, ...(data ?? [])].filter((m) => !has.has(keyOf(m)));
  const title = (m: Member) => m.displayName || m.name || m.id;
  const titled = (m: Member) => (m.kind === "User" ? title(m) : t.grant.kind[m.kind](title(m)));
  return (
    <Field label={label} hint={hint}>
      <div className={s.pick}>
        {members.length > 0 && (
          <TagGroup className={s.tags} aria-label={label} onDismiss={(_, d) => onChange(members.filter((m) => keyOf(m) !== d.value))}>
            {members.map((m) => (
              <Tag key={keyOf(m)} value={keyOf(m)} dismissible dismissIcon={{ "aria-label": t.common.remove }} size="small">
                {titled(m)}
              </Tag>
            ))}
          </TagGroup>
        )}
        <SearchBox className={s.box} value={text} onChange={(_, d) => setText(d.value)} placeholder={t.job.find} aria-label={`${label}: ${t.job.find}`} contentAfter={isFetching ? <Busy size="extra-tiny" /> : null} />
        <Problem error={error} />
        {wanted !== "" && (data || matching.length > 0) && (
          <ul className={s.found} aria-label={t.job.found}>
            {found.map((m) => (
              <li key={keyOf(m)} className={s.line}>
                <span>{titled(m)} <span className={s.about}>{m.id ? m.name : t.grant.local}</span></span>
                <Button size="small" appearance="subtle" aria-label={t.job.addItem(title(m))} onClick={() => { onChange([...members, m]); setText(""); }}>{t.common.add}</Button>
              </li>
            ))}
            {found.length === 0 && <li className={s.line}>{t.common.nothingFound}</li>}
          </ul>
        )}
      </div>
    </Field>
  );
}
