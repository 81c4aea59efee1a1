/**
 * Keys of one letter, and sequences such as `g a`. They act only while a list, a
 * detail or a replay has the focus (an element with data-keys), never in fields
 * to type in, and can be switched off or changed by the person.
 */
import { useEffect, useLayoutEffect, useRef } from "react";
import { preferences } from "./preferences";

export interface Binding {
  /** Names the action for good: preferences map it to another key. */
  id: string;
  /** "a", "A", "Enter", "Shift x", "g a", "Ctrl k", "." */
  keys: string | string[];
  /** What it does, in the reader's language: for the key sheet and the palette. */
  label: string;
  run: (event: KeyboardEvent) => void;
  /** Heading it stands under on the key sheet. */
  group?: string;
  /** Acts wherever the focus is, fields to type in excepted unless Ctrl is part of it. */
  anywhere?: boolean;
  /** Not now: stands on the sheet but does nothing. */
  off?: boolean;
}

/** The key of an event as bindings name it. Shift counts only where it makes no other character. */
export function keyName(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">): string {
  let key = event.key === " " ? "Space" : event.key;
  if ((event.ctrlKey || event.metaKey) && key.length === 1) key = key.toLowerCase();
  const parts: string[] = [];
  if (event.ctrlKey || event.metaKey) parts.push("Ctrl");
  if (event.altKey) parts.push("Alt");
  if (event.shiftKey && (key.length > 1 || parts.length > 0)) parts.push("Shift");
  parts.push(key);
  return parts.join(" ");
}

/** "Shift x" and "X" are the same key. */
function same(wanted: string): string {
  const shifted = /^Shift (\p{L})$/u.exec(wanted);
  return shifted?.[1] ? shifted[1].toUpperCase() : wanted;
}

const typing = (target: EventTarget | null): boolean => {
  if (!(target instanceof Element)) return false;
  return (
    target.closest(
      "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable], [role=combobox]",
    ) !== null
  );
};
const region = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest("[data-keys]") !== null;
const dialog = (target: EventTarget | null): boolean =>
  target instanceof Element &&
  target.closest("[role=dialog], [role=alertdialog], [role=menu], [role=listbox]") !== null;

/** All bindings in force; the latest wins, so that what opened last has the keys. */
export class Keymap {
  #layers: { bindings: Binding[] }[] = [];
  #prefix = "";
  #prefixUntil = 0;
  #watchers = new Set<() => void>();

  constructor(
    private readonly settings: () => { on: boolean; map: Record<string, string> } = () => preferences.get().keys,
  ) {}

  add(bindings: Binding[]): () => void {
    const layer = { bindings };
    this.#layers.push(layer);
    this.#tell();
    return () => {
      this.#layers = this.#layers.filter((other) => other !== layer);
      this.#tell();
    };
  }

  watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  #tell() {
    for (const watcher of this.#watchers) watcher();
  }

  /** What there is, latest first, each action once. */
  list(): Binding[] {
    const seen = new Set<string>();
    const found: Binding[] = [];
    for (const layer of [...this.#layers].reverse()) {
      for (const binding of layer.bindings) {
        if (!seen.has(binding.id)) {
          seen.add(binding.id);
          found.push(binding);
        }
      }
    }
    return found;
  }

  /** The keys of an action as the person has them. */
  keysOf(binding: Pick<Binding, "id" | "keys">): string[] {
    const own = this.settings().map[binding.id];
    if (own) return [own];
    return typeof binding.keys === "string" ? [binding.keys] : binding.keys;
  }

  #holds = 0;
  #early = "";
  #earlyAt = 0;

  /** While held, keys outside of dialogs do nothing: one is open, or opening. What is typed meanwhile is kept for it. */
  hold(): () => void {
    this.#holds++;
    let over = false;
    return () => {
      if (!over) this.#holds--;
      over = true;
    };
  }

  /** What was typed while a dialog was opening. */
  takeEarly(): string {
    const early = Date.now() - this.#earlyAt < 3000 ? this.#early : "";
    this.#early = "";
    return early;
  }

  /** Handles an event; true when a binding took it. */
  handle(event: KeyboardEvent, now: number = Date.now()): boolean {
    if (event.defaultPrevented || event.isComposing) return false;
    const pressed = keyName(event);
    if (this.#holds > 0 && !dialog(event.target)) {
      const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
      if (plain && event.key.length === 1 && !typing(event.target)) {
        if (Date.now() - this.#earlyAt > 3000) this.#early = "";
        this.#early += event.key;
        this.#earlyAt = Date.now();
        event.preventDefault();
      }
      return plain;
    }
    const modified = event.ctrlKey || event.metaKey || event.altKey;
    if (["Shift", "Control", "Alt", "Meta", "Ctrl Control", "Shift Shift"].includes(pressed)) return false;
    if (typing(event.target) && !modified) return false;
    const single = !modified && pressed.length === 1;
    if (single && !this.settings().on) return false;
    const prefix = now < this.#prefixUntil ? this.#prefix : "";
    this.#prefix = "";
    const full = prefix ? `${prefix} ${pressed}` : pressed;
    let begins = false;
    for (const binding of this.list()) {
      if (binding.off) continue;
      if (!binding.anywhere && (!region(event.target) || dialog(event.target))) continue;
      if (binding.anywhere && single && dialog(event.target)) continue;
      for (const wanted of this.keysOf(binding).map(same)) {
        if (wanted === full) {
          event.preventDefault();
          binding.run(event);
          return true;
        }
        if (!modified && wanted.startsWith(`${full} `)) begins = true;
      }
    }
    if (begins) {
      this.#prefix = full;
      this.#prefixUntil = now + 1500;
      event.preventDefault();
      return true;
    }
    return false;
  }
}

export const keymap = new Keymap();

/** Keys of the page do nothing while this is true: a dialog is open, or opening. */
export function useHold(active: boolean): void {
  useLayoutEffect(() => (active ? keymap.hold() : undefined), [active]);
}

/** Stands in for a dialog that is still being fetched. */
export function Opening(): null {
  useHold(true);
  return null;
}

/** The bindings are in force while the component is there. */
export function useKeys(bindings: Binding[]): void {
  const latest = useRef(bindings);
  latest.current = bindings;
  const shape = bindings
    .map((binding) => `${binding.id}\u0001${binding.keys}\u0001${binding.label}\u0001${binding.off ?? false}`)
    .join("\u0002");
  // biome-ignore lint/correctness/useExhaustiveDependencies: shape says when the bindings are others; run is read when a key comes
  useEffect(
    () =>
      keymap.add(latest.current.map((binding, at) => ({ ...binding, run: (event) => latest.current[at]?.run(event) }))),
    [shape],
  );
}
