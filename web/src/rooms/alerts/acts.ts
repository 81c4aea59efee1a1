/**
 * What people do to alerts. The row changes at once; when the server refuses, it
 * goes back and says who was faster; and for ten seconds there is a way back.
 */

import { call } from "../../api/client";
import { asProblem } from "../../api/problem";
import { refresh } from "../../api/query";
import type { Alert, AlertStatus, VerdictName } from "../../api/types";
import { part } from "../../lib/route";
import { safe } from "../../lib/safe";
import { t } from "../../locale/rooms/alerts";
import { word } from "../../locale/words";
import { done, failed, note as say } from "../../widgets/toast";
import type { Filter } from "./filter";
import type { Queue } from "./queue";
import { type AlertRow, slim } from "./row";

export interface Target {
  ids: string[];
  /** Everything the filter finds, and how many that were. */
  all?: { filter: Filter; count: number };
}

interface Handling {
  changed: number;
  failed: { id: string; code: string; by?: string }[];
  undo?: string;
}

const MOST = 10_000;

/** Reads rows again as the server has them. */
async function reread(queue: Queue, ids: string[]): Promise<AlertRow[]> {
  const rows: AlertRow[] = [];
  for (const id of ids.slice(0, 20)) {
    try {
      const row = slim(await call<Alert>("GET", `/alerts/${part(id)}`));
      queue.replace(row);
      rows.push(row);
    } catch {
      // It is gone, or nobody answers; the banner says so.
    }
  }
  return rows;
}

export async function setStatus(
  queue: Queue,
  target: Target,
  status: AlertStatus,
  me: string,
  note?: string,
): Promise<boolean> {
  const ids = target.ids.slice(0, MOST);
  const before = queue.hold(ids, {
    status,
    by: status === "new" ? "" : me,
    at: new Date().toISOString(),
    note: note ?? "",
  });
  const again = () => void setStatus(queue, target, status, me, note);
  let answer: Handling;
  try {
    answer = await call<Handling>("POST", "/alerts/status", {
      body: target.all
        ? { filter: target.all.filter, expected_count: target.all.count, status, note: note || undefined }
        : { ids, status, note: note || undefined },
    });
  } catch (error) {
    queue.settled(before, () => true);
    const problem = asProblem(error);
    if (problem.conflict && target.all) failed(t("fail.count"), problem);
    else failed(t("fail.status"), problem, again);
    return false;
  }
  const stayed = new Set(answer.failed.map((item) => item.id));
  queue.settled(before, (id) => stayed.has(id));
  refresh("/alerts", "/overview");
  if (stayed.size > 0) {
    const first = answer.failed[0];
    failed(t("fail.some", { n: stayed.size }), {
      status: 409,
      detail:
        first?.code === "conflict"
          ? t("fail.conflict", { who: safe(first.by) })
          : t(first?.code === "suppressed" ? "fail.suppressed" : "fail.not_found"),
    });
    void reread(queue, [...stayed]);
  }
  if (answer.changed === 0 && stayed.size === 0) {
    // Somebody had done it before: show who.
    const rows = await reread(queue, ids);
    const first = rows[0];
    say(
      first?.by && first.by !== me
        ? t("done.already", { who: safe(first.by), state: word(first.status) })
        : t("done.nothing"),
    );
    return true;
  }
  if (answer.changed > 0) {
    const undo = answer.undo;
    done(
      t(`done.${status === "suppressed" ? "closed" : status}`, { n: answer.changed }),
      undo ? () => void takeBack(queue, before, undo) : undefined,
    );
  }
  return true;
}

async function takeBack(queue: Queue, before: Map<string, AlertRow>, undo: string): Promise<void> {
  const now = new Map<string, AlertRow>();
  for (const [id, row] of before) {
    for (const [key, current] of queue.hold([id], { status: row.status, by: row.by, at: row.at, note: row.note }))
      now.set(key, current);
  }
  try {
    const answer = await call<Handling>("POST", "/alerts/undo", { body: { undo } });
    const stayed = new Set(answer.failed.map((item) => item.id));
    queue.settled(now, (id) => stayed.has(id));
    if (stayed.size > 0) {
      failed(t("fail.some", { n: stayed.size }), {
        status: 409,
        detail: t("fail.conflict", { who: safe(answer.failed[0]?.by) }),
      });
      void reread(queue, [...stayed]);
    } else done(t("done.undone"));
    refresh("/alerts", "/overview");
  } catch (error) {
    queue.settled(now, () => true);
    failed(t("fail.undo"), error);
    void reread(queue, [...before.keys()]);
  }
}

const pass = (ids: string[], verdict: VerdictName, comment?: string) =>
  call<{ changed: number; missing: string[] }>("POST", "/alerts/verdict", {
    body: { ids, verdict, comment: comment || undefined },
  });

/**
 * Says what alerts were. What was no attack is closed with it; an attack is
 * acknowledged, for its incident goes on.
 */
export async function setVerdict(queue: Queue, target: Target, verdict: VerdictName, me: string): Promise<boolean> {
  const ids = target.ids.slice(0, MOST);
  const status: AlertStatus | null =
    verdict === "none" ? null : verdict === "true_positive" ? "acknowledged" : "closed";
  const toMove =
    status === null
      ? []
      : ids.filter((id) => {
          const row = queue.row(id);
          return (
            row &&
            row.status !== status &&
            row.status !== "suppressed" &&
            !(status === "acknowledged" && row.status !== "new")
          );
        });
  const moving = new Set(toMove);
  const as = verdict === "none" ? "" : verdict;
  const before = queue.hold(ids, { verdict: as, by: me, at: new Date().toISOString() });
  if (status) queue.hold(toMove, { verdict: as, status, by: me, at: new Date().toISOString() });
  try {
    const answer = await pass(ids, verdict);
    const moved =
      status && moving.size > 0
        ? await call<Handling>("POST", "/alerts/status", { body: { ids: toMove, status } })
        : null;
    queue.settled(before, (id) => answer.missing.includes(id));
    refresh("/alerts", "/overview", "/verdicts");
    const n = ids.length - answer.missing.length;
    done(
      verdict === "none" ? t("done.verdict.none", { n }) : t("done.verdict", { n, verdict: word(verdict) }),
      () => void takeVerdictBack(queue, before, moved?.undo),
    );
    return true;
  } catch (error) {
    queue.settled(before, () => true);
    failed(t("fail.verdict"), error, () => void setVerdict(queue, target, verdict, me));
    void reread(queue, ids);
    return false;
  }
}

async function takeVerdictBack(queue: Queue, before: Map<string, AlertRow>, undo: string | undefined): Promise<void> {
  const groups = new Map<VerdictName, string[]>();
  for (const [id, row] of before) {
    const was = (row.verdict || "none") as VerdictName;
    groups.set(was, [...(groups.get(was) ?? []), id]);
  }
  try {
    for (const [was, ids] of groups) await pass(ids, was);
    if (undo) await call("POST", "/alerts/undo", { body: { undo } });
    for (const row of before.values()) queue.replace(row);
    done(t("done.undone"));
  } catch (error) {
    failed(t("fail.undo"), error);
    void reread(queue, [...before.keys()]);
  }
  refresh("/alerts", "/overview", "/verdicts");
}
