import { Badge } from "@fluentui/react-components";
import { ArrowSync20Regular, Edit20Regular, PauseCircle20Regular, PlayCircle20Regular, ServerRegular } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Field, Input } from "@fluentui/react-components";
import { client, of, type Schemas } from "../../api/client";
import { proxiesQuery } from "../../api/queries";
import { useFormat } from "../../ui/format";
import { List } from "../../ui/list";
import { Empty, Page } from "../../ui/page";
import { FormPanel } from "../../ui/panel";
import type { Act } from "../../ui/script";
import { useText } from "../../ui/text/console";

export default function Proxies() {
  const { t } = useText();
  const f = useFormat();
  const queries = useQueryClient();
  const list = useQuery(proxiesQuery);
  const [selected, setSelected] = useState<Set<string>>(new Set());
  const [editing, setEditing] = useState(false);
  const [description, setDescription] = useState("");
  const [failed, setFailed] = useState<unknown>();
  const all = list.data ?? [];
  const chosen = all.filter((p) => selected.has(p.id ?? ""));
  const one = chosen.length === 1 ? chosen[0] : undefined;
  const resting = one?.maintenanceModeState === "Enabled";
  const run = async (what: () => Promise<unknown>) => {
    setFailed(undefined);
    try {
      await what();
      await queries.invalidateQueries({ queryKey: proxiesQuery.queryKey });
    } catch (cause) {
      setFailed(cause);
    }
  };
  const params = { params: { path: { proxyId: one?.id ?? "" } } };
  const need = { disabled: !one, why: t.common.chooseOne };
  const path = `/v8/Proxies/${one?.id ?? "PROXY"}`;
  const acts: Act[] = [
    { title: t.proxy.acts.list, command: "holdfast proxy list", method: "GET", path: "/v8/Proxies" },
    { title: t.proxy.acts.maintain, method: "POST", path: `${path}/maintenance/enable` },
    { title: t.proxy.acts.work, method: "POST", path: `${path}/maintenance/disable` },
  ];
  return (
    <Page
      title={t.pages.proxies}
      about={t.proxy.about}
      acts={acts}
      commands={[
        { key: "refresh", label: t.proxy.rescan, icon: <ArrowSync20Regular />, onClick: () => void run(() => of(client.POST("/v8/Proxies/Rescan", { body: {} }))) },
        resting
          ? { key: "work", label: t.proxy.work, icon: <PlayCircle20Regular />, onClick: () => void run(() => of(client.POST("/v8/Proxies/{proxyId}/maintenance/disable", { ...params, body: {} }))), ...need }
          : { key: "maintain", label: t.proxy.maintain, icon: <PauseCircle20Regular />, onClick: () => void run(() => of(client.POST("/v8/Proxies/{proxyId}/maintenance/enable", { ...params, body: {} }))), ...need },
        { key: "edit", label: t.common.edit, icon: <Edit20Regular />, onClick: () => { setDescription(one?.description ?? ""); setEditing(true); }, ...need },
      ]}
    >
      <List
        query={list}
        failed={failed}
        empty={<Empty icon={<ServerRegular />} title={t.proxy.empty} />}
        label={t.pages.proxies}
        rows={all}
        rowKey={(p) => p.id ?? ""}
        rowName={(p) => p.hostName ?? ""}
        selected={selected}
        onSelect={setSelected}
        columns={[
          { key: "name", title: t.proxy.name, render: (p) => p.hostName, sort: (p) => p.hostName ?? "" },
          { key: "type", title: t.proxy.type, render: (p) => (p.type === "Local" ? t.proxy.local : t.proxy.remote) },
          { key: "status", title: t.session.status, render: (p) => <Badge appearance="tint" color={p.status === "Online" ? "success" : "danger"}>{p.status === "Online" ? t.proxy.online : t.proxy.offline}</Badge> },
          { key: "mode", title: t.proxy.mode, render: (p) => (p.maintenanceModeState === "Enabled" ? t.proxy.resting : t.proxy.working) },
          { key: "cpu", title: t.proxy.cpu, end: true, render: (p) => `${f.number(Math.round(p.cpuUsagePercent ?? 0))} %`, wide: true },
          { key: "memory", title: t.proxy.memory, end: true, render: (p) => `${f.number(Math.round(p.memoryUsagePercent ?? 0))} %`, wide: true },
          { key: "version", title: t.proxy.version, render: (p) => p.version, wide: true },
          { key: "description", title: t.common.description, render: (p) => p.description, wide: true },
        ]}
      />
      {editing && one && (
        <FormPanel title={t.proxy.edit(one.hostName ?? "")} submit={t.common.save} onClose={() => setEditing(false)} save={async () => {
          await of(client.PUT("/v8/Proxies/{proxyId}", { ...params, body: { description } as Schemas["RESTProxyFromClient"] }));
          await queries.invalidateQueries({ queryKey: proxiesQuery.queryKey });
        }}>
          <Field label={t.common.description}>
            <Input value={description} onChange={(_, d) => setDescription(d.value)} />
          </Field>
        </FormPanel>
      )}
    </Page>
  );
}
