import { Button } from "@fluentui/react-components";
import { WeatherMoonRegular } from "@fluentui/react-icons";
import { lazy, Suspense, useState, type ReactElement, type ReactNode } from "react";
import { useText } from "./text";

const Appearance = lazy(async () => ({ default: (await import("./menus")).Appearance }));

// Opens is a button whose menu is loaded when it is opened.
export function Opens({ icon, label, className, children }: { icon: ReactElement; label: string; className?: string; children: (at: { target: HTMLElement; onClose: () => void }) => ReactNode }) {
  const [target, setTarget] = useState<HTMLElement | null>(null);
  return (
    <>
      <Button appearance="transparent" className={className} icon={icon} aria-label={label} title={label} aria-haspopup="menu" aria-expanded={target !== null} onClick={(e) => setTarget(target ? null : e.currentTarget)} />
      {target && <Suspense>{children({ target, onClose: () => setTarget(null) })}</Suspense>}
    </>
  );
}

export function ThemeMenu({ className }: { className?: string }) {
  const { t } = useText();
  return (
    <Opens icon={<WeatherMoonRegular />} label={t.nav.appearance} {...(className ? { className } : {})}>
      {(at) => <Appearance {...at} />}
    </Opens>
  );
}
