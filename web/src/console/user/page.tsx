import { Badge, Field, Input, Select } from "@fluentui/react-components";
import { Add20Regular, Delete20Regular, Edit20Regular, Key20Regular, PeopleRegular, PersonProhibited20Regular, ShieldKeyhole20Regular } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { own } from "../../api/client";
import { sessionQuery, usersQuery } from "../../api/queries";
import type { LocalUser } from "../../api/session";
import { useFormat } from "../../ui/format";
import { List } from "../../ui/list";
import { Empty, Note, Page } from "../../ui/page";
import { Confirm, FormPanel } from "../../ui/panel";
import { quote, type Act } from "../../ui/script";
import { useText } from "../../ui/text/console";

export const roles = ["Owner", "BackupAdministrator", "StorageAdministrator", "Auditor", "RestoreOperator", "EndUser"] as const;

export default function Users() {
  const { t } = useText();
  const f = useFormat();
  const queries = useQueryClient();
  const me = useQuery(sessionQuery).data?.user.name;
  const list = useQuery(usersQuery);
  const [selected, setSelected] = useState<Set<string>>(new Set());
  const [open, setOpen] = useState<"add" | "edit" | "password" | "remove" | "factor">();
  const [failed, setFailed] = useState<unknown>();
  const all = list.data ?? [];
  const chosen = all.filter((u) => selected.has(u.id));
  const one = chosen.length === 1 ? chosen[0] : undefined;
  const close = () => setOpen(undefined);
  const again = () => queries.invalidateQueries({ queryKey: usersQuery.queryKey });
  const need = { disabled: !one, why: t.common.chooseOne };
  const path = `/holdfast/v1/users/${one?.id ?? "USER"}`;
  const toggle = async () => {
    setFailed(undefined);
    try {
      await own("PATCH", path, { disabled: !one?.disabled });
      await again();
    } catch (cause) {
      setFailed(cause);
    }
  };
  const name = quote(one?.name ?? "NAME");
  const acts: Act[] = [
    { title: t.user.acts.list, command: "holdfast user list", method: "GET", path: "/holdfast/v1/users" },
    { title: t.user.acts.add, command: "holdfast user add NAME --role Auditor --password-file password.txt", method: "POST", path: "/holdfast/v1/users", body: { name: "NAME", password: "PASSWORD", role: "Auditor" } },
    { title: t.user.acts.role, command: `holdfast user reset ${name} --role BackupAdministrator`, method: "PATCH", path, body: { role: "BackupAdministrator" } },
    { title: t.user.acts.password, command: `holdfast user reset ${name} --password-file password.txt`, method: "POST", path: `${path}/password`, body: { password: "PASSWORD" } },
    { title: t.user.acts.remove, command: `holdfast user remove ${name}`, method: "DELETE", path },
  ];
  return (
    <Page
      title={t.pages.users}
      about={t.user.about}
      acts={acts}
      commands={[
        { key: "add", label: t.user.add, icon: <Add20Regular />, onClick: () => setOpen("add") },
        { key: "edit", label: t.user.changeRole, icon: <Edit20Regular />, onClick: () => setOpen("edit"), ...need, divider: true },
        { key: "password", label: t.user.setPassword, icon: <Key20Regular />, onClick: () => setOpen("password"), ...need },
        { key: "factor", label: t.totp.reset, icon: <ShieldKeyhole20Regular />, onClick: () => setOpen("factor"), disabled: !one?.secondFactor, why: t.common.chooseOne },
        { key: "disable", label: one?.disabled ? t.user.enable : t.user.disable, icon: <PersonProhibited20Regular />, onClick: () => void toggle(), ...need },
        { key: "remove", label: t.common.remove, icon: <Delete20Regular />, onClick: () => setOpen("remove"), ...need },
      ]}
    >
      <List
        query={list}
        failed={failed}
        empty={<Empty icon={<PeopleRegular />} title={t.user.empty} />}
        label={t.pages.users}
        rows={all}
        rowKey={(u) => u.id}
        rowName={(u) => u.name}
        selected={selected}
        onSelect={setSelected}
        first={{ key: "name" }}
        columns={[
          { key: "name", title: t.user.name, sort: (u) => u.name, render: (u) => (u.name === me ? t.user.you(u.name) : u.name) },
          { key: "role", title: t.user.role, render: (u) => f.list((u.roles ?? (u.role ? [u.role] : [])).map((r) => roleName(t, r))) },
          { key: "second", title: t.user.secondFactor, render: (u) => <Badge appearance="tint" color={u.secondFactor ? "success" : "warning"}>{u.secondFactor ? t.common.on : t.common.off}</Badge> },
          { key: "state", title: t.session.state, render: (u) => (u.disabled ? t.user.disabled : t.user.enabled), wide: true },
          { key: "created", title: t.user.created, render: (u) => f.date(u.created), wide: true },
        ]}
      />
      <h2 style={{ fontSize: 16, margin: "28px 0 4px" }}>{t.user.rolesTitle}</h2>
      <dl style={{ display: "grid", gridTemplateColumns: "max-content 1fr", gap: "6px 20px", margin: 0, maxWidth: 760 }}>
        {roles.map((r) => [
          <dt key={r} style={{ fontWeight: 600 }}>{t.role[r]}</dt>,
          <dd key={`${r}d`} style={{ margin: 0 }}>{t.role.about[r]}</dd>,
        ])}
      </dl>
      {open === "add" && <Edit onClose={close} onDone={again} />}
      {open === "edit" && one && <Edit user={one} onClose={close} onDone={again} />}
      {open === "password" && one && <Password user={one} onClose={close} />}
      {open === "factor" && one && (
        <Confirm title={t.totp.resetTitle(one.name)} action={t.totp.reset} onClose={close} run={async () => { await own("DELETE", `${path}/totp`); await again(); }}>
          {t.totp.resetAbout}
        </Confirm>
      )}
      {open === "remove" && one && (
        <Confirm title={t.user.removeTitle(one.name)} action={t.common.remove} onClose={close} run={async () => { await own("DELETE", path); setSelected(new Set()); await again(); }}>
          {t.user.removeAbout}
        </Confirm>
      )}
    </Page>
  );
}

