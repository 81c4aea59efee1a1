/** Verifying the whole log: asked for, watched, and told in plain words. */
import { useState } from "react";
import { call } from "../../api/client";
import { queries, useOne } from "../../api/query";
import { save } from "../../api/save";
import { useKeys } from "../../lib/keys";
import { t as shell } from "../../locale/en";
import { t } from "../../locale/rooms/audit";
import { Badge } from "../../widgets/badge";
import { Button } from "../../widgets/button";
import { copySafe } from "../../widgets/copy";
import { Dialog } from "../../widgets/dialog";
import { Field, Fields, TextArea } from "../../widgets/field";
import { Menu } from "../../widgets/menu";
import { Safe, SafeLines } from "../../widgets/safe";
import { done, failed } from "../../widgets/toast";
import { errorText, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import type { Check, Checkpoint, Witnessed } from "./types";

export function Verify() {
  const [watch, setWatch] = useState(false);
  const asked = useOne<Check>("/audit/verify", {}, watch ? 500 : undefined);
  const point = useOne<Checkpoint>("/audit/checkpoint");
  const [error, setError] = useState("");
  const [open, setOpen] = useState<"none" | "witness" | "checkpoint">("none");
  const check = asked.data;
  const running = check?.state === "running";
  if (watch && check && !running && !asked.isFetching) setWatch(false);
  const start = async (witness?: string) => {
    setError("");
    try {
      const got = await call<Check>("POST", "/audit/verify", { body: { wait_ms: 300, witness: witness || undefined } });
      queries.setQueryData(["/audit/verify", {}], got);
      setWatch(got.state === "running");
      setOpen("none");
    } catch (problem) {
      if (witness) throw problem;
      setError(errorText(problem).detail);
    }
  };
  useKeys([
    { id: "audit.verify", keys: "v", label: t("key.verify"), group: t("title"), off: running, run: () => void start() },
  ]);
  return (
    <section className="audit-verify" aria-label={t("verify")}>
      <div className="audit-verdict" aria-live="polite" aria-busy={running}>
        {check ? <Verdict check={check} /> : null}
        {error ? <p className="field-error">{error}</p> : null}
        {point.data?.refused ? (
          <p className="field-error">
            {t("refused")} <Safe text={point.data.refused} block />
          </p>
        ) : null}
      </div>
      <div className="row wrap">
        <Button kind="primary" keys="v" busy={running} disabled={running} onClick={() => void start()}>
          {t("verify")}
        </Button>
        <Button onClick={() => setOpen("witness")}>{t("verify.witness")}</Button>
        <Button onClick={() => setOpen("checkpoint")}>{t("checkpoint.show")}</Button>
      </div>
      {open === "witness" ? <Witness run={start} onClose={() => setOpen("none")} /> : null}
      {open === "checkpoint" ? (
        <Dialog open size="large" title={t("checkpoint")} onClose={() => setOpen("none")}>
          {point.data ? <Point point={point.data} /> : <Loading rows={4} />}
        </Dialog>
      ) : null}
    </section>
  );
}

function Verdict({ check }: { check: Check }) {
  const { report } = check;
  const ended = check.ended ? (
    <span className="muted">
      {t("verify.ended")} <When at={check.ended} exact />
    </span>
  ) : null;
  if (check.state === "running") {
    return (
      <>
        <p>{t("verify.running", { done: check.done, of: check.of })}</p>
        <progress className="audit-progress" value={check.of > 0 ? check.done / check.of : undefined} max={1} />
      </>
    );
  }
  if (check.state === "sound" && report) {
    return (
      <>
        <p className="row wrap">
          <Badge kind="ok">✓</Badge>
          <b>{t("verify.sound")}</b> {t("verify.sound.text", { n: report.checked })} {ended}
        </p>
        <p className="meta">
          {[
            report.dropped > 0 ? t("verify.dropped", { n: report.dropped }) : "",
            report.witnessed > 0 ? t("verify.witnessed", { n: report.witnessed }) : "",
            report.altered > 0 ? t("verify.altered", { n: report.altered }) : "",
            report.erased > 0 ? t("verify.erased", { n: report.erased }) : "",
            report.pending?.length > 0 ? t("verify.pending") : "",
            report.caches?.length > 0 ? t("verify.caches") : "",
          ]
            .filter(Boolean)
            .join("; ")}
        </p>
      </>
    );
  }
  if (check.state === "damaged" && report) {
    return (
      <>
        <p className="row wrap">
          <Badge kind="bad">!</Badge>
          <b>{t("verify.damaged")}</b> {ended}
        </p>
        <p>{t("verify.damaged.text")}</p>
        <ul className="col">
          {report.faults.map((fault) => (
            <li key={fault}>
              <Safe text={fault} block />
            </li>
          ))}
        </ul>
      </>
    );
  }
  if (check.state === "failed")
    return (
      <p className="field-error">
        {t("verify.failed")}
        <Safe text={check.error} block />
      </p>
    );
  return <p className="muted">{t("verify.none")}</p>;
}

function Witness({ run, onClose }: { run: (witness: string) => Promise<void>; onClose: () => void }) {
  const [text, setText] = useState("");
  const [error, setError] = useState("");
  return (
    <Dialog
      open
      title={t("verify.witness.title")}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{shell("cancel")}</Button>
          <Button
            kind="primary"
            disabled={text.trim() === ""}
            onClick={() => void run(text).catch((problem: unknown) => setError(errorText(problem).detail))}
          >
            {t("verify")}
          </Button>
        </>
      }
    >
      <div className="col">
        <p className="muted">{t("verify.witness.text")}</p>
        <TextArea
          label={t("verify.witness.label")}
          value={text}
          rows={8}
          spellCheck={false}
          maxLength={900_000}
          error={error}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
    </Dialog>
  );
}

/** How somebody who keeps checkpoints stands, in a line. */
function told(one: Witnessed): string {
  const has = one.size > 0 ? t("witness.has", { name: one.name, n: one.size }) : t("witness.none", { name: one.name });
  return one.error ? `${has}; ${t("witness.away", { why: one.error })}` : has;
}

function Point({ point }: { point: Checkpoint }) {
  return (
    <div className="col">
      <p className="muted">{t("checkpoint.text")}</p>
      <Fields>
        <Field name={t("checkpoint.origin")} text={point.origin} />
        <Field name={t("checkpoint.size")} text={point.size} />
        <Field name={t("checkpoint.root")} text={point.root} block />
        <Field name={t("checkpoint.key")} text={point.public_key} block />
        <Field name={t("checkpoint.line")} text={point.line} block />
        {(point.witnesses ?? []).map((one) => (
          <Field key={one.name} name={t("checkpoint.witness")} text={told(one)} block />
        ))}
      </Fields>
      <h3>{t("checkpoint.note")}</h3>
      <SafeLines text={point.note.trimEnd()} />
      <div className="row">
        <Button onClick={() => void copySafe(point.line)}>{shell("copy")}</Button>
      </div>
    </div>
  );
}

export function Export({ query }: { query: Record<string, string | undefined> }) {
  const take = async (format: "jsonl" | "csv" | "cef") => {
    try {
      await save(`audit.${format}`, "/audit/export", { ...query, format });
      done(t("export.done"));
    } catch (problem) {
      failed(t("export.failed"), problem, () => void take(format));
    }
  };
  return (
    <Menu
      trigger={
        <button type="button" className="chip">
          {t("export.title")} ▾
        </button>
      }
      entries={(["jsonl", "csv", "cef"] as const).map((format) => ({
        id: format,
        label: t(`export.${format}`),
        run: () => void take(format),
      }))}
    />
  );
}
