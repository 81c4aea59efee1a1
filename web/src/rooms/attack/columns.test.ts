import { expect, test } from "vitest";
import { columnsOf, coverage, type Matrix } from "./columns";

const technique = (id: string, alerts: number, parent?: string) => ({
  id,
  name: `name ${id}`,
  title: `title ${id}`,
  alerts,
  events: alerts,
  ...(parent ? { parent } : {}),
});
const matrix: Matrix = {
  span: "24h",
  since: "",
  until: "",
  most: 9,
  credit: "",
  tactics: [
    {
      id: "TA1",
      name: "One",
      alerts: 12,
      techniques: [technique("T1", 2), technique("T1.001", 9, "T1"), technique("T2.001", 1, "T2")],
    },
    { id: "", name: "", alerts: 1, techniques: [technique("T9999", 1), technique("T1", 2)] },
  ],
};

test("parts stand under their technique, or count in it", () => {
  expect(columnsOf(matrix, true, "Other")[0]?.cells.map(({ id, count }) => [id, count])).toEqual([
    ["T1", 2],
    ["T1.001", 9],
    ["T2.001", 1],
  ]);
  expect(columnsOf(matrix, false, "Other")[0]?.cells.map(({ id, count }) => [id, count])).toEqual([
    ["T1", 11],
    ["T2.001", 1],
  ]);
});

test("a part without its technique names both", () => {
  expect(columnsOf(matrix, true, "Other")[0]?.cells[2]?.name).toBe("title T2.001");
  expect(columnsOf(matrix, true, "Other")[1]?.name).toBe("Other");
});

test("a technique of two tactics is one", () => expect(coverage(matrix)).toEqual({ seen: 4, all: 4 }));
