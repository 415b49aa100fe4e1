import { use } from "react";
import { TextContext, type Words } from ".";
import type { Language } from "../settings";
import { text as console } from "./en/console";
import { text as shared } from "./en/shared";

const en = { ...shared, ...console };
export type Text = typeof en;

export const words: Words = {
  en,
  de: async () => {
    const [both, own, said] = await Promise.all([import("./de/shared"), import("./de/console"), import("../said/de/console")]);
    return { ...both.text, ...own.text, said: { ...both.text.said, ...said.text } };
  },
};

// useText is for pages of the console, which is started with these words.
export const useText = () => use(TextContext) as { t: Text; language: Language };
