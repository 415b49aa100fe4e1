import { Badge, makeStyles, tokens } from "@fluentui/react-components";
import { CheckmarkCircle20Regular, Circle20Regular } from "@fluentui/react-icons";
import type { ReactNode } from "react";
import type { paths } from "../../api/schema";
import { useFormat } from "../../ui/format";
import { useText } from "../../ui/text";
import { useTeamText } from "../team/text";
import { inWords } from "./recurrence";
import { useCardText } from "./text";

type Preview = paths["/holdfast/v1/RestoreSessions/{restoreSessionId}/Containers/{containerId}/Items/{itemId}/Preview"]["get"]["responses"]["200"]["content"]["application/json"];

const useStyles = makeStyles({
  facts: { display: "grid", gridTemplateColumns: "fit-content(38%) 1fr", gap: "6px 14px", margin: "0 0 16px" },
  dt: { color: tokens.colorNeutralForeground2, overflowWrap: "anywhere", hyphens: "auto" },
  dd: { margin: 0, overflowWrap: "anywhere", whiteSpace: "pre-line" },
  list: { listStyle: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: "4px" },
  step: { display: "flex", gap: "8px", alignItems: "flex-start" },
  icon: { flexShrink: 0 },
  done: { textDecorationLine: "line-through", color: tokens.colorNeutralForeground2 },
  photo: { width: "96px", height: "96px", objectFit: "cover", borderRadius: "50%", display: "block", margin: "0 0 12px", border: `1px solid ${tokens.colorNeutralStroke2}` },
  about: { color: tokens.colorNeutralForeground2 },
  h: { fontSize: tokens.fontSizeBase400, margin: "16px 0 4px" },
});

type Fact = [string, ReactNode];

// Facts leaves out what says nothing.
function Facts({ all }: { all: Fact[] }) {
  const s = useStyles();
  return (
    <dl className={s.facts}>
      {all.filter(([, value]) => value !== undefined && value !== "" && value !== false && value !== null).map(([term, value], n) => [
        <dt key={`${n}t`} className={s.dt}>{term}</dt>,
        <dd key={`${n}d`} className={s.dd}>{value}</dd>,
      ])}
    </dl>
  );
}

const named = (p: { name: string; address: string }) => (p.name && p.address && p.name !== p.address ? `${p.name} (${p.address})` : p.name || p.address);

