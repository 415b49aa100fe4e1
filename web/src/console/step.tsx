import { Button, makeStyles } from "@fluentui/react-components";
import { useState, type FormEvent, type ReactNode } from "react";
import { Busy } from "../ui/busy";
import { Problem } from "../ui/page";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: "14px" },
  foot: { display: "flex", gap: "8px", flexWrap: "wrap", marginTop: "8px" },
});

// Step is a form within a page or a panel; of an error it stays.
export function Step({ submit, save, children }: { submit: string; save: () => Promise<unknown>; children: ReactNode }) {
  const s = useStyles();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const send = async (e: FormEvent) => {
    e.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(undefined);
    try {
      await save();
    } catch (cause) {
      setError(cause);
    }
    setBusy(false);
  };
  return (
    <form className={s.form} onSubmit={send}>
      {children}
      <Problem error={error} />
      <div className={s.foot}>
        <Button appearance="primary" type="submit" disabledFocusable={busy} icon={busy ? <Busy /> : null}>{submit}</Button>
      </div>
    </form>
  );
}
