import { createContext, use } from "react";
import type { Language, ThemeName } from "./settings";

interface Themes {
  name: ThemeName;
  shown: Exclude<ThemeName, "system">;
  set: (name: ThemeName) => void;
  language: Language;
  setLanguage: (name: Language) => void;
}

export const ThemeContext = createContext<Themes | null>(null);

export function useThemes(): Themes {
  const themes = use(ThemeContext);
  if (!themes) throw new Error("outside of the app");
  return themes;
}
