/**
 * Which rows are selected. Plain values, so that it can be tested and undone:
 * a selection is a set of ids, the row a range begins at, and whether everything
 * the filter finds is meant, seen or not.
 */
export interface Selection {
  readonly ids: ReadonlySet<string>;
  readonly anchor: string | null;
  readonly all: boolean;
}

export const NOTHING: Selection = { ids: new Set(), anchor: null, all: false };

/** Turns one row on or off; ranges begin here from now on. */
export function toggle(before: Selection, id: string): Selection {
  const ids = new Set(before.ids);
  if (!ids.delete(id)) ids.add(id);
  return { ids, anchor: id, all: false };
}

/** Selects from where the last one was turned on to this row, in the order on the screen. */
export function extend(before: Selection, id: string, order: readonly string[]): Selection {
  const from = before.anchor === null ? -1 : order.indexOf(before.anchor);
  const to = order.indexOf(id);
  if (to < 0) return before;
  if (from < 0) return { ids: new Set([...before.ids, id]), anchor: id, all: false };
  const ids = new Set(before.ids);
  for (let at = Math.min(from, to); at <= Math.max(from, to); at++) ids.add(order[at] as string);
  return { ids, anchor: before.anchor, all: false };
}

/** Every row that is loaded, or none when all of them are. */
export function toggleAll(before: Selection, order: readonly string[]): Selection {
  const every = order.length > 0 && order.every((id) => before.ids.has(id));
  return every ? NOTHING : { ids: new Set(order), anchor: null, all: false };
}

/** Everything the filter finds, also what is not loaded. */
export const selectMatching = (before: Selection, order: readonly string[]): Selection => ({
  ids: new Set(order),
  anchor: before.anchor,
  all: true,
});

/** What is left of a selection when only these rows are there. */
export function keepOnly(before: Selection, there: (id: string) => boolean): Selection {
  const ids = [...before.ids].filter(there);
  return ids.length === before.ids.size ? before : { ...before, ids: new Set(ids), all: false };
}
