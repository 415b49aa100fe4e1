import { Button, Field, Input, makeStyles, Select, tokens } from "@fluentui/react-components";
import { Add20Regular, Copy20Regular, Delete20Regular, KeyRegular } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { own } from "../../api/client";
import { keysQuery } from "../../api/queries";
import { useFormat } from "../../ui/format";
import { List } from "../../ui/list";
import { Empty, Note, Page } from "../../ui/page";
import { Confirm, FormPanel, Panel } from "../../ui/panel";
import { quote, type Act } from "../../ui/script";
import { useText } from "../../ui/text/console";
import { roleName, roles } from "../user/page";

const useStyles = makeStyles({ secret: { fontFamily: tokens.fontFamilyMonospace, overflowWrap: "anywhere", padding: "12px", backgroundColor: tokens.colorNeutralBackground3, borderRadius: tokens.borderRadiusMedium, margin: "12px 0" } });

export default function ApiKeys() {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const queries = useQueryClient();
  const list = useQuery(keysQuery);
  const [selected, setSelected] = useState<Set<string>>(new Set());
  const [open, setOpen] = useState<"add" | "remove">();
  const [made, setMade] = useState<string>();
  const all = list.data ?? [];
  const chosen = all.filter((k) => selected.has(k.id));
  const again = () => queries.invalidateQueries({ queryKey: keysQuery.queryKey });
  const acts: Act[] = [
    { title: t.key.acts.list, command: "holdfast api-key list", method: "GET", path: "/holdfast/v1/api-keys" },
    { title: t.key.acts.add, command: "holdfast api-key add monitoring --role Auditor --days 366 --out key.txt", method: "POST", path: "/holdfast/v1/api-keys", body: { name: "monitoring", role: "Auditor", expires: "2027-12-31T00:00:00Z" } },
    { title: t.key.acts.remove, command: `holdfast api-key remove ${quote(chosen[0]?.name ?? "NAME")}`, method: "DELETE", path: `/holdfast/v1/api-keys/${chosen[0]?.id ?? "KEY"}` },
  ];
  return (
    <Page
      title={t.pages.keys}
      about={t.key.about}
      acts={acts}
      commands={[
        { key: "add", label: t.key.add, icon: <Add20Regular />, onClick: () => setOpen("add") },
        { key: "remove", label: t.key.revoke, icon: <Delete20Regular />, onClick: () => setOpen("remove"), disabled: chosen.length === 0, why: t.common.choose },
      ]}
    >
      <List
        query={list}
        empty={
          <Empty icon={<KeyRegular />} title={t.key.empty} action={<Button appearance="primary" onClick={() => setOpen("add")}>{t.key.add}</Button>}>
            {t.key.emptyAbout}
          </Empty>
        }
        label={t.pages.keys}
        rows={all}
        rowKey={(k) => k.id}
        rowName={(k) => k.name}
        selected={selected}
        onSelect={setSelected}
        first={{ key: "name" }}
        columns={[
          { key: "name", title: t.user.name, sort: (k) => k.name, render: (k) => k.name },
          { key: "role", title: t.user.role, render: (k) => f.list((k.roles ?? (k.role ? [k.role] : [])).map((r) => roleName(t, r))) },
          { key: "created", title: t.user.created, render: (k) => f.date(k.created), wide: true },
          { key: "expires", title: t.key.expires, sort: (k) => k.expires ?? "", render: (k) => (k.expires ? f.date(k.expires) : t.common.never) },
          { key: "used", title: t.key.lastUsed, render: (k) => (k.lastUsed ? f.ago(k.lastUsed) : t.common.never), wide: true },
        ]}
      />
      {open === "add" && <Add onClose={() => setOpen(undefined)} onDone={async (secret) => { setMade(secret); await again(); }} />}
      {made !== undefined && (
        <Panel title={t.key.made} onClose={() => setMade(undefined)}>
          <Note intent="warning">{t.key.once}</Note>
          <div className={s.secret} tabIndex={0} aria-label={t.key.secret}>{made}</div>
          <Button icon={<Copy20Regular />} onClick={() => void navigator.clipboard.writeText(made)}>{t.script.copy}</Button>
        </Panel>
      )}
      {open === "remove" && (
        <Confirm
          title={t.key.removeTitle(f.list(chosen.map((k) => k.name)))}
          action={t.key.revoke}
          onClose={() => setOpen(undefined)}
          run={async () => {
            for (const k of chosen) await own("DELETE", `/holdfast/v1/api-keys/${k.id}`);
            setSelected(new Set());
            await again();
          }}
        >
          {t.key.removeAbout}
        </Confirm>
      )}
    </Page>
  );
}

function Add({ onClose, onDone }: { onClose: () => void; onDone: (secret: string) => Promise<unknown> }) {
  const { t } = useText();
  const [name, setName] = useState("");
  const [role, setRole] = useState("Auditor");
  const [expires, setExpires] = useState(() => new Date(Date.now() + 365 * 86_400_000).toISOString().slice(0, 10));
  return (
    <FormPanel
      title={t.key.add}
      submit={t.key.create}
      onClose={onClose}
      save={async () => {
        const made = await own<{ key?: string; secret?: string }>("POST", "/holdfast/v1/api-keys", { name, role, expires: new Date(`${expires}T00:00:00Z`).toISOString() });
        await onDone(made.key ?? made.secret ?? "");
      }}
    >
      <Field label={t.user.name} hint={t.key.nameHint} required>
        <Input required value={name} onChange={(_, d) => setName(d.value)} />
      </Field>
      <Field label={t.user.role} hint={t.role.about[roles.find((r) => r === role) ?? "Auditor"]}>
        <Select value={role} onChange={(_, d) => setRole(d.value)}>
          {roles.map((r) => (
            <option key={r} value={r}>
              {t.role[r]}
            </option>
          ))}
        </Select>
      </Field>
      <Field label={t.key.expires} required>
        <Input type="date" required value={expires} min={new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)} onChange={(_, d) => setExpires(d.value)} />
      </Field>
    </FormPanel>
  );
}
