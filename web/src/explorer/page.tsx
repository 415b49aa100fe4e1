import { Button, makeStyles, SearchBox, tokens, Toolbar, ToolbarButton, ToolbarDivider } from "@fluentui/react-components";
import { ArrowDownload20Regular, ArrowUndo20Regular, DismissCircle20Regular, FolderArrowUp20Regular, Info20Regular } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useCallback, useEffect, useState } from "react";
import { client, download, of, own } from "../api/client";
import type { RestoreSession } from "../api/queries";
import { RestoreResult, runs, useRestoreEvents } from "../console/session/restore";
import { useFormat } from "../ui/format";
import { Empty, Loading, Note, Problem } from "../ui/page";
import { Panel } from "../ui/panel";
import { ScriptButton, type Act } from "../ui/script";
import { useText } from "../ui/text";
import type { Item, Kind, Place, Selection } from "./kind";
import { kindOf } from "./kinds";
import { RestoreDialog } from "./restore";
import { nothing, Rows, type Chosen } from "./rows";
import { Tree } from "./tree";

const useStyles = makeStyles({
  page: { display: "grid", gridTemplateRows: "auto auto 1fr", height: "100%", minHeight: 0 },
  head: { padding: "14px 20px 0" },
  title: { margin: 0, fontSize: tokens.fontSizeBase500, lineHeight: tokens.lineHeightBase500 },
  about: { color: tokens.colorNeutralForeground2 },
  bar: { padding: "4px 12px", borderBottom: `1px solid ${tokens.colorNeutralStroke2}`, flexWrap: "wrap" },
  space: { flexGrow: 1 },
  command: { fontWeight: tokens.fontWeightRegular, padding: "5px 8px", minWidth: 0, whiteSpace: "nowrap" },
  panes: { display: "grid", gridTemplateColumns: "minmax(180px, 240px) minmax(360px, 1.2fr) minmax(300px, 1fr)", minHeight: 0, "@media (max-width: 1100px)": { gridTemplateColumns: "minmax(180px, 240px) 1fr" }, "@media (max-width: 640px)": { display: "flex", flexDirection: "column", overflow: "auto" } },
  tree: { overflow: "auto", borderRight: `1px solid ${tokens.colorNeutralStroke2}`, backgroundColor: tokens.colorNeutralBackground2, minHeight: 0, "@media (max-width: 640px)": { maxHeight: "220px", flexShrink: 0 } },
  list: { display: "flex", flexDirection: "column", minHeight: 0, minWidth: 0, borderRight: `1px solid ${tokens.colorNeutralStroke2}`, "@media (max-width: 640px)": { minHeight: "320px" } },
  search: { padding: "8px" },
  box: { maxWidth: "100%", width: "100%" },
  preview: { overflow: "auto", padding: "16px 20px", minHeight: 0, "@media (max-width: 1100px)": { gridColumn: "1 / -1", borderTop: `1px solid ${tokens.colorNeutralStroke2}`, maxHeight: "40vh" } },
});

const idsAtOnce = 10_000;

export default function Explorer() {
  const { session: id } = useParams({ from: "/explore/$session" });
  const { t } = useText();
  const session = useQuery({
    queryKey: ["restore-session", id],
    queryFn: ({ signal }) => of(client.GET("/v8/RestoreSessions/{restoreSessionId}", { params: { path: { restoreSessionId: id } }, signal })) as Promise<RestoreSession>,
  });
  const type = session.data?.type;
  const kind = useQuery({ queryKey: ["kind", type], enabled: type !== undefined, queryFn: () => kindOf(type ?? "Vex"), staleTime: Infinity, gcTime: Infinity, structuralSharing: false });
  useEffect(() => {
    document.title = `${t.nav.explore} – Holdfast`;
  }, [t]);
  if (session.error ?? kind.error) return <Problem error={session.error ?? kind.error} />;
  if (!session.data || !kind.data) return <Loading />;
  return <Browser key={id} session={session.data} kind={kind.data} />;
}

