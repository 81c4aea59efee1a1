/** What the live stream says of a second, read as arrivals by country. */
import type { Rank } from "./arcs";

export interface Hit {
  /** ISO 3166 alpha-2, empty when it is not known. */
  country: string;
  count: number;
  rank: Rank;
}

const RANKS: Record<string, Rank> = { informational: 0, info: 0, low: 1, medium: 2, high: 3, critical: 4 };

/** The rank of a severity's name; what is not known is the least. */
export const rankOf = (severity: unknown): Rank => (typeof severity === "string" ? (RANKS[severity] ?? 0) : 0);

const code = (value: unknown): string => (typeof value === "string" && /^[A-Z]{2}$/.test(value) ? value : "");

/** Reads the rows of the topic events; whatever is no count is passed over. */
export function hitsOf(rows: readonly unknown[]): Hit[] {
  const hits: Hit[] = [];
  for (const row of rows) {
    const counts = (row as { counts?: unknown } | null | undefined)?.counts;
    if (!Array.isArray(counts)) continue;
    for (const one of counts as unknown[]) {
      const { country, severity, events } = (one ?? {}) as Record<string, unknown>;
      if (typeof events !== "number" || !(events > 0)) continue;
      hits.push({ country: code(country), count: events, rank: rankOf(severity) });
    }
  }
  return hits;
}

/** The worst of what events and alerts of a country say. */
export function worstOf(severity: unknown, alerts: Record<string, number> | null | undefined): Rank {
  let worst = rankOf(severity);
  for (const [name, count] of Object.entries(alerts ?? {})) if (count > 0 && rankOf(name) > worst) worst = rankOf(name);
  return worst;
}
