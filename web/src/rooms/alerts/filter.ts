/**
 * The filter of the queue. People type `src:203.0.113.9 sev:high loader`; the
 * server gets fields; and rows that come live are held against the same.
 */
import { severityRank } from "../../widgets/severity";
import type { AlertRow } from "./row";

/** Fields as the server takes them. */
export interface Filter {
  severity?: string;
  status?: string[];
  src?: string;
  technique?: string;
  rule?: string;
  detector?: string;
  incident?: string;
  session?: string;
  attacker?: string;
  verdict?: string;
  q?: string;
  from?: string;
  to?: string;
}

const NAMES: Record<string, keyof Filter> = {
  src: "src",
  source: "src",
  ip: "src",
  rule: "rule",
  detector: "detector",
  technique: "technique",
  attack: "technique",
  incident: "incident",
  session: "session",
  attacker: "attacker",
  verdict: "verdict",
  sev: "severity",
  severity: "severity",
  status: "status",
  state: "status",
  from: "from",
  to: "to",
};
const SHORT: Record<string, string> = {
  crit: "critical",
  med: "medium",
  info: "informational",
  tp: "true_positive",
  fp: "false_positive",
  ack: "acknowledged",
  esc: "escalated",
};
const LISTS: Record<string, readonly string[]> = {
  severity: ["informational", "low", "medium", "high", "critical"],
  status: ["new", "acknowledged", "escalated", "suppressed", "closed"],
  verdict: ["true_positive", "false_positive", "benign", "duplicate", "none"],
};

export const OPEN = ["new", "acknowledged", "escalated"];
/** What completes while typing. */
export const FIELDS = [
  "src:",
  "rule:",
  "sev:",
  "status:",
  "technique:",
  "detector:",
  "session:",
  "incident:",
  "attacker:",
  "verdict:",
];

export interface Parsed {
  filter: Filter;
  /** Parts that mean nothing, as typed. */
  faults: string[];
}

/** Reads what somebody typed. Quotes keep blanks together: rule:"a b". */
export function parseFilter(text: string): Parsed {
  const filter: Filter = {};
  const faults: string[] = [];
  const words: string[] = [];
  for (const found of text.matchAll(/(?:([a-z]+):)?(?:"([^"]*)"|(\S+))/gi)) {
    const name = found[1]?.toLowerCase();
    const value = found[2] ?? found[3] ?? "";
    if (!name) {
      words.push(value);
      continue;
    }
    const field = NAMES[name];
    if (!field) {
      words.push(found[0]); // "http://..." and the like are words
      continue;
    }
    if (field === "status") {
      const states = value.split(",").map((state) => SHORT[state] ?? state);
      const known = states.filter((state) => LISTS.status?.includes(state));
      if (known.length !== states.length) faults.push(found[0]);
      if (known.length > 0) filter.status = known;
    } else if (field === "from" || field === "to") {
      const at = Date.parse(value);
      if (Number.isNaN(at)) faults.push(found[0]);
      else filter[field] = new Date(at).toISOString();
    } else {
      const long = SHORT[value.toLowerCase()] ?? value;
      if (LISTS[field] && !LISTS[field]?.includes(long)) faults.push(found[0]);
      else filter[field] = long;
    }
  }
  if (words.length > 0) filter.q = words.join(" ");
  return { filter, faults };
}

/** As the query of the list. */
export function toQuery(filter: Filter): Record<string, string | undefined> {
  return { ...filter, status: filter.status?.join(",") };
}

/** Whether a row is one the filter finds, as far as can be told from what is kept of it. */
export function matches(row: AlertRow, filter: Filter): boolean {
  return matcher(filter)(row);
}

/** What is searched in a row, kept while somebody types. */
const texts = new WeakMap<AlertRow, string>();
function textOf(row: AlertRow): string {
  let text = texts.get(row);
  if (text === undefined) {
    text = `${row.title} ${row.evidence} ${row.short} ${row.src} ${row.rule}`.toLowerCase();
    texts.set(row, text);
  }
  return text;
}

/** A filter made ready for many rows. */
export function matcher(filter: Filter): (row: AlertRow) => boolean {
  const least = filter.severity ? severityRank(filter.severity) : 0;
  const words = filter.q?.toLowerCase().split(/\s+/) ?? [];
  const technique = filter.technique?.toUpperCase();
  const same = (["src", "rule", "detector", "session", "attacker", "incident"] as const).filter((name) => filter[name]);
  return (row) => {
    if (least > 0 && severityRank(row.severity) < least) return false;
    if (filter.status ? !filter.status.includes(row.status) : row.status === "suppressed") return false;
    for (const name of same) if (row[name] !== filter[name]) return false;
    if (filter.verdict && (filter.verdict === "none" ? row.verdict !== "" : row.verdict !== filter.verdict))
      return false;
    if (technique && !row.techniques.split(" ").some((id) => id === technique || id.startsWith(`${technique}.`)))
      return false;
    if (filter.from && row.created < filter.from) return false;
    if (filter.to && row.created >= filter.to) return false;
    return words.length === 0 || words.every((word) => textOf(row).includes(word));
  };
}
