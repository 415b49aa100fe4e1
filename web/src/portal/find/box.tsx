import { Button, makeStyles, SearchBox } from "@fluentui/react-components";
import { SearchRegular } from "@fluentui/react-icons";
import { useState } from "react";
import { useText } from "../../ui/text/portal";

const useStyles = makeStyles({
  form: { display: "flex", gap: "8px" },
  box: { flexGrow: 1, maxWidth: "none", minWidth: 0 },
});

// FindBox takes the words that are looked for.
export function FindBox({ words = "", onFind }: { words?: string; onFind: (words: string) => void }) {
  const s = useStyles();
  const { t } = useText();
  const [text, setText] = useState(words);
  return (
    <form className={s.form} role="search" onSubmit={(e) => { e.preventDefault(); onFind(text.trim()); }}>
      <SearchBox className={s.box} size="large" value={text} placeholder={t.portal.findWords} aria-label={t.portal.findWords} onChange={(_, d) => setText(d.value)} />
      <Button type="submit" size="large" appearance="primary" icon={<SearchRegular />} aria-label={t.portal.findButton} />
    </form>
  );
}
