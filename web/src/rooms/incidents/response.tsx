/** What playbooks do for an incident: what waits for people first, then the runs; and all acts. */
import { useState } from "react";
import { refresh, useList, useOne } from "../../api/query";
import type { Incident, Page, Run } from "../../api/types";
import { decide, type Approval as Waiting } from "../../api/work";
import { safe } from "../../lib/safe";
import { t } from "../../locale/rooms/incidents";
import { t as words } from "../../locale/work";
import { Approval, approvalID } from "../../widgets/approval";
import { Ask } from "../../widgets/ask";
import { Badge } from "../../widgets/badge";
import { Go } from "../../widgets/go";
import { Plans } from "../../widgets/plan";
import { Safe } from "../../widgets/safe";
import { Section } from "../../widgets/section";
import { State } from "../../widgets/state";
import { done } from "../../widgets/toast";
import { ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";

export function Response({ row }: { row: Incident }) {
  const runs = useList<Run>("/runs", { incident: row.id }, { limit: 20 });
  const waiting = useOne<Page<Waiting>>("/approvals", { all: true });
  const mine = (waiting.data?.items ?? []).filter((one) => one.incident === row.id);
  const [asked, setAsked] = useState<{ of: Waiting; approve: boolean } | null>(null);
  return (
    <Section
      title={t("runs.title")}
      actions={
        <Go path="/response" query={{ incident: row.short }}>
          {t("runs.again")}
        </Go>
      }
    >
      {mine.map((one) => (
        <div key={approvalID(one)} className="incident-approval">
          <Approval row={one} onDecide={(approve) => setAsked({ of: one, approve })} />
        </div>
      ))}
      {runs.loading ? (
        <Loading rows={2} />
      ) : runs.error ? (
        <ErrorView error={runs.error} onRetry={runs.again} />
      ) : runs.rows.length === 0 ? (
        <p className="muted">{t("runs.none")}</p>
      ) : (
        <ul className="incident-runs">
          {runs.rows.map((run) => (
            <li key={run.id} className="incident-run">
              <Go path={`/response/${encodeURIComponent(run.short)}`} className="mono">
                {run.short}
              </Go>
              <Safe text={run.title} className="incidents-words" />
              <span className="row incident-run-state">
                <State name={run.state} />
                {run.mode === "dry_run" ? <Badge>{words("plan.dry")}</Badge> : null}
                <span className="muted">
                  {run.ended_at ? (
                    <When at={run.ended_at} />
                  ) : (
                    t("runs.step", { at: Math.min(run.step + 1, run.steps.length), all: run.steps.length })
                  )}
                </span>
              </span>
              {run.error ? (
                <span className="work-state-bad incident-run-error">
                  <Safe text={run.error} block className="incidents-words" />
                </span>
              ) : null}
            </li>
          ))}
        </ul>
      )}
      {asked ? (
        <Ask
          open
          danger={!asked.approve}
          required={!asked.approve}
          onClose={() => setAsked(null)}
          title={words(asked.approve ? "approval.approve.title" : "approval.deny.title", {
            step: safe(asked.of.name),
            run: safe(asked.of.short),
          })}
          rollback={words(asked.approve ? "approval.approve.rollback" : "approval.deny.rollback")}
          verb={words(asked.approve ? "approval.approve" : "approval.deny")}
          run={async (note) => {
            await decide(asked.of.run, asked.of.step, asked.approve, note);
            done(
              words(asked.approve ? "approval.approved" : "approval.denied", {
                step: safe(asked.of.name),
                run: safe(asked.of.short),
              }),
            );
            refresh("/incidents");
          }}
        >
          <ul className="col">
            {asked.of.plans.map((plan) => (
              <li key={plan.id}>
                <Safe text={plan.effect} block className="incidents-words" />
              </li>
            ))}
          </ul>
          <p>{words(asked.approve ? "approval.approve.text" : "approval.deny.text")}</p>
        </Ask>
      ) : null}
    </Section>
  );
}

export function Acts({ row }: { row: Incident }) {
  return (
    <div className="work-section">
      <Plans plans={row.plans} label={t("plans.label")} />
    </div>
  );
}
