import { Menu, MenuDivider, MenuGroup, MenuGroupHeader, MenuItem, MenuItemRadio, MenuList, MenuPopover } from "@fluentui/react-components";
import { SettingsRegular, SignOutRegular } from "@fluentui/react-icons";
import type { ReactNode } from "react";
import type { Language, ThemeName } from "./settings";
import { useText } from "./text";
import { useThemes } from "./theme";

// The menus of the top bar, loaded when one is opened.

interface At {
  target: HTMLElement;
  onClose: () => void;
}

function Dropped({ target, onClose, children, ...checked }: At & { children: ReactNode; checkedValues?: Record<string, string[]>; onCheckedValueChange?: (e: unknown, d: { name: string; checkedItems: string[] }) => void }) {
  return (
    <Menu
      open
      positioning={{ target, position: "below", align: "end" }}
      onOpenChange={(_, d) => {
        if (d.open) return;
        onClose();
        target.focus();
      }}
      {...checked}
    >
      <MenuPopover style={{ maxWidth: "min(400px, calc(100vw - 16px))" }}>
        <MenuList>{children}</MenuList>
      </MenuPopover>
    </Menu>
  );
}

export function Appearance(at: At) {
  const { t } = useText();
  const themes = useThemes();
  return (
    <Dropped
      {...at}
      checkedValues={{ theme: [themes.name], language: [themes.language] }}
      onCheckedValueChange={(_, d) => {
        const value = d.checkedItems[0];
        if (!value) return;
        if (d.name === "theme") themes.set(value as ThemeName);
        else themes.setLanguage(value as Language);
      }}
    >
      <MenuGroup>
        <MenuGroupHeader>{t.nav.theme}</MenuGroupHeader>
        {(["system", "light", "dark", "contrast"] as const).map((n) => (
          <MenuItemRadio key={n} name="theme" value={n}>
            {t.theme[n]}
          </MenuItemRadio>
        ))}
      </MenuGroup>
      <MenuDivider />
      <MenuGroup>
        <MenuGroupHeader>{t.nav.language}</MenuGroupHeader>
        <MenuItemRadio name="language" value="en" lang="en">
          English
        </MenuItemRadio>
        <MenuItemRadio name="language" value="de" lang="de">
          Deutsch
        </MenuItemRadio>
      </MenuGroup>
    </Dropped>
  );
}

export function Account({ name, onSettings, onSignOut, ...at }: At & { name: string; onSettings?: () => void; onSignOut: () => void }) {
  const { t } = useText();
  return (
    <Dropped {...at}>
      <MenuGroup>
        <MenuGroupHeader style={{ overflowWrap: "anywhere" }}>{name}</MenuGroupHeader>
        {onSettings && (
          <MenuItem icon={<SettingsRegular />} onClick={onSettings}>
            {t.nav.settings}
          </MenuItem>
        )}
        <MenuItem icon={<SignOutRegular />} onClick={onSignOut}>
          {t.nav.signOut}
        </MenuItem>
      </MenuGroup>
    </Dropped>
  );
}
