import { ChatRegular, DocumentRegular, LockClosedRegular, NumberSymbolRegular, PeopleTeamRegular, PersonArrowRightRegular, TabDesktopRegular } from "@fluentui/react-icons";
import { client, enc, of } from "../../api/client";
import { quote } from "../../ui/script";
import type { Text } from "../../ui/text";
import { folderId, type Item, type Kind, type Place, type Selection, type Shape, type Target } from "../kind";
import { Options } from "./options";
import { About, PostPreview } from "./preview";

// Post is what a channel has: a post, a tab, or a file in its files.
export interface Post extends Item {
  kind: string;
  from: string;
  time: string | undefined;
  size: number;
  replies: number;
  reply: boolean;
  event: boolean;
  withdrawn: boolean;
  edited: boolean;
  app: string;
}

export const postOf = (i: Shape): Post => ({
  id: i.id, name: i.name, deleted: i.deleted === true, kind: i.kind, from: i.from || i.editor || (i.kind === "file" ? (i.author ?? "") : ""), time: i.time, size: i.size, replies: i.replies ?? 0, reply: i.replyTo !== undefined, event: i.event === true, withdrawn: i.withdrawn === true,
  edited: i.edited === true, app: i.app ?? "",
});

// titleOf is how a post begins; the server's words for what says nothing are English.
export const titleOf = (p: Post, t: Text): string => (p.withdrawn ? t.post.withdrawn : p.event ? t.post.event : p.kind === "post" && p.name === "(no text)" ? t.post.nothing : p.name);

export const items = "/holdfast/v1/RestoreSessions/{restoreSessionId}/Containers/{containerId}/Items" as const;
export const pathOf = (p: Place) => ({ restoreSessionId: p.session, containerId: p.container.id });
export const at = (p: Place) => `/holdfast/v1/RestoreSessions/${p.session}/Containers/${enc(p.container.id)}/Items`;

export const columns: Kind<Post>["columns"] = [
  { key: "from", title: (t) => t.post.from, text: (p) => p.from, width: "minmax(100px, 0.8fr)", brief: "head" },
  { key: "text", title: (t) => t.post.text, text: (p, _, t) => `${p.reply ? "↳ " : ""}${titleOf(p, t)}`, width: "minmax(160px, 2fr)", brief: "line" },
  { key: "time", title: (t) => t.post.time, text: (p, f) => f.dateTime(p.time), width: "168px", brief: "side" },
  { key: "replies", title: (t) => t.post.replies, text: (p, f) => (p.replies > 0 ? f.number(p.replies) : ""), width: "92px", end: true },
];

const tabs: Kind<Post>["columns"] = [
  { key: "tab", title: (t) => t.post.tab, text: (p) => p.name, width: "minmax(140px, 1.4fr)", brief: "head" },
  { key: "app", title: (t) => t.post.app, text: (p) => p.app, width: "minmax(120px, 1fr)", brief: "line" },
];

const files: Kind<Post>["columns"] = [
  { key: "name", title: (t) => t.file.name, text: (p) => p.name, width: "minmax(140px, 2fr)", brief: "head" },
  { key: "modified", title: (t) => t.file.modified, text: (p, f) => f.dateTime(p.time), width: "168px", brief: "line" },
  { key: "by", title: (t) => t.file.by, text: (p) => p.from, width: "minmax(112px, 0.8fr)", wide: true },
  { key: "size", title: (t) => t.file.size, text: (p, f) => f.bytes(p.size), width: "90px", end: true, brief: "side" },
];

const channels = ["standard", "private", "shared"];

const tabsOf = (channel: string) => ({ id: `${channel} tabs`, of: channel, name: "", holds: "tabs", items: "tab", leaf: true });

// itemsAt are the kinds of a list: a channel has posts, its files files; a search finds all of a place.
const itemsAt = (p: Place, query: string): string => p.folder?.items ?? (query ? "post,tab,file" : p.folder && channels.includes(p.folder.holds ?? "") ? "post" : "file");

