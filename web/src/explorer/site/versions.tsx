import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { ArrowDownload20Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { use, useState } from "react";
import { client, enc, getDownload, of } from "../../api/client";
import { useFormat } from "../../ui/format";
import { Problem } from "../../ui/page";
import { DataTable } from "../../ui/table";
import { useText } from "../../ui/text";
import type { Item, Place } from "../kind";
import { MaySave } from "../rights";
import { useSiteText } from "./text";

const useStyles = makeStyles({ h: { fontSize: tokens.fontSizeBase400, margin: "16px 0 4px" } });

export const at = (p: Place, item: string) => `/holdfast/v1/RestoreSessions/${p.session}/Containers/${enc(p.container.id)}/Items/${enc(item)}`;

// Versions are the older versions that the restore point holds of a file or an item of a list.
export function Versions({ place: p, item }: { place: Place; item: Item }) {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const w = useSiteText();
  const saving = use(MaySave);
  const [failed, setFailed] = useState<unknown>();
  const { data, error } = useQuery({
    queryKey: ["kept", p.session, p.container.id, item.id],
    queryFn: async ({ signal }) => (await of(client.GET("/holdfast/v1/RestoreSessions/{restoreSessionId}/Containers/{containerId}/Items", { params: { path: { restoreSessionId: p.session, containerId: p.container.id }, query: { parentId: item.id, limit: 1_000 } }, signal }))).results,
    staleTime: Infinity,
  });
  const kept = data?.filter((v) => v.kind === "version") ?? [];
  if (!error && kept.length === 0) return null;
  return (
    <section aria-label={w.versions}>
      <h3 className={s.h}>{w.versions}</h3>
      <Problem error={failed ?? error} />
      <DataTable
        label={w.versions}
        rows={kept}
        rowKey={(v) => v.id}
        columns={[
          { key: "version", title: w.version, render: (v) => v.version },
          { key: "time", title: t.file.modified, render: (v) => f.dateTime(v.time) },
          { key: "by", title: t.file.by, render: (v) => v.author, wide: true },
          {
            key: "save", title: "", end: true,
            render: (v) => saving && <Button size="small" appearance="subtle" icon={<ArrowDownload20Regular />} aria-label={t.file.saveVersion(f.dateTime(v.time))} onClick={() => void getDownload(`${at(p, v.id)}/Content`, item.name).catch(setFailed)} />,
          },
        ]}
      />
    </section>
  );
}
