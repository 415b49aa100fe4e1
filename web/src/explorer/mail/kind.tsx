import { MailRegular } from "@fluentui/react-icons";
import { client, enc, of } from "../../api/client";
import { quote } from "../../ui/script";
import type { Item, Kind, Place, Selection, Target } from "../kind";
import { MailPreview } from "./preview";

export interface Mail extends Item {
  from: string;
  to: string;
  cc: string;
  received: string | undefined;
  sent: string | undefined;
  importance: string;
}

interface Row {
  _links?: Record<string, unknown> | null; // lastRestorePoint: of what was deleted
  id?: string;
  subject?: string;
  from?: string;
  to?: string;
  cc?: string;
  received?: string;
  sent?: string;
  importance?: string;
  // Of contacts, events and tasks, which lie in folders of the mailbox too.
  name?: string;
  email?: string;
  organizer?: string;
  attendees?: string;
  startTime?: string;
  dueDate?: string;
}

const mailOf = (r: Row): Mail => ({
  id: r.id ?? "", deleted: r._links?.lastRestorePoint !== undefined, name: r.subject ?? r.name ?? "", from: r.from ?? r.organizer ?? r.email ?? "", to: r.to ?? r.attendees ?? "",
  cc: r.cc ?? "", received: r.received ?? r.startTime ?? r.dueDate, sent: r.sent, importance: r.importance ?? "Normal",
});

const mailboxes = "/v8/RestoreSessions/{restoreSessionId}/organization/mailboxes" as const;
const at = (p: Place) => `/v8/RestoreSessions/${p.session}/organization/mailboxes/${enc(p.container.id)}`;
// nameOf is a sender without the address, which the preview has.
const nameOf = (from: string) => /^(.+?)\s*<[^<>]*>$/.exec(from)?.[1] ?? from;
const ids = (s: Selection) => (s.items ?? []).map((id) => ({ id }));

export const mail: Kind<Mail> = {
  type: "Vex",
  icon: <MailRegular />,
  items: "mail",
  keepsBoth: false,
  containers: async (session, signal) => {
    const page = await of(client.GET(mailboxes, { params: { path: { restoreSessionId: session }, query: { limit: 10_000 } }, signal }));
    return (page.results ?? []).map((m) => ({ id: m.id ?? "", name: m.name ?? "", address: m.email ?? "" }));
  },
  folders: async (p, signal) => {
    const page = await of(client.GET(`${mailboxes}/{mailboxId}/folders`, {
      params: { path: { restoreSessionId: p.session, mailboxId: p.container.id }, query: { limit: 10_000, ...(p.folder ? { parentId: p.folder.id } : {}) } }, signal,
    }));
    return (page.results ?? []).map((f) => ({ id: f.id ?? "", name: f.name ?? "" }));
  },
  page: async (p, query, offset, limit, signal) => {
    const path = { restoreSessionId: p.session, mailboxId: p.container.id };
    if (query && p.folder) {
      const page = await of(client.POST(`${mailboxes}/{mailboxId}/folders/{folderId}/search`, { params: { path: { ...path, folderId: p.folder.id }, query: { offset, limit } }, body: { query }, signal }));
      return ((page.results ?? []) as Row[]).map(mailOf);
    }
    if (query) {
      const page = await of(client.POST(`${mailboxes}/{mailboxId}/search`, { params: { path, query: { offset, limit } }, body: { query }, signal }));
      return ((page.results ?? []) as Row[]).map(mailOf);
    }
    const page = await of(client.GET(`${mailboxes}/{mailboxId}/items`, { params: { path, query: { offset, limit, parentId: p.folder?.id ?? "root" } }, signal }));
    return ((page.results ?? []) as Row[]).map(mailOf);
  },
  of: (i) => ({ id: i.id, name: i.name, deleted: i.deleted === true, from: i.from ?? "", to: i.to ?? "", cc: i.cc ?? "", received: i.time, sent: i.sent, importance: i.importance ?? "Normal" }),
  columns: [
    { key: "from", title: (t) => t.mail.from, text: (m) => nameOf(m.from), width: "minmax(110px, 1fr)", brief: "head" },
    { key: "subject", title: (t) => t.mail.subject, text: (m, _, t) => m.name || t.mail.noSubject, width: "minmax(160px, 2fr)", brief: "line" },
    { key: "received", title: (t) => t.mail.received, text: (m, f) => f.dateTime(m.received), width: "168px", brief: "side" },
  ],
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
