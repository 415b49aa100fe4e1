import { Badge, makeStyles } from "@fluentui/react-components";
import { CheckmarkCircle16Filled, Clock16Regular, DismissCircle16Filled, RecordStop16Regular, Warning16Filled, ArrowSyncCircle16Regular } from "@fluentui/react-icons";
import { useText } from "./text";

const useStyles = makeStyles({ badge: { whiteSpace: "nowrap", flexShrink: 0 } });

// Status shows the state of a session as word, colour and sign, so that colour is never all.
// word: what it is called here, when that is not what it is called elsewhere.
export function Status({ value, word: named }: { value: string | null | undefined; word?: string }) {
  const s = useStyles();
  const { t } = useText();
  if (!value) return null;
  const word = named ?? (t.status as Record<string, string>)[value] ?? value;
  switch (value) {
    case "Success":
      return <Badge className={s.badge} appearance="tint" color="success" icon={<CheckmarkCircle16Filled />}>{word}</Badge>;
    case "Warning":
      return <Badge className={s.badge} appearance="tint" color="warning" icon={<Warning16Filled />}>{word}</Badge>;
    case "Failed":
      return <Badge className={s.badge} appearance="tint" color="danger" icon={<DismissCircle16Filled />}>{word}</Badge>;
    case "Running":
    case "Working":
      return <Badge className={s.badge} appearance="tint" color="brand" icon={<ArrowSyncCircle16Regular />}>{word}</Badge>;
    case "Queued":
      return <Badge className={s.badge} appearance="tint" color="informative" icon={<Clock16Regular />}>{word}</Badge>;
  }
  return <Badge className={s.badge} appearance="tint" color="informative" icon={<RecordStop16Regular />}>{word}</Badge>;
}
