import { Button, Card, Field, Input, makeStyles, Radio, RadioGroup, Select, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { client, of } from "../../api/client";
import { instanceQuery, sessionQuery } from "../../api/queries";
import { useFormat } from "../../ui/format";
import { Note, Page, Problem } from "../../ui/page";
import type { Act } from "../../ui/script";
import type { Language, ThemeName } from "../../ui/settings";
import { useText } from "../../ui/text/console";
import { useThemes } from "../../ui/theme";
import { Passkeys } from "./passkeys";
import { SecondFactor } from "./totp";

const useStyles = makeStyles({
  grid: { columnWidth: "420px", columnGap: "16px", paddingTop: "4px", "& > *": { breakInside: "avoid", marginBottom: "16px" } }, // columns: a short card leaves no hole beside a tall one
  h: { margin: 0, fontSize: tokens.fontSizeBase400, lineHeight: tokens.lineHeightBase400 },
  form: { display: "flex", flexDirection: "column", gap: "14px" },
  facts: { display: "grid", gridTemplateColumns: "max-content 1fr", gap: "4px 16px", margin: 0 },
  dd: { margin: 0, overflowWrap: "anywhere" },
});

export default function Settings() {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const themes = useThemes();
  const session = useQuery(sessionQuery).data;
  const instance = useQuery(instanceQuery).data;
  const acts: Act[] = [
    { title: t.settings.acts.version, method: "GET", path: "/v8/ServiceInstance" },
    { title: t.settings.acts.password, method: "PUT", path: "/holdfast/v1/Account/Password", body: { oldPassword: "OLD", newPassword: "NEW" } },
    { title: t.settings.acts.health, method: "GET", path: "/v8/Health" },
  ];
  return (
    <Page title={t.nav.settings} acts={acts}>
      <div className={s.grid}>
        <Card>
          <h2 className={s.h}>{t.nav.appearance}</h2>
          <Field label={t.nav.theme}>
            <RadioGroup value={themes.name} onChange={(_, d) => themes.set(d.value as ThemeName)}>
              {(["system", "light", "dark", "contrast"] as const).map((n) => (
                <Radio key={n} value={n} label={t.theme[n]} />
              ))}
            </RadioGroup>
          </Field>
          <Field label={t.nav.language}>
            <Select value={themes.language} onChange={(_, d) => themes.setLanguage(d.value as Language)}>
              <option value="en" lang="en">English</option>
              <option value="de" lang="de">Deutsch</option>
            </Select>
          </Field>
        </Card>
        <Card>
          <h2 className={s.h}>{t.totp.app}</h2>
          <SecondFactor on={session?.user.totp ?? false} />
        </Card>
        <Card>
          <h2 className={s.h}>{t.passkey.title}</h2>
          <Passkeys />
        </Card>
        <Card>
          <h2 className={s.h}>{t.settings.password}</h2>
          <Password />
        </Card>
        <Card>
          <h2 className={s.h}>{t.settings.about}</h2>
          <dl className={s.facts}>
            <dt>{t.settings.account}</dt>
            <dd className={s.dd}>{session?.user.name}</dd>
            <dt>{t.settings.signedInUntil}</dt>
            <dd className={s.dd}>{f.dateTime(session?.expires)}</dd>
            <dt>{t.proxy.version}</dt>
            <dd className={s.dd}>{instance?.version}</dd>
            <dt>{t.settings.installation}</dt>
            <dd className={s.dd}>{instance?.installationId}</dd>
          </dl>
          <p>{t.settings.serverAbout}</p>
        </Card>
      </div>
    </Page>
  );
}

function Password() {
  const s = useStyles();
  const { t } = useText();
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [again, setAgain] = useState("");
  const [done, setDone] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = async (e: FormEvent) => {
    e.preventDefault();
    if (fresh !== again) return;
    setError(undefined);
    try {
      await of(client.PUT("/holdfast/v1/Account/Password", { body: { oldPassword: old, newPassword: fresh } }));
      setDone(true);
      setOld("");
      setFresh("");
      setAgain("");
    } catch (cause) {
      setError(cause);
    }
  };
  const differs = again !== "" && again !== fresh;
  return (
    <form className={s.form} onSubmit={submit}>
      <Field label={t.settings.oldPassword} required>
        <Input type="password" required autoComplete="current-password" value={old} onChange={(_, d) => setOld(d.value)} />
      </Field>
      <Field label={t.settings.newPassword} hint={t.user.passwordHint} required>
        <Input type="password" required autoComplete="new-password" value={fresh} onChange={(_, d) => setFresh(d.value)} />
      </Field>
      <Field label={t.settings.againPassword} required {...(differs ? { validationMessage: t.repository.differs, validationState: "error" as const } : {})}>
        <Input type="password" required autoComplete="new-password" value={again} onChange={(_, d) => setAgain(d.value)} />
      </Field>
      <Problem error={error} />
      {done && <Note intent="success">{t.settings.passwordDone}</Note>}
      <div>
        <Button type="submit">{t.settings.changePassword}</Button>
      </div>
    </form>
  );
}
