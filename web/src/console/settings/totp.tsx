import { Button, Field, Input, makeStyles } from "@fluentui/react-components";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import qrcode from "qrcode-generator";
import { useState, type FormEvent, type ReactNode } from "react";
import { own } from "../../api/client";
import { sessionQuery } from "../../api/queries";
import type { Totp } from "../../api/session";
import { Busy } from "../../ui/busy";
import { Note, Problem } from "../../ui/page";
import { useText } from "../../ui/text/console";
import { RecoveryCodes } from "./codes";

const path = "/holdfast/v1/users/me/totp";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: "14px", maxWidth: "520px" },
  code: { backgroundColor: "#ffffff", padding: "12px", width: "180px", height: "180px", display: "block" },
  steps: { margin: 0, paddingLeft: "20px" },
  foot: { display: "flex", gap: "8px", flexWrap: "wrap" },
});

// Qr draws a text as a QR code, dark on white in every theme: scanners want it so.
function Qr({ text, label }: { text: string; label: string }) {
  const s = useStyles();
  const qr = qrcode(0, "M");
  qr.addData(text);
  qr.make();
  const n = qr.getModuleCount();
  let path = "";
  for (let y = 0; y < n; y++) for (let x = 0; x < n; x++) if (qr.isDark(y, x)) path += `M${x} ${y}h1v1h-1z`;
  return (
    <svg className={s.code} viewBox={`0 0 ${n} ${n}`} role="img" aria-label={label} shapeRendering="crispEdges">
      <path d={path} fill="#000000" />
    </svg>
  );
}

// SecondFactor sets up, or takes away, the code of an authenticator app for whoever is signed in.
// beside is another way on, which is not offered while the recovery codes are shown: they are shown once.
export function SecondFactor({ on, onDone, beside }: { on: boolean; onDone?: () => void; beside?: ReactNode }) {
  const s = useStyles();
  const { t } = useText();
  const queries = useQueryClient();
  const [code, setCode] = useState("");
  const begin = useMutation({ mutationFn: () => own<Totp>("POST", path) });
  const [codes, setCodes] = useState<string[]>();
  const confirm = useMutation({
    mutationFn: () => own<{ recoveryCodes?: string[] }>("PUT", path, { code: code.replaceAll(" ", "") }),
    onSuccess: (made) => {
      setCode("");
      setCodes(made.recoveryCodes ?? []);
    },
  });
  const kept = async () => {
    begin.reset();
    setCodes(undefined);
    await queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
    onDone?.();
  };
  const off = useMutation({ mutationFn: () => own("DELETE", path), onSuccess: () => queries.invalidateQueries({ queryKey: sessionQuery.queryKey }) });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    e.stopPropagation();
    confirm.mutate();
  };
  if (codes) return <RecoveryCodes codes={codes} onKept={() => void kept()} />;
  if (on && !begin.data)
    return (
      <div className={s.form}>
        <Note intent="success">{t.totp.appIsOn}</Note>
        <Problem error={off.error} />
        <div className={s.foot}>
          {beside}
          <Button onClick={() => off.mutate()} disabledFocusable={off.isPending}>{t.totp.turnOff}</Button>
        </div>
      </div>
    );
  if (!begin.data)
    return (
      <div className={s.form}>
        <div>{t.totp.about}</div>
        <Problem error={begin.error} />
        <div className={s.foot}>
          <Button appearance="primary" onClick={() => begin.mutate()} disabledFocusable={begin.isPending} icon={begin.isPending ? <Busy /> : null}>
            {t.totp.turnOn}
          </Button>
          {beside}
        </div>
      </div>
    );
  const url = begin.data.url ?? begin.data.otpauth ?? "";
  return (
    <form className={s.form} onSubmit={submit}>
      <ol className={s.steps}>
        <li>{t.totp.scan}</li>
        <li>{t.totp.type}</li>
      </ol>
      {url && <Qr text={url} label={t.totp.qr} />}
      <Field label={t.totp.secret}>
        <Input readOnly value={begin.data.secret} />
      </Field>
      <Field label={t.signin.code} required>
        <Input required inputMode="numeric" autoComplete="one-time-code" value={code} onChange={(_, d) => setCode(d.value)} />
      </Field>
      <Problem error={confirm.error} />
      <div className={s.foot}>
        <Button appearance="primary" type="submit" disabledFocusable={confirm.isPending}>{t.signin.verify}</Button>
        {beside}
      </div>
    </form>
  );
}
