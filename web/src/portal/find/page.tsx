import { Button, Checkbox, makeStyles, mergeClasses, tokens, Toolbar, ToolbarButton } from "@fluentui/react-components";
import { ArrowDownload20Regular, ArrowLeft20Regular, ArrowUndo20Regular, FolderOpen20Regular, SearchRegular } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { client, download, of } from "../../api/client";
import type { Session } from "../../api/session";
import { HitPreview, pointsOf, useHitSession, whatOf } from "../../explorer/found";
import type { ItemColumn } from "../../explorer/kind";
import { kindOf } from "../../explorer/kinds";
import { RestoreResult } from "../../explorer/outcome";
import { RestoreDialog, type RestorePart } from "../../explorer/restore";
import { MaySave } from "../../explorer/rights";
import { nothing, Rows, type Chosen } from "../../explorer/rows";
import { partsOf, Results, stateOf, type Hit } from "../../explorer/search";
import { Sessions } from "../../explorer/sessions";
import { viewQuery } from "../../explorer/view";
import { useAct } from "../../ui/act";
import { useFormat } from "../../ui/format";
import { phone, useMedia } from "../../ui/media";
import { Empty, Loading, Note, Problem } from "../../ui/page";
import { Panel } from "../../ui/panel";
import { useText } from "../../ui/text/portal";
import { findAddress, go } from "../address";
import { objects } from "../objects";
import { FindBox } from "./box";

const mostRestored = 1_000; // at once

// What people look for; folders and settings are no such things.
const kinds = ["mail", "event", "contact", "task", "file", "list item", "page", "post", "tab"];

const useStyles = makeStyles({
  page: { display: "grid", gridTemplateRows: "auto auto 1fr", gridTemplateColumns: "minmax(0, 1fr)", height: "100%", minHeight: 0 },
  head: { padding: "12px 16px 0", display: "flex", flexDirection: "column", gap: "8px" },
  top: { display: "flex", alignItems: "center", gap: "4px" },
  title: { outline: "none", margin: 0, fontSize: tokens.fontSizeBase500, lineHeight: tokens.lineHeightBase500 },
  bar: { padding: "4px 8px", borderBottom: `1px solid ${tokens.colorNeutralStroke2}`, flexWrap: "wrap" },
  command: { fontWeight: tokens.fontWeightRegular, padding: "5px 8px", minWidth: 0, whiteSpace: "nowrap" },
  panes: { display: "grid", gridTemplateColumns: "minmax(400px, 1.6fr) minmax(300px, 1fr)", gridTemplateRows: "minmax(0, 1fr)", minHeight: 0, position: "relative", [`@media ${phone}`]: { gridTemplateColumns: "minmax(0, 1fr)" } },
  one: { gridTemplateColumns: "minmax(0, 1fr)" }, // nothing was found that could be looked at
  list: { display: "flex", flexDirection: "column", minHeight: 0, minWidth: 0, borderRight: `1px solid ${tokens.colorNeutralStroke2}`, [`@media ${phone}`]: { borderRight: "none" } },
  preview: { overflow: "auto", padding: "16px 20px", minHeight: 0, [`@media ${phone}`]: { position: "absolute", inset: 0, padding: "12px", backgroundColor: tokens.colorNeutralBackground1 } },
});

// On a phone the line below the name begins with what matters most: when it was there.
const name: ItemColumn<Hit> = { key: "name", title: (t) => t.found.name, text: (h, _, t) => h.name || t.mail.noSubject, width: "minmax(140px, 2fr)", brief: "head" };
const points: ItemColumn<Hit> = { key: "points", title: (t) => t.found.points, text: pointsOf, width: "minmax(150px, 1.4fr)", brief: "line" };
const owner: ItemColumn<Hit> = { key: "owner", title: (t) => t.found.owner, text: (h) => h.found.container.name, width: "minmax(90px, 1fr)", brief: "line" };
const from: ItemColumn<Hit> = { key: "from", title: (t) => t.mail.from, text: (h) => (h.found.from ?? "").replace(/\s*<[^<>]*>$/, ""), width: "minmax(90px, 1fr)", brief: "line", wide: true };
const time: ItemColumn<Hit> = { key: "time", title: (t) => t.found.time, text: (h, f) => f.date(h.found.time), width: "116px", brief: "side" };
const what: ItemColumn<Hit> = { key: "kind", title: (t) => t.found.kind, text: (h, _, t) => whatOf(h, t), width: "92px", brief: "line" };
const columns = [name, what, points, from, time];
const others = [name, what, points, owner, from, time]; // who sees more than one person's things is told whose each is

