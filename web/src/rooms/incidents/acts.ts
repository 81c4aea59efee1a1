/** Changes of incidents. Each names the state it was decided upon, so that who comes second learns who was first. */
import { useRef, useState } from "react";
import { call } from "../../api/client";
import { asProblem } from "../../api/problem";
import { queries, refresh } from "../../api/query";
import type { Incident } from "../../api/types";
import { safe } from "../../lib/safe";
import { t } from "../../locale/rooms/incidents";
import { done, failed, note } from "../../widgets/toast";

export const PHASES = ["new", "triage", "contained", "eradicated", "recovered", "closed"] as const;
export type Phase = (typeof PHASES)[number];
export const phaseWord = (phase: string): string =>
  (PHASES as readonly string[]).includes(phase) ? t(`phase.${phase as Phase}`) : phase;

export interface Patch {
  phase?: Phase;
  owner?: string;
  hold?: boolean;
  verdict?: string;
  overwrite?: boolean;
  comment?: string;
  reason?: string;
  acknowledge?: boolean;
}

export const pathOf = (id: string): string => `/incidents/${encodeURIComponent(id)}`;
/** The tag of an incident as it was seen. */
export const tagOf = (row: { updated_at: string }): string => `"${row.updated_at}"`;
export const answered = (row: Incident): boolean =>
  Boolean(row.clock.acknowledged_at) || row.status === "closed" || row.status === "resolved";

export const patch = (row: Incident, change: Patch): Promise<Incident> =>
  call<Incident>("PATCH", pathOf(row.id), { body: change, match: tagOf(row) });

/** What takes a change back; undefined where nothing simply does. */
function back(before: Incident, change: Patch): Patch | undefined {
  const undo: Patch = {};
  if (change.phase !== undefined) {
    undo.phase = before.phase as Phase;
    undo.reason = t("undo.reason"); // going back asks for one
  }
  if (change.owner !== undefined) undo.owner = before.owner ?? "";
  if (change.hold !== undefined) undo.hold = before.status === "on_hold";
  return Object.keys(undo).length > 0 ? undo : undefined;
}

/** Changes many, each by itself; says what was done with an undo, and what failed and why. */
export async function changeAll(
  rows: readonly Incident[],
  change: (row: Incident) => Patch | null,
  words: (n: number) => string,
): Promise<void> {
  const changed: { after: Incident; undo: Patch }[] = [];
  let n = 0;
  let missed = 0;
  let why: unknown = null;
  for (const row of rows) {
    const wanted = change(row);
    if (wanted === null) continue;
    try {
      const after = await patch(row, wanted);
      n++;
      const undo = back(row, wanted);
      if (undo) changed.push({ after, undo });
    } catch (error) {
      missed++;
      why = error;
    }
  }
  refresh("/incidents", "/overview");
  if (n > 0) done(words(n), changed.length > 0 ? () => void takeBack(changed) : undefined);
  if (n === 0 && missed === 0) note(t("done.nothing"));
  if (missed > 0) failed(t("fail.some", { n: missed }), why);
}

async function takeBack(changed: { after: Incident; undo: Patch }[]): Promise<void> {
  for (const { after, undo } of changed) {
    try {
      await patch(after, undo);
    } catch (error) {
      failed(t("fail.undo"), error);
    }
  }
  refresh("/incidents", "/overview");
}

/** Takes merges and splits back, the latest first. */
export async function undoChanges(ids: readonly string[]): Promise<void> {
  try {
    for (const id of [...ids].reverse()) {
      await call("POST", `/incident-changes/${encodeURIComponent(id)}/undo`, { body: {} });
    }
    done(t("changes.all.done"));
  } catch (error) {
    failed(t("fail.undo"), error);
  }
  refresh("/incidents", "/incident-changes", "/alerts", "/overview");
}

/** Changing the incident that is open. What somebody else did first is told and kept until it was read. */
export function useChange(path: string, row: Incident | undefined) {
  const [busy, setBusy] = useState(false);
  const [conflict, setConflict] = useState("");
  const latest = useRef(row);
  // What a change answered is newer than what was asked for before it.
  if (row && (!latest.current || latest.current.id !== row.id || row.updated_at > latest.current.updated_at)) {
    latest.current = row;
  }
  const put = (after: Incident) => {
    latest.current = after;
    queries.setQueryData([path, {}], after);
  };
  const late = (error: unknown) => {
    const problem = asProblem(error);
    if (problem.conflict) {
      setConflict(problem.detail);
      refresh(path);
    }
  };
  /** Changes it; throws, so that a dialog stays open with what was typed. */
  const change = async (wanted: Patch): Promise<Incident> => {
    const before = latest.current;
    if (!before) throw new Error("no incident");
    setBusy(true);
    try {
      const after = await patch(before, wanted);
      put(after);
      setConflict("");
      refresh("/incidents", "/overview", "/alerts");
      return after;
    } catch (error) {
      late(error);
      throw error;
    } finally {
      setBusy(false);
    }
  };
  /** Changes it at once, with an undo. */
  const quick = async (wanted: Patch, words: string): Promise<void> => {
    const before = latest.current;
    if (!before) return;
    try {
      const after = await change(wanted);
      const undo = back(before, wanted);
      done(
        words,
        undo
          ? () =>
              void patch(after, undo)
                .then(put, (error) => failed(t("fail.undo"), error))
                .finally(() => refresh("/incidents"))
          : undefined,
      );
    } catch (error) {
      if (!asProblem(error).conflict) failed(t("fail.change"), error, () => void quick(wanted, words));
    }
  };
  return {
    busy,
    conflict,
    seen: () => setConflict(""),
    change,
    quick,
    late,
    tag: () => (latest.current ? tagOf(latest.current) : ""),
    name: () => safe(latest.current?.short ?? ""),
  };
}

export type Change = ReturnType<typeof useChange>;
