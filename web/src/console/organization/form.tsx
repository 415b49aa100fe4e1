import { Checkbox, Field, Input, makeStyles, Radio, RadioGroup, Select, tokens } from "@fluentui/react-components";
import { useState } from "react";
import { client, of, type Schemas } from "../../api/client";
import type { Organization } from "../../api/queries";
import { useText } from "../../ui/text/console";

const useStyles = makeStyles({
  permissions: { borderCollapse: "collapse", width: "100%", fontSize: tokens.fontSizeBase200 },
  cell: { textAlign: "left", padding: "4px 12px 4px 0", verticalAlign: "top", borderBottom: `1px solid ${tokens.colorNeutralStroke2}` },
  file: { fontFamily: "inherit", fontSize: tokens.fontSizeBase300, color: tokens.colorNeutralForeground1 },
  steps: { margin: 0, paddingLeft: "20px" },
});

export const regions = ["Worldwide", "USGovernment", "USDefence", "China"] as const;

export interface OrganizationDraft {
  tenant: string;
  region: string;
  application: string;
  auth: "certificate" | "secret";
  secret: string;
  certificate: string; // base64
  fileName: string;
  certificatePassword: string;
  exchange: boolean;
  oneDrive: boolean;
}

export const emptyOrganization: OrganizationDraft = {
  tenant: "", region: "Worldwide", application: "", auth: "certificate", secret: "", certificate: "", fileName: "", certificatePassword: "", exchange: true, oneDrive: true,
};

export function organizationBody(d: OrganizationDraft): Schemas["RestOrganizationComposed"] {
  const settings = {
    useApplicationOnlyAuth: true,
    officeOrganizationName: d.tenant.trim(),
    applicationId: d.application.trim(),
    ...(d.auth === "secret" ? { applicationSecret: d.secret } : { applicationCertificate: d.certificate, ...(d.certificatePassword ? { applicationCertificatePassword: d.certificatePassword } : {}) }),
  };
  return {
    type: "Office365", region: d.region, isExchangeOnline: d.exchange, isSharePointOnline: d.oneDrive,
    ...(d.exchange ? { exchangeOnlineSettings: settings } : {}), ...(d.oneDrive ? { sharePointOnlineSettings: settings } : {}),
  } as Schemas["RestOrganizationComposed"];
}

export const addOrganization = (d: OrganizationDraft) => of(client.POST("/v8/Organizations", { body: organizationBody(d) as never })) as Promise<Organization>;
export const changeOrganization = (id: string, d: OrganizationDraft) => of(client.PUT("/v8/Organizations/{organizationId}", { params: { path: { organizationId: id } }, body: organizationBody(d) as never }));

// asBase64 reads a file of this computer for a field of a request.
export async function asBase64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

export function OrganizationFields({ value: d, onChange, tenantFixed = false }: { value: OrganizationDraft; onChange: (d: OrganizationDraft) => void; tenantFixed?: boolean }) {
  const s = useStyles();
  const { t } = useText();
  const [reading, setReading] = useState("");
  const set = (part: Partial<OrganizationDraft>) => onChange({ ...d, ...part });
  return (
    <>
      <Field label={t.organization.tenant} hint={t.organization.tenantHint} required>
        <Input required disabled={tenantFixed} value={d.tenant} onChange={(_, x) => set({ tenant: x.value })} placeholder="contoso.onmicrosoft.com" />
      </Field>
      <Field label={t.organization.region}>
        <Select value={d.region} disabled={tenantFixed} onChange={(_, x) => set({ region: x.value })}>
          {regions.map((r) => (
            <option key={r} value={r}>
              {t.organization.regions[r]}
            </option>
          ))}
        </Select>
      </Field>
      <Field label={t.organization.application} hint={t.organization.applicationHint} required>
        <Input required value={d.application} onChange={(_, x) => set({ application: x.value })} pattern="\s*[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\s*" title={t.organization.uuid} placeholder="00000000-0000-0000-0000-000000000000" />
      </Field>
      <Field label={t.organization.auth}>
        <RadioGroup value={d.auth} onChange={(_, x) => set({ auth: x.value as "secret" })}>
          <Radio value="certificate" label={t.organization.certificate} />
          <Radio value="secret" label={t.organization.secret} />
        </RadioGroup>
      </Field>
      {d.auth === "secret" ? (
        <Field label={t.organization.secret} hint={t.organization.secretHint} required>
          <Input type="password" required autoComplete="off" value={d.secret} onChange={(_, x) => set({ secret: x.value })} />
        </Field>
      ) : (
        <>
          <Field label={t.organization.file} required {...(reading ? { validationMessage: reading } : {})}>
            {(props) => (
              <input
                {...props}
                type="file"
                className={s.file}
                accept=".pfx,.p12,.pem"
                required={!d.certificate}
                onChange={(e) => {
                  const file = e.target.files?.[0];
                  if (!file) return;
                  asBase64(file).then(
                    (certificate) => { setReading(""); onChange({ ...d, certificate, fileName: file.name }); },
                    (cause: unknown) => setReading(String(cause)),
                  );
                }}
              />
            )}
          </Field>
          <Field label={t.organization.filePassword}>
            <Input type="password" autoComplete="off" value={d.certificatePassword} onChange={(_, x) => set({ certificatePassword: x.value })} />
          </Field>
        </>
      )}
      <div role="group" aria-label={t.organization.protect}>
        <Checkbox label={t.kind.mail} checked={d.exchange} onChange={(_, x) => set({ exchange: x.checked === true })} />
        <Checkbox label={`${t.kind.files}, ${t.kind.sites}`} checked={d.oneDrive} onChange={(_, x) => set({ oneDrive: x.checked === true })} />
      </div>
    </>
  );
}

// NeededPermissions lists what the application must be granted, with the reason of each, before there is an organization to ask Microsoft for.
export function NeededPermissions({ mail = true, files = true }: { mail?: boolean; files?: boolean }) {
  const s = useStyles();
  const { t } = useText();
  const needed = ([
    ["Organization.Read.All", true], ["User.Read.All", true], ["Group.Read.All", true], ["Mail.Read", mail], ["Mail.ReadWrite", mail], ["Calendars.Read", mail], ["Contacts.Read", mail], ["Tasks.Read.All", mail], ["Calendars.ReadWrite", mail], ["Contacts.ReadWrite", mail], ["Tasks.ReadWrite.All", mail], ["MailboxSettings.Read", mail], ["MailboxSettings.ReadWrite", mail], ["Files.Read.All", files], ["Files.ReadWrite.All", files], ["Sites.Read.All", files], ["Sites.ReadWrite.All", files], ["Sites.Manage.All", files],
  ] as const).filter(([, wanted]) => wanted);
  return (
    <>
      <ol className={s.steps}>
        {t.organization.steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      <table className={s.permissions}>
        <caption style={{ textAlign: "left", padding: "8px 0", fontWeight: 600 }}>{t.organization.permissions}</caption>
        <thead>
          <tr>
            <th scope="col" className={s.cell}>{t.organization.permission}</th>
            <th scope="col" className={s.cell}>{t.organization.why}</th>
          </tr>
        </thead>
        <tbody>
          {needed.map(([name]) => (
            <tr key={name}>
              <td className={s.cell}><code>{name}</code></td>
              <td className={s.cell}>{t.organization.reasons[name]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
