import { Checkbox, Field, Radio, RadioGroup, Select } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { Note, Problem } from "../../ui/page";
import type { Place, Target } from "../kind";
import { teams } from "./kind";
import { useTeamText } from "./text";

// ways are what a restore does with what is there and was changed since.
const ways = {
  keepBoth: { mode: "keepBoth" },
  overwrite: { mode: "overwrite", overwriteNewer: true },
  missing: { mode: "skip", changedItems: false, missingItems: true },
} as const;

// Options asks where what is of a team goes, and what it may change there.
export function Options({ place, target, set, others }: { place: Place; target: Target; set: (part: Partial<Target>) => void; others: boolean }) {
  const w = useTeamText();
  const more = target.more ?? {};
  const way = more.mode === "overwrite" ? "overwrite" : more.mode === "skip" ? "missing" : "keepBoth";
  const kept = { ...(more.allVersions ? { allVersions: true } : {}), ...(more.permissions ? { permissions: true } : {}) };
  const elsewhere = target.place === "elsewhere";
  const all = useQuery({ queryKey: ["containers", place.session], enabled: elsewhere, queryFn: ({ signal }) => teams.containers(place.session, signal), staleTime: Infinity });
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
        <Field label={w.team} hint={w.teamHint} required>
          <Select required value={target.user} onChange={(_, d) => set({ user: d.value })}>
            <option value="">{w.choose}</option>
            {all.data?.filter((c) => c.id !== place.container.id).map((c) => (
              <option key={c.id} value={c.owner}>{c.name}</option>
            ))}
          </Select>
        </Field>
      )}
      <Problem error={all.error} />
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
      <Checkbox label={w.settings} checked={more.permissions === true} onChange={(_, d) => set({ more: { ...more, permissions: d.checked === true } })} />
      <Note>{w.about}</Note>
    </>
  );
}
