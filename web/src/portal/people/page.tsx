import { Badge, Button, makeStyles, SearchBox, Title2, tokens } from "@fluentui/react-components";
import { ChevronRight20Regular, Globe20Regular, PeopleTeam20Regular, Person20Regular, SearchRegular } from "@fluentui/react-icons";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useDeferredValue, useEffect, useState } from "react";
import { Address } from "../../ui/address";
import { useFormat } from "../../ui/format";
import { Empty, Loading, Problem } from "../../ui/page";
import { useText } from "../../ui/text/portal";
import { objects } from "../objects";

const pageSize = 30;

const useStyles = makeStyles({
  page: { maxWidth: "640px", margin: "0 auto", padding: "20px 16px 40px", boxSizing: "border-box", display: "flex", flexDirection: "column", gap: "12px" },
  title: { margin: 0 },
  search: { maxWidth: "none", width: "100%" },
  list: { listStyle: "none", margin: 0, padding: 0, borderTop: `1px solid ${tokens.colorNeutralStroke2}` },
  row: {
    display: "flex", alignItems: "center", gap: "12px", minHeight: "60px", padding: "6px 8px", textDecoration: "none", color: tokens.colorNeutralForeground1, borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
    ":hover": { backgroundColor: tokens.colorNeutralBackground1Hover, color: tokens.colorNeutralForeground1Hover }, ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: "-2px" },
  },
  who: { flexGrow: 1, minWidth: 0, overflowWrap: "anywhere" },
  name: { fontWeight: tokens.fontWeightSemibold },
  pages: { display: "flex", alignItems: "center", gap: "8px" },
});

// People chooses whose data it is to be, among those of whom the caller may see something.
export default function People() {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const [text, setText] = useState("");
  const [page, setPage] = useState(0);
  const search = useDeferredValue(text.trim());
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["portal-objects", search, page],
    queryFn: ({ signal }) => objects({ limit: pageSize, offset: page * pageSize, ...(search ? { search } : {}) }, signal),
    placeholderData: keepPreviousData,
  });
  useEffect(() => {
    document.title = `${t.portal.choosePerson} – Holdfast`;
  }, [t]);
  const pages = Math.max(1, Math.ceil((data?.total ?? 0) / pageSize));
  return (
    <div className={s.page}>
      <Title2 as="h1" className={s.title}>
        {t.portal.choosePerson}
      </Title2>
      <SearchBox className={s.search} size="large" value={text} placeholder={t.portal.findPerson} aria-label={t.portal.findPerson} onChange={(_, d) => { setText(d.value); setPage(0); }} />
      <Problem error={error} onRetry={() => void refetch()} />
      {isPending && <Loading />}
      {data && data.results.length === 0 && <Empty icon={<SearchRegular />} title={t.common.nothingFound} />}
      {data && data.results.length > 0 && (
        <ul className={s.list} aria-label={t.portal.people}>
          {data.results.map((p) => (
            <li key={p.id}>
              <a className={s.row} href={p.self ? "#/" : `#/of/${encodeURIComponent(p.id)}`}>
                {p.site ? <Globe20Regular aria-hidden /> : p.team ? <PeopleTeam20Regular aria-hidden /> : <Person20Regular aria-hidden />}
                <span className={s.who}>
                  <span className={s.name}><Address>{p.name || p.email}</Address></span> {p.self && <Badge appearance="tint">{t.portal.you}</Badge>}
                  {p.deleted && <Badge appearance="tint" color="warning">{t.portal.gone}</Badge>}
                  <br />
                  <Address>{p.email}</Address>
                </span>
                <ChevronRight20Regular aria-hidden />
              </a>
            </li>
          ))}
        </ul>
      )}
      {data && (
        <div className={s.pages}>
          {pages > 1 && (
            <>
              <Button disabledFocusable={page === 0} onClick={() => setPage(page - 1)}>
                {t.common.previous}
              </Button>
              <Button disabledFocusable={page + 1 >= pages} onClick={() => setPage(page + 1)}>
                {t.common.next}
              </Button>
            </>
          )}
          <span role="status">
            {t.portal.found(f.number(data.total))}
            {pages > 1 && `, ${t.common.page(page + 1, pages)}`}
          </span>
        </div>
      )}
    </div>
  );
}