// useTimes writes days and times of events and tasks. A day has no time zone: it is the same day everywhere.
function useTimes() {
  const { language } = useText();
  const f = useFormat();
  const w = useCardText();
  const locale = language === "de" ? "de-DE" : navigator.language.startsWith("en") ? navigator.language : "en-GB";
  const day = (d: string) => (d ? new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" }).format(new Date(`${d.slice(0, 10)}T00:00:00Z`)) : "");
  const span = (from: string, to: string, zone?: string) => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", ...(zone ? { timeZone: zone } : {}) }).formatRange(new Date(from), new Date(to));
  const before = (d: string) => new Date(new Date(d).getTime() - 86_400_000).toISOString();
  return {
    day, span, f, w,
    when: (e: { start: string; end: string; allDay: boolean }) => (e.allDay ? w.whole(day(e.start), day(e.end > e.start ? before(e.end) : e.start)) : span(e.start, e.end)),
    rule: (r: Parameters<typeof inWords>[0] | undefined) => r && inWords(r, w, locale, day),
  };
}

function EventCard({ event: e }: { event: NonNullable<Preview["event"]> }) {
  const s = useStyles();
  const { w, f, when, rule, span, day } = useTimes();
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  let there = "";
  if (e.zone && !e.allDay && e.zone !== here)
    try {
      there = span(e.start, e.end, e.zone);
    } catch {
      there = ""; // a zone that this browser does not know
    }
  return (
    <Facts all={[
      [w.when, <>{e.cancelled && <Badge appearance="tint" color="danger">{w.cancelled}</Badge>} {when(e)}</>],
      [w.zone, e.allDay ? "" : [e.zone ?? e.zoneName, there && there !== when(e) && w.there(there)].filter(Boolean).join("\n")],
      [w.repeats, rule(e.recurrence)],
      [w.where, e.location],
      [w.by, e.organizer && named(e.organizer)],
      [w.who, e.attendees && (
        <ul className={s.list}>
          {e.attendees.map((a, n) => (
            <li key={n}>
              {named(a)} <Badge appearance="tint" color={a.response === "accepted" ? "success" : a.response === "declined" ? "danger" : "informative"}>{w.response[a.response] ?? a.response}</Badge>
              {w.kinds[a.kind] && <> <Badge appearance="outline">{w.kinds[a.kind]}</Badge></>}
            </li>
          ))}
        </ul>
      )],
      [w.online, e.meeting],
      [w.shows, e.showAs && (w.showAs[e.showAs] ?? e.showAs)],
      [w.secrecy, e.sensitivity && w.sensitivity[e.sensitivity]],
      [w.importance, e.importance && w.important[e.importance]],
      [w.reminder, e.reminderMinutes !== undefined && w.before(e.reminderMinutes)],
      [w.categories, e.categories && f.list(e.categories)],
      [w.exceptions, e.exceptions && (
        <ul className={s.list}>
          {e.exceptions.map((x, n) => (
            <li key={n}>{span(x.start, x.end)}{x.original && ` (${w.moved(e.allDay ? day(x.original) : f.dateTime(x.original))})`}{x.subject && `: ${x.subject}`}</li>
          ))}
        </ul>
      )],
      [w.except, e.cancelledDays && f.list(e.cancelledDays.map(day))],
    ]} />
  );
}

function ContactCard({ contact: c, name }: { contact: NonNullable<Preview["contact"]>; name: string }) {
  const s = useStyles();
  const { w, f, day } = useTimes();
  return (
    <>
      {c.photo && c.photoType && <img className={s.photo} src={`data:${c.photoType};base64,${c.photo}`} alt={w.photo(name)} />}
      <Facts all={[
        [w.company, c.company], [w.department, c.department], [w.job, c.jobTitle], [w.nickname, c.nickname],
        ...(c.addresses ?? []).map((a): Fact => [w.mail, a.address]),
        ...(c.phones ?? []).map((p): Fact => [w.phone[p.kind] ?? p.kind, p.text]),
        ...(c.places ?? []).map((p): Fact => [w.place[p.kind] ?? p.kind, p.text]),
        ...(c.chats ?? []).map((x): Fact => [w.chat, x]),
        [w.site, c.website], [w.birthday, c.birthday && day(c.birthday)], [w.categories, c.categories && f.list(c.categories)],
      ]} />
    </>
  );
}

function TaskCard({ task }: { task: NonNullable<Preview["task"]> }) {
  const s = useStyles();
  const { w, f, day, rule } = useTimes();
  return (
    <Facts all={[
      [w.status, w.statuses[task.status] ?? task.status], [w.due, task.due && day(task.due)], [w.start, task.start && day(task.start)], [w.done, task.completed && day(task.completed)],
      [w.repeats, rule(task.recurrence)], [w.importance, task.importance && w.important[task.importance]], [w.reminder, f.dateTime(task.reminder)],
      [w.steps, task.steps && (
        <ul className={s.list}>
          {task.steps.map((x, n) => (
            <li key={n} className={s.step}>
              {x.done ? <CheckmarkCircle20Regular className={s.icon} role="img" aria-label={w.stepDone} /> : <Circle20Regular className={s.icon} role="img" aria-label={w.stepOpen} />}
              <span className={x.done ? s.done : undefined}>{x.text}</span>
            </li>
          ))}
        </ul>
      )],
      [w.links, task.links?.map((l) => l.kind || l.text).join("\n")], [w.categories, task.categories && f.list(task.categories)],
    ]} />
  );
}

function TeamCard({ team: d }: { team: NonNullable<Preview["team"]> }) {
  const { f } = useTimes();
  const w = useTeamText();
  return (
    <Facts all={[
      [w.kind, <>{d.membership ? (w.kinds[d.membership] ?? d.membership) : (w.what[d.what] ?? d.what)} {d.archived && <Badge appearance="tint" color="warning">{w.archived}</Badge>}</>],
      [w.description, d.description], [w.visibility, d.visibility && (w.visible[d.visibility] ?? d.visibility)], [w.created, f.dateTime(d.created)], [w.mail, d.mail], [w.app, d.app], [w.shows, d.shows], [w.apps, d.apps && f.list(d.apps)],
    ]} />
  );
}

function RowCard({ row }: { row: NonNullable<Preview["row"]> }) {
  const s = useStyles();
  const { w, f } = useTimes();
  const { t } = useText();
  if (row.values.length === 0) return <p className={s.about}>{w.noValues}</p>;
  return <Facts all={row.values.map((v): Fact => [v.name === "ContentType" ? w.contentType : v.title, v.kind === "dateTime" ? f.dateTime(v.value) : v.kind === "boolean" ? (v.value === "true" ? t.common.yes : t.common.no) : v.kind === "note" ? plain(v.value) : v.value])} />;
}

// plain is a text of several lines without its markup: a list's columns hold it as HTML.
const plain = (text: string) => (/<[a-z!/]/i.test(text) ? (new DOMParser().parseFromString(text.replace(/<(br|\/p|\/div|\/li)\b[^>]*>/gi, "\n"), "text/html").body.textContent ?? "").trim() : text);

// Card shows an item that is no document as its parts, and of a file what it has in the columns of its library.
export default function Card({ shown: d }: { shown: Preview }) {
  const s = useStyles();
  const w = useCardText();
  if (d.row && d.kind !== "card")
    return (
      <section aria-label={w.columns}>
        <h3 className={s.h}>{w.columns}</h3>
        <RowCard row={d.row} />
      </section>
    );
  if (d.event) return <EventCard event={d.event} />;
  if (d.contact) return <ContactCard contact={d.contact} name={d.name} />;
  if (d.task) return <TaskCard task={d.task} />;
  if (d.team) return <TeamCard team={d.team} />;
  return d.row ? <RowCard row={d.row} /> : null;
}
