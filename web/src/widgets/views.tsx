/** Nothing, not yet, and not at all: three looks that cannot be mistaken for each other. */
import type { ReactNode } from "react";
import { t } from "../locale/en";
import { Button } from "./button";

/** There is nothing, and what to do about it. */
export function Empty({ title, children, action }: { title?: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="view view-empty">
      <svg viewBox="0 0 48 48" width="40" height="40" aria-hidden="true" className="view-mark">
        <path
          d="M24 4 41 14v20L24 44 7 34V14z"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.5"
          strokeDasharray="3 4"
        />
      </svg>
      <h2>{title ?? t("empty.default")}</h2>
      {children ? <div className="view-text">{children}</div> : null}
      {action}
    </div>
  );
}

/** It is coming: the shape of rows, no spinner. */
export function Loading({ rows = 8, label }: { rows?: number; label?: string }) {
  return (
    <div className="view-loading" role="status" aria-label={label ?? t("loading")}>
      {Array.from({ length: rows }, (_, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: bars are all the same
        <div key={at} className="view-bar" />
      ))}
    </div>
  );
}

/** What stands in the place of a list without rows: still coming, failed, filtered away, or none there are. */
export function NoRows({
  list,
  on,
  filtered,
  onClear,
  none,
  children,
}: {
  list: { loading: boolean; error: unknown; again: () => void };
  /** How far it was read for a filter of the page. */
  on: { reading: boolean; further?: () => void };
  /** What is said when filters hide everything; what of the newest rows, when there are older ones. */
  filtered: false | { title: string; newest: string };
  onClear: () => void;
  /** There is none without filters, too. */
  none: string;
  children: ReactNode;
}) {
  if (list.loading || on.reading) return <Loading />;
  if (list.error) return <ErrorView error={list.error} onRetry={list.again} />;
  if (!filtered) return <Empty title={none}>{children}</Empty>;
  return (
    <Empty
      title={filtered.title}
      action={
        <>
          {on.further ? <Button onClick={on.further}>{t("empty.further")}</Button> : null}
          <Button onClick={onClear}>{t("empty.clear")}</Button>
        </>
      }
    >
      {on.further ? filtered.newest : t("empty.filtered.text")}
    </Empty>
  );
}

/** The words for what went wrong. Takes any error; knows those of the API by their fields. */
export function errorText(error: unknown): { title: string; detail: string; request: string } {
  const problem = error as {
    status?: number;
    title?: string;
    detail?: string;
    request?: string;
    retryAfter?: number;
  } | null;
  const status = problem?.status;
  const detail = problem?.detail || problem?.title || "";
  let text = detail;
  if (status === 0 || status === 502 || status === 503 || status === 504) text = detail || t("error.unreachable");
  else if (status === 403) text = detail || t("error.forbidden");
  else if (status === 404) text = detail || t("error.missing");
  else if (status === 409 || status === 412) text = detail || t("error.conflict");
  else if (status === 429) text = t("error.limited", { n: problem?.retryAfter || 1 });
  else if (!detail && status) text = t("error.unknown", { status: String(status) });
  else if (!detail && error instanceof Error) text = error.message;
  return { title: t("error.title"), detail: text, request: problem?.request ?? "" };
}

/** It failed: what, why, and the way on. */
export function ErrorView({ error, onRetry, title }: { error: unknown; onRetry?: () => void; title?: string }) {
  const text = errorText(error);
  return (
    <div className="view view-error" role="alert">
      <h2>{title ?? text.title}</h2>
      <p className="view-text">{text.detail}</p>
      {text.request ? <p className="meta">{t("error.request", { id: text.request })}</p> : null}
      {onRetry ? <Button onClick={onRetry}>{t("error.retry")}</Button> : null}
    </div>
  );
}
