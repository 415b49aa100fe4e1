import { useState } from "react";
import { FormPanel } from "../ui/panel";
import { useText } from "../ui/text";
import { openSession } from "./sessions";
import { atOf, type View } from "./view";
import { When } from "./when";

// OtherTime opens what a session shows as of another time.
export default function OtherTime({ view, onOpened, onClose }: { view: View; onOpened: (session: string) => void; onClose: () => void }) {
  const { t } = useText();
  const [time, setTime] = useState(view.dateTime ?? "");
  return (
    <FormPanel title={t.explore.otherTime} submit={t.explore.open} onClose={onClose} keepOpen save={async () => onOpened(await openSession({ ...atOf(view), time }))}>
      <When organization={view.organizationId ?? ""} type={view.type as "Vex"} value={time} onChange={setTime} />
    </FormPanel>
  );
}
