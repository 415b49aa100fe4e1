import { useMemo, useSyncExternalStore } from "react";

// The portal's few pages are addressed behind the #, as the console's are. It has no router: the first load on a phone is small without one.

const subscribe = (changed: () => void) => {
  addEventListener("hashchange", changed);
  return () => removeEventListener("hashchange", changed);
};

export interface Address {
  parts: string[]; // of the path
  query: URLSearchParams;
}

export function addressOf(hash: string): Address {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  return { parts: path.split("/").filter(Boolean).map(decode), query: new URLSearchParams(query) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // somebody typed it
  }
}

export function useAddress(): Address {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return useMemo(() => addressOf(hash), [hash]);
}

export function go(to: string) {
  location.hash = to;
}

// findAddress is where words are looked for, in what one person has or (no person) in all that the caller may see. at: a hit is shown on a phone.
export function findAddress(words: string, person: string, at = false): string {
  return `/find?${new URLSearchParams({ q: words, ...(person ? { of: person } : {}), ...(at ? { at: "1" } : {}) })}`;
}
