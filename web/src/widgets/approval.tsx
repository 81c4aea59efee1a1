/** A step that waits for people: what it would do, who has to agree, and why one may not. */
import { duration, useNow } from "../lib/time";
import { t } from "../locale/work";
import { Badge } from "./badge";
import { Button } from "./button";
import { Go } from "./go";
import type { PlanRow } from "./plan";
import { Safe } from "./safe";
import "./work.css";

export interface ApprovalRow {
  run: string;
  short: string;
  step: number;
  name: string;
  title: string;
  action: string;
  mode: string;
  reason: string;
  by: string;
  incident?: string;
  needed: number;
  roles: string[];
  lapses_at?: string;
  may: boolean;
  why_not?: string;
  plans: PlanRow[];
  decisions: { by: string; role: string; approved: boolean; note?: string; at: string }[];
}

/** Names a waiting step for good. */
export const approvalID = (row: { run: string; step: number }): string => `${row.run} ${row.step}`;

export function Approval({
  row,
  current,
  settled,
  onCurrent,
  onDecide,
}: {
  row: ApprovalRow;
  current?: boolean;
  /** What became of it meanwhile; it can no longer be decided. */
  settled?: string;
  onCurrent?: () => void;
  onDecide: (approve: boolean) => void;
}) {
  const now = useNow(1000);
  const left = row.lapses_at ? Date.parse(row.lapses_at) - now : Number.NaN;
  const over = left <= 0;
  const off = !row.may || settled !== undefined || over;
  return (
    <article className="approval" data-current={current || undefined} aria-current={current || undefined}>
      <div className="approval-head">
        <Go path={`/response/${encodeURIComponent(row.short)}`} onFocus={onCurrent} className="mono">
          {row.short}
        </Go>
        <b className="work-words">
          <Safe text={t("approval.waits", { step: row.name })} block />
        </b>
        <span className="muted work-words">
          <Safe text={row.title} block />
        </span>
        {row.mode === "dry_run" ? <Badge>{t("approval.dry")}</Badge> : null}
        <span className="grow" />
        <span className={over ? "work-state-bad" : left < 600_000 ? "work-soon" : "muted"}>
          {Number.isNaN(left)
            ? t("approval.never")
            : over
              ? t("approval.lapsed")
              : t("approval.lapses", { time: duration(left) })}
        </span>
      </div>
      <div className="approval-plans">
        {row.plans.map((plan) => (
          <div key={plan.id} className="approval-plan">
            <span className="work-words">
              <Safe text={plan.effect} block />
            </span>
            <span className="meta">
              <span className="mono">{plan.action}</span> <Safe text={plan.target} />
            </span>
          </div>
        ))}
      </div>
      <p className="muted work-words">
        {t("approval.reason")}: <Safe text={row.reason} block /> (
        <Safe text={t("approval.by", { who: row.by })} block />)
      </p>
      <p>
        {t("approval.needs", { n: row.needed, roles: row.roles.join(` ${t("approval.or")} `) })}
        {row.decisions.map((one) => (
          <span key={one.by} className="muted work-words">
            {" · "}
            <Safe
              text={t(one.approved ? "approval.decided.yes" : "approval.decided.no", { who: one.by, role: one.role })}
              block
            />
            {one.note ? (
              <>
                : <Safe text={one.note} block />
              </>
            ) : null}
          </span>
        ))}
      </p>
      {settled !== undefined ? (
        <p className="conflict work-words" role="status">
          <Safe text={settled} block />
        </p>
      ) : row.may ? null : (
        <p className="work-state-warn work-words">
          <Safe text={t("approval.may.not", { why: row.why_not ?? "" })} block />
        </p>
      )}
      <div className="row wrap">
        <Button kind="primary" keys={current ? "a" : undefined} disabled={off} onClick={() => onDecide(true)}>
          {t("approval.approve")}
        </Button>
        <Button kind="danger" keys={current ? "d" : undefined} disabled={off} onClick={() => onDecide(false)}>
          {t("approval.deny")}
        </Button>
      </div>
    </article>
  );
}
