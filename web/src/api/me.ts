/** Signing in and out, and what the person who is in may do. */
import { useStore } from "../lib/store";
import { call } from "./client";
import { live } from "./live";
import { loadPreferences } from "./preferences";
import { asProblem } from "./problem";
import { queries } from "./query";
import { session, signedIn, signedOut, signInAgain } from "./session";
import type { LoginState, Me, Methods } from "./types";

/** Asks who is signed in. Once at the start, and after each step of a sign-in. */
export async function whoAmI(): Promise<Me | null> {
  try {
    const me = await call<Me>("GET", "/me", { quiet: true });
    signedIn(me);
    void loadPreferences();
    return me;
  } catch (error) {
    const problem = asProblem(error);
    if (problem.status === 401) {
      // On an open page, people sign in over it; what they typed stays.
      const { state, me } = session.get();
      if (state === "in" && !me?.enrol && !me?.must_change_password) void signInAgain();
      else if (state !== "expired") signedOut();
      return null;
    }
    throw problem;
  }
}

export const methods = (): Promise<Methods> => call<Methods>("GET", "/auth/methods");
export const firstRun = (token: string, name: string, password: string): Promise<LoginState> =>
  call("POST", "/auth/first-run", { body: { token, name, password } });
export const login = (name: string, password: string): Promise<LoginState> =>
  call("POST", "/auth/login", { body: { name, password } });
export const secondFactor = (kind: "totp" | "recovery", code: string): Promise<LoginState> =>
  call("POST", `/auth/${kind}`, { body: { code } });

export async function logout(): Promise<void> {
  try {
    await call("POST", "/auth/logout", { quiet: true });
  } finally {
    live.stop();
    queries.clear();
    signedOut();
  }
}

export function useMe(): Me | null {
  return useStore(session).me;
}

/** Whether the person may do something: "work", "respond", "approve", "keys", "users", "audit". */
export function useMay(permission: string): boolean {
  const me = useMe();
  return me?.permissions.includes(permission) ?? false;
}
