import { Button, Field, Input, Link } from "@fluentui/react-components";
import { BookmarkRegular, Delete20Regular } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { client, of } from "../../api/client";
import { useFormat } from "../../ui/format";
import { Empty, Loading, Problem } from "../../ui/page";
import { FormPanel, Panel } from "../../ui/panel";
import { DataTable } from "../../ui/table";
import { useText } from "../../ui/text/console";
import type { Asked } from "./page";

const queryKey = ["saved-searches"];

// Saved has the searches that one kept, to be made again or forgotten.
export default function Saved({ onTake, onClose }: { onTake: (asked: Asked) => void; onClose: () => void }) {
  const { t } = useText();
  const f = useFormat();
  const queries = useQueryClient();
  const [failed, setFailed] = useState<unknown>();
  const { data, error, isPending } = useQuery({ queryKey, queryFn: ({ signal }) => of(client.GET("/holdfast/v1/searches", { params: { query: { limit: 10_000 } }, signal })) });
  const rows = data?.results ?? [];
  const forget = async (id: string) => {
    setFailed(undefined);
    try {
      await of(client.DELETE("/holdfast/v1/searches/{searchId}", { params: { path: { searchId: id } } }));
      await queries.invalidateQueries({ queryKey });
    } catch (cause) {
      setFailed(cause);
    }
  };
  return (
    <Panel title={t.search.saved} onClose={onClose}>
      <Problem error={failed ?? error} />
      {isPending && <Loading />}
      {data && rows.length === 0 && <Empty icon={<BookmarkRegular />} title={t.search.noneSaved}>{t.search.noneSavedAbout}</Empty>}
      {rows.length > 0 && (
        <DataTable
          label={t.search.saved}
          rows={rows}
          rowKey={(r) => r.id}
          columns={[
            {
              key: "name", title: t.found.name, sort: (r) => r.name,
              render: (r) => (
                <Link as="button" onClick={() => onTake({ q: r.query, ...(r.organizationId ? { org: r.organizationId } : {}), ...(r.kinds?.[0] ? { kinds: r.kinds[0] } : {}), ...(r.deleted ? { deleted: "yes" } : {}), ...(r.sort === "oldest" ? { sort: "oldest" } : {}) })}>
                  {r.name}
                </Link>
              ),
            },
            { key: "query", title: t.search.query, render: (r) => <code>{r.query}</code> },
            { key: "created", title: t.user.created, sort: (r) => r.created, render: (r) => f.date(r.created), wide: true },
            { key: "remove", title: "", end: true, render: (r) => <Button size="small" appearance="subtle" icon={<Delete20Regular />} aria-label={t.search.forget(r.name)} onClick={() => void forget(r.id)} /> },
          ]}
        />
      )}
    </Panel>
  );
}

export function SaveSearch({ asked, onClose }: { asked: Asked; onClose: () => void }) {
  const { t } = useText();
  const queries = useQueryClient();
  const [name, setName] = useState(asked.q ?? "");
  return (
    <FormPanel
      title={t.search.save}
      submit={t.common.save}
      onClose={onClose}
      save={async () => {
        await of(client.POST("/holdfast/v1/searches", { body: { name, query: asked.q ?? "", ...(asked.org ? { organizationId: asked.org } : {}), ...(asked.kinds ? { kinds: [asked.kinds] } : {}), deleted: Boolean(asked.deleted), sort: asked.sort === "oldest" ? "oldest" : "newest" } }));
        await queries.invalidateQueries({ queryKey });
      }}
    >
      <Field label={t.found.name} required>
        <Input required value={name} onChange={(_, d) => setName(d.value)} />
      </Field>
      <p><code>{asked.q}</code></p>
      {asked.at && <p>{t.search.savedWithoutTime}</p>}
    </FormPanel>
  );
}
