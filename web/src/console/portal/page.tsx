import { Badge, Button, Field, Input, Link, makeStyles, Radio, RadioGroup, Switch, tokens } from "@fluentui/react-components";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, type FormEvent } from "react";
import { client, of, own } from "../../api/client";
import { organizationsQuery } from "../../api/queries";
import { Loading, Note, Page, Problem } from "../../ui/page";
import type { Act } from "../../ui/script";
import { useText } from "../../ui/text/console";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: "14px", maxWidth: "640px" },
  state: { display: "flex", alignItems: "center", gap: "12px", margin: "0 0 16px" },
  file: { font: "inherit", color: "inherit" },
  code: { fontFamily: tokens.fontFamilyMonospace, overflowWrap: "anywhere" },
});

const redirect = "/holdfast/v1/portal/callback";

interface Settings {
  isEnabled: boolean;
  applicationId?: string;
  restorePortalUri?: string;
  msalAuthorityUri?: string;
  applicationSecret?: string;
  applicationCertificate?: string;
  applicationCertificatePassword?: string;
}

async function base64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (const b of bytes) text += String.fromCharCode(b);
  return btoa(text);
}

// Portal settings: whether people may give themselves their own data back, and how they sign in.
export default function PortalSettings() {
  const s = useStyles();
  const { t } = useText();
  const queries = useQueryClient();
  const organizations = useQuery(organizationsQuery).data ?? [];
  const { data, error, isPending } = useQuery({ queryKey: ["portal-settings"], queryFn: ({ signal }) => of(client.GET("/v8/RestorePortalSettings", { signal })) });
  const [enabled, setEnabled] = useState(false);
  const [application, setApplication] = useState("");
  const [url, setURL] = useState("");
  const [authority, setAuthority] = useState("");
  const [proof, setProof] = useState<"keep" | "secret" | "certificate">("keep");
  const [secret, setSecret] = useState("");
  const [file, setFile] = useState<File>();
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState(false);
  const [failed, setFailed] = useState<unknown>();
  useEffect(() => {
    if (!data) return;
    setEnabled(data.isEnabled ?? false);
    // A closed portal tells nothing of itself; what is likely stands there to be changed.
    setApplication(data.applicationId ?? "");
    setURL(data.restorePortalUri ?? location.origin);
    setAuthority(data.msalAuthorityUri ?? "");
  }, [data]);
  const body: Settings = {
    isEnabled: enabled,
    ...(application ? { applicationId: application } : {}),
    ...(url ? { restorePortalUri: url } : {}),
    ...(authority ? { msalAuthorityUri: authority } : {}),
  };
  const save = async (e: FormEvent) => {
    e.preventDefault();
    setBusy(true);
    setFailed(undefined);
    setDone(false);
    try {
      await own("PUT", "/holdfast/v1/RestorePortalSettings", {
        ...body,
        ...(proof === "secret" ? { applicationSecret: secret } : {}),
        ...(proof === "certificate" && file ? { applicationCertificate: await base64(file), ...(password ? { applicationCertificatePassword: password } : {}) } : {}),
      });
      await queries.invalidateQueries({ queryKey: ["portal-settings"] });
      setDone(true);
      setProof("keep");
      setSecret("");
      setPassword("");
    } catch (cause) {
      setFailed(cause);
    }
    setBusy(false);
  };
  const address = url.replace(/\/+$/, "");
  const acts: Act[] = [
    { title: t.portalSettings.acts.show, command: "holdfast portal show", method: "GET", path: "/v8/RestorePortalSettings" },
    { title: t.portalSettings.acts.enable, command: `holdfast portal enable --application ${application || "ID"} --url ${address || "https://backup.example.com"}`, method: "PUT", path: "/holdfast/v1/RestorePortalSettings", body: { ...body, isEnabled: true } },
    { title: t.portalSettings.acts.disable, command: "holdfast portal disable", method: "PUT", path: "/holdfast/v1/RestorePortalSettings", body: { isEnabled: false } },
  ];
  return (
    <Page title={t.pages.portal} about={t.portalSettings.about} acts={acts}>
      <Problem error={error} />
      {isPending && <Loading />}
      {data && (
        <>
          <div className={s.state}>
            {data.isEnabled ? <Badge appearance="tint" color="success">{t.portalSettings.open}</Badge> : <Badge appearance="tint" color="informative">{t.portalSettings.closed}</Badge>}
            {data.isEnabled && data.restorePortalUri && <Link href={`${data.restorePortalUri.replace(/\/+$/, "")}/portal`}>{`${data.restorePortalUri.replace(/\/+$/, "")}/portal`}</Link>}
          </div>
          <form className={s.form} onSubmit={save}>
            <Switch label={t.portalSettings.enabled} checked={enabled} onChange={(_, d) => setEnabled(d.checked)} />
            <Field label={t.organization.application} hint={t.portalSettings.applicationHint} required={enabled}>
              <Input required={enabled} value={application} onChange={(_, d) => setApplication(d.value)} />
            </Field>
            <Field label={t.portalSettings.url} hint={t.portalSettings.urlHint} required={enabled}>
              <Input type="url" required={enabled} value={url} onChange={(_, d) => setURL(d.value)} />
            </Field>
            {address && (
              <Note>
                {t.portalSettings.redirect} <code className={s.code}>{`${address}${redirect}`}</code>
              </Note>
            )}
            <Field label={t.portalSettings.authority} hint={t.portalSettings.authorityHint}>
              <Input type="url" value={authority} onChange={(_, d) => setAuthority(d.value)} placeholder="https://login.microsoftonline.com/organizations" />
            </Field>
            <Field label={t.organization.auth}>
              <RadioGroup value={proof} onChange={(_, d) => setProof(d.value as "keep")}>
                <Radio value="keep" label={t.portalSettings.keep} />
                <Radio value="certificate" label={t.organization.certificate} />
                <Radio value="secret" label={t.organization.secret} />
              </RadioGroup>
            </Field>
            {proof === "secret" && (
              <Field label={t.organization.secret} hint={t.organization.secretHint} required>
                <Input type="password" autoComplete="off" required value={secret} onChange={(_, d) => setSecret(d.value)} />
              </Field>
            )}
            {proof === "certificate" && (
              <>
                <Field label={t.organization.file} required>
                  {(props) => <input {...props} type="file" className={s.file} required accept=".pfx,.p12,.pem" onChange={(e) => setFile(e.target.files?.[0])} />}
                </Field>
                <Field label={t.organization.filePassword}>
                  <Input type="password" autoComplete="off" value={password} onChange={(_, d) => setPassword(d.value)} />
                </Field>
              </>
            )}
            {enabled && organizations.length === 0 && <Note intent="warning">{t.portalSettings.noOrganization}</Note>}
            <Problem error={failed} />
            {done && <Note intent="success">{t.portalSettings.saved}</Note>}
            <div>
              <Button appearance="primary" type="submit" disabledFocusable={busy}>{t.common.save}</Button>
            </div>
          </form>
        </>
      )}
    </Page>
  );
}
