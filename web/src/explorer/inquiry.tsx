import { Button } from "@fluentui/react-components";
import { useEffect, useRef, useState } from "react";
import { ApiError, client, of } from "../api/client";
import type { paths } from "../api/schema";
import { useFormat } from "../ui/format";
import { Loading } from "../ui/page";
import { useText } from "../ui/text";

type Inquiry = paths["/holdfast/v1/Inquiries/{inquiryId}"]["get"]["responses"]["200"]["content"]["application/json"];

// soon is how many seconds a call waits for an answer before it is told of an inquiry instead.
export const soon = { wait: 2 };

// Ask asks, and is answered at once or told of an inquiry. tell takes how many things were looked at so far, from who follows several inquiries himself.
export type Ask<T> = (signal: AbortSignal, tell: (seen: number) => void) => Promise<T | Inquiry>;

interface State<T> {
  busy: boolean;
  seen: number;
  data?: T;
  error?: unknown;
}

// follow waits for an answer that the server may still be looking for. Who leaves ends the search.
export async function follow<T extends object>(first: T | Inquiry, signal: AbortSignal, told: (seen: number) => void): Promise<T> {
  if (!("inquiryId" in first)) return first;
  const path = { inquiryId: first.inquiryId };
  let now: Inquiry = first;
  try {
    while (now.status === "Running") {
      told(now.seen);
      now = await of(client.GET("/holdfast/v1/Inquiries/{inquiryId}", { params: { path, query: soon }, signal }));
    }
  } finally {
    client.DELETE("/holdfast/v1/Inquiries/{inquiryId}", { params: { path } }).catch(() => undefined);
  }
  if (now.status === "Failed") throw new ApiError(409, now.message ?? "", now.errorCode);
  return (now.plan ?? now.comparison) as T;
}

// useInquiry asks what may take long, and keeps how far it is and what was answered. What nobody looks at any more is cancelled.
export function useInquiry<T extends object>() {
  const [state, setState] = useState<State<T>>({ busy: false, seen: 0 });
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const start = async (ask: Ask<T>) => {
    running.current?.abort();
    const mine = (running.current = new AbortController());
    const set = (to: State<T>) => running.current === mine && setState(to);
    set({ busy: true, seen: 0 });
    try {
      const tell = (seen: number) => set({ busy: true, seen });
      const data = await follow(await ask(mine.signal, tell), mine.signal, tell);
      set({ busy: false, seen: 0, data });
    } catch (error) {
      set({ busy: false, seen: 0, ...(mine.signal.aborted ? {} : { error }) });
    }
  };
  // stop forgets also what was answered.
  const stop = () => {
    running.current?.abort();
    setState({ busy: false, seen: 0 });
  };
  return { ...state, start, stop };
}

// Asking says that an answer is looked for, how far that is, and stops it.
export function Asking({ label, seen, onStop }: { label?: string; seen: number; onStop: () => void }) {
  const { t } = useText();
  const f = useFormat();
  return (
    <div>
      <Loading label={`${label ?? t.plan.running}${seen > 0 ? ` ${t.plan.seen(f.number(seen))}` : ""}`} />
      <Button onClick={onStop}>{t.plan.stop}</Button>
    </div>
  );
}
