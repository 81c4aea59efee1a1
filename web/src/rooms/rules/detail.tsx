/** One rule: what it says of itself, its text, how it works out, and what it would have found. */
import { type FormEvent, useState } from "react";
import { call } from "../../api/client";
import { useMay } from "../../api/me";
import { Problem, refresh, useOne } from "../../api/query";
import { number, percent } from "../../lib/i18n";
import { part, useGo } from "../../lib/route";
import { duration } from "../../lib/time";
import { t as shell } from "../../locale/en";
import { t } from "../../locale/rooms/rules";
import { Badge } from "../../widgets/badge";
import { ErrorBoundary } from "../../widgets/boundary";
import { Button } from "../../widgets/button";
import { Confirm } from "../../widgets/dialog";
import { Field, Fields, Input } from "../../widgets/field";
import { Safe, SafeLines } from "../../widgets/safe";
import { Severity } from "../../widgets/severity";
import { Tabs } from "../../widgets/tabs";
import { done, failed } from "../../widgets/toast";
import { ErrorView, errorText, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { Test } from "./test";
import { type Explained, type Quality, type RuleInfo, type RuleText, sourceOf, stateOf } from "./types";

export function Detail({
  id,
  quality,
  tab,
  onTab,
  onClose,
  onSwitch,
}: {
  id: string;
  quality: Quality | undefined;
  tab: string;
  onTab: (tab: string) => void;
  onClose: () => void;
  onSwitch: () => void;
}) {
  const asked = useOne<RuleText>(`/rules/${part(id)}`);
  const may = useMay("rules");
  const go = useGo();
  const rule = asked.data;
  const state = rule ? stateOf(rule) : "on";
  return (
    <article className="rules-detail" aria-label={t("detail")}>
      <header className="rules-head">
        <div className="row">
          <h2 className="grow">
            <Safe text={rule?.title ?? id} block className="rules-title" />
          </h2>
          <Button keys="Escape" onClick={onClose}>
            {shell("close")}
          </Button>
        </div>
        {rule ? (
          <div className="row wrap">
            <Severity name={rule.level} />
            <Badge kind={state === "off" ? "warn" : "plain"}>{t(`state.${state}`)}</Badge>
            <Badge>{rule.origin}</Badge>
            <span className="grow" />
            <Button onClick={() => go("/alerts", { rule: rule.id, status: "all", who: "any" })}>{t("alerts")}</Button>
            {may ? (
              <Button keys="s" onClick={onSwitch}>
                {t(rule.off ? "on" : "off")}
              </Button>
            ) : null}
          </div>
        ) : null}
      </header>
      {asked.error ? <ErrorView error={asked.error} onRetry={() => void asked.refetch()} /> : null}
      {rule ? (
        <Tabs
          label={t("detail")}
          value={tab}
          onChange={onTab}
          tabs={[
            { id: "about", label: t("tab.about"), body: <About rule={rule} quality={quality} /> },
            {
              id: "text",
              label: t("tab.text"),
              body: (
                <section className="panel">
                  <SafeLines text={rule.text} />
                </section>
              ),
            },
            {
              id: "test",
              label: t("tab.test"),
              body: (
                <ErrorBoundary>
                  <Test key={id} what={{ rule: rule.id }} />
                </ErrorBoundary>
              ),
            },
            ...(rule.kind === "correlation"
              ? []
              : [{ id: "explain", label: t("tab.explain"), body: <Explain key={id} id={id} /> }]),
          ]}
        />
      ) : asked.error ? null : (
        <Loading />
      )}
    </article>
  );
}

function About({ rule, quality }: { rule: RuleText; quality: Quality | undefined }) {
  return (
    <>
      {rule.off ? (
        <section className="panel">
          <h3>{t("section.off")}</h3>
          <p className="row wrap">
            <Safe text={t("off.by", { who: rule.off.by ?? "" })} />
            <When at={rule.off.at} />
          </p>
          {rule.off.reason ? <Safe text={rule.off.reason} block /> : null}
        </section>
      ) : null}
      <section className="panel">
        <h3>{t("section.about")}</h3>
        {rule.description ? <Safe text={rule.description} block className="rules-words" /> : null}
        <Fields>
          <Field name={t("field.id")} text={rule.id} />
          {rule.uuid ? <Field name={t("field.uuid")} text={rule.uuid} /> : null}
          <Field name={t("field.kind")} text={rule.kind} />
          <Field name={t("field.source")} text={sourceOf(rule)} />
          <Field name={t("field.file")} text={`${rule.file}:${rule.line}`} />
          {rule.status ? <Field name={t("field.status")} text={rule.status} /> : null}
          {rule.author ? <Field name={t("field.author")} text={rule.author} block /> : null}
          {rule.license ? <Field name={t("field.license")} text={rule.license} /> : null}
          {rule.tags?.length ? <Field name={t("field.tags")} text={rule.tags.join(", ")} block /> : null}
          {rule.references?.length ? (
            <Field name={t("field.references")} text={rule.references.join("\n")} address block />
          ) : null}
        </Fields>
      </section>
      <section className="panel">
        <h3>{t("section.work")}</h3>
        <p className="rules-words">
          {quality && quality.n > 0
            ? t("quality.long", {
                tp: quality.true_positives,
                fp: quality.false_positives,
                benign: quality.benign,
                n: quality.n,
                value: percent(quality.precision.value, 0),
                low: percent(quality.precision.low, 0),
                high: percent(quality.precision.high, 0),
              })
            : t("quality.none.long")}
        </p>
        <Fields>
          <Field name={t("field.hits")} text={number(rule.hits)} />
          {rule.last_hit ? (
            <Field name={t("field.last")} text={rule.last_hit}>
              <When at={rule.last_hit} exact />
            </Field>
          ) : null}
          <Field name={t("field.asked")} text={number(rule.asked)} />
          <Field name={t("field.cost")} text={duration(rule.cost_ms)} />
        </Fields>
      </section>
    </>
  );
}

function Explain({ id }: { id: string }) {
  const [event, setEvent] = useState("");
  const [found, setFound] = useState<Explained | null>(null);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const run = async (submit: FormEvent) => {
    submit.preventDefault();
    setBusy(true);
    setError("");
    try {
      setFound(await call<Explained>("GET", `/rules/${part(id)}/explain`, { query: { event: event.trim() } }));
    } catch (problem) {
      setFound(null);
      setError(errorText(problem).detail);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section className="panel col">
      <p className="muted">{t("explain.text")}</p>
      <form className="rules-run" onSubmit={(submit) => void run(submit)}>
        <Input
          label={t("explain.event")}
          value={event}
          maxLength={128}
          error={error}
          onChange={(change) => setEvent(change.target.value)}
        />
        <Button kind="primary" type="submit" busy={busy} disabled={busy || event.trim() === ""}>
          {t("explain.run")}
        </Button>
      </form>
      {found ? (
        <div className="col" aria-live="polite">
          <p>
            <b>{t(found.fires ? "explain.fires" : "explain.not")}</b>
          </p>
          {found.reasons.length > 0 ? (
            <>
              <h3>{t("explain.reasons")}</h3>
              <ul className="col">
                {found.reasons.map((reason) => (
                  <li key={reason}>
                    <Safe text={reason} block />
                  </li>
                ))}
              </ul>
            </>
          ) : null}
          <h3>{t("explain.seen")}</h3>
          {found.records.map((record) => (
            <Fields key={JSON.stringify(record)}>
              {Object.entries(record).map(([name, value]) => (
                <Field key={name} name={name} text={value} block />
              ))}
            </Fields>
          ))}
        </div>
      ) : null}
    </section>
  );
}

/** Asks before a rule is switched, and why. */
export function SwitchDialog({ rule, onClose }: { rule: RuleInfo; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const on = rule.off !== undefined;
  const path = `/rules/${part(rule.id)}/switch`;
  return (
    <Confirm
      open
      onClose={onClose}
      title={t(on ? "switch.on.title" : "switch.off.title")}
      rollback={t("switch.rollback")}
      verb={t(on ? "on" : "off")}
      run={async () => {
        // The state the dialog speaks of; what somebody else did meanwhile is not overwritten unseen.
        // Its ETag changes with every hit, so the switch itself is compared.
        const value = await call<RuleText>("GET", `/rules/${part(rule.id)}`);
        if ((value.off !== undefined) !== on) throw new Problem(412);
        await call("POST", path, { body: { on, reason: reason || undefined }, match: "*" });
        refresh("/rules");
        done(t(on ? "switch.done.on" : "switch.done.off"), () => {
          call("POST", path, { body: { on: !on, reason: rule.off?.reason }, match: "*" })
            .then(() => refresh("/rules"))
            .catch((error: unknown) => failed(t("switch.failed"), error));
        });
      }}
    >
      <Safe text={rule.title} block />
      <p>{t(on ? "switch.on.text" : "switch.off.text")}</p>
      <Input
        label={t("switch.reason")}
        value={reason}
        maxLength={1000}
        onChange={(event) => setReason(event.target.value)}
      />
    </Confirm>
  );
}
