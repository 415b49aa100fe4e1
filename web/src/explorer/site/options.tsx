import { Field, Input } from "@fluentui/react-components";
import type { Place, Target } from "../kind";
import { SharedOptions } from "../options";
import { useSiteText } from "./text";

// Options asks where what is of a site goes, and what it may change there.
export function Options({ place, target, set, others }: { place: Place; target: Target; set: (part: Partial<Target>) => void; others: boolean }) {
  const w = useSiteText();
  return (
    <SharedOptions words={w} rights={w.permissions} target={target} set={set} others={others}>
      <Field label={w.address} hint={w.addressHint} required>
        <Input type="url" required value={target.user} placeholder={place.container.address} onChange={(_, d) => set({ user: d.value })} />
      </Field>
    </SharedOptions>
  );
}
