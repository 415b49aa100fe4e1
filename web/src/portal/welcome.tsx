import { Button, Card, Link, makeStyles, Title3, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { client, of } from "../api/client";
import { ThemeMenu } from "../ui/opens";
import { Loading, Note, Problem } from "../ui/page";
import { useText } from "../ui/text/portal";

const useStyles = makeStyles({
  page: { minHeight: "100%", display: "flex", alignItems: "center", justifyContent: "center", backgroundColor: tokens.colorNeutralBackground3, padding: "16px", boxSizing: "border-box", position: "relative" },
  corner: { position: "absolute", top: "8px", right: "8px" },
  card: { width: "420px", maxWidth: "100%", padding: "36px 40px", boxSizing: "border-box", display: "flex", flexDirection: "column", gap: "12px", "@media (max-width: 480px)": { padding: "24px 20px" } },
  brand: { fontSize: tokens.fontSizeBase500, fontWeight: tokens.fontWeightSemibold, color: tokens.colorBrandForeground1 },
  title: { margin: 0 },
  about: { margin: 0, color: tokens.colorNeutralForeground2 },
  local: { marginTop: "8px", fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
});

// Why is what brought the browser here.
export interface Why {
  error: string | null; // denied, expired, unknown_organization, not_enabled, failed, as the server has them; or ended
  signedOut: boolean;
}

// Welcome leads to Microsoft's sign-in page, which sends the browser back with a session or with the reason why there is none.
export function Welcome({ why, onLocal }: { why: Why; onLocal: () => void }) {
  const s = useStyles();
  const { t } = useText();
  const portal = useQuery({ queryKey: ["portal"], queryFn: ({ signal }) => of(client.GET("/holdfast/v1/portal", { signal })), staleTime: 0 });
  useEffect(() => {
    document.title = `${t.portal.title} – Holdfast`;
  }, [t]);
  const told = t.portal.errors as Record<string, string>;
  const closed = portal.data?.enabled === false;
  // The sign-in must begin at the address at which it ends: its cookie is that host's.
  const start = `${portal.data?.url ?? ""}/holdfast/v1/portal/sign-in?return=${encodeURIComponent(`/portal?signed-in${location.hash}`)}`;
  return (
    <main className={s.page}>
      <div className={s.corner}>
        <ThemeMenu />
      </div>
      <Card className={s.card}>
        <div className={s.brand}>Holdfast</div>
        <Title3 as="h1" className={s.title}>{t.portal.title}</Title3>
        <p className={s.about}>{t.portal.about}</p>
        {why.signedOut && <Note intent="success">{t.portal.signedOut}</Note>}
        {why.error && !(closed && why.error === "not_enabled") && <Note intent={why.error === "ended" ? "warning" : "error"}>{told[why.error] ?? told.failed}</Note>}
        <Problem error={portal.error} onRetry={() => void portal.refetch()} />
        {portal.isPending && <Loading />}
        {closed && (
          <Note intent="warning" title={t.portal.closed}>
            {t.portal.closedAbout}
          </Note>
        )}
        {portal.data?.enabled && (
          <Button as="a" href={start} appearance="primary" size="large" icon={<FourSquares />}>
            {t.portal.signIn}
          </Button>
        )}
        {portal.data && (
          <p className={s.local}>
            {t.portal.localAbout}{" "}
            <Link inline as="button" onClick={onLocal}>
              {t.portal.local}
            </Link>
          </p>
        )}
      </Card>
    </main>
  );
}

function FourSquares() {
  return (
    <svg width="20" height="20" viewBox="0 0 21 21" aria-hidden fill="currentColor">
      <path d="M1 1h9v9H1zM11 1h9v9h-9zM1 11h9v9H1zM11 11h9v9h-9z" />
    </svg>
  );
}
