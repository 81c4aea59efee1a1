/**
 * What the queue keeps of an alert: what its columns, filters and groups need.
 * 50,000 whole alerts with their reasons and evidence would be 150 MB.
 */
import type { Alert } from "../../api/types";

export interface AlertRow {
  id: string;
  short: string;
  time: string;
  created: string;
  /** created in ms: what the list is sorted by. */
  found: number;
  severity: string;
  status: string;
  score: number;
  rule: string;
  title: string;
  /** Address without port. */
  src: string;
  country: string;
  sensor: string;
  session: string;
  attacker: string;
  incident: string;
  detector: string;
  verdict: string;
  proven: boolean;
  count: number;
  techniques: string;
  evidence: string;
  by: string;
  at: string;
  note: string;
}

const KEEP = 160;

/** The address of "203.0.113.9:40122" or "[2001:db8::1]:22". */
export function host(addr: string | undefined): string {
  if (!addr) return "";
  const bracket = /^\[([^\]]*)\]/.exec(addr);
  if (bracket) return bracket[1] ?? "";
  const colon = addr.lastIndexOf(":");
  return colon > 0 && addr.indexOf(":") === colon ? addr.slice(0, colon) : addr;
}

/** A string of its own: a slice would hold the whole answer it was cut from. */
const cut = (text: string) => (text.length > KEEP ? `${text.slice(0, KEEP)}…` : text);

export function slim(alert: Alert): AlertRow {
  const handled =
    alert.handled ??
    (alert.verdict ? { by: alert.verdict.by, at: alert.verdict.at, note: alert.verdict.comment } : undefined);
  return {
    id: alert.id,
    short: alert.short ?? "",
    time: alert.time ?? "",
    created: alert.created_at ?? alert.time ?? "",
    found: Date.parse(alert.created_at ?? alert.time ?? "") || 0,
    severity: alert.severity ?? "informational",
    status: alert.status ?? "new",
    score: alert.score ?? 0,
    rule: alert.rule_id ?? "",
    title: cut(alert.title ?? ""),
    src: host(alert.src?.addr),
    country: alert.src?.country ?? "",
    sensor: alert.sensor ?? "",
    session: alert.session ?? "",
    attacker: alert.attacker ?? "",
    incident: alert.incident ?? "",
    detector: alert.detector ?? "",
    verdict: alert.verdict?.as ?? "",
    proven: alert.proven ?? false,
    count: alert.count ?? 1,
    techniques: (alert.attacks ?? []).map((attack) => attack.id).join(" "),
    evidence: cut(alert.evidence?.[0]?.text ?? ""),
    by: handled?.by ?? "",
    at: handled?.at ?? "",
    note: handled?.note ?? "",
  };
}
