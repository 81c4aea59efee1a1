/** What steps of playbooks would do, do and did, as rows. */
import type { ReactNode } from "react";
import { duration, useNow } from "../lib/time";
import { t } from "../locale/work";
import { Badge } from "./badge";
import { Safe } from "./safe";
import { Table } from "./section";
import { State } from "./state";
import { When } from "./when";

export interface PlanRow {
  id: string;
  action: string;
  target: string;
  effect: string;
  mode: string;
  state: string;
  error?: string;
  expires_at?: string;
  ended_at?: string;
  ended_by?: string;
  irreversible?: boolean;
  ref?: string;
}

const OVER = new Set(["reverted", "expired", "refused", "failed", "cancelled"]);

export function Plans({
  plans,
  label,
  action,
}: {
  plans: readonly PlanRow[];
  label: string;
  action?: (plan: PlanRow) => ReactNode;
}) {
  if (plans.length === 0) return <p className="muted">{t("plan.none")}</p>;
  return (
    <Table
      stack
      label={label}
      heads={[
        { id: "action", label: t("plan.action") },
        { id: "target", label: t("plan.target") },
        { id: "state", label: t("plan.state") },
        { id: "effect", label: t("plan.effect"), wide: true },
        { id: "until", label: t("plan.until") },
      ]}
    >
      {plans.map((plan) => (
        <tr key={plan.id}>
          <td className="mono">{plan.action}</td>
          <td>
            <Safe text={plan.target} block />
          </td>
          <td className="work-nowrap">
            <State name={plan.state} /> {plan.mode === "dry_run" ? <Badge>{t("plan.dry")}</Badge> : null}
          </td>
          <td>
            <Safe text={plan.effect} block className="work-words" />
            {plan.irreversible ? <span className="muted"> ({t("plan.irreversible")})</span> : null}
            {plan.error ? (
              <div className="work-state-bad">
                <Safe text={plan.error} block className="work-words" />
              </div>
            ) : null}
            {plan.ref ? (
              <div className="muted">
                <Safe text={plan.ref} block />
              </div>
            ) : null}
          </td>
          <td className="work-nowrap">
            <Until plan={plan} /> {action?.(plan)}
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Until({ plan }: { plan: PlanRow }) {
  const now = useNow(1000);
  if (plan.ended_at) {
    return (
      <span className="muted">
        {plan.ended_by ? <Safe text={t("plan.ended", { who: plan.ended_by })} className="work-words" /> : null}{" "}
        <When at={plan.ended_at} now={now} />
      </span>
    );
  }
  if (!plan.expires_at || OVER.has(plan.state) || plan.mode === "dry_run") return null;
  const left = Date.parse(plan.expires_at) - now;
  return left > 0 ? <span>{t("plan.until.in", { time: duration(left) })}</span> : null;
}
