import { Checkbox, Field, Input, makeStyles, mergeClasses, Radio, RadioGroup, Select, shorthands, Switch, tokens } from "@fluentui/react-components";
import { useRef, useState, type KeyboardEvent } from "react";
import type { Schemas } from "../../api/client";
import { useText } from "../../ui/text/console";

export type Policy = Schemas["RESTJobSchedulePolicy"];

const useStyles = makeStyles({
  row: { display: "flex", gap: "12px", flexWrap: "wrap", alignItems: "flex-start" },
  grid: { borderCollapse: "collapse", touchAction: "none", userSelect: "none" },
  head: { fontSize: tokens.fontSizeBase100, fontWeight: tokens.fontWeightRegular, color: tokens.colorNeutralForeground2, textAlign: "left", padding: "0 4px 0 0" },
  cell: {
    width: "17px", height: "17px", padding: 0, border: `1px solid ${tokens.colorNeutralStroke1}`, backgroundColor: tokens.colorNeutralBackground1, cursor: "pointer", display: "block", borderRadius: 0,
    ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: "1px", position: "relative" },
  },
  on: { backgroundColor: tokens.colorBrandBackground, ...shorthands.borderColor(tokens.colorNeutralBackground1), "@media (forced-colors: active)": { forcedColorAdjust: "none", backgroundColor: "Highlight", ...shorthands.borderColor("Canvas") } }, // which parts the hours in high contrast too
  td: { padding: 0 },
  scroll: { overflowX: "auto", paddingBottom: "4px" },
});

export const manual: Policy = { scheduleEnabled: false, type: "ManualOnly" };

