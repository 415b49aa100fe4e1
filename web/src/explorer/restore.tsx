import { Button, Checkbox, Field, Input, Radio, RadioGroup, Textarea } from "@fluentui/react-components";
import { lazy, Suspense, useState } from "react";
import { client, of } from "../api/client";
import { Address } from "../ui/address";
import { useFormat } from "../ui/format";
import { Note, Problem } from "../ui/page";
import { FormPanel } from "../ui/panel";
import { ScriptFolded } from "../ui/script";
import { useText } from "../ui/text";
import { Asking, follow, soon, useInquiry, type Ask } from "./inquiry";
import type { Item, Kind, Place, Selection, Target } from "./kind";
import type { Plan } from "./plan";
import { restoring, type Restoring } from "./restoring";

const PlanView = lazy(async () => ({ default: (await import("./plan")).PlanView }));

const mostReason = 500; // characters, as the server has it

const plan = (body: Restoring & { limit?: number }) => (signal: AbortSignal) => of(client.POST("/holdfast/v1/Restore/Plan", { params: { query: soon }, body, signal }));

// RestorePart is what one restore takes out of one place.
export interface RestorePart {
  kind: Kind<Item>;
  place: Place;
  selection: Selection;
}

// RestoreDialog asks where to and why, and tells what would happen. There is at least one part; what the kinds among them have to choose is asked for each kind, and bodies has a restore for each part,
// in their order. others: it may go to another user. script: it shows the same for a script, and of a dry run every item; of one part alone.
export function RestoreDialog({ parts, others, script, onClose, start }: {
  parts: [RestorePart, ...RestorePart[]];
  others: boolean;
  script: boolean;
  onClose: () => void;
  start: (bodies: Restoring[]) => Promise<void>;
}) {
  const { t } = useText();
  const f = useFormat();
  const [{ kind, place, selection }, ...more] = parts;
  const [target, setTarget] = useState<Target>({ place: "original", user: "", folder: "", overwrite: false, reason: "" });
  const [overwriteFiles, setOverwriteFiles] = useState(false); // beside target.overwrite, which is of mails
  const set = (part: Partial<Target>) => setTarget({ ...target, ...part });
  const Options = parts.every((p) => p.kind === kind) ? kind.Options : undefined; // several kinds are asked what all of them have
  const targetOf = (k: Kind<Item>): Target => (k.keepsBoth && !Options ? { ...target, overwrite: overwriteFiles } : target);
  const bodies = parts.map((p) => restoring(p.kind, p.place, p.selection, targetOf(p.kind)));
  const [files, mails] = [parts.filter((p) => p.kind.keepsBoth), parts.filter((p) => !p.kind.keepsBoth)];
  const counted = (some: RestorePart[], say: (n: string) => string) => (some.length > 0 ? [say(f.number(some.reduce((n, p) => n + (p.selection.items?.length ?? 0), 0)))] : []);
  const what = selection.items
    ? f.list(files.length > 0 && mails.length > 0 ? [...counted(mails, t.restore.mails), ...counted(files, t.restore.files)] : counted(parts, t.restore.items))
    : selection.folder ? t.restore.theFolder(selection.folder.name) : t.restore.everything(place.container.name);
  const elsewhere = target.place === "elsewhere";
  const ready = !elsewhere || target.folder !== "" || target.user !== "";
  const asked = JSON.stringify(bodies.map((b) => ({ ...b, reason: "" })));
  return (
    <FormPanel size="medium" title={t.restore.title} submit={t.restore.button} onClose={onClose} save={() => start(bodies)}>
      <p>
        <strong>{what}</strong>
        {more.length === 0 && (
          <>
            <br />
            {place.container.name} {place.container.address && <Address>{`(${place.container.address})`}</Address>}
          </>
        )}
      </p>
      {Options ? <Options place={place} target={target} set={set} others={others} /> : (
        <>
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
              <Field label={t.restore.toFolder} hint={target.user ? t.restore.folderHint : t.restore.folderMade} required={!target.user}>
                <Input required={!target.user} value={target.folder} onChange={(_, d) => set({ folder: d.value })} />
              </Field>
            </>
          )}
          {elsewhere && mails.length > 0 && <Checkbox label={t.restore.overwriteMail} checked={target.overwrite} onChange={(_, d) => set({ overwrite: d.checked === true })} />}
          {files.length > 0 && <Checkbox label={t.restore.overwriteFiles} checked={overwriteFiles} onChange={(_, d) => setOverwriteFiles(d.checked === true)} />}
        </>
      )}
      <Field label={t.restore.reason} hint={t.restore.reasonHint}>
        <Textarea value={target.reason} maxLength={mostReason} onChange={(_, d) => set({ reason: d.value })} />
      </Field>
      {!Options && mails.length > 0 && <Note>{t.restore.aboutMail}</Note>}
      {!Options && files.length > 0 && <Note>{t.restore.aboutFiles}</Note>}
      {script && bodies[0] ? (
        <Suspense>
          <PlanView key={asked} ask={plan(bodies[0])} ready={ready} />
        </Suspense>
      ) : (
        <DryRun key={asked} bodies={bodies} ready={ready} />
      )}
      {script && <ScriptFolded acts={[{ title: t.restore.acts.restore, command: kind.command(place, selection, targetOf(kind)), method: "POST", path: "/holdfast/v1/Restore", body: bodies[0] }]} />}
    </FormPanel>
  );
}

type Counts = Pick<Plan, "created" | "overwritten" | "existing" | "skipped" | "seconds">;

// DryRun asks the server what restores would do, one after the other; nothing is changed by it.
function DryRun({ bodies, ready }: { bodies: Restoring[]; ready: boolean }) {
  const { t } = useText();
  const f = useFormat();
  const { data: told, error, busy, seen, start, stop } = useInquiry<Counts>();
  const ask: Ask<Counts> = async (signal, tell) => {
    const sum = { created: 0, overwritten: 0, existing: 0, skipped: 0, seconds: 0 };
    let before = 0;
    for (const body of bodies) {
      const one = await follow<Plan>(await plan({ ...body, limit: 1 })(signal), signal, (n) => tell(before + n));
      for (const key of Object.keys(sum) as (keyof Counts)[]) sum[key] += one[key];
      tell((before = sum.created + sum.overwritten + sum.existing + sum.skipped));
    }
    return sum;
  };
  const counts = told && ([[told.created, t.restore.plan.created], [told.overwritten, t.restore.plan.overwritten], [told.existing, t.restore.plan.existing], [told.skipped, t.restore.plan.skipped]] as const)
    .filter(([n]) => n > 0).map(([n, say]) => say(f.number(n)));
  return (
    <div aria-live="polite">
      <Button disabledFocusable={busy || !ready} onClick={() => void start(ask)}>
        {t.restore.plan.ask}
      </Button>
      {busy && <Asking seen={seen} onStop={stop} />}
      <Problem error={error} />
      {told && counts && (
        <p>
          {counts.length > 0 ? t.restore.plan.would(f.list(counts)) : t.restore.plan.nothing} {t.restore.plan.takes(f.duration(Math.max(1, told.seconds)))}
        </p>
      )}
    </div>
  );
}
