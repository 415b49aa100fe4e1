import type { CardText } from "./text";

interface Recurrence {
  type: string;
  interval: number;
  days?: string[];
  index?: string;
  dayOfMonth?: number;
  month?: number;
  from?: string;
  until?: string;
  count?: number;
}

const weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

// inWords says how a series repeats. date writes a day.
export function inWords(r: Recurrence, w: CardText, language: string, date: (day: string) => string): string {
  const weekday = new Intl.DateTimeFormat(language, { weekday: "long", timeZone: "UTC" });
  const months = new Intl.DateTimeFormat(language, { month: "long", timeZone: "UTC" });
  const list = new Intl.ListFormat(language);
  const days = list.format((r.days ?? []).map((d) => {
    const n = weekdays.indexOf(d.toLowerCase());
    return n < 0 ? d : weekday.format(new Date(Date.UTC(2024, 0, 7 + n))); // the first Sunday of 2024
  }));
  const month = r.month ? months.format(new Date(Date.UTC(2024, r.month - 1, 1))) : "";
  const nth = w.nth[r.index ?? "first"] ?? r.index ?? "";
  const said: Record<string, () => string> = {
    daily: () => w.every.day(r.interval),
    weekly: () => w.every.week(r.interval) + (days ? w.onDays(days) : ""),
    absoluteMonthly: () => w.every.month(r.interval) + w.onDay(r.dayOfMonth ?? 1),
    relativeMonthly: () => w.every.month(r.interval) + w.onNth(nth, days),
    absoluteYearly: () => w.every.year(r.interval) + w.onDate(r.dayOfMonth ?? 1, month),
    relativeYearly: () => w.every.year(r.interval) + w.onNth(nth, days) + w.inMonth(month),
  };
  return (said[r.type]?.() ?? r.type) + (r.from ? w.fromDate(date(r.from)) : "") + (r.until ? w.until(date(r.until)) : "") + (r.count ? w.times(r.count) : "");
}