function Browser({ session, kind }: { session: RestoreSession; kind: Kind<Item> }) {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [place, setPlace] = useState<Place>();
  const [text, setText] = useState("");
  const [query, setQuery] = useState("");
  const [chosen, setChosen] = useState<Chosen<Item>>(nothing);
  const [active, setActive] = useState<Item>();
  const [restoring, setRestoring] = useState<Selection>();
  const [results, setResults] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [narrow, setNarrow] = useState(false);
  const events = useRestoreEvents(session.id).data ?? [];
  const running = events.some((e) => e.type === "Restore" && runs(e));

  useEffect(() => {
    const list = matchMedia("(max-width: 900px)");
    const change = () => setNarrow(list.matches);
    change();
    list.addEventListener("change", change);
    return () => list.removeEventListener("change", change);
  }, []);
  const go = (to: Place) => {
    setPlace(to);
    setChosen(nothing());
    setActive(undefined);
  };
  const search = (value: string) => {
    setQuery(value.trim());
    setChosen(nothing());
    setActive(undefined);
  };

  const key = ["items", session.id, place?.container.id, place?.folder?.id, query];
  // How many there are takes the order of all; asked for behind the first page, so that the list does not wait for it.
  const count = useQuery({
    queryKey: [...key, "count"],
    enabled: place !== undefined,
    staleTime: Infinity,
    queryFn: ({ signal }) =>
      of(client.GET("/holdfast/v1/RestoreSessions/{restoreSessionId}/Containers/{containerId}/Items", {
        params: {
          path: { restoreSessionId: session.id, containerId: place?.container.id ?? "" },
          query: { offset: 1, limit: 1, kinds: kind.items, ...(place?.folder ? { parentId: place.folder.id } : {}), ...(query ? { query } : {}) },
        }, signal,
      })),
  });
  const page = useCallback((offset: number, limit: number, signal: AbortSignal) => (place ? kind.page(place, query, offset, limit, signal) : Promise.resolve([])), [kind, place, query]);

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
  const act = async (what: () => Promise<void>) => {
    setBusy(true);
    setError(undefined);
    try {
      await what();
    } catch (cause) {
      setError(cause);
    }
    setBusy(false);
  };
  const selected = chosen.all ? (count.data?.total ?? 1) > 0 : chosen.items.size > 0;
  const one = active && !selected ? [active.id] : undefined;
  const any = place !== undefined && (selected || one !== undefined);
  const save = () => act(async () => {
    if (!place) return;
    const call = kind.save(place, { items: one ?? (await items()) });
    await download(call.path, call.body, call.name);
  });
  const restore = () => act(async () => setRestoring({ items: one ?? (await items()) }));
  const close = () => act(async () => {
    await of(client.POST("/v8/RestoreSessions/{restoreSessionId}/Stop", { params: { path: { restoreSessionId: session.id } } }));
    await queries.invalidateQueries({ queryKey: ["restore-sessions"] });
    await navigate({ to: "/explore" });
  });
  const ids = [...chosen.items.keys()];
  const sample: Selection = { items: ids.length > 0 ? ids.slice(0, 3) : active ? [active.id] : ["ITEM"] };
  const where: Place = place ?? { session: session.id, container: { id: "CONTAINER", name: "ada", address: "ada" } };
  const original = { place: "original" as const, user: "", folder: "", overwrite: false };
  const acts: Act[] = [
    { title: t.restore.acts.restore, command: kind.command(where, sample, original), ...kind.restore(where, sample, original) },
    { title: t.restore.acts.save, command: `holdfast explore save --user ${where.container.address || where.container.name}${session.type === "Veod" ? " --files" : ""} --id ${sample.items?.[0] ?? ""} --out FILE`, ...kind.save(where, sample) },
    { title: t.restore.acts.close, method: "POST", path: `/v8/RestoreSessions/${session.id}/Stop` },
  ];
  const Preview = kind.Preview;
  return (
    <div className={s.page}>
      <div className={s.head}>
        <h1 className={s.title}>{t.explore.title(session.organization ?? "", session.type === "Veod" ? t.kind.files : t.kind.mail)}</h1>
        <span className={s.about}>{session.scopeName ? t.explore.asOf(f.dateTime(session.scopeName.replace(/^state of /, ""))) : t.explore.asNewest}</span>
        <Problem error={error} />
        {session.state === "Stopped" && <Note intent="warning">{t.explore.stopped}</Note>}
      </div>
      <Toolbar className={s.bar} aria-label={t.common.commands}>
        <ToolbarButton className={s.command} icon={<ArrowUndo20Regular />} disabledFocusable={!any || busy} onClick={() => void restore()}>{t.restore.button}</ToolbarButton>
        <ToolbarButton className={s.command} icon={<ArrowDownload20Regular />} disabledFocusable={!any || busy} onClick={() => void save()}>{t.explore.save}</ToolbarButton>
        <ToolbarDivider />
        <ToolbarButton className={s.command} icon={<FolderArrowUp20Regular />} disabledFocusable={!place} onClick={() => place && setRestoring(place.folder ? { folder: place.folder } : {})}>
          {place?.folder ? t.restore.folder : t.restore.all}
        </ToolbarButton>
        <ToolbarDivider />
        <ToolbarButton className={s.command} icon={<Info20Regular />} onClick={() => setResults(true)}>{running ? t.restore.running : t.restore.results}</ToolbarButton>
        <ToolbarButton className={s.command} icon={<DismissCircle20Regular />} onClick={() => void close()}>{t.explore.close}</ToolbarButton>
        <span className={s.space} />
        <ScriptButton acts={acts} />
      </Toolbar>
      <div className={s.panes}>
        <nav className={s.tree} aria-label={t.explore.tree}>
          <Tree kind={kind} session={session.id} place={place} onGo={go} />
        </nav>
        <section className={s.list} aria-label={t.explore.items}>
          {place ? (
            <>
              <form className={s.search} role="search" onSubmit={(e) => { e.preventDefault(); search(text); }}>
                <SearchBox className={s.box} value={text} placeholder={t.explore.searchIn(place.folder?.name ?? place.container.name)} aria-label={t.explore.searchIn(place.folder?.name ?? place.container.name)}
                  onChange={(_, d) => { setText(d.value); if (d.value === "") search(""); }} />
              </form>
              <Problem error={count.error} />
              {count.data?.total === 0 ? (
                <Empty icon={kind.icon} title={query ? t.common.nothingFound : place.folder ? t.explore.emptyFolder : t.explore.chooseFolder} />
              ) : (
                <Rows label={place.folder?.name ?? place.container.name} queryKey={key} total={count.data?.total} page={page} columns={kind.columns} chosen={chosen} onChoose={setChosen} onActive={setActive} narrow={narrow} />
              )}
            </>
          ) : (
            <Empty icon={kind.icon} title={t.explore.choose} />
          )}
        </section>
        <section className={s.preview} aria-label={t.explore.preview} tabIndex={0}>
          {place && active ? <Preview key={active.id} place={place} item={active} /> : <Empty icon={kind.icon} title={t.explore.chooseItem} />}
        </section>
      </div>
      {restoring && place && (
        <RestoreDialog kind={kind} place={place} selection={restoring} onClose={() => setRestoring(undefined)} start={async (call) => {
          await own(call.method, call.path, call.body);
          await queries.invalidateQueries({ queryKey: ["restore-events", session.id] });
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
