import { describe, expect, test } from "vitest";
import { ArcField, LIFE, MOST, type Rank, radiusOf, widthOf } from "./arcs";
import { countryCodes, middleOf } from "./countries";
import { hitsOf, worstOf } from "./flow";
import { Tally } from "./tally";

describe("ArcField", () => {
  test("one arc for a country and second, with the sum and the worst", () => {
    const field = new ArcField();
    field.add("NL", 3, 1, 5000);
    field.add("NL", 4, 3, 5900);
    field.add("NL", 1, 0, 6000);
    field.add("BR", 1, 0, 6000);
    expect(field.live(6000).map((arc) => [arc.country, arc.second, arc.count, arc.rank])).toEqual([
      ["NL", 6, 1, 0],
      ["BR", 6, 1, 0],
      ["NL", 5, 7, 3],
    ]);
  });

  test("lives 1.4 seconds", () => {
    const field = new ArcField();
    field.add("NL", 1, 1, 1000);
    expect(field.live(1000 + LIFE - 1)).toHaveLength(1);
    expect(field.live(1000 + LIFE)).toHaveLength(0);
  });

  test("never more than sixty: the mildest and smallest goes, never a worse one for a milder", () => {
    const field = new ArcField();
    const codes = countryCodes();
    for (let i = 0; i < MOST; i++) field.add(codes[i] as string, 2 + i, i === 0 ? 0 : 2, 1000);
    field.add("ZW", 1000, 0, 1000); // milder than all but the first, and larger than it
    expect(field.size).toBe(MOST);
    expect(field.live(1000).some((arc) => arc.country === codes[0])).toBe(false);
    field.add("ZM", 1, 0, 1000); // less than everything
    expect(field.live(1000).some((arc) => arc.country === "ZM")).toBe(false);
    field.add("ZA", 1, 4, 1000);
    expect(field.live(1000).some((arc) => arc.country === "ZA")).toBe(true);
    expect(field.size).toBe(MOST);
    expect(field.dropped).toBe(3);
  });

  test("a storm stays bounded", () => {
    const field = new ArcField();
    const codes = countryCodes();
    for (let i = 0; i < 20_000; i++) field.add(codes[i % codes.length] as string, 1, (i % 5) as Rank, 1000 + i * 5);
    expect(field.size).toBeLessThanOrEqual(MOST);
  });

  test("nothing for a count that is none", () => {
    const field = new ArcField();
    field.add("NL", 0, 4, 1);
    field.add("NL", -3, 4, 1);
    expect(field.size).toBe(0);
  });
});

test("widths and radii grow with the logarithm and have an end", () => {
  expect(widthOf(1)).toBe(1);
  expect(widthOf(10)).toBeCloseTo(2.25);
  expect(widthOf(1e12)).toBe(6);
  expect(radiusOf(0)).toBe(0);
  expect(radiusOf(1)).toBe(2);
  expect(radiusOf(1e12)).toBe(14);
});

describe("countries", () => {
  test("places are on the globe", () => {
    const codes = countryCodes();
    expect(codes.length).toBeGreaterThan(240);
    for (const code of codes) {
      expect(code).toMatch(/^[A-Z]{2}$/);
      const [x, y] = middleOf(code) as [number, number];
      expect(Math.abs(x)).toBeLessThanOrEqual(180);
      expect(Math.abs(y)).toBeLessThanOrEqual(90);
    }
  });
  test.each([
    ["NL", 5, 52],
    ["BR", -53, -11],
    ["SG", 104, 1],
    ["CN", 103, 37],
    ["ZW", 30, -19],
    ["BJ", 2, 10],
  ])("%s lies about where it is", (code, x, y) => {
    const [gx, gy] = middleOf(code) as [number, number];
    expect(Math.abs(gx - x)).toBeLessThan(2);
    expect(Math.abs(gy - y)).toBeLessThan(2);
  });
  test("a code nobody gave out has no place", () => expect(middleOf("ZZ")).toBeUndefined());
});

test("the tally begins with what the server counted and goes on", () => {
  const tally = new Tally();
  tally.add("DE", 9, 1);
  tally.reset([
    { country: "NL", count: 5, rank: 1 },
    { country: "CN", count: 5, rank: 4 },
  ]);
  tally.add("NL", 1, 3);
  tally.add("", 2, 0);
  expect(tally.rows()).toEqual([
    { country: "NL", count: 6, rank: 3 },
    { country: "CN", count: 5, rank: 4 },
    { country: "", count: 2, rank: 0 },
  ]);
  expect(tally.total).toBe(13);
});

test("a second of the stream becomes arrivals; what is none is passed over", () => {
  expect(
    hitsOf([
      {
        at: "x",
        counts: [
          { country: "NL", severity: "high", events: 3 },
          { severity: "low", events: 2 },
        ],
      },
      {
        counts: [
          { country: "<b>", severity: 7, events: 1 },
          { country: "DE", events: -1 },
          { country: "DE", events: "9" },
          null,
        ],
      },
      null,
      { counts: "many" },
      undefined,
    ]),
  ).toEqual([
    { country: "NL", count: 3, rank: 3 },
    { country: "", count: 2, rank: 1 },
    { country: "", count: 1, rank: 0 },
  ]);
});

test("the worst of events and alerts", () => {
  expect(worstOf("low", { high: 1, critical: 0 })).toBe(3);
  expect(worstOf("critical", null)).toBe(4);
  expect(worstOf("unknown", {})).toBe(0);
});
