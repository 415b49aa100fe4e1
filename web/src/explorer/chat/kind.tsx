import { ChatMultipleRegular, ChatRegular, PeopleRegular, VideoRegular } from "@fluentui/react-icons";
import { client, of } from "../../api/client";
import { quote } from "../../ui/script";
import type { Kind } from "../kind";
import { at, columns, items, pathOf, postOf, type Post } from "../team/kind";
import { AboutTeams, PostPreview } from "../team/preview";
import { Options } from "./options";

const root = "chat"; // the item that a chat itself is

// chats are those of Microsoft Teams: each is a container whose messages are listed as posts are.
export const chats: Kind<Post> = {
  type: "Chats",
  icon: <ChatMultipleRegular />,
  containerIcon: (c) => (c?.holds === "oneOnOne" ? <ChatRegular /> : c?.holds === "meeting" ? <VideoRegular /> : <PeopleRegular />),
  title: (t) => t.kind.chats,
  named: true,
  items: "post",
  flag: "--chat",
  keepsBoth: false,
  Options,
  containers: async (session, signal) => {
    const page = await of(client.GET("/holdfast/v1/RestoreSessions/{restoreSessionId}/Containers", { params: { path: { restoreSessionId: session }, query: { limit: 10_000 } }, signal }));
    // The address of a chat with a topic has who is in it behind the topic.
    return page.results.map((c) => ({ id: c.id, name: c.name, address: c.address, about: c.address.startsWith(`${c.name} (`) ? c.address.slice(c.name.length + 2, -1) : "", holds: c.membership ?? "group" }));
  },
  folders: async () => [],
  page: async (p, query, offset, limit, signal) => {
    const page = await of(client.GET(items, { params: { path: pathOf(p), query: { kinds: "post", sort: "time", offset, limit, ...(query ? { query } : { parentId: "root" }) } }, signal }));
    return page.results.map(postOf);
  },
  of: postOf,
  folderOf: async () => undefined,
  columns: columns.filter((c) => c.key !== "replies"),
  Preview: PostPreview,
  About: ({ place }) => <AboutTeams place={place} whole={root} />,
  save: (p, s) => ({ method: "POST", path: `${at(p)}/save`, body: s.items ? { items: s.items } : {}, name: s.items?.length === 1 ? "message.json" : "chat.zip" }),
  asPage: (p, s) => ({ method: "POST", path: `${at(p)}/save`, body: { ...(s.items ? { items: s.items } : {}), page: true }, name: "chat.html" }),
  command: (p, s, target) => {
    const parts = ["holdfast restore", `--chat ${quote(p.container.name)}`];
    if (s.items) parts.push(...s.items.slice(0, 5).map((id) => `--id ${quote(id)}`), ...(s.items.length > 5 ? ["…"] : []));
    else parts.push("--all");
    if (target.more?.newChat) parts.push("--new-chat", ...(target.more.topic ? [`--topic ${quote(target.more.topic)}`] : []));
    if (target.overwrite) parts.push("--overwrite");
    return parts.join(" ");
  },
};
