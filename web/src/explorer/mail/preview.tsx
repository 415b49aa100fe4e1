import { makeStyles, tokens } from "@fluentui/react-components";
import { Address } from "../../ui/address";
import { useFormat } from "../../ui/format";
import { useText } from "../../ui/text";
import type { Place } from "../kind";
import { Shown } from "../shown";
import { type Mail, wordOf } from "./kind";

const useStyles = makeStyles({
  subject: { fontSize: tokens.fontSizeBase500, lineHeight: tokens.lineHeightBase500, margin: "0 0 12px", overflowWrap: "anywhere" },
  facts: { display: "grid", gridTemplateColumns: "max-content 1fr", gap: "4px 14px", margin: "0 0 16px" },
  dt: { color: tokens.colorNeutralForeground2 },
  dd: { margin: 0, overflowWrap: "anywhere" },
});

export function MailPreview({ place: p, item: m }: { place: Place; item: Mail }) {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  // What is no mail, the card below tells, or its text.
  const word = wordOf(m, t.mail.classes);
  const facts: [string, string][] = m.kind !== "mail" ? [] : word ? [[t.found.kind, word], [t.file.modified, f.dateTime(m.received)]] : [
    [t.mail.from, m.from],
    [t.mail.to, m.to],
    [t.mail.cc, m.cc],
    [t.mail.sent, f.dateTime(m.sent)],
    [t.mail.received, f.dateTime(m.received)],
  ];
  return (
    <article>
      <h2 className={s.subject}>{m.name || t.mail.noSubject}</h2>
      <dl className={s.facts}>
        {facts.filter(([, value]) => value).map(([term, value]) => [
          <dt key={term} className={s.dt}>{term}</dt>,
          <dd key={`${term}d`} className={s.dd}><Address>{value}</Address></dd>,
        ])}
      </dl>
      <Shown place={p} item={m} />
    </article>
  );
}
