import { Checkbox, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { ArrowDown16Regular, ArrowUp16Regular } from "@fluentui/react-icons";
import { useLayoutEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useText } from "./text";

export interface Column<R> {
  key: string;
  title: string;
  render: (row: R) => ReactNode;
  // sort gives what rows are ordered by; without it the column can't be sorted.
  sort?: (row: R) => string | number;
  width?: string;
  end?: boolean;
  // whole cells keep to one line.
  whole?: boolean;
  // wide columns vanish on narrow screens.
  wide?: boolean;
}

const useStyles = makeStyles({
  wrap: { overflowX: "auto", ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` } },
  table: { width: "100%", borderCollapse: "collapse", fontSize: tokens.fontSizeBase300, lineHeight: tokens.lineHeightBase300 },
  th: { textAlign: "left", fontWeight: tokens.fontWeightSemibold, padding: "8px 10px", borderBottom: `1px solid ${tokens.colorNeutralStroke1}`, color: tokens.colorNeutralForeground2, whiteSpace: "nowrap" },
  sort: {
    font: "inherit", color: "inherit", background: "none", border: "none", padding: 0, cursor: "pointer", display: "inline-flex", alignItems: "center", gap: "4px",
    ":hover": { color: tokens.colorNeutralForeground1 }, ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
  td: { overflowWrap: "break-word", padding: "8px 10px", borderBottom: `1px solid ${tokens.colorNeutralStroke2}`, verticalAlign: "middle" },
  end: { textAlign: "right" },
  whole: { whiteSpace: "nowrap" },
  // The words go with their ground: in high contrast both change.
  row: { ":hover": { backgroundColor: tokens.colorNeutralBackground1Hover, color: tokens.colorNeutralForeground1Hover }, ":hover a": { color: tokens.colorNeutralForeground1Hover }, ":hover code": { color: "inherit" } },
  chosen: {
    backgroundColor: tokens.colorNeutralBackground1Selected, color: tokens.colorNeutralForeground1Selected, "& a": { color: tokens.colorNeutralForeground1Selected },
    ":hover": { backgroundColor: tokens.colorNeutralBackground1Selected, color: tokens.colorNeutralForeground1Selected }, ":hover a": { color: tokens.colorNeutralForeground1Selected },
  },
  check: { width: "32px", padding: "0 0 0 4px" },
  wide: { "@media (max-width: 900px)": { display: "none" } },
});

export interface Table<R> {
  label: string;
  rows: R[];
  columns: Column<R>[];
  rowKey: (row: R) => string;
  rowName?: (row: R) => string;
  selected?: ReadonlySet<string>;
  onSelect?: (keys: Set<string>) => void;
  first?: { key: string; down?: boolean };
}

// DataTable is a list of a few hundred rows at most. Longer ones are virtual (see rows.tsx).
export function DataTable<R>({ label, rows, columns, rowKey, rowName, selected, onSelect, first }: Table<R>) {
  const s = useStyles();
  const { t } = useText();
  const [order, setOrder] = useState<{ key: string; down: boolean } | undefined>(first && { key: first.key, down: first.down ?? false });
  const sorted = useMemo(() => {
    const by = columns.find((c) => c.key === order?.key)?.sort;
    if (!by || !order) return rows;
    const sign = order.down ? -1 : 1;
    return [...rows].sort((a, b) => {
      const x = by(a);
      const y = by(b);
      return sign * (typeof x === "string" && typeof y === "string" ? x.localeCompare(y) : x < y ? -1 : x > y ? 1 : 0);
    });
  }, [rows, columns, order]);
  // Who can't use a mouse scrolls what is wider than its place with the arrow keys.
  const wrap = useRef<HTMLDivElement>(null);
  const [wider, setWider] = useState(false);
  useLayoutEffect(() => {
    const el = wrap.current;
    if (!el) return;
    const look = () => setWider(el.scrollWidth > el.clientWidth + 1);
    const watch = new ResizeObserver(look);
    watch.observe(el);
    if (el.firstElementChild) watch.observe(el.firstElementChild);
    return () => watch.disconnect();
  }, []);
  const all = rows.length > 0 && rows.every((r) => selected?.has(rowKey(r)));
  const some = rows.some((r) => selected?.has(rowKey(r)));
  const toggle = (key: string, on: boolean) => {
    const next = new Set(selected);
    if (on) next.add(key);
    else next.delete(key);
    onSelect?.(next);
  };
  return (
    <div ref={wrap} className={s.wrap} {...(wider ? { tabIndex: 0, role: "group", "aria-label": label } : {})}>
      <table className={s.table} aria-label={label}>
        <thead>
          <tr>
            {onSelect && (
              <td className={mergeClasses(s.th, s.check)}>
                <Checkbox aria-label={t.common.selectAll} checked={all ? true : some ? "mixed" : false} onChange={(_, d) => onSelect(new Set(d.checked ? rows.map(rowKey) : []))} />
              </td>
            )}
            {columns.map((c) => (
              <th
                key={c.key}
                scope="col"
                className={mergeClasses(s.th, c.end && s.end, c.wide && s.wide)}
                style={c.width ? { width: c.width } : undefined}
                aria-sort={order?.key === c.key ? (order.down ? "descending" : "ascending") : undefined}
              >
                {c.sort ? (
                  <button type="button" className={s.sort} onClick={() => setOrder({ key: c.key, down: order?.key === c.key ? !order.down : false })}>
                    {c.title}
                    {order?.key === c.key && (order.down ? <ArrowDown16Regular /> : <ArrowUp16Regular />)}
                  </button>
                ) : (
                  c.title
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => {
            const key = rowKey(row);
            const chosen = selected?.has(key) ?? false;
            return (
              <tr key={key} data-line={chosen ? "marked" : ""} className={mergeClasses(s.row, chosen && s.chosen)}>
                {onSelect && (
                  <td className={mergeClasses(s.td, s.check)}>
                    <Checkbox aria-label={t.common.select(rowName?.(row) ?? key)} checked={chosen} onChange={(_, d) => toggle(key, d.checked === true)} />
                  </td>
                )}
                {columns.map((c) => (
                  <td key={c.key} className={mergeClasses(s.td, c.end && s.end, c.whole && s.whole, c.wide && s.wide)}>
                    {c.render(row)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
