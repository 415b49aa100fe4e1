import { createContext, use } from "react";
import type { Language } from "../settings";
import { text } from "./en/shared";

// Words lie in a folder for each language: what both applications say, and what one of them says alone. ui and the explorers know the first only.
export type Text = typeof text;

// Words are all that an application says; German is loaded when it is asked for.
export interface Words {
  en: Text;
  de: () => Promise<Text>;
}

export const TextContext = createContext<{ t: Text; language: Language }>({ t: text, language: "en" });

export const useText = () => use(TextContext);
