import { ApiError, own } from "./client";
import type { PasskeyAnswer } from "./passkey";

// Session is who is signed in in this browser.
export interface Session {
  user: { id?: string; name: string; role?: string; roles?: string[]; secondFactor: boolean; totp?: boolean; passkeys?: boolean; acts?: string[] };
  expires: string;
  setup: boolean;
  portal?: { self: boolean; operator: boolean };
}

const path = "/holdfast/v1/session";

// The cookie can't be seen from here. Whether somebody signed in is remembered beside it, so that a browser in which nobody did asks nothing and
// reports no refused request.
const mark = "holdfast.session";

function remember(on: boolean) {
  try {
    if (on) localStorage.setItem(mark, "1");
    else localStorage.removeItem(mark);
  } catch {
    // then the server is asked each time
  }
}

function remembered(): boolean {
  try {
    return localStorage.getItem(mark) !== null;
  } catch {
    return true;
  }
}

export const session = {
  get: async (signal?: AbortSignal) => {
    if (!remembered()) throw new ApiError(401, "");
    try {
      return await own<Session>("GET", path, undefined, signal);
    } catch (cause) {
      if (cause instanceof ApiError && cause.status === 401) remember(false);
      throw cause;
    }
  },
  start: async (username: string, password: string, code?: string) => {
    const started = await own<Session>("POST", path, code ? { username, password, code } : { username, password });
    remember(true);
    return started;
  },
  startByPasskey: async (passkey: PasskeyAnswer) => {
    const started = await own<Session>("POST", path, { passkey });
    remember(true);
    return started;
  },
  proveByPasskey: (passkey: PasskeyAnswer) => own<void>("POST", `${path}/proof`, { passkey }),
  prove: (password: string, code?: string) => own<void>("POST", `${path}/proof`, code ? { password, code } : { password }),
  // returned: somebody signed in elsewhere and was sent back with a cookie.
  returned: () => remember(true),
  end: () => {
    remember(false);
    return own<void>("DELETE", path);
  },
};

export interface Totp {
  secret: string;
  url?: string;
  otpauth?: string;
}

// Local users and API keys.
export interface LocalUser {
  id: string;
  name: string;
  role?: string;
  roles?: string[];
  disabled?: boolean;
  secondFactor?: boolean;
  created?: string;
}

export interface ApiKey {
  id: string;
  name: string;
  role?: string;
  roles?: string[];
  created?: string;
  expires?: string;
  lastUsed?: string;
}
