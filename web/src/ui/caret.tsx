import { makeStyles, tokens } from "@fluentui/react-components";

const useStyles = makeStyles({
  line: { margin: "0 0 8px", fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase300, whiteSpace: "pre-wrap", overflowWrap: "anywhere" },
  wrong: { color: tokens.colorPaletteRedForeground1, backgroundColor: tokens.colorPaletteRedBackground1, textDecoration: "underline wavy", minWidth: "1ch", display: "inline-block" },
});

// Caret shows a text with the place from which on it is wrong; at counts characters from 0.
export function Caret({ text, at, label }: { text: string; at: number; label: string }) {
  const s = useStyles();
  const all = [...text];
  return (
    <p className={s.line} aria-label={label}>
      {all.slice(0, at).join("")}
      <mark className={s.wrong}>{all.slice(at).join("") || " "}</mark>
    </p>
  );
}
