/** One run: its steps and who decided what when, its acts, and the ways to stop, repeat and undo it. */
import { useEffect, useRef, useState } from "react";
import { call, keyFor } from "../../api/client";
import { useMay } from "../../api/me";
import { refresh, useOne } from "../../api/query";
import type { Incident, Page } from "../../api/types";
import { decide, type RunDetail, type RunStep, type Approval as Waiting } from "../../api/work";
import { useKeys } from "../../lib/keys";
import { useGo, useQueryState } from "../../lib/route";
import { safe } from "../../lib/safe";
import { absolute, duration } from "../../lib/time";
import { t } from "../../locale/rooms/response";
import { word } from "../../locale/words";
import { t as words } from "../../locale/work";
import { Approval } from "../../widgets/approval";
import { Ask } from "../../widgets/ask";
import { Badge } from "../../widgets/badge";
import { Button } from "../../widgets/button";
import { copySafe } from "../../widgets/copy";
import { Field, Fields } from "../../widgets/field";
import { Go } from "../../widgets/go";
import { Plans } from "../../widgets/plan";
import { Safe } from "../../widgets/safe";
import { Section } from "../../widgets/section";
import { State } from "../../widgets/state";
import { done } from "../../widgets/toast";
import { ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";

type Act = "cancel" | "retry" | "revert" | "confirm";
const IN_FORCE = new Set(["applying", "applied", "verified", "reverting"]);
const OVER = new Set(["planned", "done", "failed", "cancelled", "reverted"]);

export default function RunSheet({ item }: { item: string }) {
  const path = `/runs/${encodeURIComponent(item)}`;
  const asked = useOne<RunDetail>(path);
  if (asked.isPending) return <Loading />;
  if (!asked.data) {
    return (
      <ErrorView
        error={asked.error}
        title={asked.error?.status === 404 ? t("run.missing") : undefined}
        onRetry={() => void asked.refetch()}
      />
    );
  }
  return <Sheet run={asked.data} />;
}

function Sheet({ run }: { run: RunDetail }) {
  const go = useGo();
  const [query] = useQueryState();
  const may = useMay("respond");
  const [act, setAct] = useState<Act | null>(null);
  const [deciding, setDeciding] = useState<{ of: Waiting; approve: boolean } | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  const waiting = useOne<Page<Waiting>>(run.state === "waiting" ? "/approvals" : null, { all: true });
  const waits = waiting.data?.items.find((row) => row.run === run.id);
  const incident = useOne<Incident>(run.incident ? `/incidents/${encodeURIComponent(run.incident)}` : null);
  const force = run.plans.filter((plan) => IN_FORCE.has(plan.state));
  const undoable = force.filter((plan) => !plan.irreversible);
  const can = {
    cancel: may && !OVER.has(run.state),
    retry: may && run.state === "failed",
    revert: may && undoable.length > 0 && !run.reverting,
    confirm: may && run.state === "running" && undoable.length > 0 && run.trigger === "manual",
  };
  const back = () => go("/response", { ...query, view: query.view ?? "runs" });
  const group = t("title");
  const close = () => {
    setAct(null);
    setDeciding(null);
    heading.current?.focus({ preventScroll: true });
  };
  useKeys([
    { id: "detail.back", keys: "Escape", label: t("act.back"), group, run: back },
    { id: "run.cancel", keys: "c", label: t("run.cancel"), group, off: !can.cancel, run: () => setAct("cancel") },
    { id: "run.retry", keys: "r", label: t("run.retry"), group, off: !can.retry, run: () => setAct("retry") },
    { id: "run.revert", keys: "u", label: t("run.revert"), group, off: !can.revert, run: () => setAct("revert") },
    { id: "run.confirm", keys: "v", label: t("run.confirm"), group, off: !can.confirm, run: () => setAct("confirm") },
    {
      id: "approvals.approve",
      keys: "a",
      label: words("approval.approve"),
      group,
      off: !waits?.may,
      run: () => waits && setDeciding({ of: waits, approve: true }),
    },
    {
      id: "approvals.deny",
      keys: "d",
      label: words("approval.deny"),
      group,
      off: !waits?.may,
      run: () => waits && setDeciding({ of: waits, approve: false }),
    },
    {
      id: "run.copy",
      keys: "y",
      label: t("act.copy"),
      group,
      run: () => void copySafe(JSON.stringify(run, null, 2)),
    },
  ]);
  return (
    <article className="response-run" data-keys="detail" aria-label={run.short}>
      <header className="response-head">
        <div className="row wrap">
          <Button kind="quiet" keys="Esc" onClick={back}>
            ‹ {t("view.runs")}
          </Button>
          <span className="mono muted">{run.short}</span>
          <h2 ref={heading} tabIndex={-1}>
            <Safe text={run.title} block className="response-title" />
          </h2>
          <State name={run.state} />
          {run.mode === "dry_run" ? <Badge>{words("plan.dry")}</Badge> : null}
          {run.reverting && run.state !== "reverted" ? <Badge kind="warn">{t("run.reverting")}</Badge> : null}
        </div>
        <p className="row wrap muted response-facts">
          <span title={absolute(run.created_at)}>{t("run.began", { time: absolute(run.created_at) })}</span>
          {run.ended_at ? <span>{t("run.ended", { time: absolute(run.ended_at) })}</span> : null}
          <Safe text={t("run.by", { who: run.by })} block className="response-text" />
          <span>{t("run.trigger", { trigger: word(run.trigger) })}</span>
          <Go path="/response" query={{ view: "books", book: run.playbook }}>
            {t("run.version", { version: run.version.slice(0, 12) })}
          </Go>
          {run.incident ? (
            <Go path={`/incidents/${encodeURIComponent(incident.data?.short ?? run.incident)}`}>
              {t("run.incident")} {incident.data?.short}
            </Go>
          ) : null}
        </p>
        <div className="row wrap">
          <Button keys="c" disabled={!can.cancel} onClick={() => setAct("cancel")}>
            {t("run.cancel")}
          </Button>
          <Button keys="r" disabled={!can.retry} onClick={() => setAct("retry")}>
            {t("run.retry")}
          </Button>
          <Button
            keys="u"
            kind={can.revert ? "danger" : "plain"}
            disabled={!can.revert}
            onClick={() => setAct("revert")}
          >
            {t("run.revert")}
          </Button>
          {can.confirm ? (
            <Button keys="v" onClick={() => setAct("confirm")}>
              {t("run.confirm")}
            </Button>
          ) : null}
        </div>
        {run.error ? (
          <p className="conflict response-words">
            <b>{t("run.error")}:</b> <Safe text={run.error} block />
          </p>
        ) : null}
        {run.stuck_at ? <p className="conflict">{t("run.stuck", { time: absolute(run.stuck_at) })}</p> : null}
      </header>
      {waits ? <Approval row={waits} current onDecide={(approve) => setDeciding({ of: waits, approve })} /> : null}
      <Section title={t("run.why")}>
        <p className="response-words">
          <Safe text={run.reason} block />
        </p>
        {run.alerts?.length ? (
          <p className="row wrap">
            <span className="muted">{t("run.alerts", { n: run.alerts.length })}</span>
            {run.alerts.slice(0, 12).map((id) => (
              <Go key={id} path={`/alerts/${encodeURIComponent(id)}`} className="mono">
                {id.slice(-6)}
              </Go>
            ))}
          </p>
        ) : null}
        {run.vars && Object.keys(run.vars).length > 0 ? (
          <Fields label={t("run.vars")}>
            {Object.entries(run.vars).map(([name, value]) => (
              <Field key={name} name={name} text={value} />
            ))}
          </Fields>
        ) : null}
      </Section>
      <Section title={t("run.steps")}>
        <ol className="response-steps">
          {run.steps.map((step, at) => (
            <Step
              // biome-ignore lint/suspicious/noArrayIndexKey: steps of a run never change places
              key={at}
              step={step}
              at={at}
              now={at === run.step && !OVER.has(run.state)}
            />
          ))}
        </ol>
      </Section>
      <Section title={t("run.plans")}>
        <Plans plans={run.plans} label={t("run.plans")} />
      </Section>
      {act ? (
        <Ask
          open
          danger={act === "revert" || act === "cancel"}
          onClose={close}
          title={t(`run.${act}.title`, { run: safe(run.short) })}
          rollback={t(`run.${act}.rollback`)}
          verb={t(`run.${act}`)}
          run={async (reason) => {
            await call("POST", `/runs/${encodeURIComponent(run.id)}/${act}`, {
              body: { reason: reason || undefined },
              key: keyFor(),
            });
            done(t(`run.done.${act}`, { run: safe(run.short) }));
            refresh("/runs", "/blocks", "/incidents", "/approvals");
          }}
        >
          <p>{t(`run.${act}.text`)}</p>
          {act === "revert" ? (
            <>
              <Effects rows={undoable} />
              {force.length > undoable.length ? (
                <>
                  <p>{t("run.revert.not")}</p>
                  <Effects rows={force.filter((plan) => plan.irreversible)} />
                </>
              ) : null}
            </>
          ) : null}
        </Ask>
      ) : null}
      {deciding ? (
        <Ask
          open
          danger={!deciding.approve}
          required={!deciding.approve}
          onClose={close}
          title={words(deciding.approve ? "approval.approve.title" : "approval.deny.title", {
            step: safe(deciding.of.name),
            run: safe(run.short),
          })}
          rollback={words(deciding.approve ? "approval.approve.rollback" : "approval.deny.rollback")}
          verb={words(deciding.approve ? "approval.approve" : "approval.deny")}
          run={async (note) => {
            await decide(run.id, deciding.of.step, deciding.approve, note);
            done(
              words(deciding.approve ? "approval.approved" : "approval.denied", {
                step: safe(deciding.of.name),
                run: safe(run.short),
              }),
            );
          }}
        >
          <Effects rows={deciding.of.plans} />
          <p>{words(deciding.approve ? "approval.approve.text" : "approval.deny.text")}</p>
        </Ask>
      ) : null}
    </article>
  );
}

function Effects({ rows }: { rows: readonly { id: string; action: string; target: string; effect: string }[] }) {
  return (
    <ul className="response-effects response-words">
      {rows.map((plan) => (
        <li key={plan.id}>
          <span className="mono">{plan.action}</span> <Safe text={plan.target} block />{" "}
          <Safe text={plan.effect} block />
        </li>
      ))}
    </ul>
  );
}

function Step({ step, at, now }: { step: RunStep; at: number; now: boolean }) {
  const took = step.started_at && step.ended_at ? Date.parse(step.ended_at) - Date.parse(step.started_at) : Number.NaN;
  return (
    <li className={now ? "response-step response-step-now" : "response-step"} aria-current={now ? "step" : undefined}>
      <span className="muted">{at + 1}</span>
      <div className="response-words">
        <div className="row wrap">
          <b>
            <Safe text={step.name} />
          </b>
          <span className="mono muted">{step.action}</span>
          <State name={step.state} />
          {step.approval ? <Badge>{t("run.step.needs", { n: step.approval.people })}</Badge> : null}
          {step.target ? <Safe text={step.target} block className="mono" /> : null}
        </div>
        <div className="meta row wrap">
          {step.when ? <Safe text={t("run.step.when", { when: step.when })} block /> : null}
          {step.attempts ? <span>{t("run.step.attempts", { n: step.attempts })}</span> : null}
          {Number.isNaN(took) ? null : <span>{t("run.step.took", { time: duration(took) })}</span>}
          <span>{t("run.step.fail", { what: word(step.on_fail) })}</span>
          {step.ended_at ? <When at={step.ended_at} /> : null}
        </div>
        {step.decisions?.map((one) => (
          <div key={`${one.by} ${one.at}`}>
            <Safe
              block
              text={words(one.approved ? "approval.decided.yes" : "approval.decided.no", {
                who: one.by,
                role: one.role,
              })}
            />{" "}
            <span className="muted">
              <When at={one.at} exact />
            </span>
            {one.note ? (
              <>
                : <Safe text={one.note} block />
              </>
            ) : null}
          </div>
        ))}
        {step.error ? (
          <div className="work-state-bad">
            <Safe text={step.error} block />
          </div>
        ) : null}
      </div>
    </li>
  );
}
