/** Passkeys: the ceremonies of the browser between two requests. */
import { call } from "./client";
import type { LoginState } from "./types";

/** Whether this browser can do it, in the form the API speaks. */
export const passkeysWork = (): boolean =>
  typeof PublicKeyCredential !== "undefined" && typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function";

type Wrapped<T> = T & { publicKey?: T };
const inner = <T extends object>(options: Wrapped<T>): T => options.publicKey ?? options;

/** Signs in, or shows the second factor, or confirms that it is you. null: the person gave up. */
export async function showPasskey(name?: string): Promise<LoginState | null> {
  const options = await call<Wrapped<PublicKeyCredentialRequestOptionsJSON>>("POST", "/auth/passkey/options", {
    body: name ? { name } : {},
  });
  const credential = await gaveUp(
    navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(inner(options)) }),
  );
  if (!credential) return null;
  return call<LoginState>("POST", "/auth/passkey", {
    body: { credential: (credential as PublicKeyCredential).toJSON() },
  });
}

/** Makes a passkey for who is signed in; the answer holds recovery codes when it is the first factor. */
export async function makePasskey(name: string): Promise<{ id: string; name: string; codes?: string[] } | null> {
  const options = await call<Wrapped<PublicKeyCredentialCreationOptionsJSON>>("POST", "/me/passkeys/options", {
    body: {},
  });
  const credential = await gaveUp(
    navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(inner(options)) }),
  );
  if (!credential) return null;
  return call("POST", "/me/passkeys", { body: { name, credential: (credential as PublicKeyCredential).toJSON() } });
}

/** A person who closes the browser's dialog has made no error. */
async function gaveUp(asked: Promise<Credential | null>): Promise<Credential | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof DOMException && (error.name === "NotAllowedError" || error.name === "AbortError")) return null;
    throw error;
  }
}
