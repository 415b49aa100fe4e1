import { Button, Card, Field, makeStyles, mergeClasses, Radio, RadioGroup, Select, Spinner, tokens } from "@fluentui/react-components";
import { ChevronLeft20Regular, ChevronRight20Regular, FolderSearchRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { client, of } from "../api/client";
import { organizationsQuery, type RestoreSession } from "../api/queries";
import { useFormat } from "../ui/format";
import { Empty, Loading, Page, Problem } from "../ui/page";
import type { Act } from "../ui/script";
import { useText } from "../ui/text";

const useStyles = makeStyles({
  grid: { display: "flex", flexWrap: "wrap", gap: "16px", alignItems: "flex-start" },
  card: { width: "340px", maxWidth: "100%", boxSizing: "border-box" },
  month: { display: "flex", alignItems: "center", justifyContent: "space-between" },
  days: { borderCollapse: "collapse", width: "100%", tableLayout: "fixed", textAlign: "center" },
  th: { fontWeight: tokens.fontWeightRegular, fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2, padding: "4px 0" },
  day: { width: "36px", height: "36px", border: "1px solid transparent", borderRadius: "50%", background: "none", font: "inherit", color: tokens.colorNeutralForeground3, padding: 0, display: "inline-flex", alignItems: "center", justifyContent: "center", boxSizing: "border-box" },
  has: {
    fontWeight: tokens.fontWeightBold, color: tokens.colorNeutralForeground1, backgroundColor: tokens.colorNeutralBackground3, cursor: "pointer",
    ":hover": { backgroundColor: tokens.colorNeutralBackground3Hover }, ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
  on: { backgroundColor: tokens.colorBrandBackground, color: tokens.colorNeutralForegroundOnBrand, ":hover": { backgroundColor: tokens.colorBrandBackgroundHover, color: tokens.colorNeutralForegroundOnBrand } },
  times: { maxHeight: "240px", overflowY: "auto" },
  h: { margin: 0, fontSize: tokens.fontSizeBase400, lineHeight: tokens.lineHeightBase400 },
});

const dayKey = (d: Date) => `${d.getFullYear()}-${d.getMonth()}-${d.getDate()}`;

// Open chooses what to explore, and as of when.
export default function Open() {
  const s = useStyles();
  const { t, language } = useText();
  const f = useFormat();
  const navigate = useNavigate();
  const organizations = useQuery(organizationsQuery);
  const [organization, setOrganization] = useState("");
  const id = organization || organizations.data?.find((o) => o.isBackedup)?.id || organizations.data?.[0]?.id || "";
  const [type, setType] = useState<RestoreSession["type"]>("Vex");
  const [time, setTime] = useState(""); // empty: the newest
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [month, setMonth] = useState(() => new Date(new Date().getFullYear(), new Date().getMonth(), 1));
  const [day, setDay] = useState("");

  const points = useQuery({
    queryKey: ["points", id, month.getTime()],
    enabled: id !== "",
    queryFn: ({ signal }) =>
      of(client.GET("/v8/RestorePoints", { params: { query: { organizationId: id, from: month.toISOString(), to: new Date(month.getFullYear(), month.getMonth() + 1, 0, 23, 59, 59, 999).toISOString(), limit: 10_000 } }, signal })),
  });
  const byDay = useMemo(() => {
    const map = new Map<string, string[]>();
    for (const p of points.data?.results ?? []) {
      if (!p.backupTime || !(type === "Vex" ? p.isExchange : p.isOneDrive)) continue;
      const key = dayKey(new Date(p.backupTime));
      map.set(key, [...(map.get(key) ?? []), p.backupTime]);
    }
    return map;
  }, [points.data, type]);

  const open = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const opened = await of(client.POST("/v8/Organizations/{organizationId}/explore", { params: { path: { organizationId: id } }, body: { type: type as "Vex", ...(time ? { dateTime: time } : {}) } }));
      await navigate({ to: "/explore/$session", params: { session: opened.id } });
    } catch (cause) {
      setError(cause);
      setBusy(false);
    }
  };
  const acts: Act[] = [
    { title: t.explore.acts.points, command: "holdfast point list", method: "GET", path: `/v8/RestorePoints?organizationId=${id || "ORGANIZATION"}` },
    { title: t.explore.acts.users, command: `holdfast explore users${type === "Veod" ? " --files" : ""}`, method: "GET", path: `/v8/ProtectedUsers?organizationId=${id || "ORGANIZATION"}` },
    { title: t.explore.acts.open, command: `holdfast explore ls --user ada${type === "Veod" ? " --files" : ""}${time ? ` --at ${time}` : ""}`, method: "POST", path: `/v8/Organizations/${id || "ORGANIZATION"}/explore`, body: { type, ...(time ? { dateTime: time } : {}) } },
  ];
  if (organizations.data?.length === 0)
    return (
      <Page title={t.nav.explore}>
        <Empty icon={<FolderSearchRegular />} title={t.explore.nothing} action={<Link to="/setup">{t.home.setup}</Link>}>
          {t.explore.nothingAbout}
        </Empty>
      </Page>
    );
  const firstWeekday = (month.getDay() + 6) % 7;
  const length = new Date(month.getFullYear(), month.getMonth() + 1, 0).getDate();
  const cells: (Date | undefined)[] = [...Array<undefined>(firstWeekday).fill(undefined), ...Array.from({ length }, (_, i) => new Date(month.getFullYear(), month.getMonth(), i + 1))];
  while (cells.length % 7) cells.push(undefined);
  const weekday = new Intl.DateTimeFormat(language, { weekday: "short" });
  const names = Array.from({ length: 7 }, (_, i) => weekday.format(new Date(2024, 0, 1 + i)));
  const times = byDay.get(day) ?? [];
  return (
    <Page title={t.nav.explore} about={t.explore.about} acts={acts}>
      <Problem error={error ?? organizations.error ?? points.error} />
      {organizations.isPending && <Loading />}
      {organizations.data && (
        <>
          <div className={s.grid}>
            <Card className={s.card}>
              <h2 className={s.h}>{t.explore.what}</h2>
              <Field label={t.job.organization}>
                <Select value={id} onChange={(_, d) => { setOrganization(d.value); setTime(""); setDay(""); }}>
                  {organizations.data.map((o) => (
                    <option key={o.id} value={o.id ?? ""}>
                      {o.officeName || o.name}
                    </option>
                  ))}
                </Select>
              </Field>
              <Field label={t.explore.kind}>
                <RadioGroup value={type} onChange={(_, d) => { setType(d.value as "Vex"); setTime(""); setDay(""); }}>
                  <Radio value="Vex" label={t.kind.mail} />
                  <Radio value="Veod" label={t.kind.files} />
                </RadioGroup>
              </Field>
            </Card>
            <Card className={s.card}>
              <h2 className={s.h}>{t.explore.when}</h2>
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
                              <button type="button" className={mergeClasses(s.day, s.has, dayKey(d) === day && s.on)} aria-pressed={dayKey(d) === day} aria-label={t.explore.dayPoints(f.date(d), has)} onClick={() => { setDay(dayKey(d)); setTime(byDay.get(dayKey(d))?.[0] ?? ""); }}>
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
              <RadioGroup className={s.times} value={time} onChange={(_, d) => setTime(d.value)} aria-label={t.explore.when}>
                <Radio value="" label={t.explore.newest} />
                {times.map((p) => (
                  <Radio key={p} value={p} label={f.dateTime(p)} />
                ))}
              </RadioGroup>
            </Card>
          </div>
          <br />
          <Button appearance="primary" disabledFocusable={busy || id === ""} icon={busy ? <Spinner size="tiny" /> : null} onClick={() => void open()}>
            {t.explore.open}
          </Button>
        </>
      )}
    </Page>
  );
}
