/** What hides known noise: until when, why, by whom, and what it hid. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call, callWithTag, keyFor } from "../../api/client";
import { useMay } from "../../api/me";
import { refresh, useOne } from "../../api/query";
import type { Suppression, SuppressionPreview } from "../../api/types";
import { number } from "../../lib/i18n";
import { part } from "../../lib/route";
import { serverNow } from "../../lib/time";
import { t as shell } from "../../locale/en";
import { t } from "../../locale/rooms/rules";
import { word } from "../../locale/words";
import { Badge } from "../../widgets/badge";
import { Button } from "../../widgets/button";
import { Confirm } from "../../widgets/dialog";
import { Check, Field, Fields } from "../../widgets/field";
import type { Column } from "../../widgets/grid";
import { Safe } from "../../widgets/safe";
import { SEVERITIES, Severity } from "../../widgets/severity";
import { done } from "../../widgets/toast";
import { ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";

type State = "holds" | "over" | "lifted";
export const stateOf = (row: Suppression): State =>
  row.lifted_at ? "lifted" : Date.parse(row.expires_at) <= serverNow() ? "over" : "holds";

const matchText = (row: Suppression): string =>
  Object.entries(row.match)
    .filter(([name, value]) => value && name !== "max_severity")
    .map(([name, value]) => `${name}:${value}`)
    .join(" ");

export const SUPPRESSION_COLUMNS: Column<Suppression>[] = [
  { id: "short", head: t("sup.short"), width: 60, weight: 3, cell: (row) => <span className="mono">{row.short}</span> },
  {
    id: "state",
    head: t("sup.state"),
    width: 52,
    weight: 2,
    cell: (row) => <Badge kind={stateOf(row) === "holds" ? "accent" : "plain"}>{t(`sup.state.${stateOf(row)}`)}</Badge>,
  },
  { id: "match", head: t("sup.match"), width: 180, grow: 2, weight: 1, cell: (row) => <Safe text={matchText(row)} /> },
  { id: "reason", head: t("sup.reason"), width: 140, grow: 1, weight: 4, cell: (row) => <Safe text={row.reason} /> },
  {
    id: "until",
    head: t("sup.until"),
    width: 48,
    weight: 3,
    cell: (row, now) => <When at={row.expires_at} now={now} />,
  },
  {
    id: "hidden",
    head: t("sup.hidden"),
    width: 60,
    weight: 1,
    align: "end",
    cell: (row) => number(row.alerts),
  },
];

export function SuppressionDetail({ id, onClose }: { id: string; onClose: () => void }) {
  const asked = useOne<Suppression>(`/suppressions/${part(id)}`);
  const may = useMay("work");
  const [lifting, setLifting] = useState(false);
  const row = asked.data;
  return (
    <article className="rules-detail" aria-label={t("sup.detail")}>
      <header className="rules-head">
        <div className="row">
          <h2 className="grow mono">{row?.short ?? ""}</h2>
          <Button keys="Escape" onClick={onClose}>
            {shell("close")}
          </Button>
        </div>
        {row ? (
          <div className="row wrap">
            <Badge kind={stateOf(row) === "holds" ? "accent" : "plain"}>{t(`sup.state.${stateOf(row)}`)}</Badge>
            <span className="grow" />
            {may && stateOf(row) === "holds" ? <Button onClick={() => setLifting(true)}>{t("sup.lift")}</Button> : null}
          </div>
        ) : null}
      </header>
      {asked.error ? <ErrorView error={asked.error} onRetry={() => void asked.refetch()} /> : null}
      {row ? (
        <>
          <section className="panel">
            <h3>{t("sup.reason")}</h3>
            <Safe text={row.reason} block />
          </section>
          <section className="panel">
            <h3>{t("sup.match")}</h3>
            <Fields>
              {Object.entries(row.match)
                .filter(([, value]) => value)
                .map(([name, value]) => (
                  <Field key={name} name={word(name)} text={value} block />
                ))}
            </Fields>
          </section>
          <section className="panel">
            <Fields>
              <Field name={t("sup.by")} text={row.created_by} />
              <Field name={t("sup.owner")} text={row.owner} />
              <Field name={t("sup.made")} text={row.created_at}>
                <When at={row.created_at} exact />
              </Field>
              <Field name={t("sup.ends")} text={row.expires_at}>
                <When at={row.expires_at} exact />
              </Field>
              {row.lifted_at ? (
                <Field name={t("sup.lifted")} text={`${row.lifted_at} ${row.lifted_by ?? ""}`}>
                  <When at={row.lifted_at} exact /> <Safe text={row.lifted_by ?? ""} />
                </Field>
              ) : null}
              <Field name={t("sup.alerts")} text={number(row.alerts)} />
              <Field name={t("sup.events")} text={number(row.events)} />
              {row.last_at ? (
                <Field name={t("sup.last")} text={row.last_at}>
                  <When at={row.last_at} exact />
                </Field>
              ) : null}
            </Fields>
          </section>
          <Preview row={row} />
          {lifting ? <Lift row={row} onClose={() => setLifting(false)} /> : null}
        </>
      ) : asked.error ? null : (
        <Loading />
      )}
    </article>
  );
}

function Preview({ row }: { row: Suppression }) {
  const got = useQuery<SuppressionPreview>({
    queryKey: ["/suppressions/preview", row.id],
    queryFn: ({ signal }) => call("POST", "/suppressions/preview", { body: { match: row.match, days: 30 }, signal }),
  });
  return (
    <section className="panel col">
      <h3>{t("sup.preview")}</h3>
      {got.isPending ? <Loading rows={2} /> : null}
      {got.error ? <ErrorView error={got.error} /> : null}
      {got.data?.alerts === 0 ? <p className="muted">{t("sup.preview.none")}</p> : null}
      {got.data && got.data.alerts > 0 ? (
        <>
          <p>
            <b>{t("sup.preview.n", { n: got.data.alerts })}</b> {t("sup.preview.sources", { n: got.data.sources })}
          </p>
          <p className="row wrap">
            {SEVERITIES.filter((name) => got.data.by_severity[name]).map((name) => (
              <span key={name} className="row">
                <Severity name={name} />
                <span className="mono">{number(Number(got.data.by_severity[name]))}</span>
              </span>
            ))}
          </p>
          <ul>
            {got.data.examples.slice(0, 5).map((alert) => (
              <li key={alert.id} className="row">
                <span className="mono">{alert.short}</span>
                <Safe text={alert.title} />
              </li>
            ))}
          </ul>
        </>
      ) : null}
    </section>
  );
}

function Lift({ row, onClose }: { row: Suppression; onClose: () => void }) {
  const [reopen, setReopen] = useState(false);
  const [key] = useState(keyFor);
  return (
    <Confirm
      open
      onClose={onClose}
      title={t("sup.lift.title")}
      rollback={t("sup.lift.rollback")}
      verb={t("sup.lift")}
      run={async () => {
        const { tag } = await callWithTag<Suppression>("GET", `/suppressions/${part(row.id)}`);
        await call("POST", `/suppressions/${part(row.id)}/lift`, { body: { reopen }, key, match: tag });
        refresh("/suppressions", "/alerts");
        done(t("sup.lift.done"));
      }}
    >
      <p>{t("sup.lift.text")}</p>
      <Check label={t("sup.lift.reopen")} checked={reopen} onChange={(event) => setReopen(event.target.checked)} />
    </Confirm>
  );
}
