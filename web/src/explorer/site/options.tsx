import { Checkbox, Field, Input, Radio, RadioGroup } from "@fluentui/react-components";
import { Note } from "../../ui/page";
import type { Place, Target } from "../kind";
import { useSiteText } from "./text";

// ways are what a restore does with what is there and was changed since.
const ways = {
  keepBoth: { mode: "keepBoth" },
  overwrite: { mode: "overwrite", overwriteNewer: true },
  missing: { mode: "skip", changedItems: false, missingItems: true },
} as const;

// Options asks where what is of a site goes, and what it may change there.
export function Options({ place, target, set, others }: { place: Place; target: Target; set: (part: Partial<Target>) => void; others: boolean }) {
  const w = useSiteText();
  const more = target.more ?? {};
  const way = more.mode === "overwrite" ? "overwrite" : more.mode === "skip" ? "missing" : "keepBoth";
  const elsewhere = target.place === "elsewhere";
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
      {elsewhere && (
        <Field label={w.address} hint={w.addressHint} required>
          <Input type="url" required value={target.user} placeholder={place.container.address} onChange={(_, d) => set({ user: d.value })} />
        </Field>
      )}
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
      <Checkbox label={w.permissions} checked={more.permissions === true} onChange={(_, d) => set({ more: { ...more, permissions: d.checked === true } })} />
      <Note>{w.about}</Note>
    </>
  );
}
