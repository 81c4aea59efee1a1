/** The matrix of tactics and techniques as a grid: how warm a cell is and where keys lead. */

export interface Cell {
  /** ATT&CK id. */
  id: string;
  name: string;
  count: number;
  /** What belongs under it: T1110.001 under T1110. */
  parts?: readonly Cell[];
}

export interface Column {
  id: string;
  name: string;
  cells: readonly Cell[];
}

/** A cell by column and row. */
export interface Spot {
  column: number;
  row: number;
}

export type Level = 0 | 1 | 2 | 3 | 4 | 5;

/** How warm a cell is: 0 for nothing, else 1 to 5 by the logarithm, so that one flood does not hide the rest. */
export function levelOf(count: number, most: number): Level {
  if (count <= 0) return 0;
  if (most <= 1) return 3;
  return Math.min(5, 1 + Math.floor((Math.log(count) / Math.log(most)) * 4.001)) as Level;
}

/** The largest count of all cells. */
export function mostOf(columns: readonly Column[]): number {
  let most = 0;
  for (const column of columns) for (const cell of column.cells) most = Math.max(most, cell.count);
  return most;
}

/** What a tactic came to. A technique of two tactics counts in both: this is no sum over the matrix. */
export const totalOf = (column: Column): number => column.cells.reduce((sum, cell) => sum + cell.count, 0);

/** Leaves out techniques nothing was seen of, and tactics that are empty then. */
export function onlySeen(columns: readonly Column[]): Column[] {
  return columns
    .map((column) => ({
      ...column,
      cells: column.cells
        .filter((cell) => cell.count > 0)
        .map((cell) => (cell.parts ? { ...cell, parts: cell.parts.filter((part) => part.count > 0) } : cell)),
    }))
    .filter((column) => column.cells.length > 0);
}

/** Puts each sub-technique as a row of its own behind its technique. */
export function spread(columns: readonly Column[]): Column[] {
  return columns.map((column) => ({
    ...column,
    cells: column.cells.flatMap((cell) => [cell, ...(cell.parts ?? [])]),
  }));
}

/** Where a key leads from a cell; the same cell when there is nothing further. Empty columns are stepped over. */
export function move(columns: readonly Column[], from: Spot, key: string): Spot {
  const rows = (column: number) => columns[column]?.cells.length ?? 0;
  const clamp = (column: number, row: number): Spot => ({ column, row: Math.max(0, Math.min(rows(column) - 1, row)) });
  const sideways = (by: 1 | -1): Spot => {
    for (let column = from.column + by; column >= 0 && column < columns.length; column += by) {
      if (rows(column) > 0) return clamp(column, from.row);
    }
    return from;
  };
  switch (key) {
    case "ArrowLeft":
    case "h":
      return sideways(-1);
    case "ArrowRight":
    case "l":
      return sideways(1);
    case "ArrowUp":
    case "k":
      return clamp(from.column, from.row - 1);
    case "ArrowDown":
    case "j":
      return clamp(from.column, from.row + 1);
    case "PageUp":
    case "Home":
      return clamp(from.column, 0);
    case "PageDown":
    case "End":
      return clamp(from.column, rows(from.column) - 1);
    default:
      return from;
  }
}

/** The first cell there is, or undefined for an empty matrix. */
export function firstSpot(columns: readonly Column[]): Spot | undefined {
  const column = columns.findIndex(({ cells }) => cells.length > 0);
  return column < 0 ? undefined : { column, row: 0 };
}
