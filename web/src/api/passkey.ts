import { own } from "./client";

// Passkeys: what the server asks for goes to this browser's authenticators as the standard writes it down, and their answer goes back the same way.

// passkeysWork says whether a passkey can be used here: the browser has them, and this server was opened by a name. A passkey belongs to a domain, which an IP address is not.
export const passkeysWork = () => !isAddress(location.hostname) && typeof PublicKeyCredential !== "undefined" && typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function";

const isAddress = (host: string) => host.includes(":") || /^\d+(\.\d+){3}$/.test(host);

// PasskeyAnswer is what the operations take that a passkey can do.
export interface PasskeyAnswer {
  requestId: string;
  credential: unknown;
}

// left makes nothing of an answer that nobody gave: the person closed the browser's window, or took too long. The browser doesn't say which.
async function left<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking;
  } catch (cause) {
    if (cause instanceof DOMException && (cause.name === "NotAllowedError" || cause.name === "AbortError")) return undefined;
    throw cause;
  }
}

// askPasskey asks for a passkey, as an operation begins it; without an answer it is undefined.
export async function askPasskey(begin: "/holdfast/v1/session/passkey" | "/holdfast/v1/session/proof/passkey"): Promise<PasskeyAnswer | undefined> {
  const asked = await own<{ requestId: string; publicKey: PublicKeyCredentialRequestOptionsJSON }>("POST", begin);
  const credential = await left(navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked.publicKey) }));
  return credential ? { requestId: asked.requestId, credential: (credential as PublicKeyCredential).toJSON() } : undefined;
}

// makePasskey makes one for whoever is signed in; without an answer it is undefined.
export async function makePasskey(): Promise<PasskeyAnswer | undefined> {
  const asked = await own<{ requestId: string; publicKey: PublicKeyCredentialCreationOptionsJSON }>("POST", "/holdfast/v1/users/me/passkeys/request");
  const credential = await left(navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked.publicKey) }));
  return credential ? { requestId: asked.requestId, credential: (credential as PublicKeyCredential).toJSON() } : undefined;
}
