/**
 * Who is signed in, and what happens when that ends in the middle of work: the
 * request waits, the person signs in over the page as it is, and the request is
 * sent again. Nothing typed is lost.
 */
import { Store } from "../lib/store";
import type { Me } from "./types";

export interface SessionState {
  /** unknown: not asked yet; out: nobody; in: somebody; expired: somebody was, and a page is open. */
  state: "unknown" | "out" | "in" | "expired";
  me: Me | null;
}

export const session = new Store<SessionState>({ state: "unknown", me: null });

let waiting: ((again: boolean) => void)[] = [];

/** Waits until somebody is signed in again; false when they gave up. */
export function signInAgain(): Promise<boolean> {
  if (session.get().state === "in") session.set((before) => ({ ...before, state: "expired" }));
  if (session.get().state !== "expired") return Promise.resolve(false);
  return new Promise((resolve) => waiting.push(resolve));
}

/** Says who is signed in; requests that waited go on. */
export function signedIn(me: Me): void {
  const before = session.get().me;
  session.set({ state: "in", me });
  const held = waiting;
  waiting = [];
  // Somebody else at the same desk: what the first one asked for is not sent in the name of the second.
  for (const resume of held) resume(before === null || before.id === me.id);
}

export function signedOut(): void {
  session.set({ state: "out", me: null });
  const held = waiting;
  waiting = [];
  for (const resume of held) resume(false);
}

/** Confirming "it is you": a dialog of the shell answers, true when it was done. */
export const confirming = new Store<{ answer: (done: boolean) => void } | null>(null);
export function confirmItIsYou(): Promise<boolean> {
  return new Promise((resolve) =>
    confirming.set({
      answer: (done) => {
        confirming.set(null);
        resolve(done);
      },
    }),
  );
}
