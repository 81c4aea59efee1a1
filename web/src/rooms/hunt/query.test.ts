import { describe, expect, it } from "vitest";
import { choicesFor, condition, faultAt, fieldOfAttr, type HuntField, partAt, withCondition, written } from "./query";

const fields: HuntField[] = [
  { name: "src", also: ["ip"], takes: "network", about: "source", example: "src:192.0.2.0/24", values: [] },
  {
    name: "severity",
    also: ["sev"],
    takes: "severity",
    about: "least",
    example: "severity:high",
    values: ["low", "high"],
  },
  { name: "user", also: [], attr: "user.name", takes: "value", about: "user", example: "user:root", values: [] },
];

describe("the condition at the caret", () => {
  it("is parted by blanks, not by those in quotes", () => {
    const text = 'src:192.0.2.1 -cmd:"wget sh';
    expect(partAt(text, text.length)).toEqual({ from: 14, to: 27, not: true, field: "cmd", typed: "wget sh" });
    expect(partAt(text, 2)).toEqual({ from: 0, to: 2, not: false, typed: "sr" });
    expect(partAt("a ", 2)).toEqual({ from: 2, to: 2, not: false, typed: "" });
  });
});

describe("a value", () => {
  it("is quoted where it would mean something else", () => {
    expect(written("root")).toBe("root");
    expect(written('a "b" \\')).toBe('"a \\"b\\" \\\\"');
    expect(written("a*")).toBe('"a*"');
    expect(condition("user", "x y", true)).toBe('-user:"x y"');
  });
  it("becomes a pattern where no key types it, or it is long", () => {
    expect(written("a\u0007b\nc")).toBe("a*b*c*");
    expect(written("x".repeat(300))).toBe(`${"x".repeat(200)}*`);
  });
});

describe("adding", () => {
  it("adds once", () => {
    expect(withCondition("", "a:b")).toBe("a:b");
    expect(withCondition("a:b", "a:b")).toBe("a:b");
    expect(withCondition("a:bc", "a:b")).toBe("a:bc a:b");
  });
});

describe("a fault", () => {
  it("stands where the server counted bytes", () => {
    expect(faultAt("ä foo:1", "query, at character 4: there is no such field")).toEqual({
      at: 2,
      why: "there is no such field",
    });
    expect(faultAt("x", "something else")).toBeNull();
  });
});

describe("choices", () => {
  it("name fields, by each of their names", () => {
    expect(choicesFor(partAt("se", 2), fields, []).map((one) => one.text)).toEqual(["severity:"]);
    expect(choicesFor(partAt("-i", 2), fields, []).map((one) => one.text)).toEqual(["-src:"]);
  });
  it("name values, frequent ones first", () => {
    expect(choicesFor(partAt("sev:", 4), fields, [{ value: "high", n: 3 }])).toEqual([
      { text: "sev:high ", label: "high", about: "", count: 3 },
      { text: "sev:low ", label: "low", about: "", count: undefined },
    ]);
    expect(choicesFor(partAt("src:", 4), fields, [])[0]?.text).toBe("src:192.0.2.0/24 ");
  });
  it("know attributes by their short names", () => {
    expect(fieldOfAttr("user.name", fields)).toBe("user");
    expect(fieldOfAttr("http.x", fields)).toBe("http.x");
    expect(fieldOfAttr("odd", fields)).toBeUndefined();
  });
});
