import { useMemo } from "react";
import { ApiError } from "../api/client";
import { useText, type Text } from "./text";

type When = string | Date | null | undefined;

// useFormat writes numbers, sizes, times and errors in the reader's language.
export function useFormat() {
  const { t, language } = useText();
  return useMemo(() => {
    const locale = language === "de" ? "de-DE" : navigator.language.startsWith("en") ? navigator.language : "en-GB";
    const number = new Intl.NumberFormat(locale);
    const one = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
    const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
    const date = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
    const time = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });
    const day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
    const ago = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
    const list = new Intl.ListFormat(locale);
    const at = (when: When) => (when ? new Date(when) : undefined);
    return {
      number: (n: number | null | undefined) => (n === undefined || n === null ? "" : number.format(n)),
      bytes: (n: number | null | undefined) => {
        if (n === undefined || n === null) return "";
        const units = ["B", "kB", "MB", "GB", "TB", "PB"];
        let i = 0;
        while (n >= 1000 && i < units.length - 1) {
          n /= 1000;
          i++;
        }
        return `${(i === 0 ? number : one).format(n)} ${units[i]}`;
      },
      dateTime: (when: When) => {
        const d = at(when);
        return d ? dateTime.format(d) : "";
      },
      date: (when: When) => {
        const d = at(when);
        return d ? date.format(d) : "";
      },
      time: (when: When) => {
        const d = at(when);
        return d ? time.format(d) : "";
      },
      day: (when: Date) => day.format(when),
      ago: (when: When) => {
        const d = at(when);
        if (!d) return t.common.never;
        const seconds = (d.getTime() - Date.now()) / 1000;
        const steps: [number, Intl.RelativeTimeFormatUnit][] = [
          [60, "second"],
          [3600, "minute"],
          [86400, "hour"],
          [86400 * 30, "day"],
          [86400 * 365, "month"],
          [Infinity, "year"],
        ];
        let size = 1;
        for (const [limit, unit] of steps) {
          if (Math.abs(seconds) < limit) return ago.format(Math.round(seconds / size), unit);
          size = limit;
        }
        return dateTime.format(d);
      },
      duration: (seconds: number) => {
        const s = Math.max(0, Math.round(seconds));
        if (s < 60) return t.common.seconds(s);
        if (s < 3600) return t.common.minutes(Math.round(s / 60));
        if (s < 48 * 3600) return t.common.hours(one.format(s / 3600));
        return t.common.days(one.format(s / 86400));
      },
      list: (parts: string[]) => list.format(parts),
      error: (error: unknown) => errorText(t, error),
    };
  }, [t, language]);
}

export type Format = ReturnType<typeof useFormat>;

// errorText is what went wrong. The server says it in English; where the reader's language is another one, what kind of refusal it is goes before.
export function errorText(t: Text, error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.status === 0) return t.common.offline;
  if (!error.message) return t.refused[error.status] ?? t.common.failed;
  const message = error.message[0]!.toUpperCase() + error.message.slice(1);
  const kind = t.refused[error.status];
  return kind ? t.common.serverSays(kind, message) : message;
}
