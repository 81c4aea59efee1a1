/** The language of hunting as far as a bar to type it in has to know: where a condition begins, and how a value is written. */

export interface HuntField {
  name: string;
  also: string[];
  attr?: string;
  takes: string;
  about: string;
  example: string;
  values: string[];
}

/** The condition the caret is in. */
export interface Part {
  /** Where it begins and where the caret is. */
  from: number;
  to: number;
  not: boolean;
  /** The name before the colon; undefined while there is none. */
  field?: string;
  /** What was typed of the name or of the value, without an opening quote. */
  typed: string;
}

/** Finds the condition at the caret: blanks part them, unless they stand in quotes. */
export function partAt(text: string, caret: number): Part {
  let from = 0;
  let quoted = false;
  for (let at = 0; at < caret; at++) {
    const char = text[at];
    if (quoted && char === "\\") at++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && /\s/.test(char ?? "")) from = at + 1;
  }
  const whole = text.slice(from, caret);
  const not = whole.startsWith("-");
  const body = not ? whole.slice(1) : whole;
  const named = /^([A-Za-z0-9_.]+):(.*)$/s.exec(body);
  if (!named) return { from, to: caret, not, typed: body };
  return { from, to: caret, not, field: (named[1] ?? "").toLowerCase(), typed: (named[2] ?? "").replace(/^"/, "") };
}

const LONG = 200;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these cannot be typed
const UNTYPEABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** A value as the language wants it. What no key types, and what is very long, becomes a pattern. */
export function written(value: string): string {
  const whole = value.toWellFormed();
  if (UNTYPEABLE.test(whole) || whole.length > LONG) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: as above
    const pattern = whole.slice(0, LONG).replace(/[\u0000-\u0020\u007f-\u009f\u2028\u2029"\\*]+/g, "*");
    return `${pattern}*`.replace(/\*+/g, "*");
  }
  return /^[^\s"\\*]+$/.test(whole) ? whole : `"${whole.replace(/[\\"]/g, "\\$&")}"`;
}

/** A condition, turned round where it is to be left out. */
export const condition = (field: string, value: string, not = false): string =>
  `${not ? "-" : ""}${field}:${written(value)}`;

/** Adds a condition, unless it is there. */
export function withCondition(query: string, added: string): string {
  const at = query.indexOf(added);
  const before = query[at - 1];
  const after = query[at + added.length];
  if (at >= 0 && (before === undefined || before === " ") && (after === undefined || after === " ")) return query;
  return query.trim() === "" ? added : `${query.trim()} ${added}`;
}

/** Where the server found a fault, as characters of the text; it counts bytes. */
export function faultAt(text: string, detail: string): { at: number; why: string } | null {
  const found = /at character (\d+): (.*)$/s.exec(detail);
  if (!found) return null;
  const bytes = new TextEncoder().encode(text).subarray(0, Number(found[1]) - 1);
  return { at: new TextDecoder().decode(bytes).length, why: found[2] ?? "" };
}

export interface Choice {
  /** What is put in the place of what was typed. */
  text: string;
  label: string;
  about: string;
  count?: number;
}

const MOST = 12;

/** What may follow, best first. values are frequent ones of the field at the caret. */
export function choicesFor(
  part: Part,
  fields: readonly HuntField[],
  values: readonly { value: string; n: number }[],
): Choice[] {
  const typed = part.typed.toLowerCase();
  const sign = part.not ? "-" : "";
  if (part.field === undefined) {
    if (typed === "" && part.not) return [];
    const starts = fields.filter((field) => [field.name, ...field.also].some((name) => name.startsWith(typed)));
    return starts.slice(0, MOST).map((field) => ({
      text: `${sign}${field.name}:`,
      label: `${field.name}:`,
      about: field.about,
    }));
  }
  const name = part.field;
  const field = fields.find((one) => one.name === name || one.also.includes(name));
  const known = field?.values ?? [];
  const seen = new Set<string>();
  const out: Choice[] = [];
  const add = (value: string, n?: number) => {
    if (seen.has(value) || !value.toLowerCase().startsWith(typed) || value === "") return;
    seen.add(value);
    out.push({ text: `${sign}${condition(name, value)} `, label: value, about: "", count: n });
  };
  for (const one of values) add(one.value, one.n);
  for (const value of known) add(value);
  if (out.length === 0 && field && typed === "")
    out.push({ text: `${sign}${field.example} `, label: field.example, about: field.about });
  return out.slice(0, MOST);
}

/** The name by which the language asks for an attribute of an event; undefined when it cannot. */
export function fieldOfAttr(attr: string, fields: readonly HuntField[]): string | undefined {
  return fields.find((field) => field.attr === attr)?.name ?? (attr.includes(".") ? attr : undefined);
}
