import { useMemo, useSyncExternalStore } from "react";

export function media(query: string) {
  const list = matchMedia(query);
  return {
    subscribe: (changed: () => void) => {
      list.addEventListener("change", changed);
      return () => list.removeEventListener("change", changed);
    },
    get: () => list.matches,
  };
}

// useMedia follows whether a media query matches.
export function useMedia(query: string): boolean {
  const one = useMemo(() => media(query), [query]);
  return useSyncExternalStore(one.subscribe, one.get);
}

// phone is a screen on which one thing at a time has room.
export const phone = "(max-width: 640px)";
