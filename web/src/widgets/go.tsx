/** A way to another place of the console: a link, so that the browser can open it beside; a click stays in the page. */
import type { MouseEvent, ReactNode } from "react";
import { cx } from "../lib/cx";
import { clean, useGo, writeQuery } from "../lib/route";
import "./go.css";

export interface GoProps {
  path: string;
  query?: Record<string, string | undefined>;
  className?: string;
  title?: string;
  children: ReactNode;
  label?: string;
  onFocus?: () => void;
  onBlur?: () => void;
}

/** Paths are ours; what an attacker chose is only ever a part of one, and encoded by the caller. */
export function Go({ path, query = {}, className, title, children, label, onFocus, onBlur }: GoProps) {
  const go = useGo();
  const follow = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button !== 0) return;
    event.preventDefault();
    go(path, query);
  };
  return (
    <a
      href={`${path}${writeQuery(clean(query))}`}
      className={cx("go", className)}
      title={title}
      aria-label={label}
      onClick={follow}
      onFocus={onFocus}
      onBlur={onBlur}
    >
      {children}
    </a>
  );
}
