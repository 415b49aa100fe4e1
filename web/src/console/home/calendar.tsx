import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { ChevronLeft20Regular, ChevronRight20Regular } from "@fluentui/react-icons";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useDeferredValue, useState } from "react";
import { getCalendar } from "../../api/queries";
import { useFormat } from "../../ui/format";
import { Loading, Problem } from "../../ui/page";
import { useText } from "../../ui/text/console";

// A small organization has nothing to look for.
const Find = lazy(() => import("./find"));

const days = 28;
const pageSize = 25;
const cell = 16;
const gap = 3;

// The system's own colours do not reach into drawings.
const forced = "@media (forced-colors: active)";

const useStyles = makeStyles({
  top: { display: "flex", flexWrap: "wrap", gap: "8px 20px", alignItems: "center" },
  legend: { display: "flex", flexWrap: "wrap", gap: "4px 16px", margin: 0, padding: 0, listStyle: "none", color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  key: { display: "inline-flex", alignItems: "center", gap: "6px" },
  scroll: { overflowX: "auto" },
  rows: { display: "grid", gridTemplateColumns: "minmax(140px, 280px) max-content", gap: "2px 16px", alignItems: "center", margin: 0 },
  name: { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap", margin: 0 },
  dd: { margin: 0, display: "flex" },
  address: { color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  good: { fill: tokens.colorPaletteGreenBackground3, [forced]: { fill: "CanvasText" } },
  warning: { fill: tokens.colorPaletteMarigoldBackground3, [forced]: { fill: "CanvasText" } },
  failed: { fill: tokens.colorPaletteRedBackground3, [forced]: { fill: "CanvasText" } },
  gone: { fill: "none", stroke: tokens.colorNeutralForeground3, strokeDasharray: "2 2", [forced]: { stroke: "CanvasText" } },
  none: { fill: tokens.colorNeutralStroke1, [forced]: { fill: "CanvasText" } },
  mark: { stroke: tokens.colorNeutralForegroundInverted, strokeWidth: 2, strokeLinecap: "round", fill: "none", pointerEvents: "none", [forced]: { stroke: "Canvas" } },
  text: { fill: tokens.colorNeutralForeground2, fontSize: "10px", [forced]: { fill: "CanvasText" } },
  pager: { display: "flex", alignItems: "center", gap: "8px" },
});

type Day = "good" | "warning" | "failed" | "gone" | "";

// Cell shows a day by colour and by sign.
function Cell({ x, day, title }: { x: number; day: Day; title?: string }) {
  const s = useStyles();
  const looks = { good: s.good, warning: s.warning, failed: s.failed, gone: s.gone, "": s.none }[day];
  const inset = day === "" ? 5 : day === "gone" ? 1 : 0;
  return (
    <g>
      <rect x={x + inset} y={inset} width={cell - 2 * inset} height={cell - 2 * inset} rx={day === "" ? 3 : 2} className={looks}>
        {title && <title>{title}</title>}
      </rect>
      {day === "failed" && <path d={`M${x + 5} 5l6 6m0-6l-6 6`} className={s.mark} />}
      {day === "warning" && <path d={`M${x + 8} 4v5m0 3v.01`} className={s.mark} />}
    </g>
  );
}

export function Calendar() {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const [page, setPage] = useState(0);
  const [name, setName] = useState("");
  const wanted = useDeferredValue(name);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const query = { days, limit: pageSize, offset: page * pageSize, zone, ...(wanted ? { name: wanted } : {}) };
  const { data, error, isPending, refetch } = useQuery({ queryKey: ["calendar", query], queryFn: ({ signal }) => getCalendar(query, signal), placeholderData: keepPreviousData, refetchInterval: 60_000 });
  if (isPending) return <Loading />;
  if (error) return <Problem error={error} onRetry={() => void refetch()} />;
  const first = new Date(data.firstDay);
  const dates = Array.from({ length: data.days }, (_, i) => new Date(first.getTime() + i * 86_400_000 + 43_200_000)); // noon: a day of 23 or 25 hours moves nothing
  const states: Day[] = ["good", "warning", "failed", "gone", ""];
  const width = data.days * (cell + gap);
  const pages = Math.max(1, Math.ceil(data.total / pageSize));
  return (
    <>
      <div className={s.top}>
        {(data.total > pageSize || name) && (
          <Suspense>
            <Find value={name} onChange={(value) => { setName(value); setPage(0); }} />
          </Suspense>
        )}
        <ul className={s.legend}>
          {states.map((d) => (
            <li key={d} className={s.key}>
              <svg width={cell} height={cell} aria-hidden>
                <Cell x={0} day={d} />
              </svg>
              {t.day[d === "" ? "none" : d]}
            </li>
          ))}
        </ul>
      </div>
      {data.results.length === 0 ? (
        <p>{name ? t.common.nothingFound : t.home.noCalendar}</p>
      ) : (
        <div className={s.scroll} tabIndex={0} role="group" aria-label={t.home.calendar}>
          <dl className={s.rows}>
            <dt aria-hidden />
            <dd className={s.dd} aria-hidden>
              <svg width={width} height={14}>
                {dates.map((d, i) =>
                  i % 7 === 0 ? (
                    <text key={i} x={i * (cell + gap)} y={11} className={s.text}>
                      {f.day(d)}
                    </text>
                  ) : null,
                )}
              </svg>
            </dd>
            {data.results.flatMap((row) => {
              const what = t.kind[row.object.kind as "site"];
              const counts = states.filter((d) => d !== "").map((d) => [d, row.days.filter((x) => x === d).length] as const).filter(([, n]) => n > 0);
              const told = counts.map(([d, n]) => t.home.days(n, t.day[d as Exclude<Day, "">])).join(", ") || t.day.none;
              return [
                <dt key={`n${row.object.organizationId}${row.object.id}`} className={s.name} title={row.object.address}>
                  {row.object.name} <span className={s.address}>{what}</span>
                </dt>,
                <dd key={`d${row.object.organizationId}${row.object.id}`} className={s.dd}>
                  <svg width={width} height={cell} role="img" aria-label={`${row.object.name}, ${what}: ${told}`}>
                    {row.days.map((d, i) => (
                      <Cell key={i} x={i * (cell + gap)} day={d as Day} title={`${f.date(dates[i])}: ${t.day[d === "" ? "none" : (d as Exclude<Day, "">)]}`} />
                    ))}
                  </svg>
                </dd>,
              ];
            })}
          </dl>
        </div>
      )}
      {pages > 1 && (
        <div className={s.pager}>
          <Button size="small" icon={<ChevronLeft20Regular />} aria-label={t.common.previous} disabledFocusable={page === 0} onClick={() => setPage(page - 1)} />
          <span>{t.common.page(page + 1, pages)}</span>
          <Button size="small" icon={<ChevronRight20Regular />} aria-label={t.common.next} disabledFocusable={page + 1 >= pages} onClick={() => setPage(page + 1)} />
        </div>
      )}
    </>
  );
}
