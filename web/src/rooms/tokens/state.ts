/** What became of a honeytoken, in one word; and figures over all of them. */
import type { Honeytoken, Sensor } from "../../api/types";

export type TokenState = "used" | "exposed" | "live";

export const stateOf = (row: Honeytoken): TokenState =>
  row.uses > 0 ? "used" : row.exposures > 0 ? "exposed" : "live";

/** Time from the read to the use; NaN where one of them is missing or comes after. */
export function dwell(row: Honeytoken): number {
  if (!row.exposed_at || !row.used_at) return Number.NaN;
  const ms = Date.parse(row.used_at) - Date.parse(row.exposed_at);
  return ms >= 0 ? ms : Number.NaN;
}

/** The middle of what is there; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[half] ?? Number.NaN) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
}

/** Decoys whose persona holds a token, and the names of those whose does not. */
export function coverage(
  sensors: readonly Sensor[],
  tokens: readonly Honeytoken[],
): { covered: number; not: string[] } {
  const personas = new Set(tokens.map((token) => token.persona));
  const not = sensors.filter((sensor) => !personas.has(sensor.persona)).map((sensor) => sensor.name);
  return { covered: sensors.length - not.length, not };
}
