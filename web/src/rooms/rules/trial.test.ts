import { describe, expect, it } from "vitest";
import { add, BEGUN, byDay } from "./trial";

describe("a back-test in parts", () => {
  it("is added up", () => {
    const part = (next: number, hits: number) => ({
      faults: [],
      events: 10,
      records: 10,
      next,
      to: "2026-01-02T00:00:00Z",
      rules: [{ id: "r", title: "R", hits, sources: 1, days: { "2026-01-01": hits }, examples: [] }],
    });
    const one = add(BEGUN, part(7, 2));
    expect(one.state).toBe("running");
    const two = add(one, part(0, 3));
    expect(two).toMatchObject({ state: "done", events: 20, hits: 5, days: { "2026-01-01": 5 }, rules: [{ hits: 5 }] });
  });
  it("shows days without matches", () => {
    expect(byDay({ "2026-01-01": 1, "2026-01-03": 2 })?.values).toEqual([0, 0, 0, 0, 1, 0, 2]);
    expect(byDay({})).toBeNull();
    expect(byDay({ odd: 1 })).toBeNull();
  });
});
