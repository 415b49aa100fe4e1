import { Button, Checkbox, Input, makeStyles, mergeClasses, Menu, MenuItem, MenuList, MenuPopover, MenuTrigger, SearchBox, Select, tokens, Toolbar, ToolbarButton, ToolbarDivider } from "@fluentui/react-components";
import { ArrowDownload20Regular, ArrowUndo20Regular, Bookmark20Regular, BookmarkAdd20Regular, Cart20Regular, FolderOpen20Regular, History20Regular, QuestionCircle20Regular, SearchRegular } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from "react";
import { ApiError, client, download, of } from "../../api/client";
import { organizationsQuery, type RestoreSession } from "../../api/queries";
import { addTo, addToCurrent, basketsQuery, makeBasket, type Part } from "../../explorer/basket";
import { HitPreview, pointsOf, whatOf } from "../../explorer/found";
import type { Item, ItemColumn, Place } from "../../explorer/kind";
import { kindOf } from "../../explorer/kinds";
import { RestoreResult } from "../../explorer/outcome";
import { RestoreDialog, type RestorePart } from "../../explorer/restore";
import { nothing, Rows, type Chosen } from "../../explorer/rows";
import { partsOf, placeOf, problemAt, Results, stateOf, type Hit, type Query } from "../../explorer/search";
import { Sessions } from "../../explorer/sessions";
import { Caret } from "../../ui/caret";
import { useFormat } from "../../ui/format";
import { useMedia } from "../../ui/media";
import { Empty, Loading, Note, Problem } from "../../ui/page";
import { Panel } from "../../ui/panel";
import { useSay } from "../../ui/said";
import { quote, ScriptButton, type Act } from "../../ui/script";
import { useText } from "../../ui/text/console";
import { useAct } from "../../ui/act";

const History = lazy(() => import("../../explorer/history"));
const Help = lazy(() => import("./help"));
const Saved = lazy(() => import("./saved"));
const SaveSearch = lazy(async () => ({ default: (await import("./saved")).SaveSearch }));

const useStyles = makeStyles({
  page: { display: "flex", flexDirection: "column", height: "100%", minHeight: 0 },
  head: { padding: "14px 20px 0", flexShrink: 0 },
  top: { display: "flex", marginBottom: "2px" },
  title: { margin: 0, flexGrow: 1, fontSize: tokens.fontSizeBase500, lineHeight: tokens.lineHeightBase500 },
  form: { display: "flex", gap: "8px", marginBottom: "8px" },
  box: { flexGrow: 1, maxWidth: "none" },
  filters: { display: "flex", gap: "4px 12px", flexWrap: "wrap", alignItems: "center", marginBottom: "4px" },
  filter: { display: "inline-flex", alignItems: "center", gap: "6px" },
  bar: { padding: "4px 12px", borderBottom: `1px solid ${tokens.colorNeutralStroke2}`, flexWrap: "wrap", flexShrink: 0 },
  command: { fontWeight: tokens.fontWeightRegular, padding: "5px 8px", minWidth: 0, whiteSpace: "nowrap", "@media (max-width: 1400px)": { padding: "5px" } },
  panes: { display: "grid", gridTemplateColumns: "minmax(400px, 2.2fr) minmax(280px, 1fr)", flexGrow: 1, minHeight: 0, "@media (max-width: 1100px)": { gridTemplateColumns: "1fr", gridTemplateRows: "minmax(220px, 1fr) minmax(160px, 40%)" } },
  one: { gridTemplateColumns: "1fr", gridTemplateRows: "1fr", "@media (max-width: 1100px)": { gridTemplateRows: "1fr" } },
  list: { display: "flex", flexDirection: "column", minHeight: 0, minWidth: 0, borderRight: `1px solid ${tokens.colorNeutralStroke2}` },
  preview: { overflow: "auto", padding: "16px 20px", minHeight: 0, "@media (max-width: 1100px)": { borderTop: `1px solid ${tokens.colorNeutralStroke2}` } },
});

// What a search is, as it stands in the page's address.
export interface Asked {
  q?: string;
  org?: string;
  kinds?: string;
  at?: string;
  deleted?: string;
  sort?: string;
}

