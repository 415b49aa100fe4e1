import { Button, Field, Input, makeStyles } from "@fluentui/react-components";
import { ArrowSync20Regular, ChevronLeft20Regular, ChevronRight20Regular, Filter20Regular, ShieldCheckmark20Regular } from "@fluentui/react-icons";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { client, of } from "../../api/client";
import { useFormat } from "../../ui/format";
import { Empty, Loading, Note, Page, Problem } from "../../ui/page";
import { useSay } from "../../ui/said";
import type { Act } from "../../ui/script";
import { DataTable } from "../../ui/table";
import { useText } from "../../ui/text/console";

const pageSize = 100;

const useStyles = makeStyles({ filters: { display: "flex", flexWrap: "wrap", gap: "8px 12px", alignItems: "flex-end", marginBottom: "12px" }, short: { width: "150px", minWidth: "100%" } });

// shortOf leaves of an id as much as tells it from others on a page.
const shortOf = (object: string) => object.replace(/([0-9a-f]{8})-[0-9a-f-]{27}/, "$1…");

interface Filter {
  actor: string;
  act: string;
  search: string;
  from: string; // days
  until: string;
}

const none: Filter = { actor: "", act: "", search: "", from: "", until: "" };

const startOf = (day: string, more = 0) => {
  const d = new Date(`${day}T00:00:00`);
  d.setDate(d.getDate() + more);
  return d.toISOString();
};

// queryOf has only what is asked for. The last day is included.
const queryOf = (f: Filter): Record<string, string> => ({
  ...(f.actor ? { actor: f.actor } : {}),
  ...(f.act ? { act: f.act } : {}),
  ...(f.search ? { search: f.search } : {}),
  ...(f.from ? { from: startOf(f.from) } : {}),
  ...(f.until ? { until: startOf(f.until, 1) } : {}),
});

export default function Audit() {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const say = useSay();
  const [page, setPage] = useState(0);
  const [form, setForm] = useState<Filter>(none);
  const [filter, setFilter] = useState<Filter>(none);
  const wanted = queryOf(filter);
  const query = { limit: pageSize, offset: page * pageSize, ...wanted };
  const { data, error, isPending, refetch, isFetching } = useQuery({ queryKey: ["audit", query], queryFn: ({ signal }) => of(client.GET("/holdfast/v1/Audit", { params: { query }, signal })), placeholderData: keepPreviousData });
  const verify = useQuery({ queryKey: ["audit-verify"], enabled: false, queryFn: ({ signal }) => of(client.GET("/holdfast/v1/Audit/Verification", { signal })) });
  const acts: Act[] = [
    { title: t.audit.acts.list, command: "holdfast audit list", method: "GET", path: `/holdfast/v1/Audit?${new URLSearchParams({ limit: "100", ...wanted }).toString()}` },
    { title: t.audit.acts.verify, command: "holdfast audit verify", method: "GET", path: "/holdfast/v1/Audit/Verification" },
  ];
  const rows = data?.results ?? [];
  return (
    <Page
      title={t.pages.audit}
      about={t.audit.about}
      acts={acts}
      commands={[
        { key: "verify", label: t.audit.verify, icon: <ShieldCheckmark20Regular />, onClick: () => void verify.refetch(), disabled: verify.isFetching },
        { key: "refresh", label: t.common.refresh, icon: <ArrowSync20Regular />, onClick: () => void refetch(), disabled: isFetching },
      ]}
    >
      <Problem error={error ?? verify.error} />
      {verify.isFetching && <Loading label={t.audit.verifying} />}
      {verify.data && !verify.isFetching && (
        <Note intent={verify.data.sound ? "success" : "error"} title={verify.data.sound ? t.audit.sound(f.number(verify.data.entries)) : t.audit.broken(f.number(verify.data.firstBroken))}>
          {say(verify.data.what, verify.data.whatSaid)} {verify.data.remarks.map((r, i) => say(r, verify.data.remarksSaid[i])).join(" ")} <br />
          {t.audit.head} <code>{verify.data.hash}</code>
        </Note>
      )}
      <form
        className={s.filters}
        role="search"
        onSubmit={(e) => {
          e.preventDefault();
          setPage(0);
          setFilter(form);
        }}
      >
        <Field label={t.audit.actor}>
          <Input className={s.short} value={form.actor} onChange={(_, d) => setForm({ ...form, actor: d.value })} />
        </Field>
        <Field label={t.audit.actBegins}>
          <Input className={s.short} value={form.act} onChange={(_, d) => setForm({ ...form, act: d.value })} placeholder="restore_session" />
        </Field>
        <Field label={t.audit.text}>
          <Input className={s.short} value={form.search} onChange={(_, d) => setForm({ ...form, search: d.value })} />
        </Field>
        <Field label={t.audit.from}>
          <Input className={s.short} type="date" value={form.from} onChange={(_, d) => setForm({ ...form, from: d.value })} />
        </Field>
        <Field label={t.audit.until}>
          <Input className={s.short} type="date" value={form.until} onChange={(_, d) => setForm({ ...form, until: d.value })} />
        </Field>
        <Button type="submit" icon={<Filter20Regular />}>{t.audit.filter}</Button>
        {Object.keys(wanted).length > 0 && <Button appearance="subtle" onClick={() => { setPage(0); setForm(none); setFilter(none); }}>{t.audit.all}</Button>}
      </form>
      {isPending && <Loading />}
      {data && rows.length === 0 && <Empty icon={<ShieldCheckmark20Regular />} title={t.common.nothingFound} />}
      {rows.length > 0 && (
        <DataTable
          label={t.pages.audit}
          rows={rows}
          rowKey={(e) => String(e.number)}
          columns={[
            { key: "number", title: t.audit.number, render: (e) => f.number(e.number), end: true },
            { key: "time", title: t.audit.time, render: (e) => f.dateTime(e.time), whole: true },
            { key: "actor", title: t.audit.actor, render: (e) => e.actor },
            { key: "act", title: t.audit.act, render: (e) => <code>{e.act}</code> },
            { key: "object", title: t.audit.object, render: (e) => <span title={e.object}>{shortOf(e.object ?? "").split("/").map((part, i) => [i > 0 && "/", i > 0 && <wbr key={i} />, part])}</span>, wide: true },
            { key: "detail", title: t.common.details, width: "32%", render: (e) => <span style={{ overflowWrap: "anywhere" }}>{say(e.detail, e.detailSaid)}</span>, wide: true },
            { key: "address", title: t.audit.address, render: (e) => e.address, wide: true },
          ]}
        />
      )}
      {(page > 0 || rows.length === pageSize) && (
        <div style={{ display: "flex", gap: 8, marginTop: 12 }}>
          <Button icon={<ChevronLeft20Regular />} disabledFocusable={page === 0} onClick={() => setPage(page - 1)}>{t.common.newer}</Button>
          <Button icon={<ChevronRight20Regular />} iconPosition="after" disabledFocusable={rows.length < pageSize} onClick={() => setPage(page + 1)}>{t.common.older}</Button>
        </div>
      )}
    </Page>
  );
}
