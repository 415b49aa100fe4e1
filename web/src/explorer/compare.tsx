import { Badge, Button, makeStyles, Radio, RadioGroup, tokens } from "@fluentui/react-components";
import { ArrowUndo20Regular, BranchCompare20Regular } from "@fluentui/react-icons";
import { useState } from "react";
import { client, of } from "../api/client";
import type { paths } from "../api/schema";
import { useFormat } from "../ui/format";
import { Note, Problem } from "../ui/page";
import { Panel } from "../ui/panel";
import { pathOf } from "../ui/path";
import { DataTable } from "../ui/table";
import { useText } from "../ui/text";
import { Asking, soon, useInquiry } from "./inquiry";
import { folderId, type Place } from "./kind";
import { When } from "./when";
import type { View } from "./view";

type Compared = paths["/holdfast/v1/Compare"]["post"]["responses"]["200"]["content"]["application/json"];
type Difference = Compared["results"][number];

const pageSize = 500;

const useStyles = makeStyles({
  ask: { display: "flex", flexDirection: "column", gap: "8px", maxWidth: "420px", marginBottom: "12px" },
  bar: { display: "flex", gap: "8px", margin: "0 0 8px", flexWrap: "wrap" },
  pager: { display: "flex", gap: "8px", marginTop: "12px", alignItems: "center" },
  badge: { whiteSpace: "nowrap" },
  about: { color: tokens.colorNeutralForeground2 },
});

const nameOf = (d: Difference) => d.before?.name ?? d.after?.name ?? d.id;

// Compare tells what differs between what a session shows of a place and another restore point, or Microsoft 365 now. What the session has and
// the other has not, or has otherwise, can be restored.
export default function Compare({ place, view, onRestore, onClose }: { place: Place; view: View; onRestore: (items: string[]) => void; onClose: () => void }) {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const [against, setAgainst] = useState<"live" | "point">("live");
  const [time, setTime] = useState("");
  const [offset, setOffset] = useState(0);
  const [selected, setSelected] = useState<Set<string>>(new Set());
  const body = {
    restoreSessionId: place.session, containerId: place.container.id, ...(place.folder ? { folderId: folderId(place.folder) } : {}), ...(against === "live" ? { live: true } : { dateTime: time || new Date().toISOString() }), offset, limit: pageSize,
  };
  const { data, error, busy, seen, start, stop } = useInquiry<Compared>();
  const ask = (from: number) => {
    setOffset(from);
    setSelected(new Set());
    void start((signal) => of(client.POST("/holdfast/v1/Compare", { params: { query: soon }, body: { ...body, offset: from }, signal })));
  };
  const rows = data?.results ?? [];
  const restorable = rows.filter((d) => d.before);
  const chosen = restorable.filter((d) => selected.has(d.id));
  const colors = { added: "informative", removed: "danger", changed: "warning" } as const;
  return (
    <Panel size="large" title={t.compare.title(place.folder?.name ?? place.container.name)} onClose={onClose}>
      <div className={s.ask}>
        <RadioGroup value={against} aria-label={t.compare.with} onChange={(_, d) => { setAgainst(d.value as "live"); stop(); }}>
          <Radio value="live" label={t.compare.live} />
          <Radio value="point" label={t.compare.point} />
        </RadioGroup>
        {against === "point" && <When organization={view.organizationId ?? ""} type={view.type as "Vex"} value={time} onChange={(to) => { setTime(to); stop(); }} />}
        <div>
          <Button appearance="primary" icon={<BranchCompare20Regular />} disabledFocusable={busy} onClick={() => ask(0)}>{t.compare.button}</Button>
        </div>
      </div>
      {busy && <Asking label={against === "live" ? t.compare.asking : t.compare.comparing} seen={seen} onStop={stop} />}
      <Problem error={error} />
      {data && (
        <>
          <Note intent={data.total === 0 ? "success" : "info"} title={data.total === 0 ? t.compare.equal : t.compare.sum(f.number(data.removed), f.number(data.changed), f.number(data.added))}>
            {t.compare.between(f.dateTime(data.before.time), data.after ? f.dateTime(data.after.time) : t.compare.now)}
          </Note>
          {rows.length > 0 && (
            <>
              <div className={s.bar}>
                <Button icon={<ArrowUndo20Regular />} disabledFocusable={chosen.length === 0} onClick={() => onRestore(chosen.map((d) => d.id))}>
                  {chosen.length > 0 ? t.compare.restore(f.number(chosen.length)) : t.compare.restoreChosen}
                </Button>
                <Button appearance="subtle" disabledFocusable={restorable.length === 0} onClick={() => setSelected(new Set(restorable.map((d) => d.id)))}>{t.compare.all}</Button>
              </div>
              <DataTable
                label={t.compare.differences}
                rows={rows}
                rowKey={(d) => d.id}
                rowName={nameOf}
                selected={selected}
                onSelect={setSelected}
                columns={[
                  { key: "kind", title: t.compare.how, sort: (d) => d.kind, render: (d) => <Badge className={s.badge} appearance="tint" color={colors[d.kind as "added"]}>{t.compare.kinds[d.kind as "added"] ?? d.kind}</Badge> },
                  { key: "name", title: t.found.name, sort: nameOf, render: (d) => nameOf(d) || t.mail.noSubject },
                  { key: "path", title: t.found.folder, render: (d) => <span style={{ overflowWrap: "anywhere" }}>{pathOf(d.before?.path ?? d.after?.path)}</span>, wide: true },
                  { key: "what", title: t.compare.what, render: (d) => f.list(d.properties ?? []), wide: true },
                  { key: "before", title: t.compare.here, render: (d) => f.dateTime(d.before?.time), wide: true },
                  { key: "after", title: t.compare.there, render: (d) => f.dateTime(d.after?.time), wide: true },
                ]}
              />
            </>
          )}
          {data.total > pageSize && (
            <div className={s.pager}>
              <Button disabledFocusable={offset === 0} onClick={() => ask(Math.max(0, offset - pageSize))}>{t.common.previous}</Button>
              <Button disabledFocusable={offset + pageSize >= data.total} onClick={() => ask(offset + pageSize)}>{t.common.next}</Button>
              <span className={s.about}>{t.common.page(offset / pageSize + 1, Math.ceil(data.total / pageSize))}</span>
            </div>
          )}
        </>
      )}
    </Panel>
  );
}
