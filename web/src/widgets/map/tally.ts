/** Counts by country: what the table beside the map shows, and the sizes of its dots. */
import type { Rank } from "./arcs";

export interface Row {
  /** ISO 3166 alpha-2; empty when the country is not known. */
  country: string;
  count: number;
  rank: Rank;
}

export class Tally {
  #rows = new Map<string, Row>();
  total = 0;

  /** Begins again with what the server counted. */
  reset(rows: readonly Row[]): void {
    this.#rows = new Map();
    this.total = 0;
    for (const row of rows) this.add(row.country, row.count, row.rank);
  }

  add(country: string, count: number, rank: Rank): void {
    if (count <= 0) return;
    this.total += count;
    const there = this.#rows.get(country);
    if (!there) {
      this.#rows.set(country, { country, count, rank });
      return;
    }
    there.count += count;
    if (rank > there.rank) there.rank = rank;
  }

  /** All rows, most first; those of the same count by code, so that nothing jumps. */
  rows(): Row[] {
    return [...this.#rows.values()].sort((a, b) => b.count - a.count || (a.country < b.country ? -1 : 1));
  }

  of(country: string): Row | undefined {
    return this.#rows.get(country);
  }
}
