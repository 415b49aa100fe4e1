import { Button, makeStyles, Menu, MenuItem, MenuList, MenuPopover, MenuTrigger, mergeClasses, SearchBox, tokens, Toolbar, ToolbarButton, ToolbarDivider } from "@fluentui/react-components";
import { ArrowDownload20Regular, ArrowLeft20Regular, ArrowUndo20Regular, BranchCompare20Regular, CalendarClock20Regular, Cart20Regular, DeleteDismiss20Regular, DismissCircle20Regular, FolderArrowUp20Regular, FolderSearchRegular, History20Regular, Info20Regular } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, use, useCallback, useEffect, useRef, useState } from "react";
import { client, download, enc, of } from "../api/client";
import type { RestoreSession } from "../api/queries";
import { RestoreResult, runs, useRestoreEvents } from "./outcome";
import { useFormat } from "../ui/format";
import { phone, useMedia } from "../ui/media";
import { Empty, Loading, Note, Page, Problem } from "../ui/page";
import { Panel } from "../ui/panel";
import { quote, ScriptButton, type Act } from "../ui/script";
import { useText } from "../ui/text";
import { Containers, Folders } from "./drill";
import { folderId, type Container, type Item, type Kind, type Place, type Selection, type Target } from "./kind";
import { kindOf } from "./kinds";
import { RestoreDialog } from "./restore";
import { restoring } from "./restoring";
import { MaySave } from "./rights";
import { nothing, Rows, type Chosen } from "./rows";
import { openSession } from "./sessions";
import { Tree } from "./tree";
import { atOf, viewQuery } from "./view";
import { useAct } from "../ui/act";

const Compare = lazy(() => import("./compare"));
const History = lazy(() => import("./history"));
const OtherTime = lazy(() => import("./other"));

const useStyles = makeStyles({
  page: { display: "grid", gridTemplateRows: "auto auto 1fr", gridTemplateColumns: "minmax(0, 1fr)", height: "100%", minHeight: 0 },
  head: { padding: "14px 20px 0" },
  title: { outline: "none", margin: 0, flexGrow: 1, fontSize: tokens.fontSizeBase500, lineHeight: tokens.lineHeightBase500, overflowWrap: "anywhere" },
  about: { color: tokens.colorNeutralForeground2 },
  bar: { padding: "4px 12px", borderBottom: `1px solid ${tokens.colorNeutralStroke2}`, flexWrap: "wrap" },
  command: { fontWeight: tokens.fontWeightRegular, padding: "5px 8px", minWidth: 0, whiteSpace: "nowrap", "@media (max-width: 1400px)": { padding: "5px" } },
  // The console's bar has more commands than a laptop has room for: there those that are used less are pictures, with their names to be heard and pointed at.
  seldom: { "@media (min-width: 641px) and (max-width: 1500px)": { display: "none" } },
  panes: { display: "grid", gridTemplateColumns: "minmax(180px, 220px) minmax(360px, 1.5fr) minmax(280px, 1fr)", minHeight: 0, "@media (max-width: 1100px)": { gridTemplateColumns: "minmax(180px, 240px) 1fr" }, [`@media ${phone}`]: { display: "flex", flexDirection: "column", overflow: "hidden", position: "relative" } },
  tree: { overflow: "auto", borderRight: `1px solid ${tokens.colorNeutralStroke2}`, backgroundColor: tokens.colorNeutralBackground2, minHeight: 0 },
  list: { display: "flex", flexDirection: "column", minHeight: 0, minWidth: 0, borderRight: `1px solid ${tokens.colorNeutralStroke2}`, [`@media ${phone}`]: { flexGrow: 1, borderRight: "none" } },
  folders: { overflowY: "auto", flexShrink: 1, minHeight: 0 },
  someFolders: { maxHeight: "40%", flexShrink: 0 },
  back: { display: "flex", alignItems: "flex-start", gap: "4px" },
  search: { padding: "8px" },
  box: { maxWidth: "100%", width: "100%" },
  preview: { overflow: "auto", padding: "16px 20px", minHeight: 0, "@media (max-width: 1100px)": { gridColumn: "1 / -1", borderTop: `1px solid ${tokens.colorNeutralStroke2}`, maxHeight: "40vh" }, [`@media ${phone}`]: { position: "absolute", inset: 0, borderTop: "none", maxHeight: "none", padding: "12px", backgroundColor: tokens.colorNeutralBackground1 } },
});

