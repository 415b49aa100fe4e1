import { createContext, use } from "react";
import type { Language } from "../settings";
import { en } from "./en";

export { en };
export type Text = typeof en;

export const TextContext = createContext<{ t: Text; language: Language }>({ t: en, language: "en" });

export const useText = () => use(TextContext);

export async function loadText(language: Language): Promise<Text> {
  return language === "de" ? (await import("./de")).de : en;
}
