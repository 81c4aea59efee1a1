/**
 * Words for people. Every room has a catalogue of its own under locale/, typed
 * by its English one: a key or a value that is missing does not compile.
 */
export type Message = string | { readonly one: string; readonly other: string };
export type Messages = Record<string, Message>;

type Holes<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Holes<Rest> : never;
type Text<M> = M extends { one: infer A; other: infer B } ? A | B : M;
type Values<M> = [Holes<Text<M>>] extends [never]
  ? M extends string
    ? []
    : [values: { n: number }]
  : [values: Record<Holes<Text<M>>, string | number>];

export type Translate<C extends Messages> = <K extends keyof C & string>(key: K, ...values: Values<C[K]>) => string;

let language = "en";
let plural = new Intl.PluralRules(language);
let figures = new Intl.NumberFormat(language);
const others = new Map<string, Map<string, Messages>>(); // language -> catalogue -> messages

/** The language people read; Intl uses it too. */
export const currentLanguage = () => language;

/** Changes the language, for strings and for dates and numbers. */
export function setLanguage(tag: string): void {
  language = tag;
  plural = new Intl.PluralRules(tag);
  figures = new Intl.NumberFormat(tag);
}

/** Adds another language to a catalogue; what it lacks stays English. */
export function addLanguage(tag: string, name: string, messages: Messages): void {
  const of = others.get(tag) ?? new Map<string, Messages>();
  of.set(name, messages);
  others.set(tag, of);
}

/**
 * A catalogue's translator. {name} in a message is filled from the values;
 * {one, other} is chosen by the value n.
 */
export function catalogue<const C extends Messages>(name: string, english: C): Translate<C> {
  return (key, ...rest) => {
    const values = rest[0] as Record<string, string | number> | undefined;
    const message: Message = others.get(language)?.get(name)?.[key] ?? (english[key] as Message | undefined) ?? key;
    const text =
      typeof message === "string"
        ? message
        : message[plural.select(Number(values?.n ?? 0)) === "one" ? "one" : "other"];
    if (!values) return text;
    return text.replace(/\{(\w+)\}/g, (whole, hole: string) => {
      const value = values[hole];
      return value === undefined ? whole : typeof value === "number" ? figures.format(value) : value;
    });
  };
}

const shapes = new Map<string, Intl.NumberFormat>();

/** A number as people write it: 1,284. */
export function number(value: number, options?: Intl.NumberFormatOptions): string {
  const key = `${language}${options ? JSON.stringify(options) : ""}`;
  let shape = shapes.get(key);
  if (!shape) {
    shape = new Intl.NumberFormat(language, options);
    shapes.set(key, shape);
  }
  return shape.format(value);
}

/** A share as people write it: 3.1 %. */
export const percent = (value: number, digits = 1): string =>
  number(value, { style: "percent", maximumFractionDigits: digits });

/** Bytes with a unit of 1,000: 1.2 kB. */
export function bytes(value: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  let at = 0;
  let left = value;
  while (left >= 1000 && at < units.length - 1) {
    left /= 1000;
    at++;
  }
  return number(left, {
    style: "unit",
    unit: units[at] ?? "byte",
    unitDisplay: "short",
    maximumFractionDigits: at === 0 ? 0 : 1,
  });
}
