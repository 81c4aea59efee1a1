/**
 * What a person chose about the console itself. Kept in the browser at once and,
 * by api/preferences, in the person's profile, so that it follows them.
 */
import { Store, useStore } from "./store";

export interface Preferences {
  theme: "system" | "dark" | "light";
  contrast: "system" | "more";
  density: "compact" | "cosy";
  zone: "local" | "utc";
  /** Keys of one letter; map gives an action another key. */
  keys: { on: boolean; map: Record<string, string> };
  /** What rooms keep for themselves: columns, widths, choices. Small. */
  rooms: Record<string, unknown>;
}

const DEFAULTS: Preferences = {
  theme: "system",
  contrast: "system",
  density: "compact",
  zone: "local",
  keys: { on: true, map: {} },
  rooms: {},
};
const PLACE = "honeyguide.preferences";

const oneOf = <T extends string>(value: unknown, allowed: readonly T[], fallback: T): T =>
  allowed.includes(value as T) ? (value as T) : fallback;
const record = (value: unknown): Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

/** Makes preferences of anything: what is not understood is as if it were not there. */
export function readPreferences(raw: unknown): Preferences {
  const from = record(raw);
  const keys = record(from.keys);
  const map: Record<string, string> = {};
  for (const [action, key] of Object.entries(record(keys.map))) if (typeof key === "string") map[action] = key;
  return {
    theme: oneOf(from.theme, ["system", "dark", "light"], DEFAULTS.theme),
    contrast: oneOf(from.contrast, ["system", "more"], DEFAULTS.contrast),
    density: oneOf(from.density, ["compact", "cosy"], DEFAULTS.density),
    zone: oneOf(from.zone, ["local", "utc"], DEFAULTS.zone),
    keys: { on: keys.on !== false, map },
    rooms: record(from.rooms),
  };
}

function stored(): Preferences {
  try {
    return readPreferences(JSON.parse(globalThis.localStorage?.getItem(PLACE) ?? "{}"));
  } catch {
    return DEFAULTS;
  }
}

export const preferences = new Store<Preferences>(stored());

/** Changes some of them, and keeps them in this browser. */
export function prefer(change: Partial<Preferences>): void {
  preferences.set((before) => ({ ...before, ...change }));
  try {
    globalThis.localStorage?.setItem(PLACE, JSON.stringify(preferences.get()));
  } catch {
    // A browser that keeps nothing still has the profile.
  }
}

export const usePreferences = (): Preferences => useStore(preferences);

/** A value a room keeps for itself, as [value, keep]. The room reads it with care: it may be old. */
export function useKept<T>(room: string, fallback: T): [T, (value: T) => void] {
  const all = usePreferences().rooms;
  const value = room in all ? (all[room] as T) : fallback;
  return [value, (next) => prefer({ rooms: { ...preferences.get().rooms, [room]: next } })];
}
