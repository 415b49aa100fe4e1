import { Badge, Button, makeStyles, tokens } from "@fluentui/react-components";
import { ArrowDownload20Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { use, useState } from "react";
import { client, download, of } from "../../api/client";
import { Address } from "../../ui/address";
import { useFormat } from "../../ui/format";
import { Loading, Note, Problem } from "../../ui/page";
import { DataTable } from "../../ui/table";
import { useText } from "../../ui/text";
import type { Place } from "../kind";
import { MaySave } from "../rights";
import { Shown } from "../shown";
import { Versions } from "../site/versions";
import { at, items, pathOf, titleOf, type Post } from "./kind";
import { useTeamText } from "./text";

const useStyles = makeStyles({
  name: { fontSize: tokens.fontSizeBase500, lineHeight: tokens.lineHeightBase500, margin: "0 0 8px", overflowWrap: "anywhere" },
  // A post without a subject is called as it begins, which the frame below shows whole.
  post: { fontSize: tokens.fontSizeBase400, lineHeight: tokens.lineHeightBase400, margin: "0 0 8px", overflowWrap: "anywhere", display: "-webkit-box", WebkitBoxOrient: "vertical", WebkitLineClamp: 2, overflow: "hidden" },
  h: { fontSize: tokens.fontSizeBase400, margin: "16px 0 4px" },
  about: { color: tokens.colorNeutralForeground2, margin: "0 0 8px", overflowWrap: "anywhere", display: "flex", flexWrap: "wrap", gap: "4px 8px", alignItems: "center" },
  bar: { margin: "8px 0" },
  wrap: { overflowWrap: "anywhere" },
});

// PostPreview shows a post with its replies, a tab, or a file with its versions.
export function PostPreview({ place: p, item: d }: { place: Place; item: Post }) {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const w = useTeamText();
  const post = d.kind === "post";
  return (
    <article>
      <h2 className={post ? s.post : s.name}>{titleOf(d, t)}</h2>
      <p className={s.about}>
        {d.kind === "file" ? t.file.changed(f.dateTime(d.time), d.from, f.bytes(d.size)) : d.kind === "tab" ? w.what.tab : [d.from, f.dateTime(d.time)].filter(Boolean).join(", ")}
        {post && d.replies > 0 && <Badge appearance="tint" color="informative">{w.replies(f.number(d.replies))}</Badge>}
        {d.reply && <Badge appearance="tint" color="informative">{w.reply}</Badge>}
        {d.edited && <Badge appearance="tint" color="informative">{w.edited}</Badge>}
        {d.withdrawn && <Badge appearance="tint" color="warning">{w.deleted}</Badge>}
        {d.event && <Badge appearance="tint" color="informative">{w.event}</Badge>}
      </p>
      {d.withdrawn && <Note>{w.deletedAbout}</Note>}
      <Shown place={p} item={d} />
      {d.kind === "file" && <Versions place={p} item={d} />}
    </article>
  );
}

// Members are who is in a team, a channel or a chat.
export function Members({ place: p, item }: { place: Place; item: string }) {
  const s = useStyles();
  const f = useFormat();
  const w = useTeamText();
  const { data, error, isPending } = useQuery({
    queryKey: ["access", p.session, p.container.id, item],
    queryFn: ({ signal }) => of(client.GET(`${items}/{itemId}/Permissions`, { params: { path: { ...pathOf(p), itemId: item } }, signal })),
    staleTime: Infinity,
  });
  return (
    <section aria-label={w.members}>
      <h3 className={s.h}>{w.members}</h3>
      <Problem error={error} />
      {isPending && <Loading />}
      {data && data.grants.length === 0 && <p className={s.about}>{w.nobody}</p>}
      {data && data.grants.length > 0 && (
        <>
          {!data.own && <p className={s.about}>{w.memberOf(data.from)}</p>}
          <DataTable
            label={w.members}
            rows={data.grants.map((g, n) => ({ ...g, n }))}
            rowKey={(g) => String(g.n)}
            columns={[
              { key: "who", title: w.who, render: (g) => <span className={s.wrap}>{g.who}{g.address && g.address !== g.who && <><br /><Address>{g.address}</Address></>}</span> },
              { key: "role", title: w.role, render: (g) => f.list(g.roles.map((r) => w.roles[r] ?? r)) },
            ]}
          />
        </>
      )}
    </section>
  );
}

// About tells of a team, a channel or a chat: what it is for, who is in it. Folders of files have nothing to tell. whole: the item that a container without a folder is.
export function AboutTeams({ place: p, whole }: { place: Place; whole: string }) {
  const s = useStyles();
  const { t } = useText();
  const w = useTeamText();
  const saving = use(MaySave);
  const [failed, setFailed] = useState<unknown>();
  const folder = p.folder;
  const told = !folder || ["standard", "private", "shared"].includes(folder.holds ?? "");
  const posts = folder ?? (whole === "chat" ? { id: whole } : undefined);
  const save = () => posts && void download(`${at(p)}/save`, { items: [posts.id], page: true }, `${folder?.name ?? p.container.name}.html`).catch(setFailed);
  return (
    <article>
      <h2 className={s.name}>{folder?.holds === "files" ? t.post.files : folder?.holds === "tabs" ? t.post.tabs : (folder?.name ?? p.container.name)}</h2>
      {told && <Shown place={p} item={{ id: folder?.id ?? whole, name: folder?.name ?? p.container.name }} />}
      <Problem error={failed} />
      {told && posts && saving && <div className={s.bar}><Button icon={<ArrowDownload20Regular />} onClick={save}>{whole === "chat" ? w.saveChat : w.savePosts}</Button></div>}
      <p className={s.about}>{w.chooseItem}</p>
      {told && <Members place={p} item={folder?.id ?? whole} />}
    </article>
  );
}

export const About = ({ place }: { place: Place }) => <AboutTeams place={place} whole="team" />;