const queryOf = (a: Asked): Query => ({
  query: a.q ?? "",
  ...(a.org ? { organizationId: a.org } : {}),
  ...(a.kinds ? { kinds: [a.kinds] } : {}),
  ...(a.at ? { at: new Date(a.at).toISOString() } : {}),
  ...(a.deleted ? { deleted: true } : {}),
  ...(a.sort === "oldest" ? { sort: "oldest" as const } : {}),
});

const kindsOfItems = ["mail", "event", "contact", "task", "file", "folder", "list item", "page", "post", "tab", "setting"] as const;

const columns: ItemColumn<Hit>[] = [
  { key: "kind", title: (t) => t.found.kind, text: (h, _, t) => whatOf(h, t), width: "92px" },
  { key: "name", title: (t) => t.found.name, text: (h, _, t) => h.name || t.mail.noSubject, width: "minmax(140px, 2fr)" },
  { key: "owner", title: (t) => t.found.owner, text: (h) => h.found.container.name, width: "minmax(90px, 1fr)" },
  { key: "folder", title: (t) => t.found.folder, text: (h) => h.found.folder?.split("/").at(-1) ?? "", width: "minmax(70px, 0.8fr)", wide: true },
  { key: "time", title: (t) => t.found.time, text: (h, f) => f.date(h.found.time), width: "116px" },
  { key: "points", title: (t) => t.found.points, text: pointsOf, width: "minmax(132px, 1.2fr)", wide: true },
];

const basketPart = (p: { place: Place; items: string[] }): Part => ({ session: p.place.session, container: p.place.container.id, items: p.items });