const idsAtOnce = 10_000;

export interface Look {
  session: string;
  // at is how many steps below the first one a phone shows; it is in the page's address, so that a browser's Back goes one step back.
  at: number;
  onAt: (at: number) => void;
  begin?: { container: string; item?: string }; // where to begin; at the top when absent
  deleted?: boolean; // begin with what was deleted only
  // onSession goes to another session at the same place. Absent: one stays in this one.
  onSession?: (session: string, place: Place | undefined, deleted: boolean) => void;
  onClosed?: () => void; // absent: sessions are not closed here
  again: string; // the address at which another session is opened
  scripts?: boolean;
}

// Explorer shows what a restore session sees: a tree, a list, a preview; on a phone one at a time.
export function Explorer(look: Look) {
  const id = look.session;
  const { t } = useText();
  const session = useQuery({
    queryKey: ["restore-session", id],
    queryFn: ({ signal }) => of(client.GET("/v8/RestoreSessions/{restoreSessionId}", { params: { path: { restoreSessionId: id } }, signal })) as Promise<RestoreSession>,
  });
  const type = session.data?.type;
  const kind = useQuery({ queryKey: ["kind", type], enabled: type !== undefined, queryFn: () => kindOf(type ?? "Vex"), staleTime: Infinity, gcTime: Infinity, structuralSharing: false });
  const stopped = session.data?.state === "Stopped";
  const acts = useQuery(viewQuery(id)).data?.acts ?? [];
  const containers = useQuery({ queryKey: ["containers", id], enabled: kind.data !== undefined && !stopped, queryFn: ({ signal }) => kind.data?.containers(id, signal) ?? [], staleTime: Infinity });
  useEffect(() => {
    document.title = `${t.nav.explore} – Holdfast`;
  }, [t]);
  const error = session.error ?? kind.error ?? containers.error;
  if (stopped)
    return (
      <Page title={t.nav.explore}>
        <Empty icon={<FolderSearchRegular />} title={t.explore.stopped} action={<a href={look.again}>{t.explore.open}</a>} />
        <RestoreResult session={id} />
      </Page>
    );
  if (error)
    return (
      <Page title={t.nav.explore}>
        <Problem error={error} />
        <a href={look.again}>{t.explore.open}</a>
      </Page>
    );
  if (!session.data || !kind.data || !containers.data) return <Loading />;
  return (
    <MaySave value={acts.includes("download content")}>
      <Browser key={id} look={look} acts={acts} session={session.data} kind={kind.data} containers={containers.data} />
    </MaySave>
  );
}

