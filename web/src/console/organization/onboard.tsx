import { Checkbox, Field, Input, makeStyles, Radio, RadioGroup, Select } from "@fluentui/react-components";
import { useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { client, of, type Schemas } from "../../api/client";
import { useText } from "../../ui/text/console";
import { DeviceSignIn } from "./device";
import { regions } from "./form";
import { useOnboardText } from "./text";

const useStyles = makeStyles({ fields: { display: "flex", flexDirection: "column", gap: "14px" } });

// Onboard adds an organization: by an administrator's sign-in, or with an application that is there, whose form is children.
export function Onboard({ onDone, children }: { onDone: () => void; children: ReactNode }) {
  const s = useStyles();
  const { t } = useText();
  const w = useOnboardText();
  const queries = useQueryClient();
  const [way, setWay] = useState<"person" | "application">("person");
  const [tenant, setTenant] = useState("");
  const [region, setRegion] = useState("Worldwide");
  const [name, setName] = useState("Holdfast");
  const [mail, setMail] = useState(true);
  const [files, setFiles] = useState(true);
  const add = async (userCode: string) => {
    const settings = { useApplicationOnlyAuth: true, officeOrganizationName: tenant.trim() };
    await of(client.POST("/v8/Organizations", {
      body: {
        type: "Office365", region, isExchangeOnline: mail, isSharePointOnline: files, configureApplication: true, userCode, newApplicationName: name.trim(),
        ...(mail ? { exchangeOnlineSettings: settings } : {}), ...(files ? { sharePointOnlineSettings: settings } : {}),
      } as unknown as Schemas["RestOrganizationComposed"] as never,
    }));
    await queries.invalidateQueries();
    onDone();
  };
  return (
    <div className={s.fields}>
      <Field label={w.how}>
        <RadioGroup value={way} onChange={(_, d) => setWay(d.value as "person")}>
          <Radio value="person" label={w.byPerson} />
          <Radio value="application" label={w.byApplication} />
        </RadioGroup>
      </Field>
      {way === "application" && children}
      {way === "person" && (
        <>
          <p style={{ margin: 0 }}>{w.aboutPerson}</p>
          <Field label={t.organization.tenant} hint={w.tenantHint} required>
            <Input value={tenant} onChange={(_, d) => setTenant(d.value)} placeholder="contoso.onmicrosoft.com" />
          </Field>
          <Field label={t.organization.region}>
            <Select value={region} onChange={(_, d) => setRegion(d.value)}>
              {regions.map((r) => (
                <option key={r} value={r}>{t.organization.regions[r]}</option>
              ))}
            </Select>
          </Field>
          <Field label={w.newName}>
            <Input value={name} onChange={(_, d) => setName(d.value)} />
          </Field>
          <div role="group" aria-label={w.protect}>
            <Checkbox label={t.kind.mail} checked={mail} onChange={(_, d) => setMail(d.checked === true)} />
            <Checkbox label={`${t.kind.files}, ${t.kind.sites}`} checked={files} onChange={(_, d) => setFiles(d.checked === true)} />
          </div>
          <DeviceSignIn
            ready={tenant.trim() !== "" && name.trim() !== "" && (mail || files)}
            begin={() => of(client.POST("/v8/DeviceCode", { body: { targetRegion: region } as never }))}
            run={add}
            doing={w.registering}
          />
        </>
      )}
    </div>
  );
}
