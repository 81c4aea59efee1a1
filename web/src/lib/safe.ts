/**
 * Text that an attacker chose is shown as text, with everything that could act
 * on the reader made visible: control characters, marks that turn the direction
 * of writing, and characters without width.
 */

const DANGEROUS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const DANGEROUS_BUT_NEWLINE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

const visible = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** Half of a pair of surrogates says nothing and breaks what is copied: it becomes U+FFFD. */
const whole = (text: string) => (text.isWellFormed ? (text.isWellFormed() ? text : text.toWellFormed()) : text);

/** One line, every control and direction character as \uXXXX. */
export function safe(text: unknown): string {
  if (text === null || text === undefined) return "";
  return whole(String(text)).replace(DANGEROUS, visible);
}

/** As safe, but line feeds stay: for text shown in lines with a gutter. */
export function safeLines(text: unknown): string[] {
  if (text === null || text === undefined) return [];
  return whole(String(text)).replace(/\r\n/g, "\n").replace(DANGEROUS_BUT_NEWLINE, visible).split("\n");
}

/** At most limit characters, with a mark where something is missing; for attributes, not for cells, which CSS cuts. */
export function brief(text: unknown, limit = 120): string {
  const clean = safe(text);
  return clean.length <= limit ? clean : `${clean.slice(0, limit)}…`;
}
