import { describe, expect, it } from "vitest";
import { extend, keepOnly, NOTHING, selectMatching, toggle, toggleAll } from "./selection";

const order = ["a", "b", "c", "d", "e"];
const ids = (selection: { ids: ReadonlySet<string> }) => [...selection.ids].sort().join("");

describe("selection", () => {
  it("toggles one row and starts ranges there", () => {
    const one = toggle(NOTHING, "b");
    expect(ids(one)).toBe("b");
    expect(one.anchor).toBe("b");
    expect(ids(toggle(one, "b"))).toBe("");
  });
  it("extends in both directions and keeps the anchor", () => {
    const down = extend(toggle(NOTHING, "b"), "d", order);
    expect(ids(down)).toBe("bcd");
    expect(ids(extend(toggle(NOTHING, "d"), "b", order))).toBe("bcd");
    expect(ids(extend(down, "e", order))).toBe("bcde");
    expect(down.anchor).toBe("b");
  });
  it("extends from nothing to one row, and not to a row that is not there", () => {
    expect(ids(extend(NOTHING, "c", order))).toBe("c");
    expect(extend(NOTHING, "z", order)).toBe(NOTHING);
    expect(ids(extend({ ids: new Set(["a"]), anchor: "gone", all: false }, "c", order))).toBe("ac");
  });
  it("selects all that is loaded, then nothing", () => {
    const all = toggleAll(NOTHING, order);
    expect(ids(all)).toBe("abcde");
    expect(toggleAll(all, order)).toBe(NOTHING);
    expect(toggleAll(NOTHING, []).ids.size).toBe(0);
  });
  it("means everything only until a row is touched", () => {
    const all = selectMatching(NOTHING, order);
    expect(all.all).toBe(true);
    expect(toggle(all, "a").all).toBe(false);
    expect(extend(all, "a", order).all).toBe(false);
  });
  it("drops rows that are gone and keeps its identity when none is", () => {
    const two = extend(toggle(NOTHING, "a"), "b", order);
    expect(ids(keepOnly(two, (id) => id !== "a"))).toBe("b");
    expect(keepOnly(two, () => true)).toBe(two);
  });
});
