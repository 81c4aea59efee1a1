/** Key figures of a span with what each of them is; without cases there is no figure. */
import { type ReactNode, useMemo } from "react";
import { useOne } from "../../api/query";
import { keep } from "../../api/save";
import type { KPI } from "../../api/types";
import { csv } from "../../lib/csv";
import { number, percent } from "../../lib/i18n";
import { part } from "../../lib/route";
import { duration } from "../../lib/time";
import { t } from "../../locale/rooms/reports";
import { word } from "../../locale/words";
import { Badge } from "../../widgets/badge";
import { Button } from "../../widgets/button";
import { Go } from "../../widgets/go";
import { Severity } from "../../widgets/severity";
import { ErrorView, Loading } from "../../widgets/views";
import type { Span } from "./span";

const NAMED = [
  "time_to_detect_ms",
  "time_to_respond_ms",
  "time_to_acknowledge_ms",
  "time_to_triage_ms",
  "time_to_qualify_ms",
  "time_to_contain_ms",
  "time_to_resolve_ms",
  "handling_ms",
  "false_positive_rate",
  "honeytoken_effectiveness",
  "answered_in_time",
  "escapes",
  "exfiltrations",
] as const;
const known = (name: string) => NAMED.find((one) => one === name);
const nameOf = (name: string): string => {
  const one = known(name);
  return one ? t(`name.${one}`) : word(name);
};
const aboutOf = (name: string): string => {
  const one = known(name);
  return one ? t(`about.${one}`) : "";
};

function Result({ result }: { result?: string }) {
  if (result === "met") return <Badge kind="ok">{t("result.met")}</Badge>;
  if (result === "missed") return <Badge kind="bad">{t("result.missed")}</Badge>;
  return <span className="muted">{t(result === "no data" ? "result.nodata" : "result.none")}</span>;
}

const NO = () => <span className="muted">{t("result.nodata")}</span>;

