import { Badge, Button, makeStyles, tokens } from "@fluentui/react-components";
import { ArrowDownload20Regular, ArrowUndo20Regular, Eye20Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { use, useState } from "react";
import { client, enc, getDownload, of } from "../api/client";
import { useFormat } from "../ui/format";
import { Loading, Problem } from "../ui/page";
import { Panel } from "../ui/panel";
import { DataTable } from "../ui/table";
import { useText } from "../ui/text";
import type { Item, Place } from "./kind";
import { MaySave } from "./rights";
import { Shown } from "./shown";

const useStyles = makeStyles({
  about: { color: tokens.colorNeutralForeground2, margin: "0 0 12px" },
  acts: { display: "flex", justifyContent: "flex-end" },
  shown: { marginTop: "16px" },
  h: { fontSize: tokens.fontSizeBase400, margin: "0 0 8px" },
});

// History is an item first: all its versions over all restore points, to be looked at, downloaded or restored each.
export default function History({ place: p, item, onRestore, onClose }: { place: Place; item: Item; onRestore?: (id: string) => void; onClose: () => void }) {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const saving = use(MaySave);
  const [seen, setSeen] = useState<string>();
  const [failed, setFailed] = useState<unknown>();
  const path = { restoreSessionId: p.session, containerId: p.container.id, itemId: item.id };
  const { data, error, isPending } = useQuery({
    queryKey: ["history", p.session, p.container.id, item.id],
    queryFn: ({ signal }) => of(client.GET("/holdfast/v1/RestoreSessions/{restoreSessionId}/Containers/{containerId}/Items/{itemId}/Versions", { params: { path, query: { limit: 10_000 } }, signal })),
  });
  const rows = data?.results ?? [];
  const shown = rows.find((v) => v.id === seen);
  const save = (id: string) => {
    setFailed(undefined);
    getDownload(`/holdfast/v1/RestoreSessions/${p.session}/Containers/${enc(p.container.id)}/Items/${enc(id)}/Content`, item.name).catch(setFailed);
  };
  return (
    <Panel size="large" title={t.history.title(item.name || t.mail.noSubject)} onClose={onClose}>
      <p className={s.about}>{t.history.about(p.container.name)}</p>
      <Problem error={failed ?? error} />
      {isPending && <Loading />}
      {data && (
        <DataTable
          label={t.history.versions}
          rows={rows}
          rowKey={(v) => `${v.repositoryId} ${v.id} ${v.newestRestorePoint.restorePointId}`}
          columns={[
            { key: "time", title: t.file.modified, render: (v) => <>{f.dateTime(v.time)} {v.current && <Badge appearance="tint" color="brand">{t.history.current}</Badge>}</> },
            { key: "by", title: t.file.by, render: (v) => v.author ?? v.from, wide: true },
            { key: "size", title: t.file.size, end: true, render: (v) => f.bytes(v.size) },
            { key: "points", title: t.found.points, render: (v) => t.found.fromTo(f.dateTime(v.oldestRestorePoint.time), f.dateTime(v.newestRestorePoint.time)) },
            {
              key: "acts", title: "", end: true,
              render: (v) => v.id ? (
                <div className={s.acts}>
                  <Button size="small" appearance="subtle" icon={<Eye20Regular />} aria-label={t.history.look(f.dateTime(v.time))} aria-pressed={seen === v.id} onClick={() => setSeen(seen === v.id ? undefined : v.id)} />
                  {saving && <Button size="small" appearance="subtle" icon={<ArrowDownload20Regular />} aria-label={t.file.saveVersion(f.dateTime(v.time))} onClick={() => save(v.id)} />}
                  {onRestore && <Button size="small" appearance="subtle" icon={<ArrowUndo20Regular />} aria-label={t.history.restore(f.dateTime(v.time))} onClick={() => onRestore(v.id)} />}
                </div>
              ) : t.history.elsewhere,
            },
          ]}
        />
      )}
      {shown && (
        <section className={s.shown} aria-label={t.explore.preview}>
          <h2 className={s.h}>{t.history.asOf(f.dateTime(shown.time))}</h2>
          <Shown key={shown.id} place={p} item={{ id: shown.id, name: item.name }} />
        </section>
      )}
    </Panel>
  );
}
