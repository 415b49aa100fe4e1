import { CalendarLtrRegular, ContactCardRegular, MailRegular, TaskListLtrRegular } from "@fluentui/react-icons";
import { client, enc, of } from "../../api/client";
import { quote } from "../../ui/script";
import type { Item, Kind, Place, Selection, Shape, Target } from "../kind";
import { MailPreview } from "./preview";

export interface Mail extends Item {
  kind: string; // mail, event, contact or task
  from: string;
  to: string;
  cc: string;
  received: string | undefined; // of an event its begin
  sent: string | undefined;
  importance: string;
  class: string; // of what is no mail, such as IPM.DistList
}

// wordOf is what an item is called that lies among mail and is none: by its class, or the one that its class is made of.
export function wordOf(m: Mail, words: Record<string, string>): string {
  const at = m.class.toUpperCase();
  return Object.entries(words).find(([c]) => at === c || at.startsWith(`${c}.`))?.[1] ?? "";
}

const mailOf = (i: Shape): Mail => ({
  id: i.id, name: i.name, deleted: i.deleted === true, kind: i.kind, from: i.from ?? "", to: i.to ?? "", cc: i.cc ?? "", received: i.time, sent: i.sent, importance: i.importance ?? "Normal", class: i.class ?? "",
});

const mailboxes = "/v8/RestoreSessions/{restoreSessionId}/organization/mailboxes" as const;
const items = "/holdfast/v1/RestoreSessions/{restoreSessionId}/Containers/{containerId}/Items" as const;
const pathOf = (p: Place) => ({ restoreSessionId: p.session, containerId: p.container.id });
const at = (p: Place) => `/v8/RestoreSessions/${p.session}/organization/mailboxes/${enc(p.container.id)}`;
// nameOf is a sender without the address, which the preview has.
const nameOf = (from: string) => /^(.+?)\s*<[^<>]*>$/.exec(from)?.[1] ?? from;
const ids = (s: Selection) => (s.items ?? []).map((id) => ({ id }));
const kinds = "mail,event,contact,task";

const columns: Kind<Mail>["columns"] = [
  { key: "from", title: (t) => t.mail.from, text: (m) => nameOf(m.from), width: "minmax(110px, 1fr)", brief: "head" },
  { key: "subject", title: (t) => t.mail.subject, text: (m, _, t) => m.name || t.mail.noSubject, width: "minmax(160px, 2fr)", brief: "line" },
  { key: "received", title: (t) => t.mail.received, text: (m, f) => f.dateTime(m.received), width: "168px", brief: "side" },
];

// Folders of calendars, contacts and tasks show what these have, by the class of the folder.
const others: Record<string, Kind<Mail>["columns"]> = {
  "IPF.Appointment": [
    { key: "subject", title: (t) => t.mail.subject, text: (m, _, t) => m.name || t.mail.noSubject, width: "minmax(130px, 1.6fr)", brief: "head" },
    { key: "from", title: (t) => t.mail.organizer, text: (m) => nameOf(m.from), width: "minmax(118px, 1fr)", brief: "line" },
    { key: "received", title: (t) => t.mail.begin, text: (m, f) => f.dateTime(m.received), width: "168px", brief: "side" },
  ],
  "IPF.Contact": [
    { key: "name", title: (t) => t.found.name, text: (m) => m.name, width: "minmax(140px, 1fr)", brief: "head" },
    { key: "kind", title: (t) => t.found.kind, text: (m, _, t) => wordOf(m, t.mail.classes) || t.found.kinds.contact, width: "104px" },
    { key: "address", title: (t) => t.mail.address, text: (m) => m.to, width: "minmax(160px, 1.4fr)", brief: "line" },
    { key: "received", title: (t) => t.file.modified, text: (m, f) => f.dateTime(m.received), width: "168px", brief: "side" },
  ],
  "IPF.Journal": [
    { key: "subject", title: (t) => t.mail.subject, text: (m, _, t) => m.name || t.mail.noSubject, width: "minmax(160px, 2fr)", brief: "head" },
    { key: "received", title: (t) => t.file.modified, text: (m, f) => f.dateTime(m.received), width: "168px", brief: "side" },
  ],
  "IPF.StickyNote": [
    { key: "subject", title: (t) => t.mail.subject, text: (m, _, t) => m.name || t.mail.noSubject, width: "minmax(160px, 2fr)", brief: "head" },
    { key: "received", title: (t) => t.file.modified, text: (m, f) => f.dateTime(m.received), width: "168px", brief: "side" },
  ],
  "IPF.Task": [
    { key: "name", title: (t) => t.found.kinds.task, text: (m, _, t) => m.name || t.mail.noSubject, width: "minmax(160px, 2fr)", brief: "head" },
    { key: "received", title: (t) => t.found.time, text: (m, f) => f.date(m.received), width: "168px", brief: "side" },
  ],
};

export const mail: Kind<Mail> = {
  type: "Vex",
  icon: <MailRegular />,
  folderIcon: (f) => (f.holds === "IPF.Appointment" ? <CalendarLtrRegular /> : f.holds === "IPF.Contact" ? <ContactCardRegular /> : f.holds === "IPF.Task" ? <TaskListLtrRegular /> : undefined),
  title: (t) => t.kind.mail,
  flag: "",
  items: kinds,
  keepsBoth: false,
  containers: async (session, signal) => {
    const page = await of(client.GET(mailboxes, { params: { path: { restoreSessionId: session }, query: { limit: 10_000 } }, signal }));
    return (page.results ?? []).map((m) => ({ id: m.id ?? "", name: m.name ?? "", address: m.email ?? "" }));
  },
  folders: async (p, signal) => {
    const page = await of(client.GET(items, { params: { path: pathOf(p), query: { kinds: "folder", sort: "name", limit: 10_000, parentId: p.folder?.id ?? "root" } }, signal }));
    return page.results.map((f) => ({ id: f.id, name: f.name, ...(f.class ? { holds: f.class } : {}) }));
  },
  page: async (p, query, offset, limit, signal) => {
    const page = await of(client.GET(items, { params: { path: pathOf(p), query: { kinds, offset, limit, ...(query ? { query, ...(p.folder ? { parentId: p.folder.id } : {}) } : { parentId: p.folder?.id ?? "root" }) } }, signal }));
    return page.results.map(mailOf);
  },
  of: mailOf,
  columns,
  columnsAt: async (p) => others[p.folder?.holds ?? ""] ?? columns,
  Preview: MailPreview,
  save: (p, s) => ({ method: "POST", path: `${at(p)}/items/Save`, body: { items: ids(s) }, name: s.items?.length === 1 ? "mail.eml" : "mails.zip" }),
  command: (p, s, target) => restoreCommand(p, s, target, ""),
};

// restoreCommand is a restore as the command line has it; flag tells the kind.
export function restoreCommand(p: Place, s: Selection, target: Target, flag: string): string {
  const parts = ["holdfast restore", `--user ${quote(p.container.address || p.container.name)}`];
  if (flag) parts.push(flag);
  if (s.items) parts.push(...(s.items.length > 5 ? [...s.items.slice(0, 5).map((id) => `--id ${quote(id)}`), "…"] : s.items.map((id) => `--id ${quote(id)}`)));
  else if (s.folder) parts.push(`--id ${quote(s.folder.id)}`);
  else parts.push("--all");
  if (target.place === "elsewhere" && target.user) parts.push(`--to ${quote(target.user)}`);
  if (target.place === "elsewhere" && target.folder) parts.push(`--folder ${quote(target.folder)}`);
  if (target.overwrite) parts.push("--overwrite");
  return parts.join(" ");
}
