/** The server's matrix as columns of cells. */
import type { Cell, Column } from "../../widgets/heat/core";

export interface MatrixTechnique {
  id: string;
  name: string;
  title: string;
  parent?: string;
  alerts: number;
  events: number;
  severity?: string;
}

/** GET /attack/matrix. */
export interface Matrix {
  span: string;
  since: string;
  until: string;
  tactics: { id: string; name: string; alerts: number; techniques: MatrixTechnique[] }[];
  most: number;
  credit: string;
}

/**
 * Sub-techniques stand under their technique where the column has it. A
 * technique counts what names itself; with its parts folded away it counts
 * theirs as well, so that nothing disappears.
 */
export function columnsOf(matrix: Matrix, parts: boolean, other: string): Column[] {
  return matrix.tactics.map((tactic) => {
    const own = new Set(tactic.techniques.map(({ id }) => id));
    const cells: Cell[] = [];
    for (const technique of tactic.techniques) {
      if (technique.parent && own.has(technique.parent)) continue;
      const under = tactic.techniques.filter(({ parent }) => parent === technique.id);
      const cell: Cell = {
        id: technique.id,
        name: technique.parent ? technique.title : technique.name,
        count: technique.alerts,
      };
      if (parts) cells.push(cell, ...under.map(({ id, name, alerts }) => ({ id, name, count: alerts })));
      else cells.push({ ...cell, count: under.reduce((sum, { alerts }) => sum + alerts, technique.alerts) });
    }
    return { id: tactic.id, name: tactic.name || other, cells };
  });
}

/** How many different techniques there are, and how many were seen. */
export function coverage(matrix: Matrix): { seen: number; all: number } {
  const all = new Map<string, number>();
  for (const tactic of matrix.tactics) for (const { id, alerts } of tactic.techniques) all.set(id, alerts);
  return { seen: [...all.values()].filter((count) => count > 0).length, all: all.size };
}
