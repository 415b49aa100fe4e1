import { makeStyles, SearchBox, tokens, Tree as FluentTree, TreeItem, TreeItemLayout } from "@fluentui/react-components";
import { FolderRegular, PersonRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Busy } from "../ui/busy";
import { Problem } from "../ui/page";
import { useText } from "../ui/text";
import type { Container, Folder, Item, Kind, Place } from "./kind";

const shownAtOnce = 200;

const useStyles = makeStyles({
  root: { padding: "8px 4px" },
  search: { width: "calc(100% - 8px)", margin: "0 4px 8px", maxWidth: "none" },
  more: { padding: "4px 12px", color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  hidden: { fontStyle: "italic" },
  here: { backgroundColor: tokens.colorNeutralBackground1Selected, color: tokens.colorNeutralForeground1Selected, fontWeight: tokens.fontWeightSemibold },
});

// Tree has the containers of a session with their folders, which are asked for when they are opened. A session's only container is open.
export function Tree({ kind, session, containers, place, onGo }: { kind: Kind<Item>; session: string; containers: Container[]; place: Place | undefined; onGo: (p: Place) => void }) {
  const s = useStyles();
  const { t } = useText();
  const [text, setText] = useState("");
  const [open, setOpen] = useState(() => new Set(containers.length === 1 ? containers.map((c) => c.id) : []));
  const wanted = text.toLowerCase();
  const found = wanted ? containers.filter((c) => c.name.toLowerCase().includes(wanted) || c.address.toLowerCase().includes(wanted)) : containers.filter((c) => !c.below);
  const shown = found.slice(0, shownAtOnce);
  return (
    <div className={s.root}>
      {containers.length > 8 && <SearchBox size="small" className={s.search} value={text} placeholder={t.explore.findUser} aria-label={t.explore.findUser} onChange={(_, d) => setText(d.value)} />}
      <FluentTree aria-label={t.explore.tree} size="small" openItems={open} onOpenChange={(_, d) => setOpen(new Set(d.openItems as Iterable<string>))}>
        {shown.map((c) => (
          <Node key={c.id} kind={kind} session={session} containers={containers} container={c} place={place} onGo={onGo} open={open} path={c.id} />
        ))}
      </FluentTree>
      {found.length > shown.length && <div className={s.more}>{t.explore.narrow(found.length - shown.length)}</div>}
      {found.length === 0 && <div className={s.more}>{t.common.nothingFound}</div>}
    </div>
  );
}

function Node({ kind, session, containers, container, folder, place, onGo, open, path }: {
  kind: Kind<Item>;
  session: string;
  containers: Container[];
  container: Container;
  folder?: Folder;
  place: Place | undefined;
  onGo: (p: Place) => void;
  open: Set<string>;
  path: string;
}) {
  const s = useStyles();
  const { t } = useText();
  const here: Place = { session, container, ...(folder ? { folder } : {}) };
  const isOpen = open.has(path);
  const { data, error, isFetching } = useQuery({ queryKey: ["folders", session, container.id, folder?.id], enabled: isOpen, queryFn: ({ signal }) => kind.folders(here, signal), staleTime: Infinity });
  const below = folder ? [] : containers.filter((c) => c.below === container.id);
  const leaf = folder?.leaf === true || (data?.length === 0 && below.length === 0);
  const name = folder && (kind.folderName?.(folder, t) ?? folder.name);
  const current = place?.container.id === container.id && place.folder?.id === folder?.id;
  return (
    <TreeItem itemType={leaf ? "leaf" : "branch"} value={path} onClick={() => onGo(here)} aria-selected={current}>
      <TreeItemLayout className={current ? s.here : undefined} iconBefore={folder ? kind.folderIcon?.(folder) ?? <FolderRegular /> : kind.containerIcon?.(container) ?? <PersonRegular />} aside={isFetching ? <Busy size="extra-tiny" /> : null} title={folder ? name : container.address}>
        <span className={folder?.hidden ? s.hidden : undefined}>{folder ? name : container.name}</span>
      </TreeItemLayout>
      {!leaf && (
        <FluentTree>
          {error ? <Problem error={error} /> : null}
          {below.map((c) => (
            <Node key={c.id} kind={kind} session={session} containers={containers} container={c} place={place} onGo={onGo} open={open} path={`${path}/${c.id}`} />
          ))}
          {(data ?? []).map((f) => (
            <Node key={f.id} kind={kind} session={session} containers={containers} container={container} folder={f} place={place} onGo={onGo} open={open} path={`${path}/${f.id}`} />
          ))}
          {!data && !error && <TreeItem itemType="leaf" value={`${path}/…`}><TreeItemLayout>{t.common.loading}</TreeItemLayout></TreeItem>}
        </FluentTree>
      )}
    </TreeItem>
  );
}
