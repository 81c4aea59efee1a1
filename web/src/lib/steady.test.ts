import { describe, expect, it } from "vitest";
import { steady } from "./steady";

const id = (row: { id: string }) => row.id;
const row = (name: string, state = "") => ({ id: name, state });

describe("rows that are looked at", () => {
  it("keep their places while new ones wait", () => {
    const first = steady(null, [row("b"), row("a")], id, "all", true);
    const next = steady(first.kept, [row("c"), row("b", "changed"), row("a")], id, "all", true);
    expect(next.shown.map(id)).toEqual(["b", "a"]);
    expect(next.shown[0]?.state).toBe("changed");
    expect(next.pending).toBe(1);
  });
  it("stay although they are in the answer no more", () => {
    const first = steady(null, [row("b"), row("a")], id, "all", true);
    expect(steady(first.kept, [row("a")], id, "all", true).shown.map(id)).toEqual(["b", "a"]);
  });
  it("get the next page at their end", () => {
    const first = steady(null, [row("b")], id, "all", true);
    const next = steady(first.kept, [row("b"), row("a")], id, "all", true);
    expect(next.shown.map(id)).toEqual(["b", "a"]);
    expect(next.pending).toBe(0);
  });
  it("are what the answer says when nobody looks, or the filter is another one", () => {
    const first = steady(null, [row("b")], id, "all", true);
    expect(steady(first.kept, [row("c"), row("b")], id, "all", false).shown.map(id)).toEqual(["c", "b"]);
    expect(steady(first.kept, [row("x")], id, "mine", true).shown.map(id)).toEqual(["x"]);
  });
});
