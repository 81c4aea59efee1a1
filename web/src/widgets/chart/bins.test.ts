import { describe, expect, test } from "vitest";
import { bin, snap, stack, stepFor } from "./bins";
import { sparkPath } from "./spark";

test.each([
  [3600, 60],
  [86_400, 900],
  [7 * 86_400, 7200],
  [30 * 86_400, 43_200],
  [10 * 365 * 86_400, 39 * 0 + 3_628_800],
])("a span of %d s has steps of %d s", (span, step) => {
  const got = stepFor(span);
  expect(span / got).toBeLessThanOrEqual(96);
  if (span < 1e8) expect(got).toBe(step);
});

test("counts by step and leaves out what is outside", () => {
  expect(bin([99, 100, 109, 110, 129, 130], 100, 10, 3)).toEqual([2, 1, 1]);
  expect(bin([100, 101], 100, 10, 1, [5, 7])).toEqual([12]);
  expect(bin([Number.NaN], 0, 1, 2)).toEqual([0, 0]);
});

test("stacks, and a hole in all is a hole", () => {
  const series = [
    { label: "a", token: "a", values: [1, null, null] },
    { label: "b", token: "b", values: [2, 3, null] },
  ];
  expect(stack(series)).toEqual([
    [1, null, null],
    [3, 3, null],
  ]);
});

test("a zoom falls on steps and is never empty", () => {
  expect(snap(101, 119, 10)).toEqual([100, 120]);
  expect(snap(119, 101, 10)).toEqual([100, 120]);
  expect(snap(100, 100, 10)).toEqual([100, 110]);
});

describe("sparkPath", () => {
  test("nothing known, nothing drawn", () => {
    expect(sparkPath([], 10, 10)).toBe("");
    expect(sparkPath([null, null], 10, 10)).toBe("");
  });
  test("begins at zero", () => expect(sparkPath([0, 10], 10, 12)).toBe("M0 11L10 1"));
  test("a hole breaks the line", () => expect(sparkPath([1, 1, null, 1, 1], 4, 10)).toBe("M0 1L1 1M3 1L4 1"));
  test("a value alone is a dash", () => expect(sparkPath([5, null, 5], 20, 10)).toBe("M0 1L1 1M19 1L20 1"));
  test("one value is no course", () => expect(sparkPath([null, 5, null], 20, 10)).toBe(""));
  test("all the same is no division by nothing", () => expect(sparkPath([0, 0], 10, 10)).toBe("M0 9L10 9"));
});
