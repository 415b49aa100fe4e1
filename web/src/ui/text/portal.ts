import { use } from "react";
import { TextContext, type Words } from ".";
import type { Language } from "../settings";
import { text as portal } from "./en/portal";
import { text as shared } from "./en/shared";

const en = { ...shared, ...portal };
export type Text = typeof en;

export const words: Words = {
  en,
  de: async () => {
    const [both, own] = await Promise.all([import("./de/shared"), import("./de/portal")]);
    return { ...both.text, ...own.text };
  },
};

// useText is for pages of the portal, which is started with these words.
export const useText = () => use(TextContext) as { t: Text; language: Language };
