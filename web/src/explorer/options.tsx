import { Checkbox, Field, Radio, RadioGroup } from "@fluentui/react-components";
import type { ReactNode } from "react";
import { Note } from "../ui/page";
import type { Target } from "./kind";

// ways are what a restore does with what is there and was changed since.
const ways = {
  keepBoth: { mode: "keepBoth" },
  overwrite: { mode: "overwrite", overwriteNewer: true },
  missing: { mode: "skip", changedItems: false, missingItems: true },
} as const;

// Words are how a kind names what is asked.
interface Words {
  where: string;
  original: string;
  other: string;
  existing: string;
  keepBoth: string;
  overwrite: string;
  missing: string;
  whichVersions: string;
  last: string;
  all: string;
  about: string;
}

// SharedOptions asks where what several people have together goes, and what it may change there: a site, a team. children ask for another place; rights is what else is restored.
export function SharedOptions({ words: w, rights, target, set, others, children }: { words: Words; rights: string; target: Target; set: (part: Partial<Target>) => void; others: boolean; children: ReactNode }) {
  const more = target.more ?? {};
  const way = more.mode === "overwrite" ? "overwrite" : more.mode === "skip" ? "missing" : "keepBoth";
  const kept = { ...(more.allVersions ? { allVersions: true } : {}), ...(more.permissions ? { permissions: true } : {}) };
  return (
    <>
      {others && (
        <Field label={w.where}>
          <RadioGroup value={target.place} onChange={(_, d) => set({ place: d.value as "original" })}>
            <Radio value="original" label={w.original} />
            <Radio value="elsewhere" label={w.other} />
          </RadioGroup>
        </Field>
      )}
      {target.place === "elsewhere" && children}
      <Field label={w.existing}>
        <RadioGroup value={way} onChange={(_, d) => set({ overwrite: d.value === "overwrite", more: { ...kept, ...ways[d.value as "keepBoth"] } })}>
          <Radio value="keepBoth" label={w.keepBoth} />
          <Radio value="overwrite" label={w.overwrite} />
          <Radio value="missing" label={w.missing} />
        </RadioGroup>
      </Field>
      <Field label={w.whichVersions}>
        <RadioGroup layout="horizontal" value={more.allVersions ? "all" : "last"} onChange={(_, d) => set({ more: { ...more, allVersions: d.value === "all" } })}>
          <Radio value="last" label={w.last} />
          <Radio value="all" label={w.all} />
        </RadioGroup>
      </Field>
      <Checkbox label={rights} checked={more.permissions === true} onChange={(_, d) => set({ more: { ...more, permissions: d.checked === true } })} />
      <Note>{w.about}</Note>
    </>
  );
}
