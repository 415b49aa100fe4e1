import type { PreviewCode, Sentences } from "..";

// What the server says of previews, in German; both applications show it.
export const text: Sentences<PreviewCode> = {
  "preview.no mail": (w) => `Das ist keine E-Mail, die sich zerlegen lässt: ${w.detail}`,
  "preview.parts": (w) => `Die E-Mail hat mehr als ${w.n} Teile, oder sie liegen mehr als ${w.m} tief ineinander: Der Rest wird nicht gezeigt.`,
  "preview.garbled": (w) => `Ab einem Teil ist die E-Mail beschädigt: ${w.detail}`,
  "preview.text": (w) => `Ein Text der E-Mail lässt sich nicht bis zum Ende lesen: ${w.detail}`,
  "preview.attachment": (w) => `Die Anlage „${w.name}“ lässt sich nicht bis zum Ende lesen: ${w.detail}`,
  "preview.page": () => "Diese Seite hat keinen Text: Laden Sie sie herunter, um zu sehen, woraus sie besteht.",
  "preview.kind": () => "Von dieser Art Datei gibt es keine Vorschau: Laden Sie sie herunter.",
  "preview.none": (w) => `Es gibt keine Vorschau: ${w.why}`,
  "preview.image large": (w) => `Das Bild hat mehr als ${w.n} MiB: Laden Sie es herunter.`,
  "preview.image garbled": () => "Das Bild ist beschädigt.",
  "preview.image pixels": (w) => `Das Bild hat ${w.n} mal ${w.m} Pixel: Laden Sie es herunter.`,
  "preview.locked": () => "Die Datei ist mit einem Kennwort geschützt.",
};
