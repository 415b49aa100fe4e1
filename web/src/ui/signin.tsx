import { Button, Card, Field, Input, makeStyles, Title3, tokens } from "@fluentui/react-components";
import { KeyRegular } from "@fluentui/react-icons";
import { useEffect, useState, type FormEvent } from "react";
import { ApiError } from "../api/client";
import { askPasskey, passkeysWork } from "../api/passkey";
import { session, type Session } from "../api/session";
import { Busy } from "./busy";
import { ThemeMenu } from "./opens";
import { Problem } from "./page";
import { useText } from "./text";

const useStyles = makeStyles({
  page: { minHeight: "100%", display: "flex", alignItems: "center", justifyContent: "center", backgroundColor: tokens.colorNeutralBackground3, padding: "16px", boxSizing: "border-box", position: "relative" },
  corner: { position: "absolute", top: "8px", right: "8px" },
  card: { width: "400px", maxWidth: "100%", padding: "36px 40px", boxSizing: "border-box", "@media (max-width: 480px)": { padding: "24px 20px" } },
  brand: { fontSize: tokens.fontSizeBase500, fontWeight: tokens.fontWeightSemibold, color: tokens.colorBrandForeground1 },
  title: { margin: 0 },
  form: { display: "flex", flexDirection: "column", gap: "16px" },
  about: { margin: 0, color: tokens.colorNeutralForeground2 },
  row: { display: "flex", gap: "8px" },
});

// SignIn signs in with an account of this server. onBack leads to another way to sign in.
export function SignIn({ onDone, onBack }: { onDone: (s: Session) => void; onBack?: () => void }) {
  const s = useStyles();
  const { t } = useText();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asked, setAsked] = useState<"totp" | "passkey">(); // the second factor that the password alone lacks
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    document.title = `${t.signin.title} – Holdfast`;
  }, [t]);
  const submit = async (e: FormEvent) => {
    e.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(undefined);
    try {
      onDone(await session.start(name, password, asked ? code.replaceAll(" ", "") : undefined));
    } catch (cause) {
      const wanted = cause instanceof ApiError ? (cause.body as { secondFactor?: "totp" | "passkey" } | undefined)?.secondFactor : undefined;
      if (wanted && !asked) setAsked(wanted);
      else if (cause instanceof ApiError && cause.status === 401 && asked !== "passkey") setError(new Error(asked ? t.signin.wrongCode : t.signin.wrong)); // nothing else is refused so
      else setError(cause);
      if (wanted) setCode("");
      setBusy(false);
    }
  };
  const byKey = async () => {
    if (busy) return;
    setBusy(true);
    setError(undefined);
    try {
      const answer = await askPasskey("/holdfast/v1/session/passkey");
      if (!answer) throw new Error(t.signin.noPasskey);
      onDone(await session.startByPasskey(answer));
    } catch (cause) {
      setError(cause);
      setBusy(false);
    }
  };
  const back = () => {
    setAsked(undefined);
    setPassword("");
    setError(undefined);
  };
  return (
    <main className={s.page}>
      <div className={s.corner}>
        <ThemeMenu />
      </div>
      <Card className={s.card}>
        <div className={s.brand}>Holdfast</div>
        <Title3 as="h1" className={s.title}>{asked === "passkey" ? (passkeysWork() ? t.signin.passkeyTitle : t.signin.recoveryTitle) : asked ? t.signin.codeTitle : t.signin.title}</Title3>
        <p className={s.about}>{asked === "passkey" ? (passkeysWork() ? t.signin.passkeyAbout : t.signin.passkeyNotHere) : asked ? t.signin.codeAbout : t.signin.about}</p>
        <form className={s.form} onSubmit={submit}>
          {asked ? (
            <Field label={asked === "passkey" ? t.signin.recovery : t.signin.code} required>
              <Input key="code" autoFocus={asked === "totp" || !passkeysWork()} inputMode={asked === "totp" ? "numeric" : "text"} autoComplete="one-time-code" value={code} onChange={(_, d) => setCode(d.value)} />
            </Field>
          ) : (
            <>
              <Field label={t.signin.name} required>
                <Input autoFocus autoComplete="username" value={name} onChange={(_, d) => setName(d.value)} />
              </Field>
              <Field label={t.signin.password} required>
                <Input type="password" autoComplete="current-password" value={password} onChange={(_, d) => setPassword(d.value)} />
              </Field>
            </>
          )}
          <Problem error={error} />
          <div className={s.row}>
            <Button appearance={asked === "passkey" && passkeysWork() ? "secondary" : "primary"} type="submit" disabledFocusable={busy} icon={busy ? <Busy /> : null}>
              {asked ? t.signin.verify : t.signin.submit}
            </Button>
            {(asked || onBack) && <Button onClick={asked ? back : onBack}>{t.common.back}</Button>}
          </div>
          {passkeysWork() && (
            <Button type="button" appearance={asked === "passkey" ? "primary" : "secondary"} autoFocus={asked === "passkey"} icon={<KeyRegular />} onClick={() => void byKey()} disabledFocusable={busy}>
              {t.signin.passkey}
            </Button>
          )}
        </form>
      </Card>
    </main>
  );
}
