import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { Beaker20Regular } from "@fluentui/react-icons";
import type { paths } from "../api/schema";
import { useFormat } from "../ui/format";
import { Note, Problem } from "../ui/page";
import { pathOf } from "../ui/path";
import { useSay } from "../ui/said";
import { DataTable } from "../ui/table";
import { useText } from "../ui/text";
import { Asking, useInquiry, type Ask } from "./inquiry";

export type Plan = paths["/holdfast/v1/Restore/Plan"]["post"]["responses"]["200"]["content"]["application/json"];

const useStyles = makeStyles({
  facts: { display: "grid", gridTemplateColumns: "max-content 1fr", gap: "4px 16px", margin: "8px 0" },
  dt: { color: tokens.colorNeutralForeground2 },
  dd: { margin: 0 },
  answer: { marginTop: "12px" },
});

// PlanView makes a dry run when it is asked for: what a restore would change, item by item, and what that takes. Nothing is changed by it.
// ready: there is enough to ask.
export function PlanView({ ask, ready }: { ask: Ask<Plan>; ready: boolean }) {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const say = useSay();
  const { data, error, busy, seen, start, stop } = useInquiry<Plan>();
  const fact = (term: string, value: string) => [
    <dt key={term} className={s.dt}>{term}</dt>,
    <dd key={`${term}d`} className={s.dd}>{value}</dd>,
  ];
  return (
    <section aria-label={t.plan.title}>
      <Button icon={<Beaker20Regular />} disabledFocusable={busy || !ready} onClick={() => void start(ask)}>
        {t.plan.button}
      </Button>
      {busy && <Asking seen={seen} onStop={stop} />}
      <Problem error={error} />
      {data && (
        <div className={s.answer}>
          <Note title={t.plan.nothingChanged}>{t.plan.sum(f.number(data.created), f.number(data.overwritten), f.number(data.existing), f.number(data.skipped))}</Note>
          <dl className={s.facts}>
            {fact(t.plan.folders, f.number(data.folders))}
            {fact(t.plan.requests, f.number(data.requests))}
            {fact(t.plan.bytes, f.bytes(data.bytes))}
            {data.requests > 0 && fact(t.plan.time, t.plan.about(f.duration(Math.max(1, data.seconds)), say(data.limit, data.limitSaid)))}
          </dl>
          {data.items.length > 0 && (
            <DataTable
              label={t.plan.title}
              rows={data.items.map((item, i) => ({ ...item, i }))}
              rowKey={(r) => String(r.i)}
              columns={[
                { key: "outcome", title: t.plan.outcome, sort: (r) => r.outcome, render: (r) => <span style={{ whiteSpace: "nowrap" }}>{(t.plan.outcomes as Record<string, string>)[r.outcome] ?? r.outcome}</span> },
                { key: "name", title: t.restore.item, sort: (r) => r.name, render: (r) => r.name || t.mail.noSubject },
                { key: "path", title: t.restore.target, render: (r) => <span style={{ overflowWrap: "anywhere" }}>{pathOf(r.path)}</span>, wide: true },
                { key: "detail", title: t.plan.why, render: (r) => [t.restore.skips[r.reason as "conflict"] ?? r.reason, r.detail].filter(Boolean).join(": ") },
              ]}
            />
          )}
          {data.more && <p>{t.plan.more(f.number(data.items.length))}</p>}
        </div>
      )}
    </section>
  );
}
