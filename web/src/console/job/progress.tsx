import { Badge, Button, makeStyles, ProgressBar, tokens } from "@fluentui/react-components";
import { HourglassHalf20Regular, RecordStop20Regular } from "@fluentui/react-icons";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { client, of } from "../../api/client";
import { progressQuery, type Progress } from "../../api/queries";
import { useFormat } from "../../ui/format";
import { Problem } from "../../ui/page";
import { useText } from "../../ui/text/console";

const useStyles = makeStyles({
  root: { display: "flex", flexDirection: "column", gap: "6px", minWidth: 0 },
  line: { display: "flex", flexWrap: "wrap", gap: "4px 14px", alignItems: "center", fontSize: tokens.fontSizeBase200, fontVariantNumeric: "tabular-nums" },
  name: { fontWeight: tokens.fontWeightSemibold, color: tokens.colorNeutralForeground1, fontSize: tokens.fontSizeBase300 },
  stop: { marginLeft: "auto" },
});

// How a session moved between two looks at it.
interface Motion {
  bytes: number;
  at: number;
  rate: number;
  throttled: number;
  waited: number; // when the time that Microsoft made it wait last grew
}

const waitShown = 20_000;

// useMotion keeps what two answers have to tell together: the present rate, and whether Microsoft makes us wait right now.
function useMotion(p: Progress): Motion {
  const now = Date.now();
  const started = new Date(p.creationTime).getTime();
  const [m, setM] = useState<Motion>(() => ({ bytes: p.readBytes, at: now, rate: p.readBytes / Math.max(1, (now - started) / 1000), throttled: p.throttledSeconds, waited: 0 }));
  if (p.readBytes !== m.bytes || p.throttledSeconds !== m.throttled) {
    const seconds = Math.max(0.5, (now - m.at) / 1000);
    const fresh = Math.max(0, p.readBytes - m.bytes) / seconds;
    setM({ bytes: p.readBytes, at: now, rate: m.rate * 0.6 + fresh * 0.4, throttled: p.throttledSeconds, waited: p.throttledSeconds > m.throttled ? now : m.waited });
  }
  return m;
}

export function JobProgress({ progress: p, named = true, bare = false }: { progress: Progress; named?: boolean; bare?: boolean }) {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const queries = useQueryClient();
  const motion = useMotion(p);
  const [stopping, setStopping] = useState(false);
  const [error, setError] = useState<unknown>();
  const waiting = Date.now() - motion.waited < waitShown;
  const stop = async () => {
    setStopping(true);
    setError(undefined);
    try {
      await of(client.POST("/v8/Jobs/{jobId}/stop", { params: { path: { jobId: p.jobId } } }));
      await queries.invalidateQueries({ queryKey: progressQuery.queryKey });
    } catch (cause) {
      setStopping(false);
      setError(cause);
    }
  };
  const known = p.status === "Running" && p.percent > 0;
  return (
    <div className={s.root}>
      {named && <span className={s.name}>{p.jobName}</span>}
      <ProgressBar {...(known ? { value: p.percent / 100 } : {})} aria-label={t.progress.label(p.jobName)} aria-valuetext={t.progress.percent(p.percent)} />
      <div className={s.line}>
        {p.status === "Queued" ? <span>{t.status.Queued}</span> : <span>{t.progress.percent(p.percent)}</span>}
        {p.objectsTotal > 0 && <span>{t.progress.objects(f.number(p.objects), f.number(p.objectsTotal))}</span>}
        <span>{t.progress.items(f.number(p.items))}</span>
        <span>{f.bytes(p.readBytes)}</span>
        {p.status === "Running" && !waiting && motion.rate >= 1 && <span>{t.progress.rate(f.bytes(motion.rate))}</span>}
        {p.secondsLeft !== undefined && !waiting && <span>{t.progress.left(f.duration(p.secondsLeft))}</span>}
        {waiting && (
          <Badge appearance="tint" color="warning" icon={<HourglassHalf20Regular fontSize={14} />}>
            {t.progress.waiting(f.duration(p.throttledSeconds))}
          </Badge>
        )}
        {!bare && (
          <Button className={s.stop} size="small" icon={<RecordStop20Regular />} disabledFocusable={stopping || p.stopping} onClick={() => void stop()}>
            {stopping || p.stopping ? t.progress.stopping : t.progress.stop}
          </Button>
        )}
      </div>
      <Problem error={error} />
    </div>
  );
}
