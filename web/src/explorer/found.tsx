import { Badge, makeStyles, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { pathOf } from "../ui/path";
import { useFormat, type Format } from "../ui/format";
import { Loading, Problem } from "../ui/page";
import { useText, type Text } from "../ui/text";
import { placeOf, type Hit } from "./search";
import { Shown } from "./shown";

const useStyles = makeStyles({
  name: { fontSize: tokens.fontSizeBase500, lineHeight: tokens.lineHeightBase500, margin: "0 0 8px", overflowWrap: "anywhere" },
  facts: { display: "grid", gridTemplateColumns: "fit-content(36%) 1fr", gap: "4px 14px", margin: "0 0 12px" },
  dt: { color: tokens.colorNeutralForeground2, overflowWrap: "anywhere", hyphens: "auto" },
  dd: { margin: 0, overflowWrap: "anywhere" },
  snippet: { margin: "0 0 12px", padding: "8px 10px", borderLeft: `3px solid ${tokens.colorNeutralStroke1}`, overflowWrap: "anywhere" },
});

// pointsOf says in which restore points a hit is, by days; the preview has the times.
export function pointsOf(h: Hit, f: Format, t: Text): string {
  const points = t.found.fromTo(f.date(h.found.firstPoint.time), f.date(h.found.lastPoint.time));
  return h.found.deleted ? `${points} ${t.found.gone}` : points;
}

// whatOf says what a hit is.
export function whatOf(h: Hit, t: Text): string {
  if (h.found.kind === "post" && h.found.container.kind === "chat") return t.found.message;
  return t.found.kinds[h.found.kind as "mail"] ?? h.found.kind;
}

// useHitSession opens the session that shows a hit; what it is used for twice is opened once.
export function useHitSession(hit: Hit | undefined, sessionOf: (h: Hit) => Promise<string>) {
  return useQuery({ queryKey: ["search-session", hit?.id], queryFn: () => (hit ? sessionOf(hit) : ""), enabled: hit !== undefined && hit.found.kind !== "folder", staleTime: Infinity, gcTime: 0 });
}

// HitPreview shows what was found, with its contents as the newest restore point that has it shows them.
export function HitPreview({ hit, sessionOf }: { hit: Hit; sessionOf: (h: Hit) => Promise<string> }) {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const h = hit.found;
  const { name, address } = h.container;
  const session = useHitSession(hit, sessionOf);
  // People and the time of an item are called otherwise in each kind.
  const words: Record<string, [string, string, string]> = { mail: [t.mail.from, t.mail.to, t.mail.received], post: [t.mail.from, t.mail.to, t.post.time], event: [t.mail.organizer, t.mail.to, t.mail.begin], contact: [t.mail.from, t.mail.address, t.file.modified] };
  const [from, to, time] = words[h.kind] ?? [t.file.by, t.mail.to, t.file.modified];
  const facts: [string, string | undefined][] = [
    [t.found.kind, whatOf(hit, t)], [from, h.from], [to, h.to], [t.mail.cc, h.cc], [time, f.dateTime(h.time)], [t.found.owner, `${name}${address && address !== name ? ` (${address})` : ""}`], [t.found.folder, pathOf(h.folder)],
    [t.file.size, h.kind === "mail" || h.kind === "file" ? f.bytes(h.size) : undefined], [t.found.points, t.found.fromTo(f.dateTime(h.firstPoint.time), f.dateTime(h.lastPoint.time))],
  ];
  return (
    <article>
      <h2 className={s.name}>
        {hit.name || t.mail.noSubject} {h.deleted && <Badge appearance="tint" color="warning">{t.found.deleted}</Badge>}
      </h2>
      <dl className={s.facts}>
        {facts.filter(([, value]) => value).map(([term, value]) => [
          <dt key={term} className={s.dt}>{term}</dt>,
          <dd key={`${term}d`} className={s.dd}>{value}</dd>,
        ])}
      </dl>
      {h.snippet && <p className={s.snippet}>{h.snippet}</p>}
      <Problem error={session.error} />
      {session.isFetching && <Loading />}
      {session.data && <Shown place={placeOf(hit, session.data)} item={{ id: hit.itemId, name: hit.name }} />}
    </article>
  );
}
