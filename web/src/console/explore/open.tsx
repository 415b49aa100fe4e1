import { Button, Card, Field, makeStyles, Radio, RadioGroup, Select, tokens } from "@fluentui/react-components";
import { FolderSearchRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { client, of } from "../../api/client";
import { organizationsQuery, type RestoreSession } from "../../api/queries";
import { Busy } from "../../ui/busy";
import { Empty, Loading, Page, Problem } from "../../ui/page";
import type { Act } from "../../ui/script";
import { useText } from "../../ui/text/console";
import { When } from "../../explorer/when";

const useStyles = makeStyles({
  grid: { display: "flex", flexWrap: "wrap", gap: "16px", alignItems: "flex-start" },
  card: { width: "340px", maxWidth: "100%", boxSizing: "border-box" },
  h: { margin: 0, fontSize: tokens.fontSizeBase400, lineHeight: tokens.lineHeightBase400 },
});

// Open chooses what to explore, and as of when.
export default function Open() {
  const s = useStyles();
  const { t } = useText();
  const navigate = useNavigate();
  const organizations = useQuery(organizationsQuery);
  const [organization, setOrganization] = useState("");
  const id = organization || organizations.data?.find((o) => o.isBackedup)?.id || organizations.data?.[0]?.id || "";
  const [type, setType] = useState<RestoreSession["type"]>("Vex");
  const [time, setTime] = useState(""); // empty: the newest
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  const open = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const opened = await of(client.POST("/v8/Organizations/{organizationId}/explore", { params: { path: { organizationId: id } }, body: { type: type as "Vex", ...(time ? { dateTime: time } : {}) } }));
      await navigate({ to: "/explore/$session", params: { session: opened.id } });
    } catch (cause) {
      setError(cause);
      setBusy(false);
    }
  };
  const flag = type === "Veod" ? " --files" : type === "Vesp" ? " --site '?'" : type === "Vet" ? " --team '?'" : type === "Chats" ? " --chat '?'" : "";
  const acts: Act[] = [
    { title: t.explore.acts.points, command: "holdfast point list", method: "GET", path: `/v8/RestorePoints?organizationId=${id || "ORGANIZATION"}` },
    { title: t.explore.acts.users, command: `holdfast explore users${flag}`, method: "GET", path: `/v8/ProtectedUsers?organizationId=${id || "ORGANIZATION"}` },
    { title: t.explore.acts.open, command: `holdfast explore ls${type === "Vesp" ? " --site board" : type === "Vet" ? " --team board" : type === "Chats" ? " --chat Lunch" : ` --user ada${flag}`}${time ? ` --at ${time}` : ""}`, method: "POST", path: `/v8/Organizations/${id || "ORGANIZATION"}/explore`, body: { type, ...(time ? { dateTime: time } : {}) } },
  ];
  if (organizations.data?.length === 0)
    return (
      <Page title={t.nav.explore}>
        <Empty icon={<FolderSearchRegular />} title={t.explore.nothing} action={<Link to="/setup">{t.home.setup}</Link>}>
          {t.explore.nothingAbout}
        </Empty>
      </Page>
    );
  return (
    <Page title={t.nav.explore} about={t.explore.about} acts={acts}>
      <Problem error={error ?? organizations.error} />
      {organizations.isPending && <Loading />}
      {organizations.data && (
        <>
          <div className={s.grid}>
            <Card className={s.card}>
              <h2 className={s.h}>{t.explore.what}</h2>
              <Field label={t.job.organization}>
                <Select value={id} onChange={(_, d) => { setOrganization(d.value); setTime(""); }}>
                  {organizations.data.map((o) => (
                    <option key={o.id} value={o.id ?? ""}>
                      {o.officeName || o.name}
                    </option>
                  ))}
                </Select>
              </Field>
              <Field label={t.explore.kind}>
                <RadioGroup value={type} onChange={(_, d) => { setType(d.value as "Vex"); setTime(""); }}>
                  <Radio value="Vex" label={t.kind.mail} />
                  <Radio value="Veod" label={t.kind.files} />
                  <Radio value="Vesp" label={t.kind.sites} />
                  <Radio value="Vet" label={t.kind.teams} />
                  <Radio value="Chats" label={t.kind.chats} />
                </RadioGroup>
              </Field>
            </Card>
            <Card className={s.card}>
              <h2 className={s.h}>{t.explore.when}</h2>
              <When key={`${id} ${type}`} organization={id} type={type} value={time} onChange={setTime} />
            </Card>
          </div>
          <br />
          <Button appearance="primary" disabledFocusable={busy || id === ""} icon={busy ? <Busy /> : null} onClick={() => void open()}>
            {t.explore.open}
          </Button>
        </>
      )}
    </Page>
  );
}
