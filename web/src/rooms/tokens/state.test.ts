import { describe, expect, it } from "vitest";
import type { Honeytoken, Sensor } from "../../api/types";
import { coverage, dwell, median, stateOf } from "./state";

const token = (change: Partial<Honeytoken>): Honeytoken =>
  ({ exposures: 0, uses: 0, persona: "debian-12", ...change }) as Honeytoken;

describe("honeytokens", () => {
  it("are what the worst that happened to them says", () => {
    expect(stateOf(token({}))).toBe("live");
    expect(stateOf(token({ exposures: 2 }))).toBe("exposed");
    expect(stateOf(token({ exposures: 2, uses: 1 }))).toBe("used");
  });
  it("have a dwell only when they were read before they were used", () => {
    expect(dwell(token({ exposed_at: "2026-01-01T00:00:00Z", used_at: "2026-01-01T00:14:00Z" }))).toBe(840_000);
    expect(dwell(token({ exposed_at: "2026-01-01T01:00:00Z", used_at: "2026-01-01T00:14:00Z" }))).toBeNaN();
    expect(dwell(token({ used_at: "2026-01-01T00:14:00Z" }))).toBeNaN();
  });
  it("make no figure of nothing", () => {
    expect(median([])).toBeNaN();
    expect(median([Number.NaN, 3])).toBe(3);
    expect(median([1, 9, 3, 5])).toBe(4);
  });
  it("cover the decoys of their persona", () => {
    const sensors = [
      { name: "ssh", persona: "debian-12" },
      { name: "mail", persona: "other" },
    ] as Sensor[];
    expect(coverage(sensors, [token({})])).toEqual({ covered: 1, not: ["mail"] });
  });
});
