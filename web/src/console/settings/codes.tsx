import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { Note } from "../../ui/page";
import { useText } from "../../ui/text/console";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: "14px", maxWidth: "520px" },
  codes: { columnCount: 2, margin: 0, paddingLeft: "20px", fontFamily: tokens.fontFamilyMonospace, maxWidth: "420px", overflowWrap: "anywhere" },
  row: { display: "flex", gap: "8px" },
});

// RecoveryCodes shows codes once, until their owner says that he kept them.
export function RecoveryCodes({ codes, onKept }: { codes: string[]; onKept: () => void }) {
  const s = useStyles();
  const { t } = useText();
  return (
    <div className={s.form}>
      <Note intent="success" title={t.totp.isOn}>
        {t.totp.codesAbout}
      </Note>
      <ul className={s.codes} aria-label={t.totp.codes}>
        {codes.map((c) => (
          <li key={c}>{c}</li>
        ))}
      </ul>
      <div className={s.row}>
        <Button appearance="primary" onClick={onKept}>
          {t.totp.codesKept}
        </Button>
        <Button onClick={() => void navigator.clipboard.writeText(codes.join("\n"))}>{t.script.copy}</Button>
      </div>
    </div>
  );
}
