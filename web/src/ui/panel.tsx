import {
  Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, DrawerBody, DrawerFooter, DrawerHeader, DrawerHeaderTitle, makeStyles, OverlayDrawer,
} from "@fluentui/react-components";
import { Dismiss24Regular } from "@fluentui/react-icons";
import { useEffect, useState, type FormEvent, type ReactNode } from "react";
import { Busy } from "./busy";
import { Problem } from "./page";
import { useText } from "./text";

// settled is when Fluent's dialogs have done what they do after their end, in milliseconds: they show the page to those who hear it a quarter of a second later.
const settled = 500;

// shown undoes what is left when two dialogs end within that time, one over the other: the page stays hidden for ever, wherever the focus goes.
function shown() {
  if (!document.querySelector('[role="dialog"], [role="alertdialog"]')) document.getElementById("root")?.removeAttribute("aria-hidden");
}

// useReturn gives the focus back when a dialog is gone: to where it came from, else to the page. Without a focus the page would stay hidden from those who hear it.
function useReturn() {
  useEffect(() => {
    const from = document.activeElement;
    return () => {
      setTimeout(shown, settled);
      setTimeout(() => {
        if (document.activeElement && document.activeElement !== document.body) return;
        const back = from instanceof HTMLElement && from !== document.body && from.isConnected ? from : document.getElementById("main");
        back?.focus();
      });
    };
  }, []);
}

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", minHeight: 0, flexGrow: 1, height: "100%", width: "100%", minWidth: 0 },
  body: { display: "flex", flexDirection: "column", gap: "14px", paddingTop: "4px", paddingBottom: "16px" },
  plain: { paddingTop: "4px", paddingBottom: "16px" },
  foot: { justifyContent: "flex-start" },
  whole: { whiteSpace: "nowrap" },
});

// Panel is what slides in from the right.
export function Panel({ title, onClose, children, size = "medium", footer }: { title: string; onClose: () => void; children: ReactNode; size?: "medium" | "large"; footer?: ReactNode }) {
  useReturn();
  const s = useStyles();
  const { t } = useText();
  return (
    <OverlayDrawer open position="end" size={size} onOpenChange={(_, d) => !d.open && onClose()}>
      <DrawerHeader>
        <DrawerHeaderTitle action={<Button appearance="subtle" aria-label={t.common.close} icon={<Dismiss24Regular />} onClick={onClose} />}>{title}</DrawerHeaderTitle>
      </DrawerHeader>
      <DrawerBody>
        <div className={s.plain}>{children}</div>
      </DrawerBody>
      {footer && <DrawerFooter className={s.foot}>{footer}</DrawerFooter>}
    </OverlayDrawer>
  );
}

// FormPanel is a panel with a form; save may fail, which is shown, or succeed, which closes it.
export function FormPanel({ title, submit, onClose, save, children, size = "medium", keepOpen = false }: {
  title: string;
  submit: string;
  onClose: () => void;
  save: () => Promise<unknown>;
  children: ReactNode;
  size?: "medium" | "large";
  keepOpen?: boolean; // save shows something else in its place
}) {
  useReturn();
  const s = useStyles();
  const { t } = useText();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const send = async (e: FormEvent) => {
    e.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(undefined);
    try {
      await save();
      if (!keepOpen) onClose();
    } catch (cause) {
      setError(cause);
      setBusy(false);
    }
  };
  return (
    <OverlayDrawer open position="end" size={size} onOpenChange={(_, d) => !d.open && !busy && onClose()}>
      <form className={s.form} onSubmit={send} noValidate={false}>
        <DrawerHeader>
          <DrawerHeaderTitle action={<Button appearance="subtle" aria-label={t.common.close} icon={<Dismiss24Regular />} onClick={onClose} disabled={busy} />}>{title}</DrawerHeaderTitle>
        </DrawerHeader>
        <DrawerBody>
          <div className={s.body}>
            {children}
            <Problem error={error} />
          </div>
        </DrawerBody>
        <DrawerFooter className={s.foot}>
          <Button appearance="primary" type="submit" disabledFocusable={busy} icon={busy ? <Busy /> : null}>
            {submit}
          </Button>
          <Button onClick={onClose} disabled={busy}>
            {t.common.cancel}
          </Button>
        </DrawerFooter>
      </form>
    </OverlayDrawer>
  );
}

// Confirm asks before something that can't be taken back.
export function Confirm({ title, children, action, onClose, run }: { title: string; children: ReactNode; action: string; onClose: () => void; run: () => Promise<unknown> }) {
  useReturn();
  const s = useStyles();
  const { t } = useText();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const go = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await run();
      onClose();
    } catch (cause) {
      setError(cause);
      setBusy(false);
    }
  };
  return (
    <Dialog open modalType="alert" onOpenChange={(_, d) => !d.open && !busy && onClose()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{title}</DialogTitle>
          <DialogContent>
            {children}
            <Problem error={error} />
          </DialogContent>
          <DialogActions>
            <Button appearance="primary" className={s.whole} onClick={go} disabledFocusable={busy} icon={busy ? <Busy /> : null}>
              {action}
            </Button>
            <Button onClick={onClose} disabled={busy}>
              {t.common.cancel}
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
