import { describe, expect, test } from "vitest";
import { type Column, firstSpot, levelOf, mostOf, move, onlySeen, spread, totalOf } from "./core";

const cell = (id: string, count: number, parts?: { id: string; name: string; count: number }[]) => ({
  id,
  name: id,
  count,
  ...(parts ? { parts } : {}),
});
const columns: Column[] = [
  { id: "TA1", name: "One", cells: [cell("T1", 5), cell("T2", 0), cell("T3", 1)] },
  { id: "TA2", name: "Two", cells: [] },
  { id: "TA3", name: "Three", cells: [cell("T4", 100, [cell("T4.001", 90), cell("T4.002", 0)])] },
];

test.each([
  [0, 100, 0],
  [1, 100, 1],
  [3, 100, 1],
  [4, 100, 2],
  [10, 100, 3],
  [32, 100, 4],
  [100, 100, 5],
  [1, 1, 3],
  [45_000, 45_000, 5],
])("%d of at most %d is level %d", (count, most, level) => expect(levelOf(count, most)).toBe(level));

test("levels never fall as counts rise", () => {
  let before = 0;
  for (let count = 0; count <= 5000; count++) {
    const level = levelOf(count, 5000);
    expect(level).toBeGreaterThanOrEqual(before);
    before = level;
  }
  expect(before).toBe(5);
});

describe("keys", () => {
  test.each([
    ["ArrowDown", { column: 0, row: 0 }, { column: 0, row: 1 }],
    ["ArrowDown", { column: 0, row: 2 }, { column: 0, row: 2 }],
    ["ArrowUp", { column: 0, row: 0 }, { column: 0, row: 0 }],
    ["ArrowRight", { column: 0, row: 2 }, { column: 2, row: 0 }],
    ["ArrowLeft", { column: 2, row: 0 }, { column: 0, row: 0 }],
    ["ArrowRight", { column: 2, row: 0 }, { column: 2, row: 0 }],
    ["End", { column: 0, row: 0 }, { column: 0, row: 2 }],
    ["Home", { column: 0, row: 2 }, { column: 0, row: 0 }],
    ["q", { column: 0, row: 1 }, { column: 0, row: 1 }],
  ])("%s", (key, from, to) => expect(move(columns, from, key)).toEqual(to));
});

test("only what was seen", () => {
  const seen = onlySeen(columns);
  expect(seen.map(({ id }) => id)).toEqual(["TA1", "TA3"]);
  expect(seen[0]?.cells.map(({ id }) => id)).toEqual(["T1", "T3"]);
  expect(seen[1]?.cells[0]?.parts?.map(({ id }) => id)).toEqual(["T4.001"]);
});

test("spread, sums and the first", () => {
  expect(spread(columns)[2]?.cells.map(({ id }) => id)).toEqual(["T4", "T4.001", "T4.002"]);
  expect(columns.map(totalOf)).toEqual([6, 0, 100]);
  expect(mostOf(columns)).toBe(100);
  expect(firstSpot([columns[1] as Column])).toBeUndefined();
  expect(firstSpot(columns.slice(1))).toEqual({ column: 1, row: 0 });
});
