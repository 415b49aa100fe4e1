import { Button, Link, makeStyles, ProgressBar, tokens } from "@fluentui/react-components";
import { Copy20Regular, Open16Regular } from "@fluentui/react-icons";
import { useEffect, useRef, useState } from "react";
import { client, of } from "../../api/client";
import { useFormat } from "../../ui/format";
import { Note, Problem } from "../../ui/page";
import { useOnboardText, type OnboardText } from "./text";

const useStyles = makeStyles({
  steps: { display: "flex", flexDirection: "column", gap: "8px", margin: "8px 0" },
  code: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeHero800, lineHeight: tokens.lineHeightHero800, letterSpacing: "0.12em", fontWeight: tokens.fontWeightSemibold },
  line: { display: "flex", alignItems: "center", gap: "12px", flexWrap: "wrap" },
  note: { color: tokens.colorNeutralForeground2, margin: 0 },
});

// every is how often the server is asked whether somebody has signed in; it asks Microsoft at the pace that Microsoft wants.
const every = 2_000;

interface Code {
  userCode: string;
  verificationUrl: string;
  ends: number; // ms since 1970
  life: number; // ms
}

// problemOf says in the reader's language what ended a sign-in; of what it does not know the server's own words stand below.
export function problemOf(error: unknown, w: OnboardText): { title: string; what: string } {
  const text = error instanceof Error ? error.message : String(error);
  if (/has expired|was used|no sign-in waits/i.test(text)) return { title: w.problems.expired, what: w.problems.expiredDo };
  if (/declined/i.test(text)) return { title: w.problems.declined, what: w.problems.declinedDo };
  if (/signed in to tenant/i.test(text)) return { title: w.problems.tenant, what: w.problems.tenantDo };
  return { title: w.problems.other, what: w.problems.otherDo };
}

// DeviceSignIn shows a code, waits until an administrator has signed in with it, and then runs what that is for. ready: there is enough to begin.
export function DeviceSignIn({ ready, begin, run, doing }: { ready: boolean; begin: () => Promise<{ userCode?: string | null; verificationUrl?: string | null; expiresIn?: number | null }>; run: (code: string) => Promise<void>; doing: string }) {
  const s = useStyles();
  const f = useFormat();
  const w = useOnboardText();
  const [code, setCode] = useState<Code>();
  const [left, setLeft] = useState(0);
  const [running, setRunning] = useState(false);
  const [busy, setBusy] = useState(false);
  const [copied, setCopied] = useState(false);
  const [error, setError] = useState<unknown>();
  const then = useRef(run);
  then.current = run;
  const start = async () => {
    setError(undefined);
    setBusy(true);
    try {
      const got = await begin();
      const life = (got.expiresIn ?? 900) * 1000;
      setCopied(false);
      setLeft(life);
      setCode({ userCode: got.userCode ?? "", verificationUrl: got.verificationUrl ?? "", life, ends: Date.now() + life });
    } catch (cause) {
      setError(cause);
    }
    setBusy(false);
  };
  useEffect(() => {
    if (!code) return;
    let gone = false;
    const fail = (cause: unknown) => {
      if (gone) return;
      setError(cause);
      setCode(undefined);
      setRunning(false);
    };
    const ask = async () => {
      setLeft(Math.max(0, code.ends - Date.now()));
      const { authenticated } = await of(client.POST("/v8/DeviceCode/check", { body: { userCode: code.userCode } }));
      if (gone) return;
      if (!authenticated) {
        timer = setTimeout(() => void ask().catch(fail), every);
        return;
      }
      setRunning(true);
      await then.current(code.userCode);
    };
    let timer = setTimeout(() => void ask().catch(fail), every);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [code]);
  const problem = error !== undefined ? problemOf(error, w) : undefined;
  return (
    <div aria-live="polite">
      {problem && (
        <>
          <Note intent="error" title={problem.title}>{problem.what}</Note>
          {problem.title === w.problems.other && <Problem error={error} />}
        </>
      )}
      {!code && (
        <Button appearance="primary" disabledFocusable={!ready || busy} onClick={() => void start()}>{problem ? w.code.again : w.code.begin}</Button>
      )}
      {code && running && (
        <>
          <p>{doing}</p>
          <ProgressBar aria-label={doing} />
        </>
      )}
      {code && !running && (
        <div className={s.steps}>
          <div>
            {w.code.open}<br />
            <Link href={code.verificationUrl} target="_blank" rel="noreferrer">{code.verificationUrl} <Open16Regular aria-hidden /></Link>
          </div>
          <div>{w.code.enter}</div>
          <div className={s.line}>
            <output className={s.code} aria-label={w.code.label}>{code.userCode}</output>
            <Button icon={<Copy20Regular />} onClick={() => void navigator.clipboard.writeText(code.userCode).then(() => setCopied(true), () => setCopied(false))}>{copied ? w.code.copied : w.code.copy}</Button>
          </div>
          <div>{w.code.sign}</div>
          <ProgressBar aria-label={w.code.waiting} />
          <div className={s.line}>
            <p className={s.note}>{w.code.left(f.duration(left / 1000))}</p>
            <Button appearance="subtle" onClick={() => setCode(undefined)}>{w.code.cancel}</Button>
          </div>
        </div>
      )}
    </div>
  );
}
