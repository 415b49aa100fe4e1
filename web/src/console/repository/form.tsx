import { Button, Field, Input, makeStyles, Select } from "@fluentui/react-components";
import { ArrowDownload20Regular } from "@fluentui/react-icons";
import { useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { client, download, of, type Schemas } from "../../api/client";
import { proxiesQuery, type Repository } from "../../api/queries";
import { Busy } from "../../ui/busy";
import { Note, Problem } from "../../ui/page";
import { useText } from "../../ui/text/console";

export interface RepositoryDraft {
  name: string;
  description: string;
  path: string;
  keep: string; // as 30d, 6m, 3y or forever
}

export const emptyRepository: RepositoryDraft = { name: "", description: "", path: "", keep: "3y" };
const years = { "1": "Year1", "2": "Years2", "3": "Years3", "5": "Years5", "7": "Years7", "10": "Years10", "25": "Years25" } as const;
export const keeps = ["7d", "30d", "90d", "6m", "12m", "1y", "2y", "3y", "5y", "7y", "10y", "25y", "forever"] as const;

export function retentionOf(keep: string) {
  return { retentionType: "SnapshotBased" as const, ...periodOf(keep) };
}

function periodOf(keep: string) {
  const n = keep.slice(0, -1);
  if (keep === "forever") return { retentionPeriodType: "Yearly" as const, yearlyRetentionPeriod: "Keep" as const };
  if (keep.endsWith("d")) return { retentionPeriodType: "Daily" as const, dailyRetentionPeriod: Number(n) };
  if (keep.endsWith("m")) return { retentionPeriodType: "Monthly" as const, monthlyRetentionPeriod: Number(n) };
  return { retentionPeriodType: "Yearly" as const, yearlyRetentionPeriod: years[n as "1"] };
}

export function keepOf(r: Repository): string {
  if (r.retentionPeriodType === "Daily") return `${r.dailyRetentionPeriod ?? 0}d`;
  if (r.retentionPeriodType === "Monthly") return `${r.monthlyRetentionPeriod ?? 0}m`;
  if (r.yearlyRetentionPeriod === "Keep") return "forever";
  return `${Object.entries(years).find(([, name]) => name === r.yearlyRetentionPeriod)?.[0] ?? "3"}y`;
}

export async function addRepository(queries: ReturnType<typeof useQueryClient>, d: RepositoryDraft) {
  const proxies = await queries.fetchQuery(proxiesQuery);
  return of(client.POST("/v8/BackupRepositories", { body: { name: d.name, description: d.description, path: d.path, proxyId: proxies[0]?.id, ...retentionOf(d.keep) } as Schemas["RESTBackupRepositoryFromClient"] }));
}

export function RepositoryFields({ value: d, onChange, change = false }: { value: RepositoryDraft; onChange: (d: RepositoryDraft) => void; change?: boolean }) {
  const { t } = useText();
  const set = (part: Partial<RepositoryDraft>) => onChange({ ...d, ...part });
  const choices: string[] = keeps.includes(d.keep as "3y") ? [...keeps] : [d.keep, ...keeps];
  return (
    <>
      <Field label={t.repository.name} required>
        <Input required value={d.name} onChange={(_, x) => set({ name: x.value })} />
      </Field>
      <Field label={t.repository.path} hint={t.repository.pathHint} required={!change}>
        <Input required={!change} disabled={change} value={d.path} onChange={(_, x) => set({ path: x.value })} placeholder="/srv/backup" />
      </Field>
      <Field label={t.repository.keep} hint={t.repository.keepHint}>
        <Select value={d.keep} onChange={(_, x) => set({ keep: x.value })}>
          {choices.map((k) => (
            <option key={k} value={k}>
              {t.repository.period(k)}
            </option>
          ))}
        </Select>
      </Field>
      <Field label={t.common.description}>
        <Input value={d.description} onChange={(_, x) => set({ description: x.value })} />
      </Field>
    </>
  );
}

const useStyles = makeStyles({ form: { display: "flex", flexDirection: "column", gap: "14px", maxWidth: "520px" } });

// Kit exports a recovery kit to a file of this computer, encrypted to a passphrase.
export function Kit({ id, name, onDone }: { id: string; name: string; onDone?: () => void }) {
  const s = useStyles();
  const { t } = useText();
  const queries = useQueryClient();
  const [passphrase, setPassphrase] = useState("");
  const [again, setAgain] = useState("");
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState(false);
  const [error, setError] = useState<unknown>();
  const differs = again !== "" && again !== passphrase;
  const submit = async (e: FormEvent) => {
    e.preventDefault();
    e.stopPropagation();
    if (busy || passphrase !== again) return;
    setBusy(true);
    setError(undefined);
    try {
      await download(`/holdfast/v1/BackupRepositories/${id}/RecoveryKit`, { passphrase }, `holdfast-${name}-kit.age`);
      setDone(true);
      setPassphrase("");
      setAgain("");
      await queries.invalidateQueries({ queryKey: ["overview"] });
      onDone?.();
    } catch (cause) {
      setError(cause);
    }
    setBusy(false);
  };
  return (
    <form className={s.form} onSubmit={submit}>
      <Note intent="warning">{t.repository.kitAbout}</Note>
      <Field label={t.repository.passphrase} hint={t.repository.passphraseHint} required>
        <Input type="password" autoComplete="new-password" required value={passphrase} onChange={(_, d) => setPassphrase(d.value)} />
      </Field>
      <Field label={t.repository.again} required {...(differs ? { validationMessage: t.repository.differs, validationState: "error" as const } : {})}>
        <Input type="password" autoComplete="new-password" required value={again} onChange={(_, d) => setAgain(d.value)} />
      </Field>
      <Problem error={error} />
      {done && <Note intent="success">{t.repository.kitDone}</Note>}
      <div>
        <Button type="submit" appearance="primary" disabledFocusable={busy || differs} icon={busy ? <Busy /> : <ArrowDownload20Regular />}>
          {t.repository.kitDownload}
        </Button>
      </div>
    </form>
  );
}
