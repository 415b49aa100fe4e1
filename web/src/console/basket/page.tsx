import { Button, Field, Input, makeStyles, Select, tokens } from "@fluentui/react-components";
import { Add20Regular, ArrowDownload20Regular, ArrowUndo20Regular, CartRegular, Delete20Regular, Info20Regular, SubtractCircle20Regular } from "@fluentui/react-icons";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { client, getDownload, of } from "../../api/client";
import { basketsQuery, currentOf, makeBasket, rememberBasket } from "../../explorer/basket";
import { useFormat } from "../../ui/format";
import { Empty, Loading, Page, Problem } from "../../ui/page";
import { Confirm, FormPanel } from "../../ui/panel";
import { pathOf } from "../../ui/path";
import { quote, type Act } from "../../ui/script";
import { DataTable } from "../../ui/table";
import { useText } from "../../ui/text/console";
import { BasketRestore } from "./restore";
import { Runs } from "./run";
import { useAct } from "../../ui/act";

const pageSize = 500;

const useStyles = makeStyles({
  head: { display: "flex", gap: "12px", alignItems: "center", flexWrap: "wrap", marginBottom: "12px" },
  line: { whiteSpace: "nowrap" },
  sum: { color: tokens.colorNeutralForeground2 },
});

// The basket: what was gathered from several users, kinds and restore points, to be restored or downloaded as one.
export default function BasketPage() {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const asked = useSearch({ from: "/basket" });
  const baskets = useQuery(basketsQuery);
  const all = baskets.data ?? [];
  const basket = all.find((b) => b.id === asked.basket) ?? currentOf(all);
  const id = basket?.id ?? "";
  const [selected, setSelected] = useState<Set<string>>(new Set());
  const [open, setOpen] = useState<"restore" | "new" | "delete" | "runs">();
  const { busy, error: failed, act } = useAct();
  const entries = useInfiniteQuery({
    queryKey: ["basket", id, "items"],
    enabled: id !== "",
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) => of(client.GET("/holdfast/v1/Baskets/{basketId}/Items", { params: { path: { basketId: id }, query: { offset: pageParam, limit: pageSize } }, signal })),
    getNextPageParam: (last) => (last.results.length === pageSize ? last.offset + pageSize : undefined),
  });
  const rows = entries.data?.pages.flatMap((p) => p.results) ?? [];
  const owners = new Set(rows.map((r) => r.address)).size;
  const chosen = rows.filter((r) => selected.has(r.id));
  useEffect(() => setSelected(new Set()), [id]);
  useEffect(() => {
    if (asked.restore && basket) setOpen("restore");
  }, [asked.restore, basket?.id]); // eslint-disable-line react-hooks/exhaustive-deps

  const close = () => {
    setOpen(undefined);
    if (asked.restore) void navigate({ to: "/basket", search: id ? { basket: id } : {}, replace: true });
  };
  const go = (to: string) => {
    rememberBasket(to);
    void navigate({ to: "/basket", search: { basket: to } });
  };
  const again = () => queries.invalidateQueries({ queryKey: basketsQuery.queryKey });
  const remove = () => act(async () => {
    try {
      for (const r of chosen) await of(client.DELETE("/holdfast/v1/Baskets/{basketId}/Items/{entryId}", { params: { path: { basketId: id, entryId: r.id } } }));
    } finally {
      setSelected(new Set());
      await queries.invalidateQueries({ queryKey: ["basket", id] });
    }
  });
  const path = `/holdfast/v1/Baskets/${id || "BASKET"}`;
  const name = quote(id || "BASKET"); // several may have one name
  const acts: Act[] = [
    { title: t.basket.acts.list, command: "holdfast basket list", method: "GET", path: "/holdfast/v1/Baskets" },
    { title: t.basket.acts.make, command: "holdfast basket add NAME", method: "POST", path: "/holdfast/v1/Baskets", body: { name: "NAME" } },
    { title: t.basket.acts.items, command: `holdfast basket show ${name}`, method: "GET", path: `${path}/Items?limit=10000` },
    { title: t.basket.acts.add, command: `holdfast basket put ${name} --user ada --query subject:budget`, method: "POST", path: `${path}/Items`, body: { restoreSessionId: "SESSION", containerId: "CONTAINER", items: ["ITEM"] } },
    { title: t.basket.acts.restore, command: `holdfast basket restore ${name}`, method: "POST", path: `${path}/Restore`, body: { mode: "overwrite" } },
    { title: t.basket.acts.save, command: `holdfast basket save ${name} --out basket.zip`, method: "GET", path: `${path}/Content` },
  ];
  const none = { disabled: rows.length === 0 || busy, why: t.basket.emptyAbout };
  return (
    <Page
      title={t.pages.basket}
      about={t.basket.about}
      acts={acts}
      commands={[
        { key: "restore", label: t.restore.button, icon: <ArrowUndo20Regular />, onClick: () => setOpen("restore"), ...none },
        { key: "save", label: t.explore.save, icon: <ArrowDownload20Regular />, onClick: () => void act(() => getDownload(`${path}/Content`, "basket.zip")), ...none },
        { key: "out", label: t.basket.takeOut, icon: <SubtractCircle20Regular />, onClick: () => void remove(), disabled: chosen.length === 0 || busy, why: t.common.choose },
        { key: "runs", label: t.restore.results, icon: <Info20Regular />, onClick: () => setOpen("runs"), disabled: !basket || basket.runs.length === 0, why: t.basket.noRuns, divider: true },
        { key: "new", label: t.basket.make, icon: <Add20Regular />, onClick: () => setOpen("new"), divider: true },
        { key: "delete", label: t.basket.delete, icon: <Delete20Regular />, onClick: () => setOpen("delete"), disabled: !basket, why: t.basket.none },
      ]}
    >
      <Problem error={failed ?? baskets.error ?? entries.error} />
      {baskets.isPending && <Loading />}
      {basket && (
        <div className={s.head}>
          <Select aria-label={t.basket.which} value={id} onChange={(_, d) => go(d.value)}>
            {all.map((b) => <option key={b.id} value={b.id}>{`${b.name} (${f.dateTime(b.created)})`}</option>)}
          </Select>
          {rows.length > 0 && <span className={s.sum}>{t.basket.sum(f.number(rows.length) + (entries.hasNextPage ? "+" : ""), f.number(owners), f.bytes(rows.reduce((n, r) => n + r.size, 0)))}</span>}
        </div>
      )}
      {id !== "" && entries.isPending && <Loading />}
      {((baskets.data && !basket) || (entries.data && rows.length === 0)) && (
        <Empty icon={<CartRegular />} title={t.basket.empty} action={<span><Link to="/search">{t.pages.search}</Link> · <Link to="/explore">{t.nav.explore}</Link></span>}>
          {t.basket.emptyAbout}
        </Empty>
      )}
      {rows.length > 0 && (
        <DataTable
          label={t.pages.basket}
          rows={rows}
          rowKey={(r) => r.id}
          rowName={(r) => r.name || t.mail.noSubject}
          selected={selected}
          onSelect={setSelected}
          columns={[
            { key: "kind", title: t.found.kind, sort: (r) => r.kind, render: (r) => <span className={s.line}>{t.found.kinds[r.kind as "mail"] ?? r.kind}</span> },
            { key: "name", title: t.found.name, sort: (r) => r.name, render: (r) => r.name || t.mail.noSubject },
            { key: "owner", title: t.found.owner, sort: (r) => r.owner, render: (r) => <span title={r.address}>{r.owner}</span> },
            { key: "path", title: t.found.folder, render: (r) => <span style={{ overflowWrap: "anywhere" }}>{pathOf(r.path).split("/").slice(0, -1).join("/")}</span>, wide: true },
            { key: "time", title: t.found.time, sort: (r) => r.time ?? "", render: (r) => <span className={s.line}>{f.dateTime(r.time)}</span>, wide: true },
            { key: "size", title: t.file.size, sort: (r) => r.size, end: true, render: (r) => <span className={s.line}>{f.bytes(r.size)}</span>, wide: true },
          ]}
        />
      )}
      {entries.hasNextPage && <Button style={{ marginTop: 12 }} onClick={() => void entries.fetchNextPage()} disabledFocusable={entries.isFetchingNextPage}>{t.basket.more}</Button>}
      {open === "restore" && basket && (
        <BasketRestore basket={basket} onClose={close} onDone={async () => {
          await again();
          setOpen("runs");
        }} />
      )}
      {open === "runs" && basket && <Runs basket={basket} onClose={close} />}
      {open === "new" && <Make onClose={close} onDone={async (made) => { await again(); go(made); }} />}
      {open === "delete" && basket && (
        <Confirm title={t.basket.deleteTitle(basket.name)} action={t.basket.delete} onClose={close} run={async () => {
          await of(client.DELETE("/holdfast/v1/Baskets/{basketId}", { params: { path: { basketId: id } } }));
          await again();
          await navigate({ to: "/basket", search: {} });
        }}>
          {t.basket.deleteAbout}
        </Confirm>
      )}
    </Page>
  );
}

function Make({ onClose, onDone }: { onClose: () => void; onDone: (id: string) => Promise<unknown> }) {
  const { t } = useText();
  const [name, setName] = useState("");
  return (
    <FormPanel title={t.basket.make} submit={t.common.add} onClose={onClose} save={async () => onDone((await makeBasket(name)).id)}>
      <Field label={t.found.name} required>
        <Input required value={name} onChange={(_, d) => setName(d.value)} />
      </Field>
    </FormPanel>
  );
}
