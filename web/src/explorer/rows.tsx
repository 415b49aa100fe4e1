import { Badge, Checkbox, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { useQueries, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useId, useLayoutEffect, useRef, useState, type KeyboardEvent, type MouseEvent } from "react";
import { useFormat } from "../ui/format";
import { Problem } from "../ui/page";
import { useText } from "../ui/text";
import type { Item, ItemColumn } from "./kind";

// Rows is a list of any length: it asks for the pages that are in sight, by index, and keeps as many rows in the document as fit.
//
// Browsers limit how high an element is (Firefox to 17.8 million pixels, Chrome to 33.5 million), and a million rows are higher. So the scrolled
// element is at most maxHeight high. Small movements scroll rows pixel by pixel; a jump of the scroll bar goes to the same share of all rows.

export const pageSize = 200;
const rowHeights = { line: 34, brief: 64 }; // a finger needs more room than a mouse
const maxHeight = 8_000_000;
const settle = 90; // ms without movement before pages are asked for

// Where the system's own colours hold there is no other ground.
const framed = { "@media (forced-colors: active)": { outline: "2px solid Highlight", outlineOffset: "-2px" } } as const;

const useStyles = makeStyles({
  root: { display: "flex", flexDirection: "column", minHeight: 0, flexGrow: 1 },
  head: { display: "grid", alignItems: "center", borderBottom: `1px solid ${tokens.colorNeutralStroke1}`, fontWeight: tokens.fontWeightSemibold, color: tokens.colorNeutralForeground2, flexShrink: 0, overflow: "hidden", boxSizing: "border-box" },
  scroll: { overflowY: "scroll", position: "relative", flexGrow: 1, minHeight: "120px", outline: "none", ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: "-2px" } },
  row: { position: "absolute", left: 0, right: 0, display: "grid", alignItems: "center", cursor: "default", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, boxSizing: "border-box", ":hover": { backgroundColor: tokens.colorNeutralBackground1Hover, color: tokens.colorNeutralForeground1Hover } },
  chosen: { backgroundColor: tokens.colorNeutralBackground1Selected, color: tokens.colorNeutralForeground1Selected },
  active: { boxShadow: `inset 3px 0 0 ${tokens.colorCompoundBrandStroke}`, backgroundColor: tokens.colorNeutralBackground1Pressed, color: tokens.colorNeutralForeground1Pressed, ":hover": { backgroundColor: tokens.colorNeutralBackground1Pressed, color: tokens.colorNeutralForeground1Pressed }, ...framed },
  activeBrief: { boxShadow: `inset 3px 0 0 ${tokens.colorCompoundBrandStroke}` },
  cell: { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap", padding: "0 8px" },
  end: { textAlign: "right" },
  brief: { display: "grid", gridTemplateColumns: "1fr auto", alignContent: "center", rowGap: "2px", padding: "0 12px 0 0", minWidth: 0, height: "100%" },
  briefHead: { fontWeight: tokens.fontWeightSemibold, overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
  briefSide: { fontSize: tokens.fontSizeBase200, paddingLeft: "8px", whiteSpace: "nowrap" },
  briefLine: { gridColumn: "1 / -1", overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
  all: { fontWeight: tokens.fontWeightRegular },
  deleted: { marginRight: "6px" },
  loading: { height: "10px", margin: "0 8px", borderRadius: "5px", backgroundColor: tokens.colorNeutralBackground4 },
  foot: { padding: "6px 8px", color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200, borderTop: `1px solid ${tokens.colorNeutralStroke2}`, flexShrink: 0 },
});

export interface Chosen<I> {
  all: boolean;
  items: Map<string, I>;
}

export const nothing = <I,>(): Chosen<I> => ({ all: false, items: new Map() });

export function Rows<I extends Item>({ label, queryKey, total, page, columns, chosen, onChoose, onActive, onOpen, narrow }: {
  label: string;
  queryKey: unknown[];
  total: number | undefined; // undefined: known only by reading
  page: (offset: number, limit: number, signal: AbortSignal) => Promise<I[]>;
  columns: ItemColumn<I>[];
  chosen: Chosen<I>;
  onChoose: (chosen: Chosen<I>) => void;
  onActive: (item: I | undefined) => void;
  // onOpen is for screens on which a list and what is chosen in it have no room together: rows have two lines, and a tap or Enter opens one.
  onOpen?: (item: I) => void;
  narrow: boolean;
}) {
  const rowHeight = onOpen ? rowHeights.brief : rowHeights.line;
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const id = useId();
  const client = useQueryClient();
  const scroll = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState(400);
  const [bar, setBar] = useState(0); // how wide the scroll bar is: the headings leave it as much room as the rows do
  const [top, setTop] = useState(0); // of the view in the list of all rows, in pixels
  const [real, setReal] = useState(0); // scrollTop
  const [wanted, setWanted] = useState<[number, number]>([0, 0]);
  const [active, setActive] = useState(-1);
  const [anchor, setAnchor] = useState(-1);
  const [grown, setGrown] = useState(pageSize); // rows assumed while the total is not known
  const key = JSON.stringify(queryKey);
  const count = total ?? grown;
  const full = count * rowHeight;
  const outer = Math.min(full, maxHeight);
  const maxTop = Math.max(0, full - height);
  const maxReal = Math.max(0, outer - height);

  // Another list begins at its top with nothing active.
  const [shownKey, setShownKey] = useState(key);
  if (shownKey !== key) {
    setShownKey(key);
    setTop(0);
    setReal(0);
    setActive(-1);
    setAnchor(-1);
    setGrown(pageSize);
    setWanted([0, 0]);
  }
  useLayoutEffect(() => {
    if (scroll.current) scroll.current.scrollTop = 0;
  }, [key]);

  useLayoutEffect(() => {
    const el = scroll.current;
    if (!el) return;
    const look = () => {
      setHeight(el.clientHeight);
      setBar(el.offsetWidth - el.clientWidth);
    };
    const watch = new ResizeObserver(look);
    watch.observe(el);
    look();
    return () => watch.disconnect();
  }, []);

  const first = Math.max(0, Math.floor(top / rowHeight) - 5);
  const last = Math.min(count - 1, Math.ceil((top + height) / rowHeight) + 5);
  useEffect(() => {
    const timer = setTimeout(() => {
      setWanted([Math.floor(first / pageSize), Math.max(0, Math.floor(last / pageSize))]);
      // Where rows were scrolled one by one, the scroll bar has drifted from its share: put it right.
      const el = scroll.current;
      if (el && full > maxHeight && maxTop > 0) {
        const share = Math.round((top / maxTop) * maxReal);
        if (Math.abs(el.scrollTop - share) > 1) {
          jumped.current = share;
          el.scrollTop = share;
          setReal(share);
        }
      }
    }, settle);
    return () => clearTimeout(timer);
  }, [first, last, top, full, maxTop, maxReal]);
  const jumped = useRef(-1);

  const onScroll = () => {
    const el = scroll.current;
    if (!el) return;
    const now = el.scrollTop;
    if (Math.round(now) === jumped.current) {
      jumped.current = -1;
      return;
    }
    const moved = now - real;
    setReal(now);
    if (full <= maxHeight) setTop(now);
    else if (now <= 0) setTop(0);
    else if (now >= maxReal - 1) setTop(maxTop);
    else if (Math.abs(moved) < height * 1.5) setTop((before) => Math.min(maxTop, Math.max(0, before + moved)));
    else setTop((now / maxReal) * maxTop);
  };

  const pages = Array.from({ length: Math.max(0, Math.min(wanted[1] - wanted[0] + 1, 4)) }, (_, i) => wanted[0] + i).filter((n) => n * pageSize < count || (total === undefined && n === 0));
  const asked = useQueries({
    queries: pages.map((n) => ({
      queryKey: [...queryKey, n],
      queryFn: ({ signal }: { signal: AbortSignal }) => page(n * pageSize, pageSize, signal),
      staleTime: Infinity, // a restore session shows one point in time
      gcTime: 120_000,
    })),
  });
  // How long a list without a total is, its pages tell: a full one has more behind it.
  const known = asked.map((q) => q.data?.length ?? -1).join();
  useEffect(() => {
    if (total !== undefined) return;
    pages.forEach((n, i) => {
      const got = asked[i]?.data?.length;
      if (got === pageSize) setGrown((g) => Math.max(g, (n + 2) * pageSize));
      else if (got !== undefined) setGrown((g) => (g > n * pageSize + got && g <= (n + 1) * pageSize ? n * pageSize + got : g > (n + 1) * pageSize ? g : n * pageSize + got));
    });
  }, [known, total]); // eslint-disable-line react-hooks/exhaustive-deps
  const rowAt = (i: number): I | undefined => client.getQueryData<I[]>([...queryKey, Math.floor(i / pageSize)])?.[i % pageSize];
  const error = asked.find((q) => q.error)?.error;

  const load = useCallback(
    async (n: number) => client.fetchQuery({ queryKey: [...queryKey, n], queryFn: ({ signal }) => page(n * pageSize, pageSize, signal), staleTime: Infinity, gcTime: 120_000 }),
    [client, key, page], // eslint-disable-line react-hooks/exhaustive-deps
  );
  const getRow = async (i: number) => rowAt(i) ?? (await load(Math.floor(i / pageSize)))[i % pageSize];

  const show = (i: number) => {
    const y = i * rowHeight;
    const el = scroll.current;
    if (!el) return;
    let next = top;
    if (y < top) next = y;
    else if (y + rowHeight > top + height) next = y + rowHeight - height;
    if (next === top) return;
    next = Math.min(maxTop, Math.max(0, next));
    setTop(next);
    const share = full <= maxHeight ? next : maxTop > 0 ? Math.round((next / maxTop) * maxReal) : 0;
    jumped.current = Math.round(share);
    el.scrollTop = share;
    setReal(share);
  };
  const activate = (i: number) => {
    const n = Math.min(count - 1, Math.max(0, i));
    setActive(n);
    show(n);
    void getRow(n).then(onActive, () => onActive(undefined));
    return n;
  };
  const choose = (item: I, on: boolean) => {
    const items = new Map(chosen.all ? [] : chosen.items);
    if (on) items.set(item.id, item);
    else items.delete(item.id);
    onChoose({ all: false, items });
  };
  const chooseRange = async (from: number, to: number) => {
    const [a, b] = from < to ? [from, to] : [to, from];
    if (a < 0 || b - a > 10_000) return;
    const items = new Map<string, I>();
    for (let n = Math.floor(a / pageSize); n <= Math.floor(b / pageSize); n++) {
      const rows = await load(n);
      rows.forEach((row, i) => {
        const index = n * pageSize + i;
        if (index >= a && index <= b) items.set(row.id, row);
      });
    }
    onChoose({ all: false, items });
  };
  const onKey = (e: KeyboardEvent) => {
    const visible = Math.max(1, Math.floor(height / rowHeight) - 1);
    const steps: Record<string, number> = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + visible, PageUp: active - visible, Home: 0, End: count - 1 };
    const to = steps[e.key];
    if (to !== undefined) {
      e.preventDefault();
      const n = activate(to);
      if (e.shiftKey) void chooseRange(anchor < 0 ? active : anchor, n);
      else setAnchor(n);
    } else if (e.key === "Enter" && onOpen) {
      const row = rowAt(active);
      if (row) onOpen(row);
    } else if (e.key === " ") {
      e.preventDefault();
      const row = rowAt(active);
      if (row) choose(row, !(chosen.all || chosen.items.has(row.id)));
      setAnchor(active);
    } else if (e.key === "a" && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      onChoose({ all: true, items: new Map() });
    } else if (e.key === "Escape") onChoose(nothing());
  };
  const onRow = (e: MouseEvent, i: number) => {
    const row = rowAt(i);
    activate(i);
    scroll.current?.focus();
    if (e.shiftKey) void chooseRange(anchor < 0 ? active : anchor, i);
    else {
      setAnchor(i);
      if (row && (e.ctrlKey || e.metaKey)) choose(row, !chosen.items.has(row.id));
      else if (row) onOpen?.(row);
    }
  };
  const shown = columns.filter((c) => !narrow || !c.wide);
  const template = onOpen ? "48px 1fr" : `36px ${shown.map((c) => c.width).join(" ")}`;
  const brief = (place: "head" | "side" | "line", row: I) => columns.filter((c) => c.brief === place).map((c) => c.text(row, f, t)).filter(Boolean).join(" · ");
  const chosenCount = chosen.all ? count : chosen.items.size;
  return (
    <div className={s.root}>
      <Problem error={error} />
      <div className={s.head} style={{ gridTemplateColumns: template, paddingRight: bar }} aria-hidden>
        <Checkbox tabIndex={-1} checked={chosen.all ? true : chosen.items.size > 0 ? "mixed" : false} onChange={(_, d) => onChoose(d.checked === true ? { all: true, items: new Map() } : nothing())} />
        {onOpen && <div className={s.all}>{t.common.selectAll}</div>}
        {!onOpen && shown.map((c) => (
          <div key={c.key} className={mergeClasses(s.cell, c.end && s.end)}>
            {c.title(t)}
          </div>
        ))}
      </div>
      <div
        ref={scroll}
        className={s.scroll}
        role="grid"
        aria-label={label}
        aria-rowcount={total ?? -1}
        aria-multiselectable
        aria-activedescendant={active >= first && active <= last ? `${id}-${active}` : undefined}
        tabIndex={0}
        onScroll={onScroll}
        onKeyDown={onKey}
        onFocus={() => active < 0 && count > 0 && setActive(Math.ceil(top / rowHeight))}
      >
        <div role="presentation" style={{ height: outer, position: "relative" }}>
          {Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => first + k).map((i) => {
            const row = rowAt(i);
            const on = row !== undefined && (chosen.all || chosen.items.has(row.id));
            return (
              <div
                key={i}
                id={`${id}-${i}`}
                role="row"
                aria-rowindex={i + 1}
                aria-selected={on}
                data-line={on || (i === active && !onOpen) ? "marked" : ""}
                className={mergeClasses(s.row, on && s.chosen, i === active && (onOpen ? s.activeBrief : s.active))}
                style={{ top: i * rowHeight - top + real, height: rowHeight, gridTemplateColumns: template }}
                onClick={(e) => onRow(e, i)}
              >
                <div role="gridcell" onClick={(e) => e.stopPropagation()}>
                  {row && <Checkbox tabIndex={-1} aria-label={t.common.select(row.name)} checked={on} onChange={(_, d) => choose(row, d.checked === true)} />}
                </div>
                {onOpen && (
                  <div role="gridcell" className={s.brief}>
                    {row ? (
                      <>
                        <span className={s.briefHead}>{row.deleted && <Deleted />}{brief("head", row)}</span>
                        <span className={s.briefSide}>{brief("side", row)}</span>
                        <span className={s.briefLine}>{brief("line", row)}</span>
                      </>
                    ) : (
                      <div className={s.loading} />
                    )}
                  </div>
                )}
                {!onOpen && shown.map((c) => (
                  <div key={c.key} role="gridcell" className={mergeClasses(s.cell, c.end && s.end)}>
                    {row?.deleted && c === shown[0] && <Deleted />}
                    {row ? c.text(row, f, t) : <div className={s.loading} />}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
      <div className={s.foot} role="status">
        {total === undefined ? t.explore.countUnknown : t.explore.count(f.number(total))}
        {chosenCount > 0 && ` · ${t.explore.chosen(f.number(chosenCount))}`}
      </div>
    </div>
  );
}

// Deleted marks what the restore point of the session does not have any more.
function Deleted() {
  const s = useStyles();
  const { t } = useText();
  return (
    <Badge className={s.deleted} size="small" appearance="tint" color="warning">
      {t.explore.deletedMark}
    </Badge>
  );
}
