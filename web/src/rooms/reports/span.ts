/** The span a report is about, as the URL tells it. */
import { useMemo, useState } from "react";
import type { Query } from "../../lib/route";
import { serverNow } from "../../lib/time";

export const SPANS = { "24h": 1, "7d": 7, "30d": 30, "90d": 90 } as const;
export type SpanName = keyof typeof SPANS;

export interface Span {
  name: SpanName | "own";
  from: string;
  to: string;
}

/** Reads the span; one that makes no sense is the usual one. */
export function readSpan(query: Query, now: number, usual: SpanName): Span {
  const from = Date.parse(query.from ?? "");
  const to = Date.parse(query.to ?? "");
  if (from < to) return { name: "own", from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  const name = (Object.keys(SPANS) as SpanName[]).find((one) => one === query.span) ?? usual;
  return { name, from: new Date(now - SPANS[name] * 86_400_000).toISOString(), to: new Date(now).toISOString() };
}

/** A report stands still: it is about the time it was asked for. */
export function useSpan(query: Query, usual: SpanName): [Span, () => void] {
  const [now, set] = useState(serverNow);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only these of the query make a span
  const span = useMemo(() => readSpan(query, now, usual), [query.span, query.from, query.to, now, usual]);
  return [span, () => set(serverNow())];
}