const every = ["Minutes5", "Minutes10", "Minutes15", "Minutes30", "Hours1", "Hours2", "Hours4", "Hours8", "Hours12"] as const;
const dayTypes = ["Everyday", "Workdays", "Weekends", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;

// Schedule edits when a job runs. Times are the server's.
export function Schedule({ value: p, onChange }: { value: Policy; onChange: (p: Policy) => void }) {
  const s = useStyles();
  const { t } = useText();
  const kind = p.scheduleEnabled ? (p.type ?? "ManualOnly") : "ManualOnly";
  const retry = { retryEnabled: true, retryNumber: 3, retryWaitInterval: 10 };
  const choose = (next: string) => {
    if (next === "Daily") onChange({ ...retry, ...p, scheduleEnabled: true, type: "Daily", dailyType: p.dailyType ?? "Everyday", dailyTime: p.dailyTime ?? "22:00:00" });
    else if (next === "Periodically") onChange({ ...retry, ...p, scheduleEnabled: true, type: "Periodically", periodicallyEvery: p.periodicallyEvery ?? "Hours4" });
    else onChange({ ...p, scheduleEnabled: false, type: "ManualOnly" });
  };
  return (
    <>
      <Field label={t.schedule.when}>
        <RadioGroup value={kind} onChange={(_, d) => choose(d.value)}>
          <Radio value="Daily" label={t.schedule.daily} />
          <Radio value="Periodically" label={t.schedule.periodically} />
          <Radio value="ManualOnly" label={t.schedule.manual} />
        </RadioGroup>
      </Field>
      {kind === "Daily" && (
        <div className={s.row}>
          <Field label={t.schedule.days}>
            <Select value={p.dailyType ?? "Everyday"} onChange={(_, d) => onChange({ ...p, dailyType: d.value as (typeof dayTypes)[number] })}>
              {dayTypes.map((d) => (
                <option key={d} value={d}>
                  {t.schedule.dayTypes[d]}
                </option>
              ))}
            </Select>
          </Field>
          <Field label={t.schedule.time} hint={t.schedule.serverTime}>
            <Input type="time" required value={(p.dailyTime ?? "22:00:00").slice(0, 5)} onChange={(_, d) => onChange({ ...p, dailyTime: `${d.value}:00` })} />
          </Field>
        </div>
      )}
      {kind === "Periodically" && (
        <Field label={t.schedule.every}>
          <Select value={p.periodicallyEvery ?? "Hours4"} onChange={(_, d) => onChange({ ...p, periodicallyEvery: d.value as (typeof every)[number] })}>
            {every.map((e) => (
              <option key={e} value={e}>
                {t.schedule.intervals[e]}
              </option>
            ))}
          </Select>
        </Field>
      )}
      {kind !== "ManualOnly" && (
        <>
          <Switch
            label={t.schedule.window}
            checked={p.backupWindowEnabled ?? false}
            onChange={(_, d) => onChange({ ...p, backupWindowEnabled: d.checked, ...(d.checked && !p.backupWindowSettings ? { backupWindowSettings: { backupWindow: Array<boolean>(168).fill(true), minuteOffset: 0 } } : {}) })}
          />
          {p.backupWindowEnabled && (
            <Hours
              hours={p.backupWindowSettings?.backupWindow ?? Array<boolean>(168).fill(true)}
              onChange={(backupWindow) => onChange({ ...p, backupWindowSettings: { ...p.backupWindowSettings, backupWindow } })}
            />
          )}
          <Checkbox label={t.schedule.retry} checked={p.retryEnabled ?? false} onChange={(_, d) => onChange({ ...p, retryEnabled: d.checked === true, retryNumber: p.retryNumber || 3, retryWaitInterval: p.retryWaitInterval || 10 })} />
          {p.retryEnabled && (
            <div className={s.row}>
              <Field label={t.schedule.retries}>
                <Input type="number" min={1} max={100} required value={String(p.retryNumber ?? 3)} onChange={(_, d) => onChange({ ...p, retryNumber: Number(d.value) })} />
              </Field>
              <Field label={t.schedule.wait}>
                <Input type="number" min={1} max={1440} required value={String(p.retryWaitInterval ?? 10)} onChange={(_, d) => onChange({ ...p, retryWaitInterval: Number(d.value) })} />
              </Field>
            </div>
          )}
        </>
      )}
    </>
  );
}

// Hours is a week of 168 hours from Sunday 00:00, painted with the pointer or set with arrows and space.
function Hours({ hours, onChange }: { hours: boolean[]; onChange: (hours: boolean[]) => void }) {
  const s = useStyles();
  const { t } = useText();
  const grid = useRef<HTMLTableElement>(null);
  const paint = useRef<boolean | null>(null);
  const [at, setAt] = useState(24);
  const order = [1, 2, 3, 4, 5, 6, 0]; // Monday first
  const set = (i: number, on: boolean) => onChange(hours.map((h, j) => (j === i ? on : h)));
  const onKey = (e: KeyboardEvent) => {
    const day = Math.floor(at / 24);
    const hour = at % 24;
    const line = order.indexOf(day);
    const next = { ArrowRight: [line, hour + 1], ArrowLeft: [line, hour - 1], ArrowDown: [line + 1, hour], ArrowUp: [line - 1, hour], Home: [line, 0], End: [line, 23] }[e.key];
    if (!next) return;
    e.preventDefault();
    const [l, h] = [Math.min(6, Math.max(0, next[0]!)), Math.min(23, Math.max(0, next[1]!))];
    const index = order[l]! * 24 + h;
    setAt(index);
    grid.current?.querySelector<HTMLButtonElement>(`[data-hour="${index}"]`)?.focus();
  };
  return (
    <Field label={t.schedule.hours} hint={t.schedule.hoursHint}>
      <div className={s.scroll}>
        <table ref={grid} role="grid" aria-label={t.schedule.hours} className={s.grid} onKeyDown={onKey} onPointerUp={() => (paint.current = null)} onPointerLeave={() => (paint.current = null)}>
          <tbody>
            <tr>
              <td />
              {Array.from({ length: 24 }, (_, h) => (
                <th key={h} scope="col" className={s.head}>
                  {h % 3 === 0 ? h : ""}
                </th>
              ))}
            </tr>
            {order.map((day) => (
              <tr key={day}>
                <th scope="row" className={s.head}>
                  {t.schedule.weekdays[day]}
                </th>
                {Array.from({ length: 24 }, (_, h) => {
                  const i = day * 24 + h;
                  const on = hours[i] ?? false;
                  return (
                    <td key={h} role="gridcell" className={s.td}>
                      <button
                        type="button"
                        data-hour={i}
                        tabIndex={i === at ? 0 : -1}
                        aria-pressed={on}
                        aria-label={t.schedule.hour(t.schedule.weekdays[day]!, h)}
                        className={mergeClasses(s.cell, on && s.on)}
                        onFocus={() => setAt(i)}
                        onClick={(e) => e.detail === 0 && set(i, !on)}
                        onPointerDown={(e) => {
                          e.currentTarget.releasePointerCapture(e.pointerId);
                          paint.current = !on;
                          set(i, !on);
                        }}
                        onPointerEnter={() => paint.current !== null && set(i, paint.current)}
                      />
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Field>
  );
}

// scheduleText says in a few words when a job runs.
export function scheduleText(t: ReturnType<typeof useText>["t"], p: Policy | undefined): string {
  if (!p?.scheduleEnabled) return t.schedule.manual;
  if (p.type === "Daily") return t.schedule.dailyAt(t.schedule.dayTypes[p.dailyType ?? "Everyday"], (p.dailyTime ?? "").slice(0, 5));
  if (p.type === "Periodically" && p.periodicallyEvery) return t.schedule.intervals[p.periodicallyEvery];
  return t.schedule.manual;
}
