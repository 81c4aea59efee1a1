/** The inbox of approvals: what waits for whoever is signed in, then what waits for others, and why. */
import { useEffect, useRef, useState } from "react";
import { useOne } from "../../api/query";
import type { Page } from "../../api/types";
import { decide, type RunDetail, type Approval as Waiting } from "../../api/work";
import { useKeys } from "../../lib/keys";
import { useGo } from "../../lib/route";
import { safe } from "../../lib/safe";
import { ago } from "../../lib/time";
import { t } from "../../locale/rooms/response";
import { word } from "../../locale/words";
import { t as words } from "../../locale/work";
import { Approval, approvalID } from "../../widgets/approval";
import { Ask } from "../../widgets/ask";
import { Button } from "../../widgets/button";
import { Safe } from "../../widgets/safe";
import { done } from "../../widgets/toast";
import { Empty, ErrorView, Loading } from "../../widgets/views";

export function Approvals() {
  const asked = useOne<Page<Waiting>>("/approvals", { all: true }, 30_000);
  const go = useGo();
  /** What was shown keeps its place, also when somebody else decided it meanwhile. */
  const [shown, setShown] = useState<Waiting[]>([]);
  const [mine, setMine] = useState<ReadonlySet<string>>(new Set());
  const [current, setCurrent] = useState<string | null>(null);
  const [open, setOpen] = useState<{ of: Waiting; approve: boolean } | null>(null);
  const frame = useRef<HTMLDivElement>(null);
  const now = asked.data?.items;
  useEffect(() => {
    if (!now) return;
    setShown((before) => {
      const there = new Map(now.map((row) => [approvalID(row), row]));
      const kept = before.filter((row) => !mine.has(approvalID(row))).map((row) => there.get(approvalID(row)) ?? row);
      const known = new Set(kept.map(approvalID));
      const fresh = now
        .filter((row) => !known.has(approvalID(row)))
        .sort((a, b) => Number(b.may) - Number(a.may) || (a.lapses_at ?? "9").localeCompare(b.lapses_at ?? "9"));
      return [...kept, ...fresh];
    });
  }, [now, mine]);
  const waits = new Set((now ?? []).map(approvalID));
  const at = shown.findIndex((row) => approvalID(row) === current);
  const chosen = shown[at];
  const move = (by: number) => {
    const next = Math.max(0, Math.min(shown.length - 1, at + by));
    const row = shown[next];
    if (!row) return;
    setCurrent(approvalID(row));
    frame.current?.querySelectorAll<HTMLElement>("article")[next]?.scrollIntoView({ block: "nearest" });
  };
  const ask = (row: Waiting | undefined, approve: boolean) => {
    if (row?.may && waits.has(approvalID(row))) setOpen({ of: row, approve });
  };
  const group = t("title");
  useKeys([
    { id: "list.next", keys: ["j", "ArrowDown"], label: t("act.next"), group, run: () => move(1) },
    { id: "list.before", keys: ["k", "ArrowUp"], label: t("act.before"), group, run: () => move(-1) },
    {
      id: "list.open",
      keys: ["o"],
      label: t("act.open"),
      group,
      run: () => chosen && go(`/response/${encodeURIComponent(chosen.short)}`),
    },
    {
      id: "approvals.approve",
      keys: "a",
      label: words("approval.approve"),
      group,
      off: !chosen?.may,
      run: () => ask(chosen, true),
    },
    {
      id: "approvals.deny",
      keys: "d",
      label: words("approval.deny"),
      group,
      off: !chosen?.may,
      run: () => ask(chosen, false),
    },
  ]);
  useEffect(() => {
    if (current === null && shown[0]) setCurrent(approvalID(shown[0]));
  }, [current, shown]);
  if (asked.isPending) return <Loading rows={4} />;
  if (asked.error && shown.length === 0) return <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />;
  if (shown.length === 0) return <Empty title={t("approvals.empty")}>{t("approvals.empty.text")}</Empty>;
  const may = shown.filter((row) => row.may && waits.has(approvalID(row))).length;
  return (
    <div
      className="response-scroll"
      data-keys="list"
      tabIndex={0}
      ref={frame}
      role="region"
      aria-label={t("view.approvals")}
    >
      <p className="response-line" role="status">
        {t("approvals.waiting", { n: may })}, {t("approvals.others", { n: waits.size - may })}
      </p>
      {shown.map((row) => {
        const id = approvalID(row);
        return waits.has(id) ? (
          <Approval
            key={id}
            row={row}
            current={id === current}
            onCurrent={() => setCurrent(id)}
            onDecide={(approve) => ask(row, approve)}
          />
        ) : (
          <Gone
            key={id}
            row={row}
            current={id === current}
            onCurrent={() => setCurrent(id)}
            onDismiss={() => setShown((before) => before.filter((one) => approvalID(one) !== id))}
          />
        );
      })}
      {open ? (
        <Ask
          open
          danger={!open.approve}
          required={!open.approve}
          onClose={() => {
            setOpen(null);
            frame.current?.focus({ preventScroll: true });
          }}
          title={words(open.approve ? "approval.approve.title" : "approval.deny.title", {
            step: safe(open.of.name),
            run: safe(open.of.short),
          })}
          rollback={words(open.approve ? "approval.approve.rollback" : "approval.deny.rollback")}
          verb={words(open.approve ? "approval.approve" : "approval.deny")}
          run={async (note) => {
            await decide(open.of.run, open.of.step, open.approve, note);
            setMine((before) => new Set([...before, approvalID(open.of)]));
            done(
              words(open.approve ? "approval.approved" : "approval.denied", {
                step: safe(open.of.name),
                run: safe(open.of.short),
              }),
            );
          }}
        >
          <p>
            <b>{words("approval.would")}:</b>
          </p>
          <ul className="col response-words">
            {open.of.plans.map((plan) => (
              <li key={plan.id}>
                <Safe text={plan.effect} block />
              </li>
            ))}
          </ul>
          <p>{words(open.approve ? "approval.approve.text" : "approval.deny.text")}</p>
        </Ask>
      ) : null}
    </div>
  );
}

/** One that waits no more: what became of it stays to be read. */
function Gone({
  row,
  current,
  onCurrent,
  onDismiss,
}: {
  row: Waiting;
  current: boolean;
  onCurrent: () => void;
  onDismiss: () => void;
}) {
  const run = useOne<RunDetail>(`/runs/${encodeURIComponent(row.run)}`);
  const step = run.data?.steps[row.step];
  const last = step?.decisions?.at(-1);
  const state = run.data ? word(run.data.state) : "";
  const text = last
    ? t(last.approved ? "approvals.gone.yes" : "approvals.gone.no", { who: last.by, time: ago(last.at), state })
    : t("approvals.gone", { step: step ? word(step.state) : "", state });
  return (
    <div>
      <Approval
        row={row}
        current={current}
        onCurrent={onCurrent}
        settled={run.data ? text : ""}
        onDecide={() => undefined}
      />
      <div className="response-dismiss">
        <Button onClick={onDismiss}>{t("approvals.dismiss")}</Button>
      </div>
    </div>
  );
}
