import { Checkbox, Field, Input, Radio, RadioGroup, Textarea } from "@fluentui/react-components";
import { useState } from "react";
import { client, of } from "../../api/client";
import type { Basket } from "../../explorer/basket";
import type { Target } from "../../explorer/kind";
import { soon } from "../../explorer/inquiry";
import { PlanView } from "../../explorer/plan";
import { Note } from "../../ui/page";
import { FormPanel } from "../../ui/panel";
import { quote, ScriptFolded } from "../../ui/script";
import { useText } from "../../ui/text/console";

// bodyOf is a restore of a basket as its operations take it.
const bodyOf = (target: Target) => ({
  ...(target.place === "elsewhere" && target.user ? { to: target.user } : {}),
  ...(target.place === "elsewhere" && target.folder ? { folder: target.folder } : {}),
  mode: "overwrite", // of what differs; "keepBoth" would make a second copy of mails that are equal
  ...(target.overwrite ? { overwriteNewer: true } : {}),
  ...(target.reason.trim() ? { reason: target.reason.trim() } : {}),
});

// commandOf is the same for the command line.
function commandOf(basket: Basket, target: Target): string {
  const elsewhere = target.place === "elsewhere";
  return ["holdfast basket restore", quote(basket.id), ...(elsewhere && target.user ? ["--to", quote(target.user)] : []), ...(elsewhere && target.folder ? ["--folder", quote(target.folder)] : []),
    ...(target.overwrite ? ["--overwrite"] : []), ...(target.reason.trim() ? ["--reason", quote(target.reason.trim())] : [])].join(" ");
}

// BasketRestore asks where everything in a basket goes.
export function BasketRestore({ basket, onClose, onDone }: { basket: Basket; onClose: () => void; onDone: () => Promise<unknown> }) {
  const { t } = useText();
  const [target, setTarget] = useState<Target>({ place: "original", user: "", folder: "", overwrite: false, reason: "" });
  const set = (part: Partial<Target>) => setTarget({ ...target, ...part });
  const path = { basketId: basket.id };
  const body = bodyOf(target);
  const elsewhere = target.place === "elsewhere";
  return (
    <FormPanel size="large" title={t.basket.restoreTitle(basket.name)} submit={t.restore.button} onClose={onClose} keepOpen save={async () => {
      await of(client.POST("/holdfast/v1/Baskets/{basketId}/Restore", { params: { path }, body }));
      await onDone();
    }}>
      <Field label={t.restore.where}>
        <RadioGroup value={target.place} onChange={(_, d) => set({ place: d.value as "original" })}>
          <Radio value="original" label={t.basket.original} />
          <Radio value="elsewhere" label={t.restore.elsewhere} />
        </RadioGroup>
      </Field>
      {elsewhere && (
        <>
          <Field label={t.restore.user} hint={t.basket.userHint}>
            <Input value={target.user} onChange={(_, d) => set({ user: d.value })} />
          </Field>
          <Field label={t.restore.toFolder} hint={t.restore.folderHint} required={!target.user}>
            <Input required={!target.user} value={target.folder} onChange={(_, d) => set({ folder: d.value })} />
          </Field>
        </>
      )}
      <Checkbox label={t.basket.overwrite} checked={target.overwrite} onChange={(_, d) => set({ overwrite: d.checked === true })} />
      <Field label={t.restore.reason} hint={t.restore.reasonHint}>
        <Textarea maxLength={500} value={target.reason} onChange={(_, d) => set({ reason: d.value })} />
      </Field>
      <Note>{t.basket.restoreAbout}</Note>
      <PlanView key={JSON.stringify(bodyOf({ ...target, reason: "" }))} ask={(signal) => of(client.POST("/holdfast/v1/Baskets/{basketId}/Plan", { params: { path, query: soon }, body, signal }))} ready={!elsewhere || target.user !== "" || target.folder !== ""} />
      <ScriptFolded acts={[{ title: t.basket.acts.restore, command: commandOf(basket, target), method: "POST", path: `/holdfast/v1/Baskets/${basket.id}/Restore`, body }]} />
    </FormPanel>
  );
}