// Find looks for words in everything that the caller may see, or in what one person has, whatever restore point holds it. at: a phone shows the hit.
export default function Find({ session, words, person, at }: { session: Session; words: string; person: string; at: boolean }) {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const queries = useQueryClient();
  const small = useMedia(phone);
  const narrow = useMedia("(max-width: 900px)");
  const [chosen, setChosen] = useState<Chosen<Hit>>(nothing);
  const [active, setActive] = useState<Hit>();
  const [restoring, setRestoring] = useState<[RestorePart, ...RestorePart[]]>();
  const [restored, setRestored] = useState<string[]>([]); // the sessions in which it runs
  const { busy, error, setError, act } = useAct();
  const operator = session.portal?.operator === true;
  const who = useQuery({ queryKey: ["portal-person", person], enabled: person !== "", queryFn: async ({ signal }) => (await objects({ search: person, limit: 1 }, signal)).results[0] ?? null }).data;
  useEffect(() => {
    document.title = `${t.portal.find} – Holdfast`;
  }, [t]);
  useEffect(() => {
    setChosen(nothing());
    setActive(undefined);
    setRestored([]);
    setError(undefined);
  }, [words, person]); // eslint-disable-line react-hooks/exhaustive-deps

  const sessions = useMemo(() => new Sessions(), []);
  useEffect(() => () => sessions.close(), [sessions]);
  const sessionOf = (h: Hit) => sessions.at(stateOf(h, true));

  const found = useQuery({
    queryKey: ["portal-find", words, person],
    enabled: words !== "",
    retry: false,
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    structuralSharing: false,
    queryFn: async () => {
      const all = new Results({ query: words, lenient: true, kinds, ...(person ? { userId: person } : {}) });
      return { results: all, some: (await all.page(0, 1)).length > 0 };
    },
  });
  const results = found.data?.results;
  const some = found.data?.some === true && !found.isFetching;
  const total = results?.total;
  const shown = small && !at ? undefined : active;
  const opened = useHitSession(shown, sessionOf).data;
  const acts = useQuery({ ...viewQuery(opened ?? ""), enabled: opened !== undefined }).data?.acts;
  // What is chosen in the list may be of several people; the server says what of it may be taken out or put back.
  const listed = (chosen.all || chosen.items.size > 0) && !(small && shown);
  const may = (what: string) => listed || (acts?.includes(what) ?? false);
  const saving = acts?.includes("download content") ?? false;

  // A step on a phone takes the focus along.
  const list = useRef<HTMLElement>(null);
  const preview = useRef<HTMLElement>(null);
  const stood = useRef(shown !== undefined);
  useEffect(() => {
    const before = stood.current;
    stood.current = shown !== undefined;
    if (!small || before === stood.current) return;
    (shown ? preview.current : list.current?.querySelector<HTMLElement>('[role="grid"]'))?.focus();
  }, [small, shown]);

  const hits = async (): Promise<Hit[]> => {
    if (!listed) return shown ? [shown] : [];
    if (!chosen.all) return [...chosen.items.values()];
    const rows = (await results?.page(0, mostRestored + 1)) ?? [];
    if (rows.length > mostRestored) throw new Error(t.explore.tooMany(f.number(mostRestored)));
    return rows;
  };
  const restore = () => act(async () => {
    const parts = await partsOf(await hits(), sessionOf);
    const [first, ...more] = await Promise.all(parts.map(async (p) => ({ kind: await kindOf(stateOf(p.first).type), place: p.place, selection: { items: p.items } })));
    if (first) setRestoring([first, ...more]);
  });
  const save = () => act(async () => {
    for (const part of await partsOf(await hits(), sessionOf)) {
      const call = (await kindOf(stateOf(part.first).type)).save(part.place, { items: part.items });
      await download(call.path, call.body, call.name);
    }
  });
  const look = () => act(async () => {
    if (!shown) return;
    const id = await sessionOf(shown);
    sessions.keep(id);
    go(`/look/${id}?container=${encodeURIComponent(shown.found.container.id)}&item=${encodeURIComponent(shown.itemId)}`);
  });
  const any = shown !== undefined || listed;
  const searchIn = (next: string, of: string) => go(findAddress(next, of));
  const behind = results?.notIndexed.length ?? 0;
  const everybody = operator && person === "";
  return (
    <MaySave value={saving}>
      <div className={s.page}>
        <div className={s.head}>
          <div className={s.top}>
            {small && shown && <Button appearance="subtle" icon={<ArrowLeft20Regular />} aria-label={t.common.back} onClick={() => history.back()} />}
            <h1 className={s.title}>{t.portal.find}</h1>
          </div>
          {!(small && shown) && (
            <>
              <FindBox key={words} words={words} onFind={(next) => searchIn(next, person)} />
              {operator && person !== "" && who && <Checkbox label={t.portal.onlyOf(who.name || who.email)} checked onChange={() => searchIn(words, "")} />}
              {everybody && <span>{t.portal.inEverybody}</span>}
            </>
          )}
          <Problem error={error ?? found.error} />
          {behind > 0 && <Note intent="warning">{t.portal.notYetFound}</Note>}
        </div>
        {found.data?.some ? (
          <Toolbar className={s.bar} aria-label={t.common.commands}>
            <ToolbarButton className={s.command} icon={<ArrowUndo20Regular />} disabledFocusable={!any || busy || !may("restore")} onClick={() => void restore()}>{t.restore.button}</ToolbarButton>
            {(saving || listed || !shown) && <ToolbarButton className={s.command} icon={<ArrowDownload20Regular />} disabledFocusable={!any || busy || !may("download content")} onClick={() => void save()}>{t.explore.save}</ToolbarButton>}
            {shown && <ToolbarButton className={s.command} icon={<FolderOpen20Regular />} disabledFocusable={busy} onClick={() => void look()}>{t.portal.inItsFolder}</ToolbarButton>}
          </Toolbar>
        ) : <div />}
        <div className={mergeClasses(s.panes, !some && s.one)}>
          <section ref={list} className={s.list} aria-label={t.portal.hits} inert={small && shown !== undefined}>
            {words === "" && <Empty icon={<SearchRegular />} title={t.portal.findBegin} />}
            {words !== "" && found.isFetching && <Loading />}
            {found.data && !found.isFetching && !found.data.some && <Empty icon={<SearchRegular />} title={t.common.nothingFound}>{t.portal.findTips}</Empty>}
            {found.data && some && (
              <Rows label={t.portal.hits} queryKey={["portal-find", words, person, found.dataUpdatedAt, "rows"]} total={total?.exact ? total.value : undefined} page={(offset, limit) => found.data.results.page(offset, limit)} columns={everybody ? others : columns}
                chosen={chosen} onChoose={setChosen} onActive={small ? ignore : setActive} onOpen={small ? (h) => { setActive(h); go(findAddress(words, person, true)); } : undefined} narrow={narrow} />
            )}
          </section>
          {some && (!small || shown) && (
            <section ref={preview} className={s.preview} aria-label={t.explore.preview} tabIndex={0}>
              {shown ? <HitPreview key={shown.id} hit={shown} sessionOf={sessionOf} /> : <Empty icon={<SearchRegular />} title={t.explore.chooseItem} />}
            </section>
          )}
        </div>
        {restoring && (
          <RestoreDialog parts={restoring} others={restoring.length === 1 && (acts?.includes("restore to somebody else") ?? false)} script={false} onClose={() => setRestoring(undefined)} start={async (bodies) => {
            // What began goes on, also when the next one can't; a repeated restore makes no second copy.
            try {
              for (const body of bodies) {
                await of(client.POST("/holdfast/v1/Restore", { body }));
                sessions.keep(body.restoreSessionId);
              }
            } finally {
              await queries.invalidateQueries({ queryKey: ["portal-restores"] });
            }
            setRestored(bodies.map((body) => body.restoreSessionId));
          }} />
        )}
        {restored.length > 0 && (
          <Panel size="large" title={t.restore.results} onClose={() => setRestored([])} footer={<Button onClick={() => setRestored([])}>{t.common.close}</Button>}>
            {[...new Set(restored)].map((one) => <RestoreResult key={one} session={one} />)}
          </Panel>
        )}
      </div>
    </MaySave>
  );
}

const ignore = () => undefined;
