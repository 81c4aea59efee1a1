/**
 * Arcs of the live map. Two hundred single lines a second are unreadable, so all
 * that comes from one country in one second is one arc, and there are never
 * more than sixty of them.
 */

/** Ranks of severities, to keep the worst of an arc: 0 informational to 4 critical. */
export type Rank = 0 | 1 | 2 | 3 | 4;

export interface Arc {
  /** ISO 3166 alpha-2. */
  country: string;
  /** The second it stands for. */
  second: number;
  /** When it began to be drawn, in ms. */
  born: number;
  count: number;
  rank: Rank;
}

/** Arcs that are drawn at once at most. */
export const MOST = 60;
/** How long an arc lives, in ms. */
export const LIFE = 1400;

/** The width of an arc in pixels: a hundred times as much is twice as wide again. */
export function widthOf(count: number): number {
  return Math.min(6, 1 + Math.log10(Math.max(1, count)) * 1.25);
}

/** The radius of the dot a country keeps, in pixels. */
export function radiusOf(count: number): number {
  return count <= 0 ? 0 : Math.min(14, 2 + Math.log10(count) * 2.5);
}

/** How far an arc is through its life, 0 to 1. */
export const ageOf = (arc: Arc, now: number): number => Math.min(1, Math.max(0, (now - arc.born) / LIFE));

export class ArcField {
  #arcs = new Map<string, Arc>();
  /** Arcs that were left out because sixty were there; their counts are in the table all the same. */
  dropped = 0;

  /** Takes in what came from a country; now in ms. */
  add(country: string, count: number, rank: Rank, now: number): void {
    if (count <= 0) return;
    const second = Math.floor(now / 1000);
    const key = `${country} ${second}`;
    const there = this.#arcs.get(key);
    if (there) {
      there.count += count;
      if (rank > there.rank) there.rank = rank;
      return;
    }
    this.prune(now);
    if (this.#arcs.size >= MOST) {
      const least = this.#least();
      if (least.rank > rank || (least.rank === rank && least.count >= count)) {
        this.dropped++;
        return;
      }
      this.#arcs.delete(`${least.country} ${least.second}`);
      this.dropped++;
    }
    this.#arcs.set(key, { country, second, born: now, count, rank });
  }

  /** The arc that is missed least: the mildest, then the smallest. */
  #least(): Arc {
    let found: Arc | undefined;
    for (const arc of this.#arcs.values()) {
      if (!found || arc.rank < found.rank || (arc.rank === found.rank && arc.count < found.count)) found = arc;
    }
    return found as Arc; // asked only when there are sixty
  }

  /** Forgets what has lived. */
  prune(now: number): void {
    for (const [key, arc] of this.#arcs) if (now - arc.born >= LIFE) this.#arcs.delete(key);
  }

  /** What is to be drawn, the mild ones first so that the severe lie on top. */
  live(now: number): Arc[] {
    this.prune(now);
    return [...this.#arcs.values()].sort((a, b) => a.rank - b.rank || a.born - b.born);
  }

  get size(): number {
    return this.#arcs.size;
  }

  clear(): void {
    this.#arcs.clear();
  }
}
