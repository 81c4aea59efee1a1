/** Moving alerts between incidents: merging into one, splitting off a new one. Both can be taken back. */
import { useState } from "react";
import { call, keyFor } from "../../api/client";
import { refresh, useList, useOne } from "../../api/query";
import type { Incident } from "../../api/types";
import type { IncidentChange } from "../../api/work";
import { useGo } from "../../lib/route";
import { brief, safe } from "../../lib/safe";
import { t } from "../../locale/rooms/incidents";
import { Ask } from "../../widgets/ask";
import { Input, Select } from "../../widgets/field";
import { Safe } from "../../widgets/safe";
import { Severity } from "../../widgets/severity";
import { done } from "../../widgets/toast";
import { Loading } from "../../widgets/views";
import { pathOf, undoChanges } from "./acts";

interface Regrouping {
  incident: Incident;
  changes: IncidentChange[];
}

async function merge(into: string, incidents: string[], reason: string, key: string): Promise<Incident> {
  const answer = await call<Regrouping>("POST", `${pathOf(into)}/merge`, {
    body: { incidents, reason: reason || undefined },
    key,
  });
  refresh("/incidents", "/incident-changes", "/alerts", "/overview");
  done(
    t("merge.done", { n: incidents.length, short: safe(answer.incident.short) }),
    () => void undoChanges(answer.changes.map((one) => one.id)),
  );
  return answer.incident;
}

/** Merging the open incident with others that are searched for. */
export function Merge({ row, onClose }: { row: Incident; onClose: () => void }) {
  const go = useGo();
  const [search, setSearch] = useState("");
  const [picked, setPicked] = useState<Incident[]>([]);
  const [stays, setStays] = useState("this");
  const [key] = useState(keyFor);
  const isShort = /^i-\d+$/i.test(search.trim());
  const byShort = useOne<Incident>(isShort ? `/incidents/${search.trim().toUpperCase()}` : null);
  const byWords = useList<Incident>(isShort ? null : "/incidents", { q: search.trim() || undefined }, { limit: 20 });
  const found = (isShort ? (byShort.data ? [byShort.data] : []) : byWords.rows).filter(
    (one) => one.id !== row.id && !one.joined && !picked.some((other) => other.id === one.id),
  );
  const loading = isShort ? byShort.isPending : byWords.loading;
  return (
    <Ask
      open
      size="medium"
      onClose={onClose}
      title={t("merge.title")}
      rollback={t("merge.rollback")}
      verb={t("merge.verb")}
      off={picked.length === 0}
      run={async (reason) => {
        const other = picked[0];
        if (stays === "other" && picked.length === 1 && other) {
          const into = await merge(other.id, [row.id], reason, key);
          go(`/incidents/${encodeURIComponent(into.short)}`);
        } else {
          await merge(
            row.id,
            picked.map((one) => one.id),
            reason,
            key,
          );
        }
      }}
    >
      <Input
        label={t("merge.search")}
        value={search}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => setSearch(event.target.value)}
      />
      <fieldset className="incident-picks">
        <legend className="sr">{t("merge.pick")}</legend>
        {[...picked, ...found.slice(0, 8)].map((one) => {
          const on = picked.includes(one);
          return (
            <label key={one.id} className="incident-pick">
              <input
                type="checkbox"
                checked={on}
                onChange={() => setPicked(on ? picked.filter((other) => other !== one) : [...picked, one])}
              />
              <span className="mono">{one.short}</span>
              <Severity name={one.severity} bare />
              <Safe text={one.title} className="incidents-words" />
            </label>
          );
        })}
        {loading ? (
          <Loading rows={2} />
        ) : found.length === 0 && picked.length === 0 ? (
          <p className="muted">{t("merge.none")}</p>
        ) : null}
      </fieldset>
      <Select
        label={t("merge.which")}
        value={picked.length > 1 ? "this" : stays}
        disabled={picked.length > 1}
        onChange={(event) => setStays(event.target.value)}
        options={[
          { value: "this", label: t("merge.into.this", { short: safe(row.short) }) },
          { value: "other", label: t("merge.into.other", { short: safe(row.short) }) },
        ]}
      />
      <p>{t("merge.text")}</p>
    </Ask>
  );
}

/** Merging those that are selected in the list. */
export function MergeMany({ rows, onClose, onDone }: { rows: Incident[]; onClose: () => void; onDone: () => void }) {
  const [into, setInto] = useState(rows[0]?.id ?? "");
  const [key] = useState(keyFor);
  return (
    <Ask
      open
      onClose={onClose}
      title={t("merge.title")}
      rollback={t("merge.rollback")}
      verb={t("merge.verb")}
      run={async (reason) => {
        await merge(
          into,
          rows.map((row) => row.id).filter((id) => id !== into),
          reason,
          key,
        );
        onDone();
      }}
    >
      <Select
        label={t("merge.which")}
        value={into}
        onChange={(event) => setInto(event.target.value)}
        options={rows.map((row) => ({ value: row.id, label: `${safe(row.short)} ${brief(row.title, 70)}` }))}
      />
      <p>{t("merge.text")}</p>
    </Ask>
  );
}

/** Splitting alerts, or all of some attackers, off into a new incident. */
export function Split({
  row,
  alerts,
  onClose,
  onDone,
}: {
  row: Incident;
  alerts: string[];
  onClose: () => void;
  onDone: () => void;
}) {
  const go = useGo();
  const [attackers, setAttackers] = useState<string[]>([]);
  const [key] = useState(keyFor);
  return (
    <Ask
      open
      onClose={onClose}
      title={t("split.title")}
      rollback={t("split.rollback")}
      verb={t("split.verb")}
      off={alerts.length === 0 && attackers.length === 0}
      run={async (reason) => {
        const answer = await call<Regrouping>("POST", `${pathOf(row.id)}/split`, {
          body: {
            alerts: alerts.length > 0 ? alerts : undefined,
            attackers: attackers.length > 0 ? attackers : undefined,
            reason: reason || undefined,
          },
          key,
        });
        refresh("/incidents", "/incident-changes", "/alerts", "/overview");
        done(
          t("split.done", { short: safe(answer.incident.short) }),
          () => void undoChanges(answer.changes.map((one) => one.id)),
        );
        onDone();
        go(`/incidents/${encodeURIComponent(answer.incident.short)}`);
      }}
    >
      <p>{t("split.text", { short: safe(row.short) })}</p>
      {alerts.length > 0 ? <p>{t("split.alerts", { n: alerts.length })}</p> : null}
      {row.attackers.length > 1 ? (
        <fieldset className="incident-picks">
          <legend>{t("split.attackers")}</legend>
          {row.attackers.slice(0, 50).map((one) => (
            <label key={one} className="incident-pick">
              <input
                type="checkbox"
                checked={attackers.includes(one)}
                onChange={() =>
                  setAttackers(
                    attackers.includes(one) ? attackers.filter((other) => other !== one) : [...attackers, one],
                  )
                }
              />
              <Safe text={one} />
            </label>
          ))}
        </fieldset>
      ) : null}
      {alerts.length === 0 && attackers.length === 0 ? <p className="muted">{t("split.nothing")}</p> : null}
    </Ask>
  );
}
