import { Button, makeStyles, mergeClasses, Radio, RadioGroup, tokens } from "@fluentui/react-components";
import { ChevronLeft20Regular, ChevronRight20Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { client, of } from "../api/client";
import type { RestoreSession } from "../api/queries";
import { useFormat } from "../ui/format";
import { Problem } from "../ui/page";
import { useText } from "../ui/text";

const useStyles = makeStyles({
  month: { display: "flex", alignItems: "center", justifyContent: "space-between" },
  days: { borderCollapse: "collapse", width: "100%", tableLayout: "fixed", textAlign: "center" },
  th: { fontWeight: tokens.fontWeightRegular, fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2, padding: "4px 0" },
  day: { width: "36px", height: "36px", border: "1px solid transparent", borderRadius: "50%", background: "none", font: "inherit", color: tokens.colorNeutralForeground3, padding: 0, display: "inline-flex", alignItems: "center", justifyContent: "center", boxSizing: "border-box" },
  has: {
    fontWeight: tokens.fontWeightBold, color: tokens.colorNeutralForeground1, backgroundColor: tokens.colorNeutralBackground3, border: `1px solid ${tokens.colorNeutralStroke1}`, cursor: "pointer",
    ":hover": { backgroundColor: tokens.colorNeutralBackground3Hover }, ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
  on: { backgroundColor: tokens.colorBrandBackground, color: tokens.colorNeutralForegroundOnBrand, ":hover": { backgroundColor: tokens.colorBrandBackgroundHover, color: tokens.colorNeutralForegroundOnBrand } },
  times: { maxHeight: "240px", overflowY: "auto" },
});

const dayKey = (d: Date) => `${d.getFullYear()}-${d.getMonth()}-${d.getDate()}`;

// When chooses a restore point of an organization, or of one user in it: a time, or "" for the newest. Without type the points of every kind are shown.
export function When({ organization, user, type, value: time, onChange }: { organization: string; user?: string; type?: RestoreSession["type"]; value: string; onChange: (time: string) => void }) {
  const s = useStyles();
  const { t, language } = useText();
  const f = useFormat();
  const [month, setMonth] = useState(() => new Date(new Date().getFullYear(), new Date().getMonth(), 1));
  const [day, setDay] = useState("");
  const points = useQuery({
    queryKey: ["points", organization, user, month.getTime()],
    enabled: organization !== "",
    queryFn: ({ signal }) =>
      of(client.GET("/v8/RestorePoints", {
        params: { query: { organizationId: organization, ...(user ? { userId: user } : {}), from: month.toISOString(), to: new Date(month.getFullYear(), month.getMonth() + 1, 0, 23, 59, 59, 999).toISOString(), limit: 10_000 } }, signal,
      })),
  });
  const byDay = useMemo(() => {
    const map = new Map<string, string[]>();
    for (const p of points.data?.results ?? []) {
      if (!p.backupTime || (type === "Vex" && !p.isExchange) || (type === "Veod" && !p.isOneDrive) || (type === "Vesp" && !p.isSharePoint) || (type === "Vet" && !p.isTeams)) continue;
      const key = dayKey(new Date(p.backupTime));
      map.set(key, [...(map.get(key) ?? []), p.backupTime]);
    }
    return map;
  }, [points.data, type]);
  const firstWeekday = (month.getDay() + 6) % 7;
  const length = new Date(month.getFullYear(), month.getMonth() + 1, 0).getDate();
  const cells: (Date | undefined)[] = [...Array<undefined>(firstWeekday).fill(undefined), ...Array.from({ length }, (_, i) => new Date(month.getFullYear(), month.getMonth(), i + 1))];
  while (cells.length % 7) cells.push(undefined);
  const weekday = new Intl.DateTimeFormat(language, { weekday: "short" });
  const names = Array.from({ length: 7 }, (_, i) => weekday.format(new Date(2024, 0, 1 + i)));
  const times = byDay.get(day) ?? [];
  return (
    <>
      <Problem error={points.error} />
      <div className={s.month}>
        <Button appearance="subtle" icon={<ChevronLeft20Regular />} aria-label={t.explore.before} onClick={() => setMonth(new Date(month.getFullYear(), month.getMonth() - 1, 1))} />
        <strong aria-live="polite">{new Intl.DateTimeFormat(language, { month: "long", year: "numeric" }).format(month)}</strong>
        <Button appearance="subtle" icon={<ChevronRight20Regular />} aria-label={t.explore.after} onClick={() => setMonth(new Date(month.getFullYear(), month.getMonth() + 1, 1))} />
      </div>
      <table className={s.days} aria-label={t.explore.calendar}>
        <thead>
          <tr>
            {names.map((n) => (
              <th key={n} scope="col" className={s.th}>{n}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: cells.length / 7 }, (_, w) => (
            <tr key={w}>
              {cells.slice(w * 7, w * 7 + 7).map((d, i) => {
                const has = d ? (byDay.get(dayKey(d))?.length ?? 0) : 0;
                return (
                  <td key={i}>
                    {d && (has > 0 ? (
                      <button type="button" className={mergeClasses(s.day, s.has, dayKey(d) === day && s.on)} aria-pressed={dayKey(d) === day} aria-label={t.explore.dayPoints(f.date(d), has)} onClick={() => { setDay(dayKey(d)); onChange(byDay.get(dayKey(d))?.[0] ?? ""); }}>
                        {d.getDate()}
                      </button>
                    ) : (
                      <span className={s.day}>{d.getDate()}</span>
                    ))}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <RadioGroup className={s.times} value={time} onChange={(_, d) => onChange(d.value)} aria-label={t.explore.when}>
        <Radio value="" label={t.explore.newest} />
        {times.map((p) => (
          <Radio key={p} value={p} label={f.dateTime(p)} />
        ))}
      </RadioGroup>
    </>
  );
}
