import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input, makeStyles } from "@fluentui/react-components";
import { useState, type FormEvent } from "react";
import { askPasskey, passkeysWork } from "../api/passkey";
import { session } from "../api/session";
import { useAct } from "../ui/act";
import { Busy } from "../ui/busy";
import { Note, Problem } from "../ui/page";
import { useText } from "../ui/text/console";

const useStyles = makeStyles({ form: { display: "flex", flexDirection: "column", gap: "14px" } });

// Proof asks who sits here, before an act that the server refuses until it knows: all of ways, or one of instead.
export default function Proof({ name, ways, instead, onEnd }: { name: string; ways: string[]; instead: string[]; onEnd: (proved: boolean) => void }) {
  const s = useStyles();
  const { t } = useText();
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const { busy, error, act } = useAct();
  const typed = ways.includes("password");
  const byKey = () => act(async () => {
    const answer = await askPasskey("/holdfast/v1/session/proof/passkey");
    if (!answer) throw new Error(t.signin.noPasskey);
    await session.proveByPasskey(answer);
    onEnd(true);
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    e.stopPropagation(); // the form that asked for the act is not this one
    if (!busy && typed) void act(() => session.prove(password, code.replaceAll(" ", "") || undefined).then(() => onEnd(true)));
  };
  return (
    <Dialog open onOpenChange={(_, d) => !d.open && !busy && onEnd(false)}>
      <DialogSurface>
        <form onSubmit={submit}>
          <DialogBody>
            <DialogTitle>{t.proof.title}</DialogTitle>
            <DialogContent className={s.form}>
              {typed ? t.proof.about : t.proof.aboutPasskey}
              {typed && <input type="text" autoComplete="username" value={name} readOnly hidden />}
              {typed && (
                <Field label={t.signin.password} required>
                  <Input type="password" autoComplete="current-password" autoFocus value={password} onChange={(_, d) => setPassword(d.value)} />
                </Field>
              )}
              {ways.includes("totp") && (
                <Field label={t.signin.code} required>
                  <Input inputMode="numeric" autoComplete="one-time-code" value={code} onChange={(_, d) => setCode(d.value)} />
                </Field>
              )}
              {!typed && !passkeysWork() && <Note>{t.passkey.unable}</Note>}
              <Problem error={error} />
            </DialogContent>
            <DialogActions>
              {typed && (
                <Button appearance="primary" type="submit" disabledFocusable={busy} icon={busy ? <Busy /> : null}>
                  {t.proof.submit}
                </Button>
              )}
              {(!typed || instead.includes("passkey")) && passkeysWork() && (
                <Button appearance={typed ? "secondary" : "primary"} autoFocus={!typed} onClick={() => void byKey()} disabledFocusable={busy} icon={busy && !typed ? <Busy /> : null}>
                  {t.signin.passkey}
                </Button>
              )}
              <Button onClick={() => onEnd(false)} disabled={busy}>
                {t.common.cancel}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}
