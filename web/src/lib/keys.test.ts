import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Binding, Keymap, keyName } from "./keys";

/** As much of an element as the map looks at. */
class Fake {
  constructor(private readonly inside: string[]) {}
  closest(selector: string): Fake | null {
    return this.inside.some((what) => selector.includes(what)) ? this : null;
  }
}
vi.stubGlobal("Element", Fake);
const list = new Fake(["[data-keys]"]);
const field = new Fake(["[data-keys]", "input"]);
const outside = new Fake([]);
const inDialog = new Fake(["[data-keys]", "[role=dialog]"]);

function press(target: Fake, key: string, more: Partial<KeyboardEvent> = {}): KeyboardEvent {
  const event = {
    key,
    target,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    shiftKey: false,
    isComposing: false,
    defaultPrevented: false,
    ...more,
  };
  return Object.assign(event, {
    preventDefault: () => Object.assign(event, { defaultPrevented: true }),
  }) as unknown as KeyboardEvent;
}

describe("keyName", () => {
  const cases: [Partial<KeyboardEvent>, string][] = [
    [{ key: "a" }, "a"],
    [{ key: "A", shiftKey: true }, "A"],
    [{ key: "?", shiftKey: true }, "?"],
    [{ key: " " }, "Space"],
    [{ key: "K", ctrlKey: true }, "Ctrl k"],
    [{ key: "k", metaKey: true }, "Ctrl k"],
    [{ key: "Enter", shiftKey: true }, "Shift Enter"],
    [{ key: "x", altKey: true }, "Alt x"],
  ];
  for (const [event, name] of cases) {
    it(name, () =>
      expect(keyName({ ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, key: "", ...event })).toBe(name),
    );
  }
});

describe("Keymap", () => {
  let settings: { on: boolean; map: Record<string, string> };
  let map: Keymap;
  let ran: string[];
  const bind = (id: string, keys: string | string[], more: Partial<Binding> = {}): Binding => ({
    id,
    keys,
    label: id,
    run: () => ran.push(id),
    ...more,
  });
  beforeEach(() => {
    settings = { on: true, map: {} };
    map = new Keymap(() => settings);
    ran = [];
  });

  it("acts in a list and nowhere else", () => {
    map.add([bind("ack", "a")]);
    expect(map.handle(press(list, "a"))).toBe(true);
    expect(map.handle(press(outside, "a"))).toBe(false);
    expect(map.handle(press(field, "a"))).toBe(false);
    expect(map.handle(press(inDialog, "a"))).toBe(false);
    expect(ran).toEqual(["ack"]);
  });
  it("keeps Ctrl keys in fields", () => {
    map.add([bind("palette", "Ctrl k", { anywhere: true })]);
    expect(map.handle(press(field, "k", { ctrlKey: true }))).toBe(true);
    expect(ran).toEqual(["palette"]);
  });
  it("can be switched off, but not Ctrl keys", () => {
    map.add([bind("ack", "a"), bind("palette", "Ctrl k", { anywhere: true }), bind("back", "Escape")]);
    settings.on = false;
    expect(map.handle(press(list, "a"))).toBe(false);
    expect(map.handle(press(list, "k", { ctrlKey: true }))).toBe(true);
    expect(map.handle(press(list, "Escape"))).toBe(true);
  });
  it("takes another key for an action", () => {
    map.add([bind("ack", "a")]);
    settings.map.ack = "v";
    expect(map.handle(press(list, "a"))).toBe(false);
    expect(map.handle(press(list, "v"))).toBe(true);
  });
  it("knows sequences for a moment", () => {
    map.add([bind("go", "g a"), bind("ack", "a")]);
    map.handle(press(list, "g"), 1000);
    map.handle(press(list, "a"), 1500);
    expect(ran).toEqual(["go"]);
    map.handle(press(list, "g"), 2000);
    map.handle(press(list, "a"), 9000);
    expect(ran).toEqual(["go", "ack"]);
  });
  it("reads Shift x and X as the same", () => {
    map.add([bind("range", "Shift x")]);
    expect(map.handle(press(list, "X", { shiftKey: true }))).toBe(true);
    expect(map.handle(press(list, "x"))).toBe(false);
  });
  it("gives keys to what came last, and back", () => {
    map.add([bind("one", "a")]);
    const leave = map.add([bind("two", "a")]);
    map.handle(press(list, "a"));
    leave();
    map.handle(press(list, "a"));
    expect(ran).toEqual(["two", "one"]);
  });
  it("keeps what is typed while a dialog opens from acting, and hands it over", () => {
    map.add([bind("ack", "a"), bind("palette", "Ctrl k", { anywhere: true })]);
    const done = map.hold();
    for (const key of ["w", "a"]) expect(map.handle(press(list, key))).toBe(true);
    expect(ran).toEqual([]);
    expect(map.takeEarly()).toBe("wa");
    expect(map.takeEarly()).toBe("");
    done();
    done();
    expect(map.handle(press(list, "a"))).toBe(true);
    expect(ran).toEqual(["ack"]);
  });
  it("does nothing while a word is composed, or what is off", () => {
    map.add([bind("ack", "a", { off: true })]);
    expect(map.handle(press(list, "a"))).toBe(false);
    map.add([bind("other", "b")]);
    expect(map.handle(press(list, "b", { isComposing: true }))).toBe(false);
  });
});
