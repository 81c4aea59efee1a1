/** Severity in three signals: a word, bars and a colour. */

import { cx } from "../lib/cx";
import { t } from "../locale/en";

const BARS: Record<string, number> = { critical: 4, high: 3, medium: 2, low: 1, informational: 0, info: 0 };
type Known = "critical" | "high" | "medium" | "low" | "informational";
const known = (name: string): Known => (name in BARS && name !== "info" ? (name as Known) : "informational");

/** From least to most severe. */
export const SEVERITIES: readonly Known[] = ["informational", "low", "medium", "high", "critical"];
/** 0 for informational to 4 for critical. */
export const severityRank = (name: string): number => BARS[name] ?? 0;

export function Severity({ name, bare }: { name: string; bare?: boolean }) {
  const is = known(name);
  const lit = BARS[is] ?? 0;
  return (
    <span className={cx("sev", `sev-${is}`, bare && "sev-bare")} role="img" aria-label={t(`sev.${is}.long`)}>
      <svg className="sev-bars" viewBox="0 0 14 10" width="14" height="10" aria-hidden="true">
        {[0, 1, 2, 3].map((bar) => (
          <rect
            key={bar}
            x={bar * 3.7}
            y={7 - bar * 2}
            width="2.6"
            height={3 + bar * 2}
            className={bar < lit ? "on" : "off"}
          />
        ))}
      </svg>
      {bare ? null : <span className="sev-word">{t(`sev.${is}`)}</span>}
    </span>
  );
}
