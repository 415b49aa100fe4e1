import { Card, makeStyles, Title3, tokens } from "@fluentui/react-components";
import { useEffect } from "react";
import { Note } from "../ui/page";
import { useText } from "../ui/text";

const useStyles = makeStyles({
  page: { minHeight: "100%", display: "flex", alignItems: "center", justifyContent: "center", backgroundColor: tokens.colorNeutralBackground3, padding: "16px", boxSizing: "border-box" },
  card: { width: "420px", maxWidth: "100%", padding: "32px", boxSizing: "border-box" },
  brand: { fontSize: tokens.fontSizeBase500, fontWeight: tokens.fontWeightSemibold, color: tokens.colorBrandForeground1 },
});

// Portal is where people will restore for themselves. What it lacks it says.
export function Portal() {
  const s = useStyles();
  const { t } = useText();
  useEffect(() => {
    document.title = `${t.portal.title} – Holdfast`;
  }, [t]);
  return (
    <main className={s.page}>
      <Card className={s.card}>
        <div className={s.brand}>Holdfast</div>
        <Title3 as="h1">{t.portal.title}</Title3>
        <p>{t.portal.about}</p>
        <Note>{t.portal.soon}</Note>
      </Card>
    </main>
  );
}
