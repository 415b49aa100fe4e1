import { makeStyles, SearchBox, tokens } from "@fluentui/react-components";
import { ChevronRight20Regular, Folder20Regular, Person20Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { Loading, Problem } from "../ui/page";
import { useText } from "../ui/text";
import type { Container, Item, Kind, Place } from "./kind";

const shownAtOnce = 200;

const useStyles = makeStyles({
  search: { width: "calc(100% - 24px)", margin: "8px 12px", maxWidth: "none" },
  list: { listStyle: "none", margin: 0, padding: 0 },
  row: {
    display: "flex", alignItems: "center", gap: "12px", width: "100%", minHeight: "48px", padding: "4px 12px", font: "inherit", textAlign: "left", color: "inherit", background: "none", border: "none",
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, cursor: "pointer", ":hover": { backgroundColor: tokens.colorNeutralBackground1Hover, color: tokens.colorNeutralForeground1Hover },
    ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: "-2px" },
  },
  name: { flexGrow: 1, overflowWrap: "anywhere" },
  icon: { display: "flex", fontSize: "20px", flexShrink: 0 },
  about: { display: "block", color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  more: { padding: "4px 12px", color: tokens.colorNeutralForeground2 },
});

function Row({ icon, name, about, onClick }: { icon: ReactElement; name: string; about?: string | undefined; onClick: () => void }) {
  const s = useStyles();
  return (
    <li>
      <button type="button" className={s.row} onClick={onClick}>
        <span className={s.icon}>{icon}</span>
        <span className={s.name}>
          {name}
          {about && <span className={s.about}>{about}</span>}
        </span>
        <ChevronRight20Regular className={s.icon} aria-hidden />
      </button>
    </li>
  );
}

// Containers is the first level of a session on a phone.
export function Containers({ kind, all, onGo }: { kind: Kind<Item>; all: Container[]; onGo: (c: Container) => void }) {
  const s = useStyles();
  const { t } = useText();
  const [text, setText] = useState("");
  const wanted = text.toLowerCase();
  const found = all.filter((c) => (wanted || !c.below) && (c.name.toLowerCase().includes(wanted) || c.address.toLowerCase().includes(wanted)));
  return (
    <>
      {all.length > 8 && <SearchBox className={s.search} value={text} placeholder={t.explore.findUser} aria-label={t.explore.findUser} onChange={(_, d) => setText(d.value)} />}
      <ul className={s.list} aria-label={t.explore.tree}>
        {found.slice(0, shownAtOnce).map((c) => (
          <Row key={c.id} icon={kind.containerIcon?.(c) ?? <Person20Regular aria-hidden />} name={c.name} about={c.about} onClick={() => onGo(c)} />
        ))}
      </ul>
      {found.length > shownAtOnce && <div className={s.more}>{t.explore.narrow(found.length - shownAtOnce)}</div>}
      {found.length === 0 && <div className={s.more}>{t.common.nothingFound}</div>}
    </>
  );
}

// Folders are those of a place on a phone, one level at a time. Where there are none it shows nothing.
export function Folders({ kind, containers, place, onGo }: { kind: Kind<Item>; containers: Container[]; place: Place; onGo: (p: Place) => void }) {
  const s = useStyles();
  const { t } = useText();
  const { data, error, isPending, refetch } = useQuery({ queryKey: ["folders", place.session, place.container.id, place.folder?.id], queryFn: ({ signal }) => kind.folders(place, signal), staleTime: Infinity });
  if (isPending) return <Loading />;
  if (error) return <Problem error={error} onRetry={() => void refetch()} />;
  const below = place.folder ? [] : containers.filter((c) => c.below === place.container.id);
  if (data.length + below.length === 0) return null;
  return (
    <ul className={s.list} aria-label={t.explore.folders}>
      {below.map((c) => (
        <Row key={c.id} icon={kind.containerIcon?.(c) ?? <Person20Regular aria-hidden />} name={c.name} about={c.about} onClick={() => onGo({ session: place.session, container: c })} />
      ))}
      {data.map((f) => (
        <Row key={f.id} icon={kind.folderIcon?.(f) ?? <Folder20Regular aria-hidden />} name={kind.folderName?.(f, t) ?? f.name} onClick={() => onGo({ ...place, folder: f })} />
      ))}
    </ul>
  );
}
