import { Badge, Button, Field, Input, makeStyles, tokens } from "@fluentui/react-components";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { client, of, own } from "../../api/client";
import { makePasskey, passkeysWork } from "../../api/passkey";
import { sessionQuery } from "../../api/queries";
import { useFormat } from "../../ui/format";
import { Loading, Note, Problem } from "../../ui/page";
import { Confirm, FormPanel } from "../../ui/panel";
import { useText } from "../../ui/text/console";
import { RecoveryCodes } from "./codes";

const path = "/holdfast/v1/users/me/passkeys";

const useStyles = makeStyles({
  box: { display: "flex", flexDirection: "column", gap: "14px", maxWidth: "520px" },
  list: { listStyle: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: "12px" },
  one: { display: "flex", gap: "8px", alignItems: "start", justifyContent: "space-between", flexWrap: "wrap" },
  name: { fontWeight: tokens.fontWeightSemibold, overflowWrap: "anywhere" },
  facts: { color: tokens.colorNeutralForeground2, overflowWrap: "anywhere" },
  acts: { display: "flex", gap: "8px" },
});

// Passkeys are those of whoever is signed in. onDone: one was added and its recovery codes, if there are any, are kept. beside is another way on.
export function Passkeys({ onDone, beside }: { onDone?: () => void; beside?: ReactNode }) {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const queries = useQueryClient();
  const { data, error, isPending } = useQuery({ queryKey: ["passkeys"], queryFn: ({ signal }) => of(client.GET(path, { signal })) });
  const [open, setOpen] = useState<"add" | "rename" | "remove">();
  const [chosen, setChosen] = useState<{ id: string; name: string }>({ id: "", name: "" });
  const [codes, setCodes] = useState<string[]>();
  const again = () => Promise.all([queries.invalidateQueries({ queryKey: ["passkeys"] }), queries.invalidateQueries({ queryKey: sessionQuery.queryKey })]);
  const close = () => setOpen(undefined);
  const begin = (what: "rename" | "remove", one: { id: string; name: string }) => {
    setChosen(one);
    setOpen(what);
  };
  const add = async (name: string) => {
    const answer = await makePasskey();
    if (!answer) throw new Error(t.signin.noPasskey);
    const made = await own<{ recoveryCodes?: string[] }>("POST", path, { ...answer, name });
    if (made.recoveryCodes) setCodes(made.recoveryCodes);
    else {
      await again();
      onDone?.();
    }
  };
  // The button that began it stays, so that the focus can go back to it.
  return (
    <div className={s.box}>
      {codes ? <RecoveryCodes codes={codes} onKept={() => { setCodes(undefined); void again().then(onDone); }} /> : <div>{t.passkey.about}</div>}
      <Problem error={error} />
      {isPending && <Loading />}
      {data && data.length > 0 && (
        <ul className={s.list} aria-label={t.passkey.title}>
          {data.map((k) => (
            <li key={k.id} className={s.one}>
              <div>
                <div className={s.name}>{k.name} {k.synced && <Badge appearance="tint">{t.passkey.synced}</Badge>}</div>
                <div className={s.facts}>{t.passkey.of(k.host, f.date(k.created))}</div>
                <div className={s.facts}>{k.lastUsed ? t.passkey.used(f.dateTime(k.lastUsed)) : t.passkey.unused}</div>
              </div>
              <div className={s.acts}>
                <Button size="small" aria-label={t.passkey.renameOf(k.name)} onClick={() => begin("rename", k)}>{t.passkey.rename}</Button>
                <Button size="small" aria-label={t.passkey.removeTitle(k.name)} onClick={() => begin("remove", k)}>{t.common.remove}</Button>
              </div>
            </li>
          ))}
        </ul>
      )}
      {passkeysWork() ? (
        <div className={s.acts}>
          <Button onClick={() => { setChosen({ id: "", name: "" }); setOpen("add"); }}>{t.passkey.add}</Button>
          {!codes && beside}
        </div>
      ) : (
        <>
          <Note>{t.passkey.unable}</Note>
          {beside && <div>{beside}</div>}
        </>
      )}
      {open === "add" && <Named title={t.passkey.add} submit={t.passkey.make} about={t.passkey.addAbout} onClose={close} save={add} />}
      {open === "rename" && <Named title={t.passkey.renameOf(chosen.name)} submit={t.common.save} was={chosen.name} onClose={close} save={async (name) => { await own("PATCH", `${path}/${chosen.id}`, { name }); await again(); }} />}
      {open === "remove" && (
        <Confirm title={t.passkey.removeTitle(chosen.name)} action={t.common.remove} onClose={close} run={async () => { await own("DELETE", `${path}/${chosen.id}`); await again(); }}>
          {t.passkey.removeAbout}
        </Confirm>
      )}
    </div>
  );
}

function Named({ title, submit, about, was = "", onClose, save }: { title: string; submit: string; about?: string; was?: string; onClose: () => void; save: (name: string) => Promise<unknown> }) {
  const { t } = useText();
  const [name, setName] = useState(was);
  return (
    <FormPanel title={title} submit={submit} onClose={onClose} save={() => save(name)}>
      {about && <p>{about}</p>}
      <Field label={t.user.name} hint={t.passkey.nameHint}>
        <Input value={name} maxLength={100} autoFocus onChange={(_, d) => setName(d.value)} />
      </Field>
    </FormPanel>
  );
}
