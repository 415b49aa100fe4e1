import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { ArrowDownload20Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { use, useState } from "react";
import { client, download, enc, of } from "../../api/client";
import { useFormat } from "../../ui/format";
import { Loading, Problem } from "../../ui/page";
import { DataTable } from "../../ui/table";
import { useText } from "../../ui/text";
import type { Place } from "../kind";
import { MaySave } from "../rights";
import { Shown } from "../shown";
import { at, drives, type File } from "./kind";

const useStyles = makeStyles({
  name: { fontSize: tokens.fontSizeBase500, lineHeight: tokens.lineHeightBase500, margin: "0 0 8px", overflowWrap: "anywhere" },
  h: { fontSize: tokens.fontSizeBase400, margin: "16px 0 4px" },
});

// FilePreview shows a file with every version that the restore point holds.
export function FilePreview({ place: p, item: d }: { place: Place; item: File }) {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const saving = use(MaySave);
  const [failed, setFailed] = useState<unknown>();
  const { data, error, isPending } = useQuery({
    queryKey: ["versions", p.session, p.container.id, d.id],
    queryFn: ({ signal }) =>
      of(client.GET(`${drives}/{oneDriveId}/Documents/{documentId}/Versions`, { params: { path: { restoreSessionId: p.session, oneDriveId: p.container.id, documentId: d.id }, query: { limit: 1_000 } }, signal })),
  });
  const rows = data?.results ?? [];
  return (
    <article>
      <h2 className={s.name}>{d.name}</h2>
      <p>{t.file.changed(f.dateTime(d.modified), d.modifiedBy, f.bytes(d.size))}</p>
      <Shown place={p} item={d} />
      <h3 className={s.h}>{t.file.versions}</h3>
      <Problem error={failed ?? error} />
      {isPending && <Loading />}
      {data && (
        <DataTable
          label={t.file.versions}
          rows={rows}
          rowKey={(v) => `${v.versionId ?? ""}${v.version ?? ""}${v.modificationTime}`}
          columns={[
            { key: "modified", title: t.file.modified, render: (v) => f.dateTime(v.modificationTime) },
            { key: "size", title: t.file.size, end: true, render: (v) => f.bytes(v.sizeBytes) },
            {
              key: "save", title: "", end: true,
              render: (v) => saving && (
                <Button
                  size="small"
                  appearance="subtle"
                  icon={<ArrowDownload20Regular />}
                  aria-label={t.file.saveVersion(f.dateTime(v.modificationTime))}
                  onClick={() => void download(v.versionId === undefined || v.versionId === null ? `${at(p)}/Documents/${enc(d.id)}/save` : `${at(p)}/Documents/${enc(d.id)}/Versions/${v.versionId}/save`, {}, d.name).catch(setFailed)}
                />
              ),
            },
          ]}
        />
      )}
    </article>
  );
}
