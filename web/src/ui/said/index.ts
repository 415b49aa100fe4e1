import { useCallback } from "react";
import type { components } from "../../api/schema";
import { useFormat, type Format } from "../format";
import { useText, type Text } from "../text";
import type { Places } from "./codes";

type Said = components["schemas"]["Said"];

// The server speaks English. A language that has a sentence for a code says it itself; all else stays in the server's words.
export type Sentences<Code extends keyof Places> = { [C in Code]: (w: Record<Places[C], string>) => string };

// The portal shows those of previews alone; the console has them all.
export type PreviewCode = Extract<keyof Places, `preview.${string}`>;
export type ConsoleCode = Exclude<keyof Places, PreviewCode>;

export type Spoken = Partial<Record<string, (w: Record<string, string>) => string>>;

// values are what stands in a sentence, with numbers and times as the language writes them.
function valuesOf(t: Text, f: Format, said: Said): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [place, part] of Object.entries(said.within ?? {})) out[place] = sayOf(t, f, part.text ?? "", part);
  for (const [place, value] of Object.entries(said.with ?? {}))
    out[place] =
      /^[nmk]$/.test(place) ? f.number(Number(value))
      : place === "time" && /^\d{4}-\d\d-\d\dT/.test(value) ? f.dateTime(value)
      : place === "day" ? f.date(value)
      : value;
  return out;
}

// sayOf says a text of the server in the reader's language. said is the text taken apart, when it could be.
export function sayOf(t: Text, f: Format, text: string | null | undefined, said?: Said): string {
  const speak = said?.code ? t.said[said.code] : undefined;
  return said && speak ? speak(valuesOf(t, f, said)) : (text ?? "");
}

export function useSay() {
  const { t } = useText();
  const f = useFormat();
  return useCallback((text: string | null | undefined, said?: Said) => sayOf(t, f, text, said), [t, f]);
}
