import { Checkbox, Field, Input, Radio, RadioGroup } from "@fluentui/react-components";
import { useEffect } from "react";
import { Note } from "../../ui/page";
import type { Place, Target } from "../kind";
import { useTeamText } from "../team/text";

// Options asks whether a chat itself gets back what it lacks, or a new one of the same people is made. Microsoft takes no import into chats of meetings.
export function Options({ place, target, set, others }: { place: Place; target: Target; set: (part: Partial<Target>) => void; others: boolean }) {
  const w = useTeamText();
  const more = target.more ?? {};
  const anew = more.newChat === true;
  useEffect(() => {
    if (!target.more) set({ more: { mode: "skip" } }); // a message that is there is left
  }, []); // eslint-disable-line react-hooks/exhaustive-deps
  if (place.container.holds === "meeting") return <Note intent="warning">{w.meetingStays}</Note>;
  return (
    <>
      {others && (
        <Field label={w.where}>
          <RadioGroup value={anew ? "new" : "same"} onChange={(_, d) => set({ overwrite: false, more: d.value === "new" ? { mode: "skip", newChat: true } : { mode: "skip" } })}>
            <Radio value="same" label={w.sameChat} />
            <Radio value="new" label={w.newChat} />
          </RadioGroup>
        </Field>
      )}
      {anew && (
        <Field label={w.topic} hint={w.topicHint}>
          <Input value={more.topic ?? ""} onChange={(_, d) => set({ more: { mode: "skip", newChat: true, ...(d.value ? { topic: d.value } : {}) } })} />
        </Field>
      )}
      {!anew && <Checkbox label={w.beside} checked={target.overwrite} onChange={(_, d) => set({ overwrite: d.checked === true, more: d.checked === true ? { mode: "overwrite", overwriteNewer: true } : { mode: "skip" } })} />}
      <Note>{w.aboutChat}</Note>
    </>
  );
}
