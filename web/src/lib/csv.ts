/** CSV that no spreadsheet takes for formulas. */

/** A cell: quoted where needed, and with a leading ' where a spreadsheet would begin to calculate. */
export function csvCell(value: unknown): string {
  const text = value === null || value === undefined ? "" : String(value);
  const tame = /^[\s\u00a0\u3000]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n\t;]/.test(tame) || tame !== text ? `"${tame.replace(/"/g, '""')}"` : tame;
}

/** Rows with their head, lines ended as RFC 4180 has it. */
export function csv(head: string[], rows: unknown[][]): string {
  return [head, ...rows].map((row) => `${row.map(csvCell).join(",")}\r\n`).join("");
}