export function Figures({ span }: { span: Span }) {
  const got = useOne<KPI>("/report/kpi", { since: span.from, until: span.to });
  const text = useMemo(() => (got.data ? asCSV(got.data) : ""), [got.data]);
  if (got.error) return <ErrorView error={got.error} onRetry={() => void got.refetch()} />;
  if (!got.data) return <Loading rows={12} />;
  const kpi = got.data;
  const time = (ms: number | undefined) => (ms === undefined ? NO() : duration(ms));
  return (
    <>
      <div className="row wrap reports-acts">
        <Button onClick={() => keep("honeyguide-kpi.json", JSON.stringify(kpi, null, 2), "application/json")}>
          {t("save.json")}
        </Button>
        <Button onClick={() => keep("honeyguide-kpi.csv", text, "text/csv")}>{t("save.csv")}</Button>
        <Button onClick={() => window.print()}>{t("print")}</Button>
      </div>
      <Table
        title={t("kpi.times")}
        text={t("kpi.times.text")}
        head={[
          t("col.figure"),
          t("col.n"),
          t("col.mean"),
          t("col.median"),
          t("col.p95"),
          t("col.target"),
          t("col.result"),
        ]}
        ends={[1, 2, 3, 4, 5]}
      >
        {kpi.times.map((one) => (
          <tr key={one.name}>
            <Name name={one.name} />
            <td className="end">{number(one.n)}</td>
            <td className="end">
              <b>{time(one.mean_ms)}</b>
            </td>
            <td className="end">{one.n > 0 ? time(one.median_ms) : ""}</td>
            <td className="end">{one.n > 0 ? time(one.p95_ms) : ""}</td>
            <td className="end">{one.target_ms ? t("target.below", { value: duration(one.target_ms) }) : ""}</td>
            <td>
              <Result result={one.result} />
            </td>
          </tr>
        ))}
      </Table>
      <Table
        title={t("kpi.shares")}
        text={t("kpi.shares.text")}
        head={[t("col.figure"), t("col.n"), t("col.value"), t("col.interval"), t("col.target"), t("col.result")]}
        ends={[1, 2, 3, 4]}
      >
        {kpi.shares.map((one) => (
          <tr key={one.name}>
            <Name name={one.name} />
            <td className="end">{number(one.n)}</td>
            <td className="end">
              <b>{one.value === undefined ? NO() : percent(one.value)}</b>
            </td>
            <td className="end">
              {one.low === undefined || one.high === undefined
                ? ""
                : `${percent(one.low, 0)} – ${percent(one.high, 0)}`}
            </td>
            <td className="end">
              {one.target_below
                ? t("target.below", { value: percent(one.target_below, 0) })
                : one.target_above
                  ? t("target.above", { value: percent(one.target_above, 0) })
                  : ""}
            </td>
            <td>
              <Result result={one.result} />
            </td>
          </tr>
        ))}
      </Table>
      <Table
        title={t("kpi.counts")}
        head={[t("col.figure"), t("col.n"), t("col.target"), t("col.result"), t("col.alerts")]}
        ends={[1, 2]}
      >
        {kpi.counts.map((one) => (
          <tr key={one.name}>
            <Name name={one.name} />
            <td className="end">
              <b>{number(one.n)}</b>
            </td>
            <td className="end">{number(one.target)}</td>
            <td>
              <Result result={one.result} />
            </td>
            <td>
              <span className="row wrap">
                {one.alerts.slice(0, 5).map((id) => (
                  <Go key={id} path={`/alerts/${part(id)}`}>
                    {id}
                  </Go>
                ))}
              </span>
            </td>
          </tr>
        ))}
      </Table>
      <section className="reports-part">
        <h2>{t("kpi.incidents")}</h2>
        <dl className="reports-figures">
          {(["opened", "open", "closed", "reopened", "unanswered"] as const).map((name) => (
            <div key={name}>
              <dd>{number(kpi.incidents[name])}</dd>
              <dt>{t(`inc.${name}`)}</dt>
            </div>
          ))}
        </dl>
      </section>
      <Table title={t("kpi.severities")} head={[t("col.severity"), t("col.incidents"), t("col.alerts")]} ends={[1, 2]}>
        {kpi.severities.map((one) => (
          <tr key={one.name}>
            <th scope="row">
              <Severity name={one.name} />
            </th>
            <td className="end">{number(one.incidents)}</td>
            <td className="end">{number(one.alerts)}</td>
          </tr>
        ))}
      </Table>
      <Table title={t("kpi.categories")} head={[t("col.category"), t("col.alerts"), t("col.events")]} ends={[1, 2]}>
        {kpi.categories
          .filter((one) => one.alerts > 0)
          .map((one) => (
            <tr key={one.name}>
              <th scope="row">{word(one.name)}</th>
              <td className="end">{number(one.alerts)}</td>
              <td className="end">{number(one.events)}</td>
            </tr>
          ))}
      </Table>
      {kpi.alerts_left_out > 0 ? (
        <p className="meta reports-part">{t("kpi.left", { n: kpi.alerts_left_out })}</p>
      ) : null}
    </>
  );
}

function Name({ name }: { name: string }) {
  return (
    <th scope="row">
      {nameOf(name)}
      <span className="meta reports-about">{aboutOf(name)}</span>
    </th>
  );
}

function Table({
  title,
  text,
  head,
  ends,
  children,
}: {
  title: string;
  text?: string;
  head: string[];
  ends: number[];
  children: ReactNode;
}) {
  return (
    <section className="reports-part">
      <h2>{title}</h2>
      {text ? <p className="muted">{text}</p> : null}
      <div className="reports-scroll">
        <table className="plain-table">
          <thead>
            <tr>
              {head.map((name, at) => (
                <th key={name} scope="col" className={ends.includes(at) ? "end" : undefined}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      </div>
    </section>
  );
}

/** The same figures as rows, for a spreadsheet. */
export function asCSV(kpi: KPI): string {
  return csv(
    ["kind", "name", "n", "value", "median", "p95", "low", "high", "target", "result"],
    [
      ...kpi.times.map((one) => [
        "time_ms",
        one.name,
        one.n,
        one.mean_ms,
        one.median_ms,
        one.p95_ms,
        "",
        "",
        one.target_ms,
        one.result,
      ]),
      ...kpi.shares.map((one) => [
        "share",
        one.name,
        one.n,
        one.value,
        "",
        "",
        one.low,
        one.high,
        one.target_below ?? one.target_above,
        one.result,
      ]),
      ...kpi.counts.map((one) => ["count", one.name, one.n, one.n, "", "", "", "", one.target, one.result]),
      ...Object.entries(kpi.incidents).map(([name, n]) => ["incidents", name, "", n]),
      ...kpi.severities.map((one) => ["alerts by severity", one.name, "", one.alerts]),
      ...kpi.categories.map((one) => ["alerts by category", one.name, "", one.alerts]),
    ],
  );
}
