import { Button, Checkbox, Field, Input, Radio, RadioGroup, Textarea } from "@fluentui/react-components";
import { lazy, Suspense, useState } from "react";
import { client, of } from "../api/client";
import { useFormat } from "../ui/format";
import { Note, Problem } from "../ui/page";
import { FormPanel } from "../ui/panel";
import { ScriptFolded } from "../ui/script";
import { useText } from "../ui/text";
import { Asking, soon, useInquiry } from "./inquiry";
import type { Item, Kind, Place, Selection, Target } from "./kind";
import type { Plan } from "./plan";
import { restoring, type Restoring } from "./restoring";

const PlanView = lazy(async () => ({ default: (await import("./plan")).PlanView }));

const mostReason = 500; // characters, as the server has it

const plan = (body: Restoring & { limit?: number }) => (signal: AbortSignal) => of(client.POST("/holdfast/v1/Restore/Plan", { params: { query: soon }, body, signal }));

// RestoreDialog asks where to and why, and tells what would happen. others: it may go to another user. script: it shows the same for a script, and of a dry run every item. several: the
// selection is of several places, of which place is the first; what would happen is not asked for then.
export function RestoreDialog({ kind, place, selection, others, script, several = false, onClose, start }: {
  kind: Kind<Item>;
  place: Place;
  selection: Selection;
  others: boolean;
  script: boolean;
  several?: boolean;
  onClose: () => void;
  start: (body: Restoring, target: Target) => Promise<void>;
}) {
  const { t } = useText();
  const f = useFormat();
  const [target, setTarget] = useState<Target>({ place: "original", user: "", folder: "", overwrite: false, reason: "" });
  const set = (part: Partial<Target>) => setTarget({ ...target, ...part });
  const body = restoring(kind, place, selection, target);
  const what = selection.items ? t.restore.items(f.number(selection.items.length)) : selection.folder ? t.restore.theFolder(selection.folder.name) : t.restore.everything(place.container.name);
  const elsewhere = target.place === "elsewhere";
  const ready = !elsewhere || target.folder !== "" || target.user !== "";
  return (
    <FormPanel size="medium" title={t.restore.title} submit={t.restore.button} onClose={onClose} save={() => start(body, target)}>
      <p>
        <strong>{what}</strong>
        {!several && (
          <>
            <br />
            {place.container.name} {place.container.address && `(${place.container.address})`}
          </>
        )}
      </p>
      <Field label={t.restore.where}>
        <RadioGroup value={target.place} onChange={(_, d) => set({ place: d.value as "original" })}>
          <Radio value="original" label={t.restore.original} />
          <Radio value="elsewhere" label={others ? t.restore.elsewhere : t.restore.otherFolder} />
        </RadioGroup>
      </Field>
      {elsewhere && (
        <>
          {others && (
            <Field label={t.restore.user} hint={t.restore.userHint}>
              <Input value={target.user} onChange={(_, d) => set({ user: d.value })} placeholder={place.container.address} />
            </Field>
          )}
          <Field label={t.restore.toFolder} hint={others ? t.restore.folderHint : t.restore.folderMade} required={!target.user}>
            <Input required={!target.user} value={target.folder} onChange={(_, d) => set({ folder: d.value })} />
          </Field>
        </>
      )}
      {(elsewhere || kind.keepsBoth) && <Checkbox label={kind.keepsBoth ? t.restore.overwriteFiles : t.restore.overwriteMail} checked={target.overwrite} onChange={(_, d) => set({ overwrite: d.checked === true })} />}
      <Field label={t.restore.reason} hint={t.restore.reasonHint}>
        <Textarea value={target.reason} maxLength={mostReason} onChange={(_, d) => set({ reason: d.value })} />
      </Field>
      <Note>{kind.keepsBoth ? t.restore.aboutFiles : t.restore.aboutMail}</Note>
      {script ? (
        <Suspense>
          <PlanView key={JSON.stringify({ ...body, reason: "" })} ask={plan(body)} ready={ready} />
        </Suspense>
      ) : several ? null : (
        <DryRun key={JSON.stringify({ ...body, reason: "" })} body={body} ready={ready} />
      )}
      {script && <ScriptFolded acts={[{ title: t.restore.acts.restore, command: kind.command(place, selection, target), method: "POST", path: "/holdfast/v1/Restore", body }]} />}
    </FormPanel>
  );
}

// DryRun asks the server what a restore would do; nothing is changed by it.
function DryRun({ body, ready }: { body: Restoring; ready: boolean }) {
  const { t } = useText();
  const f = useFormat();
  const { data: told, error, busy, seen, start, stop } = useInquiry<Plan>();
  const parts = told && ([[told.created, t.restore.plan.created], [told.overwritten, t.restore.plan.overwritten], [told.existing, t.restore.plan.existing], [told.skipped, t.restore.plan.skipped]] as const)
    .filter(([n]) => n > 0).map(([n, say]) => say(f.number(n)));
  return (
    <div aria-live="polite">
      <Button disabledFocusable={busy || !ready} onClick={() => void start(plan({ ...body, limit: 1 }))}>
        {t.restore.plan.ask}
      </Button>
      {busy && <Asking seen={seen} onStop={stop} />}
      <Problem error={error} />
      {told && parts && (
        <p>
          {parts.length > 0 ? t.restore.plan.would(f.list(parts)) : t.restore.plan.nothing} {t.restore.plan.takes(f.duration(Math.max(1, told.seconds)))}
        </p>
      )}
    </div>
  );
}
