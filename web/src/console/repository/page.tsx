import { Button, ProgressBar } from "@fluentui/react-components";
import { Add20Regular, ArrowSyncCheckmark20Regular, Broom20Regular, DatabaseRegular, Delete20Regular, Edit20Regular, LockClosedKey20Regular } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { client, of, type Schemas } from "../../api/client";
import { overviewQuery, repositoriesQuery, type Repository } from "../../api/queries";
import { useFormat } from "../../ui/format";
import { List } from "../../ui/list";
import { Empty, Note, Page } from "../../ui/page";
import { Confirm, FormPanel, Panel } from "../../ui/panel";
import { quote, type Act } from "../../ui/script";
import { useText } from "../../ui/text/console";
import { addRepository, emptyRepository, keepOf, Kit, RepositoryFields, retentionOf } from "./form";

export default function Repositories() {
  const { t } = useText();
  const f = useFormat();
  const queries = useQueryClient();
  const list = useQuery(repositoriesQuery);
  const overview = useQuery(overviewQuery);
  const [selected, setSelected] = useState<Set<string>>(new Set());
  const [open, setOpen] = useState<"add" | "edit" | "kit" | "remove" | "retention">();
  const [said, setSaid] = useState("");
  const [failed, setFailed] = useState<unknown>();
  const all = list.data ?? [];
  const chosen = all.filter((r) => selected.has(r.id ?? ""));
  const one = chosen.length === 1 ? chosen[0] : undefined;
  const close = () => setOpen(undefined);
  const state = (r: Repository) => overview.data?.storage.find((x) => x.repositoryId === r.id);
  const need = { disabled: !one, why: t.common.chooseOne };
  const synchronize = async () => {
    setFailed(undefined);
    try {
      await of(client.POST("/v8/BackupRepositories/{repositoryId}/Sync", { params: { path: { repositoryId: one?.id ?? "" } } }));
      setSaid(t.repository.synchronizing);
      await queries.invalidateQueries();
    } catch (cause) {
      setFailed(cause);
    }
  };
  const path = `/v8/BackupRepositories/${one?.id ?? "REPOSITORY"}`;
  const own = path.replace("/v8", "/holdfast/v1");
  const name = quote(one?.name ?? "NAME");
  const acts: Act[] = [
    { title: t.repository.acts.list, command: "holdfast repo list", method: "GET", path: "/v8/BackupRepositories" },
    { title: t.repository.acts.add, command: "holdfast repo add NAME --path /srv/backup --keep 3y", method: "POST", path: "/v8/BackupRepositories", body: { name: "NAME", path: "/srv/backup", proxyId: all[0]?.proxyId ?? "PROXY", ...retentionOf("3y") } },
    { title: t.repository.acts.kit, command: `holdfast repo kit ${name} --out kit.age`, method: "POST", path: `${own}/RecoveryKit`, body: { passphrase: "PASSPHRASE" } },
    { title: t.repository.acts.keep, command: `holdfast repo set ${name} --keep 5y`, method: "PUT", path, body: retentionOf("5y") },
    { title: t.repository.acts.retention, method: "POST", path: `${own}/Retention` },
    { title: t.repository.acts.verify, command: `holdfast vault verify --data D --repository ${name}`, method: "POST", path: `${path}/Sync` },
  ];
  return (
    <Page
      title={t.pages.repositories}
      about={t.repository.about}
      acts={acts}
      commands={[
        { key: "add", label: t.repository.add, icon: <Add20Regular />, onClick: () => setOpen("add") },
        { key: "kit", label: t.repository.kit, icon: <LockClosedKey20Regular />, onClick: () => setOpen("kit"), ...need, divider: true },
        { key: "edit", label: t.common.edit, icon: <Edit20Regular />, onClick: () => setOpen("edit"), ...need },
        { key: "retention", label: t.repository.retain, icon: <Broom20Regular />, onClick: () => setOpen("retention"), ...need },
        { key: "sync", label: t.repository.synchronize, icon: <ArrowSyncCheckmark20Regular />, onClick: () => void synchronize(), ...need },
        { key: "remove", label: t.common.remove, icon: <Delete20Regular />, onClick: () => setOpen("remove"), ...need },
      ]}
    >
      {said && <Note intent="success">{said}</Note>}
      <List
        query={list}
        failed={failed}
        empty={
          <Empty icon={<DatabaseRegular />} title={t.repository.empty} action={<Button appearance="primary" onClick={() => setOpen("add")}>{t.repository.add}</Button>}>
            {t.repository.emptyAbout}
          </Empty>
        }
        label={t.pages.repositories}
        rows={all}
        rowKey={(r) => r.id ?? ""}
        rowName={(r) => r.name ?? ""}
        selected={selected}
        onSelect={setSelected}
        first={{ key: "name" }}
        columns={[
          { key: "name", title: t.repository.name, sort: (r) => r.name ?? "", render: (r) => r.name },
          { key: "path", title: t.repository.path, render: (r) => <code style={{ overflowWrap: "anywhere" }}>{r.path}</code>, wide: true },
          { key: "keep", title: t.repository.keeps, render: (r) => t.repository.period(keepOf(r)), whole: true },
          { key: "used", title: t.repository.used, end: true, whole: true, render: (r) => f.bytes(state(r)?.used.reduce((sum, u) => sum + u.usedSpaceBytes, 0)) },
          {
            key: "free", title: t.repository.free, width: "220px",
            render: (r) => {
              const capacity = r.capacityBytes ?? 0;
              if (capacity === 0) return t.repository.unreachable;
              const full = 1 - (r.freeSpaceBytes ?? 0) / capacity;
              return (
                <>
                  {t.repository.freeOf(f.bytes(r.freeSpaceBytes), f.bytes(capacity))}
                  <ProgressBar value={full} color={full > 0.95 ? "error" : full > 0.85 ? "warning" : "brand"} aria-label={t.home.fullness(r.name ?? "")} />
                </>
              );
            },
          },
          { key: "kit", title: t.repository.kitColumn, render: (r) => (state(r) ? (state(r)?.recoveryKitExported ? t.repository.exported : t.repository.notExported) : ""), wide: true },
        ]}
      />
      {open === "add" && <Edit onClose={close} />}
      {open === "edit" && one && <Edit repository={one} onClose={close} />}
      {open === "kit" && one && (
        <Panel title={t.repository.kitOf(one.name ?? "")} onClose={close}>
          <Kit id={one.id ?? ""} name={one.name ?? ""} />
        </Panel>
      )}
      {open === "retention" && one && (
        <Confirm
          title={t.repository.retain}
          action={t.repository.retain}
          onClose={close}
          run={async () => {
            await of(client.POST("/holdfast/v1/BackupRepositories/{repositoryId}/Retention", { params: { path: { repositoryId: one.id ?? "" } } }));
            setSaid(t.repository.retaining);
          }}
        >
          {t.repository.retainAbout(t.repository.period(keepOf(one)))}
        </Confirm>
      )}
      {open === "remove" && one && (
        <Confirm
          title={t.repository.removeTitle(one.name ?? "")}
          action={t.common.remove}
          onClose={close}
          run={async () => {
            await of(client.DELETE("/v8/BackupRepositories/{repositoryId}", { params: { path: { repositoryId: one.id ?? "" } } }));
            setSelected(new Set());
            await queries.invalidateQueries();
          }}
        >
          {t.repository.removeAbout}
        </Confirm>
      )}
    </Page>
  );
}

function Edit({ repository, onClose }: { repository?: Repository; onClose: () => void }) {
  const { t } = useText();
  const queries = useQueryClient();
  const [draft, setDraft] = useState(repository ? { name: repository.name ?? "", description: repository.description ?? "", path: repository.path ?? "", keep: keepOf(repository) } : emptyRepository);
  const save = async () => {
    if (repository)
      await of(client.PUT("/v8/BackupRepositories/{repositoryId}", { params: { path: { repositoryId: repository.id ?? "" } }, body: { name: draft.name, description: draft.description, ...retentionOf(draft.keep) } as Schemas["RESTBackupRepositoryFromClient"] }));
    else await addRepository(queries, draft);
    await queries.invalidateQueries();
  };
  return (
    <FormPanel title={repository ? t.repository.edit(repository.name ?? "") : t.repository.add} submit={repository ? t.common.save : t.repository.create} onClose={onClose} save={save}>
      {!repository && <Note>{t.repository.kitLater}</Note>}
      <RepositoryFields value={draft} onChange={setDraft} change={repository !== undefined} />
    </FormPanel>
  );
}
