import { Add20Regular, Delete20Regular, Edit20Regular, PersonKeyRegular } from "@fluentui/react-icons";
import { Button } from "@fluentui/react-components";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { own } from "../../api/client";
import { organizationsQuery, sessionQuery } from "../../api/queries";
import { useFormat } from "../../ui/format";
import { List } from "../../ui/list";
import { Empty, Page } from "../../ui/page";
import { Confirm } from "../../ui/panel";
import { quote, type Act } from "../../ui/script";
import { useText } from "../../ui/text/console";
import { RoleEditor, type Role } from "./editor";
import { bodyOf } from "./members";

const user = (name: string) => bodyOf({ id: "", name, displayName: "", kind: "User" });

// Roles of restores: who may restore for whom.
export default function Roles() {
  const { t } = useText();
  const f = useFormat();
  const queries = useQueryClient();
  const acting = useQuery(sessionQuery).data?.user.acts;
  const organizations = useQuery(organizationsQuery).data ?? [];
  const list = useQuery({ queryKey: ["rbac-roles"], queryFn: ({ signal }) => own<Role[]>("GET", "/v8/RbacRoles", undefined, signal) });
  const [selected, setSelected] = useState<Set<string>>(new Set());
  const [open, setOpen] = useState<"add" | "edit" | "remove">();
  const all = list.data ?? [];
  const chosen = all.filter((r) => selected.has(r.id ?? ""));
  const one = chosen.length === 1 ? chosen[0] : undefined;
  const change = !acting || acting.includes("change restore roles");
  const close = () => setOpen(undefined);
  const again = async () => {
    await queries.invalidateQueries({ queryKey: ["rbac-roles"] });
  };
  const nameOf = (id: string | undefined) => {
    const o = organizations.find((x) => x.id === id);
    return o?.officeName || o?.name || id;
  };
  const name = quote(one?.name ?? "NAME");
  const acts: Act[] = [
    { title: t.grant.scripts.list, command: "holdfast role list", method: "GET", path: "/v8/RbacRoles" },
    { title: t.grant.scripts.add, command: "holdfast role add helpdesk --operator carol --exclude ceo@contoso.com", method: "POST", path: `/v8/Organizations/${organizations[0]?.id ?? "ORGANIZATION"}/RbacRoles`, body: { name: "helpdesk", roleType: "EntireOrganization", operators: [user("carol")], excludedItems: [user("ceo@contoso.com")] } },
    { title: t.grant.scripts.show, command: `holdfast role show ${name}`, method: "GET", path: `/v8/RbacRoles/${one?.id ?? "ROLE"}/selectedItems` },
    { title: t.grant.scripts.acts, command: `holdfast role change ${name} --allow read,restore`, method: "PUT", path: `/holdfast/v1/RbacRoles/${one?.id ?? "ROLE"}/acts`, body: { acts: ["read", "restore"] } },
    { title: t.grant.scripts.remove, command: `holdfast role remove ${name}`, method: "DELETE", path: `/v8/RbacRoles/${one?.id ?? "ROLE"}` },
  ];
  return (
    <Page
      title={t.pages.roles}
      about={t.grant.about}
      acts={acts}
      commands={[
        { key: "add", label: t.grant.add, icon: <Add20Regular />, onClick: () => setOpen("add"), disabled: !change || organizations.length === 0, why: t.grant.needs },
        { key: "edit", label: t.common.edit, icon: <Edit20Regular />, onClick: () => setOpen("edit"), disabled: !one || !change, why: t.common.chooseOne },
        { key: "remove", label: t.common.remove, icon: <Delete20Regular />, onClick: () => setOpen("remove"), disabled: chosen.length === 0 || !change, why: t.common.choose },
      ]}
    >
      <List
        query={list}
        empty={
          <Empty icon={<PersonKeyRegular />} title={t.grant.empty} action={!change ? null : organizations.length > 0 ? <Button appearance="primary" onClick={() => setOpen("add")}>{t.grant.add}</Button> : <Link to="/setup">{t.home.setup}</Link>}>
            {t.grant.emptyAbout}
          </Empty>
        }
        label={t.pages.roles}
        rows={all}
        rowKey={(r) => r.id ?? ""}
        rowName={(r) => r.name ?? ""}
        selected={selected}
        onSelect={setSelected}
        first={{ key: "name" }}
        columns={[
          { key: "name", title: t.user.name, sort: (r) => r.name ?? "", render: (r) => r.name },
          { key: "manages", title: t.grant.manages, render: (r) => (r.roleType === "EntireOrganization" ? t.grant.everybody : t.grant.some) },
          { key: "organization", title: t.job.organization, render: (r) => nameOf(r.organizationId), wide: true },
          { key: "description", title: t.common.description, render: (r) => r.description, wide: true },
        ]}
      />
      {open === "add" && <RoleEditor onClose={close} onDone={again} />}
      {open === "edit" && one && <RoleEditor role={one} onClose={close} onDone={again} />}
      {open === "remove" && (
        <Confirm title={t.grant.removeTitle(f.list(chosen.map((r) => r.name ?? "")))} action={t.common.remove} onClose={close} run={async () => {
          for (const r of chosen) await own("DELETE", `/v8/RbacRoles/${r.id}`);
          setSelected(new Set());
          await again();
        }}>
          {t.grant.removeAbout}
        </Confirm>
      )}
    </Page>
  );
}
