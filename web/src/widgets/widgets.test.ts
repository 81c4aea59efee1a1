import { describe, expect, it } from "vitest";
import { SLA_MINUTES, slaDue } from "./badge";
import { type Column, fitting } from "./grid";
import { severityRank } from "./severity";
import { errorText } from "./views";

const column = (id: string, width: number, weight: number): Column<unknown> => ({
  id,
  head: id,
  width,
  weight,
  cell: () => null,
});

describe("columns of a grid", () => {
  const all = [
    column("time", 60, 3),
    column("severity", 60, 1),
    column("title", 150, 1),
    column("src", 110, 2),
    column("evidence", 140, 7),
    column("state", 90, 4),
  ];
  it("are all there where there is room", () => expect(fitting(all, 1400, true)).toHaveLength(6));
  it("leave with the highest weight first", () =>
    expect(fitting(all, 720, true).map((one) => one.id)).toEqual(["time", "severity", "title", "src", "state"]));
  it("are three below 700 px", () =>
    expect(fitting(all, 500, false).map((one) => one.id)).toEqual(["severity", "title", "src"]));
  it("are never none", () => expect(fitting(all, 40, true)).toHaveLength(1));
});

describe("response clocks", () => {
  it("are those promised", () => {
    expect(slaDue("critical", "2026-11-12T10:00:00Z")).toBe(Date.parse("2026-11-12T10:15:00Z"));
    expect(SLA_MINUTES).toEqual({ critical: 15, high: 60, medium: 240, low: 1440 });
    expect(slaDue("informational", "2026-11-12T10:00:00Z")).toBeNaN();
  });
});

describe("severity", () => {
  it("has an order, and takes unknown words", () => {
    expect(severityRank("critical")).toBeGreaterThan(severityRank("high"));
    expect(severityRank("<script>")).toBe(0);
  });
});

describe("words for errors", () => {
  const cases: [unknown, RegExp][] = [
    [{ status: 0 }, /did not answer/],
    [{ status: 403 }, /may not/],
    [{ status: 409 }, /Somebody else/],
    [{ status: 412, detail: "it was changed elsewhere meanwhile" }, /changed elsewhere/],
    [{ status: 429, retryAfter: 7 }, /7 seconds/],
    [{ status: 500 }, /status 500/],
    [new Error("x"), /x/],
  ];
  for (const [error, shape] of cases) it(String(shape), () => expect(errorText(error).detail).toMatch(shape));
});
