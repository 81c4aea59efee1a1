/** Hiding known noise for a while, with a look at what that would have hidden. */

import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { call, keyFor } from "../../api/client";
import { refresh } from "../../api/query";
import type { Suppression, SuppressionPreview } from "../../api/types";
import { part } from "../../lib/route";
import { brief } from "../../lib/safe";
import { absolute } from "../../lib/time";
import { t } from "../../locale/rooms/alerts";
import { word } from "../../locale/words";
import { Confirm } from "../../widgets/dialog";
import { Check, Input, Select } from "../../widgets/field";
import { Safe } from "../../widgets/safe";
import { SEVERITIES, Severity } from "../../widgets/severity";
import { done, failed } from "../../widgets/toast";
import { Loading } from "../../widgets/views";
import type { AlertRow } from "./row";

type Part = "rule" | "src" | "sensor" | "title" | "detector";
const PARTS: readonly Part[] = ["rule", "src", "sensor", "title", "detector"];
const HOURS = { "1h": 1, "1d": 24, "7d": 168, "30d": 720, "365d": 8760 } as const;

export default function SuppressDialog({
  row,
  onClose,
  onDone,
}: {
  row: AlertRow;
  onClose: () => void;
  onDone: () => void;
}) {
  const values: Record<Part, string> = {
    rule: row.rule,
    src: row.src,
    sensor: row.sensor,
    title: row.title.endsWith("…") ? "" : row.title,
    detector: row.detector,
  };
  const [parts, setParts] = useState<Set<Part>>(
    new Set(["rule", "src"].filter((part) => values[part as Part] !== "") as Part[]),
  );
  const [ceiling, setCeiling] = useState(row.severity);
  const [until, setUntil] = useState<keyof typeof HOURS>("7d");
  const [reason, setReason] = useState("");
  const [existing, setExisting] = useState(true);
  const [key] = useState(keyFor);
  const match: Record<string, string> = { max_severity: ceiling };
  for (const part of PARTS) if (parts.has(part) && values[part]) match[part] = values[part];
  const asked = useDeferredValue(JSON.stringify(match));
  const preview = useQuery<SuppressionPreview>({
    queryKey: ["/suppressions/preview", asked],
    enabled: parts.size > 0,
    queryFn: ({ signal }) =>
      call("POST", "/suppressions/preview", { body: { match: JSON.parse(asked), days: 30 }, signal }),
  });
  const ends = new Date(Date.now() + HOURS[until] * 3_600_000);
  return (
    <Confirm
      open
      onClose={onClose}
      title={t("suppress.title")}
      rollback={t("suppress.rollback")}
      verb={t("suppress.verb")}
      run={async () => {
        if (parts.size === 0) throw new Error(t("suppress.needs"));
        const made = await call<Suppression & { changed: number }>("POST", "/suppressions", {
          body: { match, expires_at: ends.toISOString(), reason, existing },
          key,
        });
        refresh("/suppressions", "/alerts");
        onDone();
        done(t("suppress.done", { n: made.changed ?? 0 }), () => {
          call("POST", `/suppressions/${part(made.id)}/lift`, { body: { reopen: true }, match: "*" })
            .then(() => {
              done(t("suppress.lifted"));
              onDone();
            })
            .catch((error: unknown) => failed(t("suppress.failed"), error));
        });
      }}
    >
      <fieldset className="alerts-set">
        <legend className="input-label">{t("suppress.what")}</legend>
        {PARTS.filter((part) => values[part] !== "").map((part) => (
          <Check
            key={part}
            label={<PartLabel part={part} value={values[part]} />}
            checked={parts.has(part)}
            onChange={() =>
              setParts((before) => {
                const next = new Set(before);
                if (!next.delete(part)) next.add(part);
                return next;
              })
            }
          />
        ))}
      </fieldset>
      <div className="alerts-pair">
        <Select
          label={t("suppress.ceiling")}
          value={ceiling}
          onChange={(event) => setCeiling(event.target.value)}
          options={SEVERITIES.map((value) => ({ value, label: word(value) }))}
        />
        <Select
          label={t("suppress.until")}
          value={until}
          hint={absolute(ends)}
          onChange={(event) => setUntil(event.target.value as keyof typeof HOURS)}
          options={(Object.keys(HOURS) as (keyof typeof HOURS)[]).map((value) => ({
            value,
            label: t(`suppress.until.${value}`),
          }))}
        />
      </div>
      <Input
        label={t("suppress.reason")}
        value={reason}
        maxLength={500}
        onChange={(event) => setReason(event.target.value)}
      />
      <Check
        label={t("suppress.existing")}
        checked={existing}
        onChange={(event) => setExisting(event.target.checked)}
      />
      <section className="alerts-preview" aria-live="polite">
        <h3>{t("suppress.preview")}</h3>
        {parts.size === 0 ? (
          <p className="alerts-warn">{t("suppress.needs")}</p>
        ) : preview.isPending ? (
          <Loading rows={2} />
        ) : preview.data ? (
          <Shown preview={preview.data} />
        ) : (
          <p className="field-error">{brief((preview.error as Error | null)?.message)}</p>
        )}
      </section>
    </Confirm>
  );
}

function PartLabel({ part, value }: { part: Part; value: string }) {
  const name = part === "title" ? "suppress.title.is" : (`suppress.${part}` as const);
  return (
    <span className="alerts-part">
      {t(name, { value: "" })}
      <Safe text={value} />
    </span>
  );
}

function Shown({ preview }: { preview: SuppressionPreview }) {
  if (preview.alerts === 0) return <p className="alerts-warn">{t("suppress.preview.none")}</p>;
  return (
    <div className="col">
      <p>
        <b>{t("suppress.preview.count", { n: preview.alerts })}</b>{" "}
        {t("suppress.preview.sources", { n: preview.sources })}
      </p>
      <p className="row wrap">
        {SEVERITIES.filter((name) => preview.by_severity[name]).map((name) => (
          <span key={name} className="row">
            <Severity name={name} />
            <span className="mono">{preview.by_severity[name]}</span>
          </span>
        ))}
      </p>
      {preview.incidents_gone > 0 ? (
        <p className="alerts-warn">{t("suppress.preview.incidents", { n: preview.incidents_gone })}</p>
      ) : null}
      {preview.complete ? null : <p className="meta">{t("suppress.preview.cut")}</p>}
      <ul>
        {preview.examples.slice(0, 4).map((alert) => (
          <li key={alert.id} className="row">
            <span className="mono">{alert.short}</span>
            <Safe text={alert.title} />
            <Safe text={alert.src?.addr} className="muted" />
          </li>
        ))}
      </ul>
    </div>
  );
}
