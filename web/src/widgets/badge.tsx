/** Small marks: a word in a frame, a countdown, a pill that counts. */
import type { ReactNode } from "react";
import { cx } from "../lib/cx";
import { number } from "../lib/i18n";
import { span, useNow } from "../lib/time";
import { t } from "../locale/en";
import { Kbd } from "./kbd";

export function Badge({
  children,
  kind = "plain",
}: {
  children: ReactNode;
  kind?: "plain" | "ok" | "warn" | "bad" | "accent";
}) {
  return <span className={cx("badge", `badge-${kind}`)}>{children}</span>;
}

/** Response clocks: how long an alert of a severity may wait, in minutes. */
export const SLA_MINUTES: Record<string, number> = { critical: 15, high: 60, medium: 240, low: 1440 };

/** When it has to be answered, in ms; NaN where nothing is promised. */
export const slaDue = (severity: string, from: string | number): number =>
  severity in SLA_MINUTES
    ? (typeof from === "number" ? from : Date.parse(from)) + (SLA_MINUTES[severity] ?? 0) * 60_000
    : Number.NaN;

/** What is left of the promised time, counted down. */
export function Sla({ due, done, now }: { due: number; done?: boolean; now?: number }) {
  return now === undefined ? <Ticking due={due} done={done} /> : <SlaText due={due} done={done} now={now} />;
}
function Ticking({ due, done }: { due: number; done?: boolean }) {
  return <SlaText due={due} done={done} now={useNow(1000)} />;
}
function SlaText({ due, done, now }: { due: number; done?: boolean; now: number }) {
  if (Number.isNaN(due) || done) return <span className="sla muted">{t("sla.none")}</span>;
  const left = due - now;
  const state = left < 0 ? "over" : left < 5 * 60_000 ? "soon" : "fine";
  return (
    <span className={`sla sla-${state}`} title={t(left < 0 ? "sla.over" : "sla.left", { time: span(Math.abs(left)) })}>
      {left < 0 ? "−" : ""}
      {span(Math.abs(left))}
    </span>
  );
}

/** "14 new - show": rows that came while the list stood still. */
export function Pill({ count, onShow, keys = "." }: { count: number; onShow: () => void; keys?: string }) {
  if (count <= 0) return null;
  return (
    <button type="button" className="pill" onClick={onShow}>
      {t("pill", { n: count })}
      <Kbd keys={keys} />
    </button>
  );
}

/** A figure with what it counts. */
export function Count({ value, children }: { value: number; children: ReactNode }) {
  return (
    <span>
      <b className="count">{number(value)}</b> {children}
    </span>
  );
}
