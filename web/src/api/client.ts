import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

// client knows every operation of our OpenAPI file by its path. The browser session's cookie goes along by itself.
export const client = createClient<paths>({ baseUrl: "/", credentials: "same-origin", fetch: send });

// ApiError is an answer that is not a success, in the server's words.
export class ApiError extends Error {
  readonly status: number;
  readonly code: string | undefined;
  readonly body: unknown;
  constructor(status: number, message: string, code?: string, body?: unknown) {
    super(message);
    this.status = status;
    this.code = code;
    this.body = body;
  }
}

// Prove asks the person for what proves who he is, all of ways or one of instead, and says whether he gave it.
type Prove = (ways: string[], instead: string[]) => Promise<boolean>;
let prove: Prove | undefined;

// whenProofNeeded sets who asks, before a dangerous act, for a proof that is not old.
export function whenProofNeeded(ask: Prove | undefined) {
  prove = ask;
}

// send is fetch. What the server refuses until somebody has proved again who he is goes on once he has.
async function send(request: Request): Promise<Response> {
  const again = request.clone();
  const response = await fetch(request);
  if (response.status !== 403 || !prove) return response;
  const told = (await response.clone().json().catch(() => undefined)) as { proofNeeded?: string[]; proofInstead?: string[] } | undefined;
  return told?.proofNeeded && (await prove(told.proofNeeded, told.proofInstead ?? [])) ? send(again) : response;
}

type Listener = () => void;
let onSignedOut: Listener | undefined;

// whenSignedOut sets who is told that the server no longer knows the session.
export function whenSignedOut(listener: Listener) {
  onSignedOut = listener;
}

function failure(response: Response, body: unknown): ApiError {
  if (response.status === 401) onSignedOut?.();
  const told = body as { message?: string; errorCode?: string } | undefined;
  return new ApiError(response.status, told?.message || `${response.status} ${response.statusText}`, told?.errorCode, body);
}

// of unwraps an answer of client: data, or an ApiError.
export async function of<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call.catch((cause: unknown) => {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(0, "offline", undefined, cause);
  });
  if (!response.ok) throw failure(response, error);
  return data as T;
}

// own calls an operation that our OpenAPI file does not have yet.
export async function own<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = { method, credentials: "same-origin" };
  if (signal) init.signal = signal;
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "Content-Type": "application/json" };
  }
  const response = await send(new Request(path, init)).catch((cause: unknown) => {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(0, "offline", undefined, cause);
  });
  const text = await response.text();
  let parsed: unknown;
  try {
    parsed = text === "" ? undefined : JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  if (!response.ok) {
    // A refused sign-in is answered 401 too: it ends no session.
    if (response.status === 401 && path === "/holdfast/v1/session") {
      const told = parsed as { message?: string; errorCode?: string } | undefined;
      throw new ApiError(401, told?.message ?? "", told?.errorCode, parsed);
    }
    throw failure(response, parsed);
  }
  return parsed as T;
}

// download saves what an operation streams as a file of this computer.
export async function download(path: string, body: unknown, name: string): Promise<void> {
  await saved(await send(new Request(path, { method: "POST", credentials: "same-origin", body: JSON.stringify(body ?? {}), headers: { "Content-Type": "application/json" } })), name);
}

// getDownload is download for operations that need no body.
export async function getDownload(path: string, name: string): Promise<void> {
  await saved(await fetch(path, { credentials: "same-origin" }), name);
}

async function saved(response: Response, name: string): Promise<void> {
  if (!response.ok) {
    const told: unknown = await response.json().catch(() => undefined);
    throw failure(response, told);
  }
  const blob = await response.blob();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = fileName(response.headers.get("Content-Disposition")) ?? name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export function fileName(disposition: string | null): string | undefined {
  if (!disposition) return undefined;
  const star = /filename\*=utf-8''([^;]+)/i.exec(disposition);
  if (star?.[1]) {
    try {
      return decodeURIComponent(star[1]);
    } catch {
      return undefined;
    }
  }
  return /filename="([^"]*)"/i.exec(disposition)?.[1];
}

export const enc = encodeURIComponent;
