import { Badge, Link, makeStyles, tokens } from "@fluentui/react-components";
import { Attach20Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, use } from "react";
import { client, enc, of } from "../api/client";
import { useFormat } from "../ui/format";
import { Loading, Note, Problem } from "../ui/page";
import { useSay } from "../ui/said";
import { useText } from "../ui/text";
import type { Item, Place } from "./kind";
import { MaySave } from "./rights";

const Card = lazy(() => import("./card/card"));

const useStyles = makeStyles({
  frame: { width: "100%", minHeight: "420px", height: "56vh", border: `1px solid ${tokens.colorNeutralStroke2}`, backgroundColor: "#ffffff", colorScheme: "light" },
  attachments: { display: "flex", flexWrap: "wrap", gap: "6px 16px", listStyle: "none", padding: 0, margin: "0 0 12px" },
  attachment: { display: "inline-flex", alignItems: "center", gap: "4px" },
  removed: { margin: "4px 0 0", paddingLeft: "20px" },
});

const path = "/holdfast/v1/RestoreSessions/{restoreSessionId}/Containers/{containerId}/Items/{itemId}" as const;
const at = (p: Place, item: Item) => `/holdfast/v1/RestoreSessions/${p.session}/Containers/${enc(p.container.id)}/Items/${enc(item.id)}`;

// Shown is the contents of an item as the server cleaned them. Those of a mail, a file or a page are a document of their own in a frame that allows nothing: no scripts,
// no forms, no other hosts; the server sends the same rules along.
export function Shown({ place: p, item }: { place: Place; item: Item }) {
  const s = useStyles();
  const { t, language } = useText();
  const f = useFormat();
  const say = useSay();
  const saving = use(MaySave);
  const { data, error, isPending } = useQuery({
    queryKey: ["preview", p.session, p.container.id, item.id],
    queryFn: ({ signal }) => of(client.GET(`${path}/Preview`, { params: { path: { restoreSessionId: p.session, containerId: p.container.id, itemId: item.id } }, signal })),
    staleTime: Infinity,
  });
  if (isPending) return <Loading />;
  if (error) return <Problem error={error} />;
  const attachments = (data.attachments ?? []).filter((a) => !a.inline);
  return (
    <>
      {data.kind === "card" && (
        <Suspense fallback={<Loading />}>
          <Card shown={data} />
        </Suspense>
      )}
      {attachments.length > 0 && (
        <ul className={s.attachments} aria-label={t.preview.attachments}>
          {attachments.map((a) => (
            <li key={a.number} className={s.attachment}>
              <Attach20Regular aria-hidden />
              {saving ? (
                <Link href={`${at(p, item)}/Attachments/${a.number}`} download={a.name}>
                  {a.name}
                </Link>
              ) : (
                a.name
              )}
              <Badge appearance="tint" color="informative">
                {f.bytes(a.size)}
              </Badge>
            </li>
          ))}
        </ul>
      )}
      {data.removed.length > 0 && (
        <Note title={t.preview.removed}>
          <ul className={s.removed}>
            {data.removed.map((r) => (
              <li key={r.what}>{t.preview.removedWhat(t.preview.what[r.what] ?? r.what, f.number(r.count))}</li>
            ))}
          </ul>
        </Note>
      )}
      {data.truncated && <Note>{t.preview.truncated}</Note>}
      {data._links?.body ? <iframe className={s.frame} sandbox="" referrerPolicy="no-referrer" src={`${at(p, item)}/Preview/Body${data.kind === "html" ? `#${language}` : ""}`} title={t.preview.contents(item.name)} /> : data.kind === "card" ? null : <Note>{data.why ? say(data.why, data.whySaid) === data.why ? t.preview.noneBecause(data.why) : say(data.why, data.whySaid) : t.preview.none}</Note>}
      {data.row && data.kind !== "card" && (
        <Suspense fallback={<Loading />}>
          <Card shown={data} />
        </Suspense>
      )}
    </>
  );
}
