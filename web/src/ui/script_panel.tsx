import { Button, makeStyles, Tab, TabList, tokens } from "@fluentui/react-components";
import { Copy20Regular } from "@fluentui/react-icons";
import { useState } from "react";
import { Panel } from "./panel";
import { curl, type Act } from "./script";
import { useText } from "./text";

const useStyles = makeStyles({
  act: { marginBottom: "24px" },
  head: { margin: "0 0 6px", fontSize: tokens.fontSizeBase300, fontWeight: tokens.fontWeightSemibold },
  code: {
    display: "block", margin: 0, padding: "10px 12px", whiteSpace: "pre-wrap", overflowWrap: "anywhere", fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200,
    backgroundColor: tokens.colorNeutralBackground3, border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium,
  },
  tabs: { marginBottom: "12px" },
  copy: { marginTop: "4px" },
});

export function Script({ acts }: { acts: Act[] }) {
  const s = useStyles();
  const { t } = useText();
  const [tab, setTab] = useState("command");
  const [copied, setCopied] = useState("");
  const copy = (text: string) => navigator.clipboard.writeText(text).then(() => setCopied(text), () => setCopied(""));
  return (
    <>
      <p>{t.script.about}</p>
      <TabList className={s.tabs} selectedValue={tab} onTabSelect={(_, d) => setTab(String(d.value))} aria-label={t.script.title}>
        <Tab value="command">{t.script.command}</Tab>
        <Tab value="curl">curl</Tab>
      </TabList>
      {tab === "curl" && (
        <>
          <p>{t.script.token}</p>
          <pre className={s.code}>{`TOKEN=$(curl -s --cacert rest.pem ${location.origin}/v8/token -d grant_type=password -d username=admin --data-urlencode password@password.txt | jq -r .access_token)`}</pre>
          <br />
        </>
      )}
      {acts.map((act) => {
        const text = tab === "curl" ? curl(act) : act.command;
        return (
          <section key={act.title} className={s.act}>
            <h3 className={s.head}>{act.title}</h3>
            {text ? (
              <>
                <pre className={s.code} tabIndex={0} aria-label={act.title}>
                  {text}
                </pre>
                <Button className={s.copy} size="small" appearance="subtle" icon={<Copy20Regular />} onClick={() => copy(text)}>
                  {copied === text ? t.script.copied : t.script.copy}
                </Button>
              </>
            ) : (
              <p>{t.script.noCommand}</p>
            )}
          </section>
        );
      })}
    </>
  );
}

export default function ScriptPanel({ acts, onClose }: { acts: Act[]; onClose: () => void }) {
  const { t } = useText();
  return (
    <Panel title={t.script.title} onClose={onClose}>
      <Script acts={acts} />
    </Panel>
  );
}
