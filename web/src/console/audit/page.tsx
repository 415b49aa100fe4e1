import { Button } from "@fluentui/react-components";
import { ArrowSync20Regular, ChevronLeft20Regular, ChevronRight20Regular, ShieldCheckmark20Regular } from "@fluentui/react-icons";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { client, of } from "../../api/client";
import { useFormat } from "../../ui/format";
import { Loading, Note, Page, Problem } from "../../ui/page";
import type { Act } from "../../ui/script";
import { DataTable } from "../../ui/table";
import { useText } from "../../ui/text";

const pageSize = 100;

export default function Audit() {
  const { t } = useText();
  const f = useFormat();
  const [page, setPage] = useState(0);
  const query = { limit: pageSize, offset: page * pageSize };
  const { data, error, isPending, refetch, isFetching } = useQuery({ queryKey: ["audit", query], queryFn: ({ signal }) => of(client.GET("/holdfast/v1/Audit", { params: { query }, signal })), placeholderData: keepPreviousData });
  const verify = useQuery({ queryKey: ["audit-verify"], enabled: false, queryFn: ({ signal }) => of(client.GET("/holdfast/v1/Audit/Verification", { signal })) });
  const acts: Act[] = [
    { title: t.audit.acts.list, command: "holdfast audit list", method: "GET", path: "/holdfast/v1/Audit?limit=100" },
    { title: t.audit.acts.verify, command: "holdfast audit verify", method: "GET", path: "/holdfast/v1/Audit/Verification" },
  ];
  const rows = data?.results ?? [];
  return (
    <Page
      title={t.nav.audit}
      about={t.audit.about}
      acts={acts}
      commands={[
        { key: "verify", label: t.audit.verify, icon: <ShieldCheckmark20Regular />, onClick: () => void verify.refetch(), disabled: verify.isFetching },
        { key: "refresh", label: t.common.refresh, icon: <ArrowSync20Regular />, onClick: () => void refetch(), disabled: isFetching },
      ]}
    >
      <Problem error={error ?? verify.error} />
      {verify.isFetching && <Loading label={t.audit.verifying} />}
      {verify.data && !verify.isFetching && (
        <Note intent={verify.data.sound ? "success" : "error"} title={verify.data.sound ? t.audit.sound(f.number(verify.data.entries)) : t.audit.broken(f.number(verify.data.firstBroken))}>
          {verify.data.what} {verify.data.remarks.join(" ")} <br />
          {t.audit.head} <code>{verify.data.hash}</code>
        </Note>
      )}
      {isPending && <Loading />}
      {data && (
        <DataTable
          label={t.nav.audit}
          rows={rows}
          rowKey={(e) => String(e.number)}
          columns={[
            { key: "number", title: t.audit.number, render: (e) => f.number(e.number), end: true },
            { key: "time", title: t.audit.time, render: (e) => <span style={{ whiteSpace: "nowrap" }}>{f.dateTime(e.time)}</span> },
            { key: "actor", title: t.audit.actor, render: (e) => e.actor },
            { key: "act", title: t.audit.act, render: (e) => <code>{e.act}</code> },
            { key: "object", title: t.audit.object, render: (e) => <span style={{ overflowWrap: "anywhere" }}>{e.object}</span>, wide: true },
            { key: "detail", title: t.session.details, render: (e) => <span style={{ overflowWrap: "anywhere" }}>{e.detail}</span>, wide: true },
            { key: "address", title: t.audit.address, render: (e) => e.address, wide: true },
          ]}
        />
      )}
      {(page > 0 || rows.length === pageSize) && (
        <div style={{ display: "flex", gap: 8, marginTop: 12 }}>
          <Button icon={<ChevronLeft20Regular />} disabledFocusable={page === 0} onClick={() => setPage(page - 1)}>{t.common.newer}</Button>
          <Button icon={<ChevronRight20Regular />} iconPosition="after" disabledFocusable={rows.length < pageSize} onClick={() => setPage(page + 1)}>{t.common.older}</Button>
        </div>
      )}
    </Page>
  );
}
