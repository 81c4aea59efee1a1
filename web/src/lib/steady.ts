/**
 * Rows of a list that is asked for again and again: while somebody looks at it,
 * rows keep their places, what changed changes where it stands, and what is new
 * waits until it is called for.
 */
import { useRef, useState } from "react";

interface Kept<T> {
  shape: string;
  ids: string[];
  rows: Map<string, T>;
}

/** What is shown, and how much waits. Plain, so that it can be tested. */
export function steady<T>(
  before: Kept<T> | null,
  rows: readonly T[],
  id: (row: T) => string,
  shape: string,
  still: boolean,
): { kept: Kept<T>; shown: T[]; pending: number } {
  const now = new Map(rows.map((row) => [id(row), row]));
  if (!before || before.shape !== shape || !still || before.ids.length === 0) {
    return { kept: { shape, ids: rows.map(id), rows: now }, shown: [...rows], pending: 0 };
  }
  const known = new Set(before.ids);
  const last = rows.findLastIndex((row) => known.has(id(row)));
  const ids = [...before.ids];
  let pending = 0;
  rows.forEach((row, at) => {
    if (known.has(id(row))) return;
    if (at > last)
      ids.push(id(row)); // the next page
    else pending++;
  });
  const merged = new Map(before.rows);
  for (const [key, row] of now) merged.set(key, row);
  const shown = ids.map((key) => merged.get(key)).filter((row): row is T => row !== undefined);
  return { kept: { shape, ids, rows: merged }, shown, pending };
}

/** The rows as they may be shown now. shape is the filter: another one begins anew. */
export function useSteady<T>(rows: readonly T[], id: (row: T) => string, shape: string, still: boolean) {
  const kept = useRef<Kept<T> | null>(null);
  const [, again] = useState(0);
  const made = steady(kept.current, rows, id, shape, still);
  const same =
    kept.current !== null &&
    kept.current.shape === made.kept.shape &&
    kept.current.ids.length === made.shown.length &&
    made.shown.every((row, at) => kept.current?.rows.get(kept.current.ids[at] ?? "") === row);
  const last = useRef<T[]>([]);
  if (!same || last.current.length !== made.shown.length) last.current = made.shown;
  kept.current = made.kept;
  return {
    rows: last.current,
    pending: made.pending,
    show: () => {
      kept.current = null;
      again((n) => n + 1);
    },
  };
}
