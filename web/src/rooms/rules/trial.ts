/** A back-test runs in several requests: what each found is added up. */
import { call } from "../../api/client";
import type { Backtest } from "./types";

export interface Trial {
  state: "running" | "done" | "stopped" | "failed";
  events: number;
  hits: number;
  sources: number;
  /** Matches by day, UTC. */
  days: Record<string, number>;
  examples: Backtest["rules"][number]["examples"];
  faults: Backtest["faults"];
  rules: { id: string; title: string; hits: number }[];
  /** Up to where the events were looked at. */
  until?: string;
  error?: unknown;
}

export const BEGUN: Trial = {
  state: "running",
  events: 0,
  hits: 0,
  sources: 0,
  days: {},
  examples: [],
  faults: [],
  rules: [],
};

const EXAMPLES = 20;
const WEEK = 6 * 86_400;

/** Adds what one request found. */
export function add(before: Trial, part: Backtest): Trial {
  const days = { ...before.days };
  const rules = new Map(before.rules.map((rule) => [rule.id, rule]));
  let { hits, sources } = before;
  const examples = [...before.examples];
  for (const rule of part.rules ?? []) {
    hits += rule.hits;
    sources += rule.sources;
    for (const [day, n] of Object.entries(rule.days ?? {})) days[day] = (days[day] ?? 0) + Number(n);
    for (const hit of rule.examples ?? []) if (examples.length < EXAMPLES) examples.push(hit);
    const had = rules.get(rule.id);
    rules.set(rule.id, { id: rule.id, title: rule.title, hits: (had?.hits ?? 0) + rule.hits });
  }
  return {
    ...before,
    state: part.next > 0 ? "running" : "done",
    events: before.events + part.events,
    hits,
    sources,
    days,
    examples,
    faults: part.faults.length > 0 ? part.faults : before.faults,
    rules: [...rules.values()],
    until: part.to || before.until,
  };
}

/** Days without matches belong to a picture over time, too. */
export function byDay(days: Record<string, number>): { start: number; values: number[] } | null {
  const names = Object.keys(days).sort();
  const first = names[0];
  const last = names.at(-1);
  if (!first || !last) return null;
  // A single day is no picture: at least a week is shown, up to the last one.
  const end = Date.parse(`${last}T00:00:00Z`) / 1000;
  const start = Math.min(Date.parse(`${first}T00:00:00Z`) / 1000, end - WEEK);
  const length = Math.min(3660, Math.round((end - start) / 86_400) + 1);
  if (!Number.isFinite(start) || !Number.isFinite(length)) return null;
  const values = new Array<number>(length).fill(0);
  for (const name of names) {
    const at = Math.round((Date.parse(`${name}T00:00:00Z`) / 1000 - start) / 86_400);
    if (at >= 0 && at < length) values[at] = days[name] ?? 0;
  }
  return { start, values };
}

/** Runs to the end, or until it is stopped, telling how it stands after each request. */
export async function run(
  what: { rule: string } | { text: string },
  from: string | undefined,
  signal: AbortSignal,
  tell: (trial: Trial) => void,
): Promise<void> {
  let trial = BEGUN;
  tell(trial);
  let after: number | undefined;
  try {
    for (;;) {
      const part = await call<Backtest>("POST", "/rules/backtest", { body: { ...what, from, after }, signal });
      trial = add(trial, part);
      tell(trial);
      if (trial.state !== "running") return;
      after = part.next;
    }
  } catch (error) {
    tell({ ...trial, state: signal.aborted ? "stopped" : "failed", error });
  }
}
