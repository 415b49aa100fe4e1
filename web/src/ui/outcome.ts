import type { Format } from "./format";
import type { Text } from "./text";

interface Outcome {
  message?: string;
  outcome?: string;
  outcomeReason?: string;
  outcomeDetail?: string;
  notEqual?: string[] | null;
}

// outcomeOf says in the reader's language what became of an item of a restore. What was in the way in particular stays in the server's words.
export function outcomeOf(t: Text, f: Format, o: Outcome): string {
  const said = t.restore.outcomes[o.outcome as "created"];
  if (!said) return o.message ?? "";
  const why = [t.restore.skips[o.outcomeReason as "conflict"], o.outcomeDetail].filter(Boolean).join(": ");
  const lost = o.notEqual && o.notEqual.length > 0 ? t.restore.notEqual(f.list(o.notEqual.map((what) => t.restore.properties[what] ?? what))) : "";
  return [why ? `${said}: ${why}` : said, lost].filter(Boolean).join("; ");
}

interface Counts {
  restoredItems?: number;
  existingItems?: number;
  skippedItems?: number;
  failedItems?: number;
}

// countsOf says what became of the items of a whole restore.
export function countsOf(t: Text, f: Format, c: Counts): string {
  const parts = [[c.restoredItems, t.restore.restored], [c.existingItems, t.restore.existing], [c.skippedItems, t.restore.skipped], [c.failedItems, t.restore.failed]] as const;
  return f.list(parts.flatMap(([n, say]) => (n ? [say(f.number(n))] : [])));
}
