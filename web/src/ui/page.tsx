import { Button, makeStyles, MessageBar, MessageBarBody, MessageBarTitle, Spinner, Title2, tokens, Toolbar, ToolbarButton, ToolbarDivider } from "@fluentui/react-components";
import { useEffect, type ReactElement, type ReactNode } from "react";
import { useFormat } from "./format";
import { ScriptButton, type Act } from "./script";
import { useText } from "./text";

const useStyles = makeStyles({
  page: { padding: "20px 28px 40px", maxWidth: "1500px", "@media (max-width: 640px)": { padding: "12px 12px 32px" } },
  head: { display: "flex", alignItems: "flex-start", gap: "8px", marginBottom: "4px" },
  title: { margin: 0, flexGrow: 1 },
  about: { margin: "0 0 12px", color: tokens.colorNeutralForeground2, maxWidth: "80ch" },
  bar: { padding: "0", marginBottom: "12px", minHeight: "40px", borderBottom: `1px solid ${tokens.colorNeutralStroke2}`, flexWrap: "wrap" },
  space: { flexGrow: 1 },
  command: { fontWeight: tokens.fontWeightRegular, padding: "5px 8px", minWidth: 0, whiteSpace: "nowrap", "@media (max-width: 1400px)": { padding: "5px" } },
  empty: { display: "flex", flexDirection: "column", alignItems: "center", textAlign: "center", gap: "8px", padding: "48px 16px", color: tokens.colorNeutralForeground2 },
  emptyIcon: { fontSize: "48px", color: tokens.colorBrandForeground1, lineHeight: 1 },
  emptyTitle: { fontSize: tokens.fontSizeBase400, lineHeight: tokens.lineHeightBase400, fontWeight: tokens.fontWeightSemibold, color: tokens.colorNeutralForeground1 },
  message: { marginBottom: "12px" },
});

export interface Command {
  key: string;
  label: string;
  icon: ReactElement;
  onClick: () => void;
  disabled?: boolean;
  // why says why it can't be used now.
  why?: string;
  primary?: boolean;
  divider?: boolean;
}

// Page is the frame of a page: title, command bar, what goes wrong, content. acts are the same acts as a command and as curl.
export function Page({ title, about, commands, acts, far, children }: { title: string; about?: string; commands?: Command[]; acts?: Act[]; far?: ReactNode; children: ReactNode }) {
  const s = useStyles();
  const { t } = useText();
  useEffect(() => {
    document.title = `${title} – Holdfast`;
  }, [title]);
  return (
    <div className={s.page}>
      <div className={s.head}>
        <Title2 as="h1" className={s.title}>
          {title}
        </Title2>
        {acts && acts.length > 0 && <ScriptButton acts={acts} />}
      </div>
      {about && <p className={s.about}>{about}</p>}
      {(commands || far) && (
        <Toolbar className={s.bar} aria-label={t.common.commands}>
          {commands?.map((c) => <CommandButton key={c.key} command={c} />)}
          <span className={s.space} />
          {far}
        </Toolbar>
      )}
      {children}
    </div>
  );
}

function CommandButton({ command: c }: { command: Command }) {
  const s = useStyles();
  return (
    <>
      {c.divider && <ToolbarDivider />}
      <ToolbarButton className={s.command} icon={c.icon} onClick={c.onClick} disabledFocusable={c.disabled ?? false} appearance={c.primary ? "primary" : "subtle"} title={c.disabled ? c.why : undefined}>
        {c.label}
      </ToolbarButton>
    </>
  );
}

// Problem shows an error where it happened; nothing when there is none.
export function Problem({ error, title, onRetry }: { error: unknown; title?: string; onRetry?: () => void }) {
  const s = useStyles();
  const f = useFormat();
  const { t } = useText();
  if (!error) return null;
  return (
    <MessageBar intent="error" layout="multiline" className={s.message} role="alert">
      <MessageBarBody>
        {title && <MessageBarTitle>{title}</MessageBarTitle>}
        {f.error(error)}{" "}
        {onRetry && (
          <Button size="small" onClick={onRetry}>
            {t.common.again}
          </Button>
        )}
      </MessageBarBody>
    </MessageBar>
  );
}

export function Note({ intent = "info", title, children }: { intent?: "info" | "warning" | "success" | "error"; title?: string; children: ReactNode }) {
  const s = useStyles();
  return (
    <MessageBar intent={intent} layout="multiline" className={s.message}>
      <MessageBarBody>
        {title && <MessageBarTitle>{title}</MessageBarTitle>}
        {children}
      </MessageBarBody>
    </MessageBar>
  );
}

export function Loading({ label }: { label?: string }) {
  const { t } = useText();
  return <Spinner label={label ?? t.common.loading} style={{ padding: 32 }} />;
}

// Empty says that there is nothing and what to do next.
export function Empty({ icon, title, children, action }: { icon: ReactElement; title: string; children?: ReactNode; action?: ReactNode }) {
  const s = useStyles();
  return (
    <div className={s.empty}>
      <span className={s.emptyIcon} aria-hidden>
        {icon}
      </span>
      <span className={s.emptyTitle}>{title}</span>
      {children && <span>{children}</span>}
      {action}
    </div>
  );
}
