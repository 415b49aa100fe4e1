import { useEffect, useState } from "react";

// useAct runs what a person began, and keeps whether it runs, what it said and why it failed. A new act forgets what the one before said.
export function useAct() {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [said, setSaid] = useState("");
  const act = async (what: () => Promise<unknown>) => {
    setBusy(true);
    setError(undefined);
    setSaid("");
    try {
      await what();
    } catch (cause) {
      setError(cause);
    }
    setBusy(false);
  };
  return { busy, error, setError, said, setSaid, act };
}

// useSettled is a text once nobody has typed for a moment, without the space around it.
export function useSettled(text: string) {
  const [settled, setSettled] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text.trim()), 300);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
