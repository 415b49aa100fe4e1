import { Badge, Button, makeStyles, tokens } from "@fluentui/react-components";
import { ArrowDownload20Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { use, useState } from "react";
import { client, getDownload, of } from "../../api/client";
import { Address } from "../../ui/address";
import { useFormat } from "../../ui/format";
import { Loading, Problem } from "../../ui/page";
import { DataTable } from "../../ui/table";
import { useText } from "../../ui/text";
import type { Place } from "../kind";
import { MaySave } from "../rights";
import { Shown } from "../shown";
import type { SiteItem } from "./kind";
import { at, Versions } from "./versions";
import { useSiteText } from "./text";

const useStyles = makeStyles({
  name: { fontSize: tokens.fontSizeBase500, lineHeight: tokens.lineHeightBase500, margin: "0 0 8px", overflowWrap: "anywhere" },
  h: { fontSize: tokens.fontSizeBase400, margin: "16px 0 4px" },
  about: { color: tokens.colorNeutralForeground2, margin: "0 0 8px", overflowWrap: "anywhere" },
  bar: { display: "flex", flexWrap: "wrap", gap: "8px", margin: "4px 0 8px" },
  wrap: { overflowWrap: "anywhere" },
});

const itemPath = "/holdfast/v1/RestoreSessions/{restoreSessionId}/Containers/{containerId}/Items/{itemId}" as const;
const pathOf = (p: Place, item: string) => ({ restoreSessionId: p.session, containerId: p.container.id, itemId: item });

// Access is who may do what with an item or a folder.
function Access({ place: p, item }: { place: Place; item: string }) {
  const s = useStyles();
  const f = useFormat();
  const w = useSiteText();
  const { data, error, isPending } = useQuery({
    queryKey: ["access", p.session, p.container.id, item],
    queryFn: ({ signal }) => of(client.GET(`${itemPath}/Permissions`, { params: { path: pathOf(p, item) }, signal })),
    staleTime: Infinity,
  });
  return (
    <section aria-label={w.access}>
      <h3 className={s.h}>{w.access}</h3>
      <Problem error={error} />
      {isPending && <Loading />}
      {data && (data.grants.length === 0 && !data.own ? <p className={s.about}>{w.nobody}</p> : (
        <>
          <p className={s.about}>{data.own ? w.own : w.from(data.from)}</p>
          <DataTable
            label={w.access}
            rows={data.grants.map((g, n) => ({ ...g, n }))}
            rowKey={(g) => String(g.n)}
            columns={[
              { key: "who", title: w.who, render: (g) => <span className={s.wrap}>{g.kind === "link" ? (w.scopes[g.who] ?? g.who) : g.who} {w.kinds[g.kind] && <Badge appearance="tint" color="informative">{w.kinds[g.kind]}</Badge>}</span> },
              { key: "may", title: w.may, render: (g) => <>{f.list(g.roles)} {g.expires && w.until(f.date(g.expires))}</> },
            ]}
          />
        </>
      ))}
    </section>
  );
}

// SitePreview shows a file, a page or an item of a list with its versions and who may do what with it.
export function SitePreview({ place: p, item: d }: { place: Place; item: SiteItem }) {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  return (
    <article>
      <h2 className={s.name}>{d.name}</h2>
      <p className={s.about}>{d.kind === "file" ? t.file.changed(f.dateTime(d.modified), d.by, f.bytes(d.size)) : [f.dateTime(d.modified), d.by].filter(Boolean).join(", ")}</p>
      <Shown place={p} item={d} />
      <Versions place={p} item={d} />
      <Access place={p} item={d.id} />
    </article>
  );
}

// About shows a site, a list, a library or a folder: who may do what there; a list can be downloaded as one table.
export function About({ place: p }: { place: Place }) {
  const s = useStyles();
  const w = useSiteText();
  const saving = use(MaySave);
  const [failed, setFailed] = useState<unknown>();
  const folder = p.folder;
  const save = (format: "csv" | "json") => folder && void getDownload(`${at(p, folder.id)}/Table?format=${format}`, `${folder.name}.${format}`).catch(setFailed);
  return (
    <article>
      <h2 className={s.name}>{folder?.name ?? p.container.name}</h2>
      <p className={s.about}><Address>{p.container.address}</Address></p>
      <p className={s.about}>{w.chooseItem}</p>
      <Problem error={failed} />
      {folder?.holds === "list" && saving && (
        <section aria-label={w.list}>
          <h3 className={s.h}>{w.list}</h3>
          <div className={s.bar}>
            <Button icon={<ArrowDownload20Regular />} onClick={() => save("csv")}>{w.csv}</Button>
            <Button icon={<ArrowDownload20Regular />} onClick={() => save("json")}>{w.json}</Button>
          </div>
        </section>
      )}
      <Access key={folder?.id} place={p} item={folder?.id ?? "site"} />
    </article>
  );
}