export const teams: Kind<Post> = {
  type: "Vet",
  icon: <PeopleTeamRegular />,
  containerIcon: () => <PeopleTeamRegular />,
  folderIcon: (f) => (f.holds === "private" ? <LockClosedRegular /> : f.holds === "shared" ? <PersonArrowRightRegular /> : f.holds === "standard" ? <NumberSymbolRegular /> : f.holds === "tabs" ? <TabDesktopRegular /> : f.holds === "files" ? <DocumentRegular /> : f.holds === "posts" ? <ChatRegular /> : undefined),
  title: (t) => t.kind.teams,
  named: true,
  items: "post,tab,file",
  flag: "--team",
  keepsBoth: true,
  Options,
  containers: async (session, signal) => {
    const page = await of(client.GET("/holdfast/v1/RestoreSessions/{restoreSessionId}/Containers", { params: { path: { restoreSessionId: session }, query: { limit: 10_000 } }, signal }));
    return page.results.map((c) => ({ id: c.id, name: c.name, address: c.address, owner: c.owner }));
  },
  // A team has channels and the library that holds their files; the part of it that is a channel's is shown in that, too.
  folders: async (p, signal) => {
    if (p.folder?.of) return [];
    const path = pathOf(p);
    const below = async (parent: string, kinds: string, limit: number) => (await of(client.GET(items, { params: { path, query: { kinds, sort: "name", limit, parentId: parent } }, signal }))).results;
    if (!p.folder) {
      const all = await below("root", "folder", 10_000);
      return [
        ...all.filter((f) => f.special === "channel").map((f) => ({ id: f.id, name: f.name, holds: f.membership ?? "standard" })),
        ...all.filter((f) => f.special !== "channel").map((f) => ({ id: f.id, name: f.name, holds: "files" })),
      ];
    }
    if (!channels.includes(p.folder.holds ?? "")) return (await below(p.folder.id, "folder", 10_000)).map((f) => ({ id: f.id, name: f.name }));
    const { filesId } = await of(client.GET(`${items}/{itemId}`, { params: { path: { ...path, itemId: p.folder.id } }, signal }));
    const [stored, some] = await Promise.all([filesId ? below(filesId, "folder,file", 1).then(() => true, () => false) : false, below(p.folder.id, "tab", 1)]); // a channel may never have had a file
    return [
      ...(stored && filesId ? [{ id: filesId, name: "", holds: "files" }] : []),
      ...(some.length > 0 ? [tabsOf(p.folder.id)] : []),
    ];
  },
  folderName: (f, t) => (f.holds === "files" ? t.post.files : f.holds === "tabs" ? t.post.tabs : undefined),
  itemsAt,
  page: async (p, query, offset, limit, signal) => {
    const kinds = itemsAt(p, query);
    const parent = p.folder ? folderId(p.folder) : "root";
    const page = await of(client.GET(items, { params: { path: pathOf(p), query: { kinds, sort: kinds === "post" || query ? "time" : "name", offset, limit, ...(query ? { query, ...(p.folder ? { parentId: parent } : {}) } : { parentId: parent }) } }, signal }));
    return page.results.map(postOf);
  },
  of: postOf,
  folderOf: async (found, get) => {
    const folder = (f: Shape) => (f.special === "team" ? undefined : { id: f.id, name: f.name, ...(f.special === "channel" ? { holds: f.membership ?? "standard" } : {}) });
    if (found.kind === "folder") return folder(found);
    let above = found.parentId ? await get(found.parentId) : undefined;
    if (above?.kind === "post" && above.parentId) above = await get(above.parentId); // a reply is shown where its post is
    return above && (found.kind === "tab" ? tabsOf(above.id) : folder(above));
  },
  columns,
  columnsAt: async (p) => (!p.folder || channels.includes(p.folder.holds ?? "") ? columns : p.folder.holds === "tabs" ? tabs : files),
  Preview: PostPreview,
  About,
  save: (p, s: Selection) => {
    const chosen = s.items ?? (s.folder ? [folderId(s.folder)] : undefined);
    return { method: "POST", path: `${at(p)}/save`, body: chosen ? { items: chosen } : {}, name: chosen?.length === 1 && !s.folder ? "item" : "team.zip" };
  },
  asPage: (p, s) => {
    const chosen = s.items ?? (s.folder ? [folderId(s.folder)] : []);
    return chosen.length > 0 && chosen.every((id) => id.startsWith("post.") || id.startsWith("channel.")) ? { method: "POST", path: `${at(p)}/save`, body: { items: chosen, page: true }, name: "posts.html" } : undefined;
  },
  command: (p: Place, s: Selection, target: Target) => {
    const parts = ["holdfast restore", `--team ${quote(p.container.address || p.container.name)}`];
    if (s.items) parts.push(...s.items.slice(0, 5).map((id) => `--id ${quote(id)}`), ...(s.items.length > 5 ? ["…"] : []));
    else if (s.folder) parts.push(`--id ${quote(folderId(s.folder))}`);
    else parts.push("--all");
    if (target.place === "elsewhere" && target.user) parts.push(`--to ${quote(target.user)}`);
    if (target.overwrite) parts.push("--overwrite");
    return parts.join(" ");
  },
};
