/** Text an attacker may have chosen. It is only ever a text node. */

import { cx } from "../lib/cx";
import { safe, safeLines } from "../lib/safe";

/** One line; CSS cuts it. block makes it break instead. */
export function Safe({ text, block, className }: { text: unknown; block?: boolean; className?: string }) {
  return (
    <code dir="ltr" className={cx("safe", block ? "safe-block" : "cut", className)} title={undefined}>
      {safe(text)}
    </code>
  );
}

/** Many lines with a gutter, for details only. */
export function SafeLines({ text, className }: { text: unknown; className?: string }) {
  return (
    <code dir="ltr" className={cx("safe-lines", className)}>
      {safeLines(text).map((line, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name and never move
        <span key={at} className="safe-line">
          {line}
        </span>
      ))}
    </code>
  );
}
