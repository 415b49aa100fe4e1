import { DocumentTextRegular, GlobeRegular, LibraryRegular, TextBulletListLtrRegular } from "@fluentui/react-icons";
import { client, enc, of } from "../../api/client";
import { quote } from "../../ui/script";
import type { Item, Kind, Place, Selection, Shape, Target } from "../kind";
import { Options } from "./options";
import { About, SitePreview } from "./preview";

export interface SiteItem extends Item {
  kind: string; // file, list item, page
  size: number;
  modified: string | undefined;
  by: string;
  version: string;
  own: boolean; // it has permissions of its own
  values?: Record<string, string>; // of an item of a list, by the names of its columns
}

const itemOf = (i: Shape): SiteItem => ({
  id: i.id, name: i.name, deleted: i.deleted === true, kind: i.kind, size: i.size, modified: i.time, by: i.editor ?? i.author ?? "", version: i.version ?? "", own: i.permissions === true,
});

const items = "/holdfast/v1/RestoreSessions/{restoreSessionId}/Containers/{containerId}/Items" as const;
const pathOf = (p: Place) => ({ restoreSessionId: p.session, containerId: p.container.id });

// rows are the columns of a list with a page of its items; of what is no list nothing.
const rowsOf = (p: Place, folder: string, query: string, offset: number, limit: number, signal: AbortSignal) =>
  of(client.GET(`${items}/{itemId}/Rows`, { params: { path: { ...pathOf(p), itemId: folder }, query: { offset, limit, ...(query ? { query } : {}) } }, signal }));

const columns: Kind<SiteItem>["columns"] = [
  { key: "name", title: (t) => t.file.name, text: (d) => d.name, width: "minmax(140px, 2fr)", brief: "head" },
  { key: "modified", title: (t) => t.file.modified, text: (d, f) => f.dateTime(d.modified), width: "168px", brief: "line" },
  { key: "by", title: (t) => t.file.by, text: (d) => d.by, width: "minmax(112px, 0.8fr)", wide: true },
  { key: "size", title: (t) => t.file.size, text: (d, f) => (d.kind === "file" ? f.bytes(d.size) : ""), width: "90px", end: true, brief: "side" },
];

export const sites: Kind<SiteItem> = {
  type: "Vesp",
  icon: <GlobeRegular />,
  containerIcon: () => <GlobeRegular />,
  folderIcon: (f) => (f.holds === "list" ? <TextBulletListLtrRegular /> : f.holds === "library" ? <LibraryRegular /> : f.holds === "pages" ? <DocumentTextRegular /> : undefined),
  title: (t) => t.kind.sites,
  items: "file,list item,page",
  flag: "--site",
  keepsBoth: true,
  Options,
  containers: async (session, signal) => {
    const page = await of(client.GET("/holdfast/v1/RestoreSessions/{restoreSessionId}/Containers", { params: { path: { restoreSessionId: session }, query: { limit: 10_000 } }, signal }));
    return page.results.map((c) => ({ id: c.id, name: c.name, address: c.address, ...(c.parentId ? { below: c.parentId } : {}) }));
  },
  folders: async (p, signal) => {
    const page = await of(client.GET(items, { params: { path: pathOf(p), query: { kinds: "folder", sort: "name", limit: 10_000, parentId: p.folder?.id ?? "root" } }, signal }));
    // What SharePoint hides from people, such as the list of whom the site knows, comes last.
    const shown = page.results.map((f) => ({ id: f.id, name: f.name, leaf: f.special === "list" || f.special === "pages", ...(f.special ? { holds: f.special } : {}), ...(f.hidden ? { hidden: true } : {}) }));
    return [...shown.filter((f) => !f.hidden), ...shown.filter((f) => f.hidden)];
  },
  page: async (p, query, offset, limit, signal) => {
    if (p.folder?.holds === "list") {
      const page = await rowsOf(p, p.folder.id, query, offset, limit, signal);
      return page.results.map((r) => ({ id: r.id, name: r.name, kind: "list item", size: 0, modified: r.time, by: "", version: "", own: false, values: r.values }));
    }
    const page = await of(client.GET(items, { params: { path: pathOf(p), query: { kinds: "file,list item,page", sort: "name", offset, limit, ...(query ? { query, ...(p.folder ? { parentId: p.folder.id } : {}) } : { parentId: p.folder?.id ?? "root" }) } }, signal }));
    return page.results.map(itemOf);
  },
  of: itemOf,
  columns,
  // A list shows its own columns, as many as have room.
  columnsAt: async (p, signal) => {
    if (p.folder?.holds !== "list") return columns;
    const { columns: own } = await rowsOf(p, p.folder.id, "", 0, 1, signal);
    const shown = own.filter((c) => c.kind !== "note").slice(0, 4);
    return [
      ...shown.map((c, n): Kind<SiteItem>["columns"][number] => ({
        key: c.name, title: () => c.title, width: n === 0 ? "minmax(140px, 1.6fr)" : "minmax(80px, 1fr)", end: c.kind === "number" || c.kind === "currency", wide: n > 2, ...(n === 0 ? { brief: "head" as const } : n === 1 ? { brief: "line" as const } : {}),
        text: (d, f, t) => {
          const value = d.values?.[c.name] ?? (n === 0 ? d.name : "");
          return c.kind === "dateTime" ? f.dateTime(value) : c.kind === "boolean" && value ? (value === "true" ? t.common.yes : t.common.no) : value;
        },
      })),
      { key: "modified", title: (t) => t.file.modified, text: (d, f) => f.dateTime(d.modified), width: "168px", brief: "side" },
    ];
  },
  Preview: SitePreview,
  About,
  save: (p, s: Selection) => {
    const chosen = s.items ?? (s.folder ? [s.folder.id] : undefined);
    return { method: "POST", path: `/holdfast/v1/RestoreSessions/${p.session}/Containers/${enc(p.container.id)}/Items/save`, body: chosen ? { items: chosen } : {}, name: chosen?.length === 1 && !s.folder ? "item" : "site.zip" };
  },
  command: (p: Place, s: Selection, target: Target) => {
    const parts = ["holdfast restore", `--site ${quote(p.container.address || p.container.name)}`];
    if (s.items) parts.push(...s.items.slice(0, 5).map((id) => `--id ${quote(id)}`), ...(s.items.length > 5 ? ["…"] : []));
    else if (s.folder) parts.push(`--id ${quote(s.folder.id)}`);
    else parts.push("--all");
    if (target.place === "elsewhere" && target.user) parts.push(`--to ${quote(target.user)}`);
    if (target.overwrite) parts.push("--overwrite");
    return parts.join(" ");
  },
};
