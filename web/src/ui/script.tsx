import { Button } from "@fluentui/react-components";
import { Code20Regular } from "@fluentui/react-icons";
import { lazy, Suspense, useState } from "react";
import { useText } from "./text";

// The panel is loaded when it is opened: the first page must be small.
const ScriptPanel = lazy(() => import("./script_panel"));
const Script = lazy(async () => ({ default: (await import("./script_panel")).Script }));

// Act is one thing that a page does, told for a script: as a command of holdfast (none: the command line has none for it) and as a call.
export interface Act {
  title: string;
  command?: string;
  method: string;
  path: string;
  body?: unknown;
}

// quote makes text one word of a POSIX shell.
export function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export function curl(act: Act): string {
  const lines = [`curl --cacert rest.pem -H "Authorization: Bearer $TOKEN"`];
  if (act.method !== "GET") lines[0] += ` -X ${act.method}`;
  if (act.body !== undefined) lines.push(`  -H 'Content-Type: application/json' -d ${quote(JSON.stringify(act.body))}`);
  lines.push(`  ${quote(`${location.origin}${act.path}`)}`);
  return lines.join(" \\\n");
}

export function ScriptButton({ acts }: { acts: Act[] }) {
  const { t } = useText();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button appearance="subtle" style={{ fontWeight: 400, padding: "5px 8px", minWidth: 0, flexShrink: 0 }} icon={<Code20Regular />} onClick={() => setOpen(true)}>
        {t.script.button}
      </Button>
      {open && (
        <Suspense>
          <ScriptPanel acts={acts} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}


// ScriptFolded shows the same where a dialog has it, once it is unfolded. Before, it is not in the page: there the Tab key would come to a stop at what can't be seen.
export function ScriptFolded({ acts }: { acts: Act[] }) {
  const { t } = useText();
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{t.script.title}</summary>
      {open && (
        <Suspense>
          <Script acts={acts} />
        </Suspense>
      )}
    </details>
  );
}