export function roleName(t: ReturnType<typeof useText>["t"], role: string): string {
  const known = roles.find((r) => r.toLowerCase() === role.toLowerCase().replaceAll(/[ _-]/g, ""));
  return known ? t.role[known] : role;
}

function Edit({ user, onClose, onDone }: { user?: LocalUser; onClose: () => void; onDone: () => Promise<unknown> }) {
  const { t } = useText();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState(user?.role ?? user?.roles?.[0] ?? "Auditor");
  return (
    <FormPanel
      title={user ? t.user.roleOf(user.name) : t.user.add}
      submit={user ? t.common.save : t.user.create}
      onClose={onClose}
      save={async () => {
        if (user) await own("PATCH", `/holdfast/v1/users/${user.id}`, { role });
        else await own("POST", "/holdfast/v1/users", { name, password, role });
        await onDone();
      }}
    >
      {!user && (
        <>
          <Field label={t.user.name} required>
            <Input required autoComplete="off" value={name} onChange={(_, d) => setName(d.value)} />
          </Field>
          <Field label={t.signin.password} hint={t.user.passwordHint} required>
            <Input type="password" required autoComplete="new-password" value={password} onChange={(_, d) => setPassword(d.value)} />
          </Field>
        </>
      )}
      <Field label={t.user.role} hint={t.role.about[roles.find((r) => r === role) ?? "Auditor"]}>
        <Select value={role} onChange={(_, d) => setRole(d.value)}>
          {!roles.includes(role as "Owner") && <option value={role}>{role}</option>}
          {roles.map((r) => (
            <option key={r} value={r}>
              {t.role[r]}
            </option>
          ))}
        </Select>
      </Field>
    </FormPanel>
  );
}

function Password({ user, onClose }: { user: LocalUser; onClose: () => void }) {
  const { t } = useText();
  const [password, setPassword] = useState("");
  return (
    <FormPanel title={t.user.setPasswordOf(user.name)} submit={t.user.setPassword} onClose={onClose} save={() => own("POST", `/holdfast/v1/users/${user.id}/password`, { password })}>
      <Note>{t.user.passwordAbout}</Note>
      <Field label={t.settings.newPassword} hint={t.user.passwordHint} required>
        <Input type="password" required autoComplete="new-password" value={password} onChange={(_, d) => setPassword(d.value)} />
      </Field>
    </FormPanel>
  );
}
