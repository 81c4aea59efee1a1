/** A part of a detail with its heading, and small tables that need no virtual rows. */
import type { ReactNode } from "react";
import { useId } from "react";
import { cx } from "../lib/cx";
import "./work.css";

export function Section({
  title,
  children,
  actions,
  className,
}: {
  title: ReactNode;
  children: ReactNode;
  actions?: ReactNode;
  className?: string;
}) {
  const id = useId();
  return (
    <section className={cx("work-section", className)} aria-labelledby={id}>
      <div className="work-section-head">
        <h3 id={id} className="grow">
          {title}
        </h3>
        {actions}
      </div>
      {children}
    </section>
  );
}

export interface Head {
  id: string;
  label: ReactNode;
  end?: boolean;
  wide?: boolean;
}

/** Rows of cells under heads; it scrolls sideways by itself where it is too narrow. */
export function Table({
  label,
  heads,
  children,
  stack,
}: {
  label: string;
  heads: readonly Head[];
  children: ReactNode;
  /** Where it is narrow, cells stand under each other instead. */
  stack?: boolean;
}) {
  return (
    <div className={cx("work-table-box", stack && "work-stack")} role="region" aria-label={label} tabIndex={0}>
      <table className="work-table">
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head.id} scope="col" className={cx(head.end && "end", head.wide && "work-wide")}>
                {head.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
