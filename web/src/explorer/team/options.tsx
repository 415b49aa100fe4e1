import { Field, Select } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { Problem } from "../../ui/page";
import type { Place, Target } from "../kind";
import { SharedOptions } from "../options";
import { teams } from "./kind";
import { useTeamText } from "./text";

// Options asks where what is of a team goes, and what it may change there.
export function Options({ place, target, set, others }: { place: Place; target: Target; set: (part: Partial<Target>) => void; others: boolean }) {
  const w = useTeamText();
  const all = useQuery({ queryKey: ["containers", place.session], enabled: target.place === "elsewhere", queryFn: ({ signal }) => teams.containers(place.session, signal), staleTime: Infinity });
  return (
    <SharedOptions words={w} rights={w.settings} target={target} set={set} others={others}>
      <Field label={w.team} hint={w.teamHint} required>
        <Select required value={target.user} onChange={(_, d) => set({ user: d.value })}>
          <option value="">{w.choose}</option>
          {all.data?.filter((c) => c.id !== place.container.id).map((c) => (
            <option key={c.id} value={c.owner}>{c.name}</option>
          ))}
        </Select>
      </Field>
      <Problem error={all.error} />
    </SharedOptions>
  );
}
