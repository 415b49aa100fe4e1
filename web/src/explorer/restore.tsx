import { Checkbox, Field, Input, Radio, RadioGroup } from "@fluentui/react-components";
import { useState } from "react";
import { useFormat } from "../ui/format";
import { Note } from "../ui/page";
import { FormPanel } from "../ui/panel";
import { Script } from "../ui/script_panel";
import { useText } from "../ui/text";
import type { Call, Item, Kind, Place, Selection, Target } from "./kind";

// RestoreDialog asks where to and shows the same restore for a script.
export function RestoreDialog({ kind, place, selection, onClose, start }: { kind: Kind<Item>; place: Place; selection: Selection; onClose: () => void; start: (call: Call) => Promise<void> }) {
  const { t } = useText();
  const f = useFormat();
  const [target, setTarget] = useState<Target>({ place: "original", user: "", folder: "", overwrite: false });
  const set = (part: Partial<Target>) => setTarget({ ...target, ...part });
  const call = kind.restore(place, selection, target);
  const what = selection.items ? t.restore.items(f.number(selection.items.length)) : selection.folder ? t.restore.theFolder(selection.folder.name) : t.restore.everything(place.container.name);
  const elsewhere = target.place === "elsewhere";
  return (
    <FormPanel size="medium" title={t.restore.title} submit={t.restore.button} onClose={onClose} save={() => start(call)}>
      <p>
        <strong>{what}</strong>
        <br />
        {place.container.name} {place.container.address && `(${place.container.address})`}
      </p>
      <Field label={t.restore.where}>
        <RadioGroup value={target.place} onChange={(_, d) => set({ place: d.value as "original" })}>
          <Radio value="original" label={t.restore.original} />
          <Radio value="elsewhere" label={t.restore.elsewhere} />
        </RadioGroup>
      </Field>
      {elsewhere && (
        <>
          <Field label={t.restore.user} hint={t.restore.userHint}>
            <Input value={target.user} onChange={(_, d) => set({ user: d.value })} placeholder={place.container.address} />
          </Field>
          <Field label={t.restore.toFolder} hint={t.restore.folderHint} required={!target.user}>
            <Input required={!target.user} value={target.folder} onChange={(_, d) => set({ folder: d.value })} />
          </Field>
        </>
      )}
      {(elsewhere || kind.keepsBoth) && <Checkbox label={kind.keepsBoth ? t.restore.overwriteFiles : t.restore.overwriteMail} checked={target.overwrite} onChange={(_, d) => set({ overwrite: d.checked === true })} />}
      <Note>{kind.keepsBoth ? t.restore.aboutFiles : t.restore.aboutMail}</Note>
      <details>
        <summary>{t.script.title}</summary>
        <Script acts={[{ title: t.restore.acts.restore, command: kind.command(place, selection, target), ...call }]} />
      </details>
    </FormPanel>
  );
}
