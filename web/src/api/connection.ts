/** How we stand with the server: for the status bar and the banner. */

import { Store } from "../lib/store";
import { setAhead } from "../lib/time";

export interface Connection {
  /** The live stream: off until somebody watches. */
  stream: "off" | "connecting" | "connected" | "reconnecting";
  /** Since when nothing came although it should have, in ms of our clock. */
  staleSince: number | null;
  /** Delay between happening and arriving, in ms. */
  lag: number | null;
  /** Messages in a second, over the last ten. */
  rate: number;
  /** Nobody answers requests. */
  down: boolean;
  /** How far the server's clock is ahead of ours, in ms. */
  ahead: number;
}

export const connection = new Store<Connection>({
  stream: "off",
  staleSince: null,
  lag: null,
  rate: 0,
  down: false,
  ahead: 0,
});

export const connected = (change: Partial<Connection>): void => connection.set((before) => ({ ...before, ...change }));

/** Reads the server's clock from an answer; it is precise to a second. */
export function readClock(date: string | null, sent: number, came: number): void {
  if (!date || came - sent > 2000) return;
  const server = Date.parse(date);
  if (Number.isNaN(server)) return;
  const ahead = server + 500 - (sent + came) / 2;
  // A second of rounding is no skew.
  const counted = Math.abs(ahead) < 2000 ? 0 : Math.round(ahead);
  setAhead(counted);
  if (Math.abs(counted - connection.get().ahead) > 1000) connected({ ahead: counted });
}
