import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { useText } from "../../ui/text/console";

const useStyles = makeStyles({
  grid: { display: "grid", gridTemplateColumns: "repeat(auto-fill, minmax(min(380px, 100%), 1fr))", gap: "2px 24px", padding: 0, margin: "0 0 8px", listStyle: "none" },
  line: { display: "flex", gap: "8px", alignItems: "baseline" },
  example: { fontFamily: tokens.fontFamilyMonospace, fontWeight: tokens.fontWeightRegular, minWidth: "max-content", padding: "0 6px", whiteSpace: "nowrap" },
  fields: { margin: "0 0 8px", color: tokens.colorNeutralForeground2 },
});

// The examples stand in every language as they are typed; their meanings are in t.search.examples, in the same order.
const examples = [
  "budget plan", '"budget plan"', "budget OR plan", "budget -draft", "(budget OR plan) NOT draft", "budg*", "subject:budget", "from:ada to:bob", "people:ada", "body:invoice", "folder:Projects", "mailbox:ada", "received:2026-03", "received:7d", "modified:2026-01-01..2026-03-31",
  "size:>5MB", "hasattachments:yes", "isread:no isflagged:yes", "importance:high", "kind:file",
];

// Help tells how searches are written; an example can be taken over.
export default function Help({ onTake }: { onTake: (example: string) => void }) {
  const s = useStyles();
  const { t } = useText();
  return (
    <section aria-label={t.search.help}>
      <p className={s.fields}>{t.search.grammar}</p>
      <ul className={s.grid}>
        {examples.map((example, i) => (
          <li key={example} className={s.line}>
            <Button size="small" appearance="outline" className={s.example} onClick={() => onTake(example)}>
              {example}
            </Button>
            <span>{t.search.examples[i]}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
