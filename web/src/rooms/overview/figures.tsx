/** Key figures against their targets. Without data a figure says so: it is never 0 and never 100 %. */
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { cx } from "../../lib/cx";
import { number, percent } from "../../lib/i18n";
import { duration } from "../../lib/time";
import { t } from "../../locale/rooms/overview";
import { Spark } from "../../widgets/chart/chart";
import { Go } from "../../widgets/go";
import { Severity } from "../../widgets/severity";
import type { Figure, Overview } from "./types";

/** A value of a figure as people read it. */
export function figureText(unit: Figure["unit"], value: number | undefined): string {
  if (value === undefined) return "";
  if (unit === "ms") return duration(value);
  return unit === "share" ? percent(value) : number(value);
}

const SHOWN = ["time_to_detect_ms", "time_to_respond_ms", "false_positive_rate", "honeytoken_effectiveness"] as const;
const NEVER = ["escapes", "exfiltrations"];

export function Figures({ data }: { data: Overview }) {
  const of = (name: string) => data.figures.find((figure) => figure.name === name);
  return (
    <section className="overview-figures" aria-label={t("figures")}>
      {SHOWN.map((name) => {
        const figure = of(name);
        return figure ? <Measured key={name} name={name} figure={figure} /> : null;
      })}
      <Never figures={data.figures.filter(({ name }) => NEVER.includes(name))} />
      <Open data={data} />
    </section>
  );
}

function Card({ name, about, children, state }: { name: string; about: string; children: ReactNode; state?: string }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const card = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!open) return;
    const away = (event: Event) => {
      if (!(event.target instanceof Node) || !card.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, [open]);
  return (
    <article
      className={cx("overview-card", state)}
      ref={card}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        event.stopPropagation();
        setOpen(false);
      }}
    >
      <header className="row">
        <h2 className="overview-name">{name}</h2>
        <span className="grow" />
        <button
          type="button"
          className="overview-why"
          aria-label={t("kpi.why", { name })}
          aria-expanded={open}
          aria-controls={id}
          onClick={() => setOpen((before) => !before)}
        >
          ?
        </button>
      </header>
      {children}
      <div id={id} className="overview-about" hidden={!open}>
        <p>{about}</p>
        <p className="meta">
          <Go path="/reports">{t("about.more")}</Go>
        </p>
      </div>
    </article>
  );
}

function Measured({ name, figure }: { name: (typeof SHOWN)[number]; figure: Figure }) {
  const label = t(`kpi.${name}`);
  const none = figure.n === 0 || figure.value === undefined;
  const text = (value: number | undefined) => figureText(figure.unit, value);
  const target = t(figure.better === "above" ? "kpi.target.above" : "kpi.target.below", {
    target: text(figure.target),
  });
  const rest = none
    ? []
    : [
        ...(figure.p50 === undefined ? [] : [t("kpi.p50", { value: text(figure.p50) })]),
        ...(figure.p95 === undefined ? [] : [t("kpi.p95", { value: text(figure.p95) })]),
        ...(figure.low === undefined || figure.high === undefined
          ? []
          : [t("kpi.interval", { low: percent(figure.low, 0), high: percent(figure.high, 0) })]),
      ];
  return (
    <Card name={label} about={t(`about.${name}`)}>
      <div className="overview-value">
        {none ? (
          <span className="overview-nothing">{t("kpi.none")}</span>
        ) : (
          <>
            <b>{text(figure.value)}</b>
            {figure.unit === "ms" ? <span className="meta">{t("kpi.mean")}</span> : null}
          </>
        )}
        <span className="overview-spark">
          <Spark
            label={t("kpi.trend", { name: label })}
            values={figure.trend.map((point) => (point.n > 0 ? (point.value ?? null) : null))}
            value={(value) => text(value)}
          />
        </span>
      </div>
      <p className="overview-line">
        <span>{target}</span>
        {none ? null : <Verdict met={figure.result === "met"} />}
        <span className="muted">{t("kpi.n", { n: figure.n })}</span>
      </p>
      <p className="overview-line meta">
        {rest.map((part) => (
          <span key={part}>{part}</span>
        ))}
        {figure.open ? <span>{t("kpi.undecided", { n: figure.open })}</span> : null}
      </p>
    </Card>
  );
}

const Verdict = ({ met }: { met: boolean }) => (
  <span className={met ? "overview-met" : "overview-missed"}>
    <svg viewBox="0 0 12 12" width="10" height="10" aria-hidden="true">
      <path
        d={met ? "M1.5 6.5 4.5 9.5 10.5 2.5" : "M2 2l8 8M10 2l-8 8"}
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
      />
    </svg>{" "}
    {t(met ? "kpi.met" : "kpi.missed")}
  </span>
);

function Never({ figures }: { figures: Figure[] }) {
  const total = figures.reduce((sum, figure) => sum + figure.n, 0);
  const escapes = figures.find(({ name }) => name === "escapes")?.n ?? 0;
  const exfiltrations = figures.find(({ name }) => name === "exfiltrations")?.n ?? 0;
  return (
    <Card name={t("kpi.never")} about={t("about.never")} state={total > 0 ? "overview-alarm" : undefined}>
      <div className="overview-value">
        <b>{total === 0 ? t("kpi.never.none") : number(total)}</b>
        {total > 0 ? <Severity name="critical" /> : null}
      </div>
      <p className="overview-line">{t("kpi.escapes", { n: escapes })}</p>
      <p className="overview-line">{t("kpi.exfiltrations", { n: exfiltrations })}</p>
    </Card>
  );
}

function Open({ data }: { data: Overview }) {
  const { open, by_severity: by, incidents } = data.queue;
  return (
    <Card name={t("kpi.open")} about={t("about.open")}>
      <div className="overview-value">
        <Go path="/alerts">
          <b>{number(open)}</b>
        </Go>
      </div>
      <p className="overview-line overview-severities">
        {(["critical", "high"] as const).map((name) =>
          by[name] ? (
            <Go key={name} path="/alerts" query={{ severity: name }} className="row">
              <Severity name={name} /> <b>{number(by[name] ?? 0)}</b>
            </Go>
          ) : null,
        )}
      </p>
      <p className="overview-line">
        {incidents.missed > 0 ? (
          <span className="overview-missed">{t("risk.missed", { n: incidents.missed })}</span>
        ) : null}
        <span className={incidents.at_risk > 0 ? undefined : "muted"}>
          {incidents.at_risk - incidents.missed > 0
            ? t("risk.some", { n: incidents.at_risk - incidents.missed })
            : incidents.missed > 0
              ? ""
              : t("risk.none")}
        </span>
      </p>
    </Card>
  );
}
