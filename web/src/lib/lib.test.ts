import { describe, expect, it } from "vitest";
import { addLanguage, bytes, catalogue, number, percent, setLanguage } from "./i18n";
import { readPreferences } from "./preferences";
import { clean, parseQuery, writeQuery } from "./route";
import { Store } from "./store";
import { ago, duration, span } from "./time";

describe("words", () => {
  const t = catalogue("test", { hello: "Hello {name}", rows: { one: "{n} row", other: "{n} rows" }, bare: "bare" });
  it("fills holes and chooses plurals", () => {
    expect(t("hello", { name: "jo" })).toBe("Hello jo");
    expect(t("rows", { n: 1 })).toBe("1 row");
    expect(t("rows", { n: 1284 })).toBe("1,284 rows");
    expect(t("bare")).toBe("bare");
  });
  it("does not fill holes of what is filled in", () => expect(t("hello", { name: "{n}" })).toBe("Hello {n}"));
  it("speaks another language where it can", () => {
    addLanguage("de", "test", { hello: "Hallo {name}" });
    setLanguage("de");
    expect(t("hello", { name: "jo" })).toBe("Hallo jo");
    expect(t("bare")).toBe("bare");
    setLanguage("en");
  });
  it("writes figures", () => {
    expect(number(1284)).toBe("1,284");
    expect(percent(0.031)).toBe("3.1%");
    expect(bytes(1204)).toBe("1.2 kB");
    expect(bytes(12)).toBe("12 byte");
  });
});

describe("time", () => {
  it("says spans in one and in two units", () => {
    expect(span(59_000)).toBe("59s");
    expect(span(14 * 60_000)).toBe("14m");
    expect(span(3 * 3_600_000 + 5)).toBe("3h");
    expect(span(50 * 3_600_000)).toBe("2d");
    expect(duration(252_000)).toBe("4m 12s");
    expect(duration(54)).toBe("54ms");
    expect(duration(3_600_000)).toBe("1h");
    expect(duration(Number.NaN)).toBe("");
  });
  it("says how long ago, and nothing of what is no time", () => {
    expect(ago("2026-11-12T10:00:00Z", Date.parse("2026-11-12T10:14:30Z"))).toBe("14m");
    expect(ago("no time")).toBe("");
    expect(ago("0001-01-01T00:00:00Z")).toBe("");
  });
});

describe("queries", () => {
  it("are strings, whatever they look like", () => {
    expect(parseQuery("?q=123&src=true")).toEqual({ q: "123", src: "true" });
    expect(writeQuery({ q: "a b", none: undefined, empty: "" })).toBe("?q=a+b");
    expect(writeQuery({})).toBe("");
    expect(clean({ a: "1", b: undefined, c: "" })).toEqual({ a: "1" });
    expect(parseQuery(writeQuery({ q: 'rule:"a&b=c" <script>' }))).toEqual({ q: 'rule:"a&b=c" <script>' });
  });
});

describe("preferences", () => {
  it("take anything", () => {
    for (const raw of [null, 1, "x", [], { theme: "purple", keys: 3, rooms: [] }]) {
      expect(readPreferences(raw)).toMatchObject({
        theme: "system",
        density: "compact",
        keys: { on: true, map: {} },
        rooms: {},
      });
    }
    expect(readPreferences({ theme: "light", keys: { on: false, map: { ack: "v", bad: 3 } } })).toMatchObject({
      theme: "light",
      keys: { on: false, map: { ack: "v" } },
    });
  });
});

describe("store", () => {
  it("tells of changes, and only of those", () => {
    const store = new Store(1);
    let told = 0;
    const leave = store.watch(() => told++);
    store.set(1);
    store.set((value) => value + 1);
    leave();
    store.set(5);
    expect(told).toBe(1);
    expect(store.get()).toBe(5);
  });
});