export default function Search() {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const asked: Asked = useSearch({ from: "/search" });
  const key = JSON.stringify(asked);
  const begun = asked.q !== undefined;
  const [text, setText] = useState(asked.q ?? "");
  const [form, setForm] = useState<Asked>(asked);
  const [round, setRound] = useState(0);
  const [open, setOpen] = useState<"help" | "saved" | "save" | "results">();
  const [chosen, setChosen] = useState<Chosen<Hit>>(nothing);
  const [active, setActive] = useState<Hit>();
  const { busy, error, setError, said, setSaid, act } = useAct();
  const [restoring, setRestoring] = useState<RestorePart>();
  const [restored, setRestored] = useState("");
  const [past, setPast] = useState<{ place: Place; item: Item }>();
  const narrow = useMedia("(max-width: 1000px)");
  const box = useRef<HTMLInputElement>(null);
  const organizations = useQuery(organizationsQuery).data ?? [];
  const say = useSay();

  useEffect(() => {
    document.title = `${t.pages.search} – Holdfast`;
  }, [t]);
  // Another address is another search: by the browser's own buttons, a saved one, a link.
  useEffect(() => {
    setText(asked.q ?? "");
    setForm(asked);
    setChosen(nothing());
    setActive(undefined);
    setSaid("");
    setError(undefined);
  }, [key]); // eslint-disable-line react-hooks/exhaustive-deps

  const sessions = useMemo(() => new Sessions(), []);
  useEffect(() => () => sessions.close(), [sessions]);

  const results = useMemo(() => new Results(queryOf(asked)), [key, round]); // eslint-disable-line react-hooks/exhaustive-deps
  const first = useQuery({
    queryKey: ["search", key, round],
    enabled: begun,
    retry: false,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    structuralSharing: false,
    queryFn: async () => {
      const rows = await results.page(0, 1);
      return { total: results.total, notIndexed: results.notIndexed, some: rows.length > 0 };
    },
  });
  const status = useQuery({ queryKey: ["search-status"], queryFn: ({ signal }) => of(client.GET("/holdfast/v1/Search/Status", { signal })), refetchInterval: 15_000 });
  const wrongAt = first.error instanceof ApiError && first.error.status === 400 ? problemAt(first.error.message) : undefined;
  useEffect(() => {
    const input = box.current;
    if (wrongAt === undefined || !input) return;
    const at = [...input.value].slice(0, wrongAt).join("").length;
    input.focus();
    input.setSelectionRange(at, input.value.length);
  }, [wrongAt, first.error]);

  const search = (change: Asked = {}, words = text) => {
    const next: Asked = { ...form, ...change, q: words.trim() };
    for (const name of ["org", "kinds", "at", "deleted", "sort"] as const) if (!next[name]) delete next[name];
    setForm(next);
    setSaid("");
    if (JSON.stringify(next) === key) setRound(round + 1);
    else void navigate({ to: "/search", search: next });
  };
  const filter = (change: Asked) => {
    if (begun) search(change);
    else setForm({ ...form, ...change });
  };

  // hits are those that were chosen; all of a list means to read it.
  const hits = async (): Promise<Hit[]> => {
    if (!chosen.all) return chosen.items.size > 0 ? [...chosen.items.values()] : active ? [active] : [];
    const most = 10_000;
    const rows = await results.page(0, most + 1);
    if (rows.length > most) throw new Error(t.search.tooMany(f.number(most)));
    return rows;
  };
  const sessionOf = (h: Hit) => sessions.at(stateOf(h));
  const intoBasket = () => act(async () => {
    const { basket, added } = await addToCurrent(t.explore.basketNamed, (await partsOf(await hits(), sessionOf)).map(basketPart));
    await queries.invalidateQueries({ queryKey: basketsQuery.queryKey });
    await queries.invalidateQueries({ queryKey: ["basket", basket.id] });
    setSaid(t.explore.inBasket(f.number(added), basket.name));
  });
  // What lies in one mailbox or drive at one time is restored here; what is of several goes through a basket, which restores it as one.
  const restore = () => act(async () => {
    const all = await hits();
    const parts = await partsOf(all, sessionOf);
    const [part] = parts;
    if (!part) return;
    if (parts.length === 1) return setRestoring({ kind: await kindOf(stateOf(part.first).type), place: part.place, selection: { items: part.items } });
    const basket = await makeBasket(t.search.basketOf(asked.q || t.search.everything));
    await addTo(basket.id, parts.map(basketPart));
    await queries.invalidateQueries({ queryKey: basketsQuery.queryKey });
    await navigate({ to: "/basket", search: { basket: basket.id, restore: "yes" } });
  });
  const exportAs = (format: "csv" | "jsonl") => act(() => download("/holdfast/v1/Search/Export", { ...queryOf(asked), format }, `found.${format}`));
  const versions = () => act(async () => {
    if (!active) return;
    setPast({ place: placeOf(active, await sessionOf(active)), item: { id: active.itemId, name: active.name } });
  });
  const restoreVersion = (of: { place: Place }, item: string, type: RestoreSession["type"]) => act(async () => {
    setPast(undefined);
    setRestoring({ kind: await kindOf(type), place: of.place, selection: { items: [item] } });
  });
  const explore = () => act(async () => {
    if (!active) return;
    const session = await sessionOf(active);
    sessions.keep(session);
    await navigate({ to: "/explore/$session", params: { session }, search: { container: active.found.container.id, item: active.itemId } });
  });

  const any = active !== undefined || chosen.all || chosen.items.size > 0;
  const shown = queryOf(begun ? asked : { ...form, q: text });
  const words = shown.query || "budget";
  const flags = [...(shown.kinds?.[0] === "file" ? ["--files"] : []), ...(shown.at ? [`--at ${shown.at}`] : []), ...(shown.deleted ? ["--deleted"] : []), ...(shown.sort === "oldest" ? ["--oldest"] : []), "--limit 50"].join(" ");
  const acts: Act[] = [
    { title: t.search.acts.find, command: `holdfast search ${flags} ${quote(words)}`, method: "POST", path: "/holdfast/v1/Search", body: shown },
    { title: t.search.acts.export, command: `holdfast search ${flags} --export csv --out found.csv ${quote(words)}`, method: "POST", path: "/holdfast/v1/Search/Export", body: { ...shown, format: "csv" } },
    { title: t.search.acts.status, method: "GET", path: "/holdfast/v1/Search/Status" },
    { title: t.search.acts.save, command: `holdfast saved-search add NAME ${quote(words)}`, method: "POST", path: "/holdfast/v1/searches", body: { name: "NAME", query: words } },
    { title: t.search.acts.saved, command: "holdfast saved-search list", method: "GET", path: "/holdfast/v1/searches" },
  ];
  const total = first.data?.total;
  const found = first.data?.some === true && !first.isFetching;
  const pending = first.data?.notIndexed ?? [];
  const told = pending.slice(0, 5);
  const states = status.data ?? [];
  const behind = states.filter((o) => !o.indexed);
  return (
    <div className={s.page}>
      <div className={s.head}>
        <div className={s.top}>
          <h1 className={s.title}>{t.pages.search}</h1>
          <ScriptButton acts={acts} />
        </div>
        <form className={s.form} role="search" onSubmit={(e) => { e.preventDefault(); search(); }}>
          <SearchBox ref={box} className={s.box} value={text} onChange={(_, d) => setText(d.value)} placeholder={t.search.placeholder} aria-label={t.search.box} aria-invalid={wrongAt !== undefined} />
          <Button type="submit" appearance="primary" icon={<SearchRegular />}>{t.search.find}</Button>
          <Button appearance="subtle" icon={<QuestionCircle20Regular />} aria-expanded={open === "help"} onClick={() => setOpen(open === "help" ? undefined : "help")}>{t.search.help}</Button>
        </form>
        {wrongAt !== undefined && asked.q && <Caret text={asked.q} at={wrongAt} label={t.search.wrongFrom} />}
        {open === "help" && <Suspense fallback={<Loading />}><Help onTake={(example) => { setText(example); box.current?.focus(); }} /></Suspense>}
        <div className={s.filters}>
          <Select aria-label={t.found.kind} value={form.kinds ?? ""} onChange={(_, d) => filter({ kinds: d.value })}>
            <option value="">{t.search.allKinds}</option>
            {kindsOfItems.map((k) => <option key={k} value={k}>{t.found.kinds[k]}</option>)}
          </Select>
          {organizations.length > 1 && (
            <Select aria-label={t.job.organization} value={form.org ?? ""} onChange={(_, d) => filter({ org: d.value })}>
              <option value="">{t.search.allOrganizations}</option>
              {organizations.map((o) => <option key={o.id} value={o.id ?? ""}>{o.officeName || o.name}</option>)}
            </Select>
          )}
          <Select aria-label={t.search.order} value={form.sort ?? "newest"} onChange={(_, d) => filter({ sort: d.value === "oldest" ? "oldest" : "" })}>
            <option value="newest">{t.search.newest}</option>
            <option value="oldest">{t.search.oldest}</option>
          </Select>
          <label className={s.filter}>
            {t.search.asOf}
            <Input type="datetime-local" value={form.at ?? ""} onChange={(_, d) => filter({ at: d.value })} />
          </label>
          <Checkbox label={t.search.deletedOnly} checked={form.deleted !== undefined && form.deleted !== ""} onChange={(_, d) => filter({ deleted: d.checked === true ? "yes" : "" })} />
        </div>
        <Problem error={error ?? first.error ?? status.error} />
        {said && <Note intent="success">{said}</Note>}
        {pending.length > 0 && (
          <Note intent="warning" title={t.search.notIndexed(f.number(pending.length))}>
            {[...new Set(told.map((n) => n.problem))].map((problem) => (
              <div key={problem}>
                {f.list(told.filter((n) => n.problem === problem).map((n) => `${n.container.name} (${t.kind[n.container.kind as "mailbox"] ?? n.container.kind}, ${t.search.since(f.dateTime(n.since))})`))}
                {problem && `: ${say(problem, told.find((n) => n.problem === problem)?.problemSaid)}`}
              </div>
            ))}
            {pending.length > told.length && t.home.more(f.number(pending.length - told.length))}
          </Note>
        )}
        {pending.length === 0 && behind.length > 0 && <Note intent="warning">{t.search.neverIndexed}</Note>}
      </div>
      <Toolbar className={s.bar} aria-label={t.common.commands}>
        <ToolbarButton className={s.command} icon={<ArrowUndo20Regular />} disabledFocusable={!any || busy} onClick={() => void restore()}>{t.restore.button}</ToolbarButton>
        <ToolbarButton className={s.command} icon={<Cart20Regular />} disabledFocusable={!any || busy} onClick={() => void intoBasket()}>{t.explore.intoBasket}</ToolbarButton>
        <ToolbarButton className={s.command} icon={<FolderOpen20Regular />} disabledFocusable={!active || busy} onClick={() => void explore()}>{t.search.explore}</ToolbarButton>
        <ToolbarButton className={s.command} icon={<History20Regular />} disabledFocusable={!active || busy} onClick={() => void versions()}>{t.history.button}</ToolbarButton>
        <ToolbarDivider />
        <ToolbarButton className={s.command} icon={<BookmarkAdd20Regular />} disabledFocusable={!begun || first.isError} onClick={() => setOpen("save")}>{t.search.saveThis}</ToolbarButton>
        <ToolbarButton className={s.command} icon={<Bookmark20Regular />} onClick={() => setOpen("saved")}>{t.search.savedBefore}</ToolbarButton>
        <Menu>
          <MenuTrigger disableButtonEnhancement>
            <ToolbarButton className={s.command} icon={<ArrowDownload20Regular />} disabledFocusable={!first.data?.some || busy}>{t.search.export}</ToolbarButton>
          </MenuTrigger>
          <MenuPopover>
            <MenuList>
              <MenuItem onClick={() => void exportAs("csv")}>{t.search.csv}</MenuItem>
              <MenuItem onClick={() => void exportAs("jsonl")}>{t.search.jsonl}</MenuItem>
            </MenuList>
          </MenuPopover>
        </Menu>
      </Toolbar>
      <div className={mergeClasses(s.panes, !found && s.one)}>
        <section className={s.list} aria-label={t.search.results}>
          {!begun && <Empty icon={<SearchRegular />} title={t.search.begin}>{states.length > 0 ? t.search.size(f.number(states.reduce((n, o) => n + o.documents, 0))) : status.data && t.explore.nothingAbout}</Empty>}
          {begun && first.isFetching && <Loading />}
          {first.data && !first.isFetching && !first.data.some && <Empty icon={<SearchRegular />} title={t.common.nothingFound}>{pending.length > 0 || behind.length > 0 ? t.search.maybeLater : null}</Empty>}
          {found && (
            <Rows label={t.search.results} queryKey={["search", key, round, "rows"]} total={total?.exact ? total.value : undefined} page={(offset, limit) => results.page(offset, limit)} columns={columns} chosen={chosen} onChoose={setChosen} onActive={setActive} narrow={narrow} />
          )}
        </section>
        {found && (
          <section className={s.preview} aria-label={t.explore.preview} tabIndex={0}>
            {active ? <HitPreview key={active.id} hit={active} sessionOf={sessionOf} /> : <Empty icon={<SearchRegular />} title={t.explore.chooseItem} />}
          </section>
        )}
      </div>
      <Suspense>
        {open === "saved" && <Saved onClose={() => setOpen(undefined)} onTake={(a) => { setOpen(undefined); void navigate({ to: "/search", search: a }); }} />}
        {past && active && <History place={past.place} item={past.item} onClose={() => setPast(undefined)} onRestore={(id) => void restoreVersion(past, id, stateOf(active).type)} />}
        {open === "save" && <SaveSearch asked={asked} onClose={() => setOpen(undefined)} />}
      </Suspense>
      {restoring && (
        <RestoreDialog parts={[restoring]} others script onClose={() => setRestoring(undefined)} start={async (bodies) => {
          for (const body of bodies) await of(client.POST("/holdfast/v1/Restore", { body }));
          sessions.keep(restoring.place.session);
          setRestored(restoring.place.session);
        }} />
      )}
      {restored && (
        <Panel size="large" title={t.restore.results} onClose={() => setRestored("")} footer={<Button onClick={() => setRestored("")}>{t.common.close}</Button>}>
          <RestoreResult session={restored} />
        </Panel>
      )}
    </div>
  );
}