function Browser({ look, acts: allowed, session, kind, containers }: { look: Look; acts: string[]; session: RestoreSession; kind: Kind<Item>; containers: Container[] }) {
  const { scripts = true } = look;
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const queries = useQueryClient();
  const [trail, setTrail] = useState<Place[]>([]);
  const [text, setText] = useState("");
  const [query, setQuery] = useState("");
  const [chosen, setChosen] = useState<Chosen<Item>>(nothing);
  const [active, setActive] = useState<Item>();
  const [asked, setAsked] = useState<Selection>(); // to restore
  const [results, setResults] = useState(false);
  const [tool, setTool] = useState<"compare" | "history" | "time">();
  const view = useQuery(viewQuery(session.id)).data;
  const may = (act: string) => allowed.includes(act);
  const saving = use(MaySave);
  const [deletedOnly, setDeletedOnly] = useState(look.deleted ?? false);
  const { busy, error, setError, said, setSaid, act } = useAct();
  const narrow = useMedia("(max-width: 1400px)");
  const small = useMedia(phone);
  const events = useRestoreEvents(session.id).data ?? [];
  const running = events.some((e) => e.type === "Restore" && runs(e));

  // On a phone the steps are the places on the way down and then the item. The only container of a session is where everybody begins.
  const [only] = containers;
  const begin: Place | undefined = containers.length === 1 && only ? { session: session.id, container: only } : undefined;
  const step = small ? Math.min(look.at, trail.length + (active ? 1 : 0)) : 0;
  const place = (small ? trail[Math.min(step, trail.length) - 1] : trail.at(-1)) ?? begin;
  const shown = !small || step > trail.length ? active : undefined;
  const placeKey = JSON.stringify([place?.container.id, place?.folder?.id]);
  const [placed, setPlaced] = useState(placeKey);
  if (placed !== placeKey) {
    setPlaced(placeKey);
    setChosen(nothing());
    setActive(undefined);
    if (small) {
      setText("");
      setQuery("");
    }
  }
  // A step on a phone takes the focus along, which was on what is not shown any more.
  const heading = useRef<HTMLHeadingElement>(null);
  const list = useRef<HTMLElement>(null);
  const preview = useRef<HTMLElement>(null);
  const stood = useRef({ step, item: shown !== undefined });
  useEffect(() => {
    const before = stood.current;
    stood.current = { step, item: shown !== undefined };
    if (!small || before.step === step) return;
    const grid = list.current?.querySelector<HTMLElement>('[role="grid"]');
    (shown ? preview.current : before.item && grid ? grid : heading.current)?.focus();
  }, [small, step, shown]);
  const go = (to: Place) => {
    if (!small) return setTrail([to]);
    setTrail([...trail.slice(0, step), to]);
    look.onAt(step + 1);
  };
  // Who comes from a search begins at what was found.
  const [first, setFirst] = useState<Item>();
  useEffect(() => {
    const container = containers.find((c) => c.id === look.begin?.container);
    const item = look.begin?.item;
    if (!container) return;
    if (!item) return go({ session: session.id, container });
    const get = (itemId: string) => of(client.GET("/holdfast/v1/RestoreSessions/{restoreSessionId}/Containers/{containerId}/Items/{itemId}", { params: { path: { restoreSessionId: session.id, containerId: container.id, itemId } } }));
    get(item).then(async (found) => {
      const place = { session: session.id, container };
      if (kind.folderOf) {
        const folder = await kind.folderOf(found, get);
        go(folder ? { ...place, folder } : place);
        if (found.kind !== "folder") setFirst(kind.of(found));
        return;
      }
      const names = (found.path ?? "").split("/").filter(Boolean);
      if (found.kind === "folder") go({ ...place, folder: { id: found.id, name: found.name } });
      else {
        const above = found.parentId ? await get(found.parentId) : undefined; // what it is says which columns its list has
        const holds = above?.class ?? above?.special;
        go(above ? { ...place, folder: { id: above.id, name: names.at(-2) ?? container.name, ...(holds ? { holds } : {}) } } : place);
        setFirst(kind.of(found));
      }
    }, (cause: unknown) => {
      go({ session: session.id, container }); // it is not in this state
      setError(cause);
    });
  }, []); // eslint-disable-line react-hooks/exhaustive-deps
  useEffect(() => {
    if (first && trail.length > 0) {
      setActive(first); // after the place, which begins with nothing active
      setFirst(undefined);
    }
  }, [first, trail]);
  const openItem = (item: Item) => {
    setTrail(trail.slice(0, step));
    setActive(item);
    look.onAt(step + 1);
  };
  const search = (value: string) => {
    setQuery(value.trim());
    setChosen(nothing());
    setActive(undefined);
  };

  const key = ["items", session.id, place?.container.id, place?.folder?.id, query, deletedOnly];
  const columns = useQuery<Kind<Item>["columns"]>({ queryKey: ["columns", session.id, place?.container.id, place?.folder?.id], enabled: place !== undefined && kind.columnsAt !== undefined, queryFn: ({ signal }) => (place && kind.columnsAt?.(place, signal)) ?? kind.columns, staleTime: Infinity, structuralSharing: false });
  // How many there are takes the order of all; asked for behind the first page, so that the list does not wait for it.
  const count = useQuery({
    queryKey: [...key, "count"],
    enabled: place !== undefined,
    staleTime: Infinity,
    queryFn: ({ signal }) =>
      of(client.GET("/holdfast/v1/RestoreSessions/{restoreSessionId}/Containers/{containerId}/Items", {
        params: {
          path: { restoreSessionId: session.id, containerId: place?.container.id ?? "" },
          query: { offset: 1, limit: 1, ...(deletedOnly ? deletedIn(place, query) : { kinds: (place && kind.itemsAt?.(place, query)) ?? kind.items, ...(place?.folder ? { parentId: folderId(place.folder) } : {}), ...(query ? { query } : {}) }) },
        }, signal,
      })),
  });
  const page = useCallback(async (offset: number, limit: number, signal: AbortSignal) => {
    if (!place) return [];
    if (!deletedOnly) return kind.page(place, query, offset, limit, signal);
    const path = { restoreSessionId: place.session, containerId: place.container.id };
    const found = await of(client.GET("/holdfast/v1/RestoreSessions/{restoreSessionId}/Containers/{containerId}/Items", { params: { path, query: { offset, limit, ...deletedIn(place, query) } }, signal }));
    return found.results.map(kind.of);
  }, [kind, place, query, deletedOnly]);

  // items are the ids of what is chosen. All of a list means to read its ids.
  const items = async (): Promise<string[]> => {
    if (!chosen.all) return [...chosen.items.keys()];
    const out: string[] = [];
    for (let offset = 0; ; offset += 1_000) {
      const rows = await page(offset, 1_000, new AbortController().signal);
      out.push(...rows.map((r) => r.id));
      if (rows.length < 1_000) return out;
      if (out.length >= idsAtOnce) throw new Error(t.explore.tooMany(f.number(idsAtOnce)));
    }
  };
  const selected = chosen.all ? (count.data?.total ?? 1) > 0 : chosen.items.size > 0;
  const one = shown && !selected ? [shown.id] : undefined;
  const any = place !== undefined && (selected || one !== undefined);
  const save = () => act(async () => {
    if (!place) return;
    const call = kind.save(place, { items: one ?? (await items()) });
    await download(call.path, call.body, call.name);
  });
  const savePage = () => act(async () => {
    const call = place && kind.asPage?.(place, { items: one ?? (await items()) });
    if (!call) throw new Error(t.explore.noPage);
    await download(call.path, call.body, call.name);
  });
  // What was deleted only a session shows that was opened for it.
  const toggleDeleted = () => act(async () => {
    if (!view) return;
    if (view.showDeleted) {
      setDeletedOnly(!deletedOnly);
      setChosen(nothing());
      setActive(undefined);
      return;
    }
    look.onSession?.(await openSession({ ...atOf(view), deleted: true }), place, true);
  });
  const intoBasket = () => act(async () => {
    if (!place) return;
    const { addToCurrent } = await import("./basket");
    const { basket, added } = await addToCurrent(t.explore.basketNamed, [{ session: session.id, container: place.container.id, items: one ?? (selected || !place.folder || place.folder.of ? await items() : [place.folder.id]) }]);
    await queries.invalidateQueries({ queryKey: ["baskets"] });
    await queries.invalidateQueries({ queryKey: ["basket", basket.id] });
    setSaid(t.explore.inBasket(f.number(added), basket.name));
  });
  const restore = () => act(async () => setAsked({ items: one ?? (await items()) }));
  const close = () => act(async () => {
    await of(client.POST("/v8/RestoreSessions/{restoreSessionId}/Stop", { params: { path: { restoreSessionId: session.id } } }));
    await queries.invalidateQueries({ queryKey: ["restore-sessions"] });
    look.onClosed?.();
  });
  const ids = [...chosen.items.keys()];
  const sample: Selection = { items: ids.length > 0 ? ids.slice(0, 3) : shown ? [shown.id] : ["ITEM"] };
  const where: Place = place ?? { session: session.id, container: { id: "CONTAINER", name: "ada", address: "ada" } };
  const other = kind.flag === "--site" || kind.flag === "--team" || kind.flag === "--chat" ? kind.flag : "";
  const whom = `${other || "--user"} ${quote(where.container.address || where.container.name)}`;
  const original: Target = { place: "original", user: "", folder: "", overwrite: false, reason: "" };
  const flags = `${kind.flag && !other ? ` ${kind.flag}` : ""}${view?.dateTime ? ` --at ${view.dateTime}` : ""}`;
  const acts: Act[] = [
    { title: t.restore.acts.restore, command: kind.command(where, sample, original), method: "POST", path: "/holdfast/v1/Restore", body: restoring(kind, where, sample, original) },
    { title: t.restore.acts.save, command: `holdfast explore save ${whom}${flags} --id ${quote(sample.items?.[0] ?? "")} --out FILE`, ...kind.save(where, sample) },
    { title: t.compare.acts.live, command: `holdfast compare ${whom}${flags} --live`, method: "POST", path: "/holdfast/v1/Compare", body: { restoreSessionId: session.id, containerId: where.container.id, live: true } },
    { title: t.compare.acts.versions, command: `holdfast explore versions ${whom}${flags} --id ${quote(sample.items?.[0] ?? "")}`, method: "GET", path: `/holdfast/v1/RestoreSessions/${session.id}/Containers/${where.container.id}/Items/${enc(sample.items?.[0] ?? "")}/Versions` },
    { title: t.restore.acts.close, method: "POST", path: `/v8/RestoreSessions/${session.id}/Stop` },
  ];
  const seldom = (label: string) => (scripts ? { "aria-label": label, title: label, children: <span className={s.seldom}>{label}</span> } : { children: label });
  const Preview = kind.Preview;
  const whose = begin ? begin.container.name : (session.organization ?? "");
  const title = begin && kind.named ? whose : t.explore.title(whose, kind.title(t));
  const listed = (place?.folder && (kind.folderName?.(place.folder, t) ?? place.folder.name)) ?? place?.container.name ?? "";
  const browsing = small && place !== undefined && query === "";
  const empty = count.data?.total === 0;
  return (
    <div className={s.page}>
      <div className={s.head}>
        <div className={s.back}>
          {step > 0 && <Button appearance="subtle" icon={<ArrowLeft20Regular />} aria-label={t.common.back} onClick={() => history.back()} />}
          <h1 ref={heading} tabIndex={-1} className={s.title}>{step > 0 && !shown ? listed : title}</h1>
          {scripts && <ScriptButton acts={acts} />}
        </div>
        <span className={s.about}>{session.scopeName ? t.explore.asOf(f.dateTime(session.scopeName.replace(/^state of /, ""))) : t.explore.asNewest}</span>
        <Problem error={error} />
        {said && <Note intent="success">{said}</Note>}
      </div>
      <Toolbar className={s.bar} aria-label={t.common.commands}>
        <ToolbarButton className={s.command} icon={<ArrowUndo20Regular />} disabledFocusable={!any || busy || !may("restore")} onClick={() => void restore()}>{t.restore.button}</ToolbarButton>
        {saving && !kind.asPage && <ToolbarButton className={s.command} icon={<ArrowDownload20Regular />} disabledFocusable={!any || busy} onClick={() => void save()}>{t.explore.save}</ToolbarButton>}
        {saving && kind.asPage && (
          <Menu>
            <MenuTrigger disableButtonEnhancement>
              <ToolbarButton className={s.command} icon={<ArrowDownload20Regular />} disabledFocusable={!any || busy}>{t.explore.save}</ToolbarButton>
            </MenuTrigger>
            <MenuPopover>
              <MenuList>
                <MenuItem onClick={() => void savePage()}>{t.explore.asPage}</MenuItem>
                <MenuItem onClick={() => void save()}>{t.explore.asStored}</MenuItem>
              </MenuList>
            </MenuPopover>
          </Menu>
        )}
        {scripts && <ToolbarButton className={s.command} icon={<Cart20Regular />} disabledFocusable={!(any || place?.folder) || busy} onClick={() => void intoBasket()}>{t.explore.intoBasket}</ToolbarButton>}
        {!small && <ToolbarDivider />}
        {!shown || !small ? (
          <ToolbarButton className={s.command} icon={<FolderArrowUp20Regular />} disabledFocusable={!place || place.folder?.of !== undefined || !may("restore")} onClick={() => place && setAsked(place.folder ? { folder: place.folder } : {})}>
            {place?.folder ? t.restore.folder : t.restore.all}
          </ToolbarButton>
        ) : null}
        {!small && <ToolbarDivider />}
        {(!small || running) && <ToolbarButton className={s.command} icon={<Info20Regular />} onClick={() => setResults(true)} {...(running ? { children: t.restore.running } : seldom(t.restore.results))} />}
        {view?.organizationId && look.onSession && (
          <>
            <ToolbarButton className={s.command} icon={<CalendarClock20Regular />} onClick={() => setTool("time")} {...seldom(t.explore.otherTime)} />
            <ToolbarButton className={s.command} icon={<BranchCompare20Regular />} disabledFocusable={!place} onClick={() => setTool("compare")} {...seldom(t.compare.button)} />
          </>
        )}
        {(!small || shown) && <ToolbarButton className={s.command} icon={<History20Regular />} disabledFocusable={!shown} onClick={() => setTool("history")} {...seldom(t.history.button)} />}
        {((view?.organizationId && look.onSession) || view?.showDeleted) && (!small || !shown) && (
          <ToolbarButton className={s.command} icon={<DeleteDismiss20Regular />} aria-pressed={deletedOnly} appearance={deletedOnly ? "primary" : "subtle"} disabledFocusable={busy} onClick={() => void toggleDeleted()} {...seldom(t.explore.deletedOnly)} />
        )}
        {look.onClosed && <ToolbarButton className={s.command} icon={<DismissCircle20Regular />} onClick={() => void close()} {...seldom(t.explore.close)} />}
      </Toolbar>
      <div className={s.panes}>
        {!small && (
          <nav className={s.tree} aria-label={t.explore.tree}>
            <Tree kind={kind} session={session.id} containers={containers} place={place} onGo={go} />
          </nav>
        )}
        <section ref={list} className={s.list} aria-label={t.explore.items} inert={small && shown !== undefined}>
          {place ? (
            <>
              <form className={s.search} role="search" onSubmit={(e) => { e.preventDefault(); search(text); }}>
                <SearchBox className={s.box} value={text} placeholder={t.explore.searchIn(listed)} aria-label={t.explore.searchIn(listed)}
                  onChange={(_, d) => { setText(d.value); if (d.value === "") search(""); }} />
              </form>
              <Problem error={count.error} />
              {browsing && (
                <div className={mergeClasses(s.folders, !empty && s.someFolders)}>
                  <Folders key={placeKey} kind={kind} containers={containers} place={place} onGo={go} />
                </div>
              )}
              {empty && browsing && !place.folder ? null : empty ? (
                <Empty icon={kind.icon} title={query ? t.common.nothingFound : place.folder ? t.explore.emptyFolder : t.explore.chooseFolder} />
              ) : (
                <Rows label={listed} queryKey={key} total={count.data?.total} page={page} columns={columns.data ?? kind.columns} chosen={chosen} onChoose={setChosen} onActive={small ? noItem : setActive} onOpen={small ? openItem : undefined} narrow={narrow} />
              )}
            </>
          ) : small ? (
            <Containers kind={kind} all={containers} onGo={(container) => go({ session: session.id, container })} />
          ) : (
            <Empty icon={kind.icon} title={t.explore.choose} />
          )}
        </section>
        {(!small || shown) && (
          <section ref={preview} className={s.preview} aria-label={t.explore.preview} tabIndex={0}>
            {place && shown ? <Preview key={shown.id} place={place} item={shown} /> : place && kind.About ? <kind.About key={placeKey} place={place} /> : place && <Empty icon={kind.icon} title={t.explore.chooseItem} />}
          </section>
        )}
      </div>
      <Suspense>
        {tool === "compare" && place && view && <Compare place={place} view={view} onClose={() => setTool(undefined)} onRestore={(chosenItems) => { setTool(undefined); setAsked({ items: chosenItems }); }} />}
        {tool === "history" && place && shown && <History place={place} item={shown} onClose={() => setTool(undefined)} {...(may("restore") ? { onRestore: (id: string) => { setTool(undefined); setAsked({ items: [id] }); } } : {})} />}
        {tool === "time" && view && <OtherTime view={view} onClose={() => setTool(undefined)} onOpened={(opened) => look.onSession?.(opened, place, false)} />}
      </Suspense>
      {asked && place && (
        <RestoreDialog parts={[{ kind, place, selection: asked }]} others={may("restore to somebody else")} script={scripts} onClose={() => setAsked(undefined)} start={async (bodies) => {
          for (const body of bodies) await of(client.POST("/holdfast/v1/Restore", { body }));
          await Promise.all([queries.invalidateQueries({ queryKey: ["restore-events", session.id] }), queries.invalidateQueries({ queryKey: ["portal-restores"] })]);
          setResults(true);
        }} />
      )}
      {results && (
        <Panel size="large" title={t.restore.results} onClose={() => setResults(false)} footer={<Button onClick={() => setResults(false)}>{t.common.close}</Button>}>
          <RestoreResult session={session.id} />
        </Panel>
      )}
    </div>
  );
}

const noItem = () => undefined;

// deletedIn asks for what a place, with everything below it, has not any more; without words for all of that.
const deletedIn = (place: Place | undefined, query: string) => ({ show: "deleted" as const, query: query || "*", ...(place?.folder ? { parentId: folderId(place.folder), ...(place.folder.items ? { kinds: place.folder.items } : {}) } : {}) });
