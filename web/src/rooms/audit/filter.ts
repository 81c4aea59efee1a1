/** The filter of the audit log as people type it: actor:jo action:login object:run:R-7 */
const FIELDS = ["actor", "action", "object"] as const;
type Field = (typeof FIELDS)[number];

export function parse(text: string): { filter: Partial<Record<Field, string>>; faults: string[] } {
  const filter: Partial<Record<Field, string>> = {};
  const faults: string[] = [];
  for (const word of text.trim().split(/\s+/).filter(Boolean)) {
    const at = word.indexOf(":");
    const field = FIELDS.find((name) => name === word.slice(0, at));
    if (field && at < word.length - 1) filter[field] = word.slice(at + 1);
    else if (at < 0) filter.actor = word;
    else faults.push(word);
  }
  return { filter, faults };
}
