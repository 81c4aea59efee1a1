/** Events and alerts over time: two charts with one time under them. Dragging over them looks closer. */
import { useEffect, useMemo, useState } from "react";
import { number } from "../../lib/i18n";
import { useQueryState } from "../../lib/route";
import { clockTime, day } from "../../lib/time";
import { t } from "../../locale/rooms/overview";
import { Button } from "../../widgets/button";
import type { TimeSeries } from "../../widgets/chart/bins";
import { Chart } from "../../widgets/chart/chart";
import { Go } from "../../widgets/go";
import type { Overview } from "./types";

/** Severities from the foot of a bar upwards, with the token of their colour. */
const SEVERITIES = [
  ["critical", "critical"],
  ["high", "high"],
  ["medium", "medium"],
  ["low", "low"],
  ["informational", "info"],
] as const;

/** What the window has beyond the height everything fits into: charts take a share of it. */
function useSpare(): number {
  const [spare, set] = useState(0);
  useEffect(() => {
    const measure = () => set(Math.max(0, Math.min(1400, window.innerHeight - 860)));
    measure();
    window.addEventListener("resize", measure);
    return () => window.removeEventListener("resize", measure);
  }, []);
  return spare;
}

export function Over({ data, span }: { data: Overview; span: string }) {
  const [query, setQuery] = useQueryState();
  const [point, setPoint] = useState<number | undefined>();
  const step = data.series.step_s;
  const from = Number(query.from) || 0;
  const to = Number(query.to) || Number.POSITIVE_INFINITY;
  const zoomed = query.from !== undefined && query.to !== undefined;
  const { events, alerts, points } = useMemo(() => {
    const inside = data.series.points.filter(({ at }) => {
      const time = Date.parse(at) / 1000;
      return time >= from && time < to;
    });
    const start = Date.parse(inside[0]?.at ?? data.since) / 1000;
    const series = (list: TimeSeries["series"]): TimeSeries => ({ start, step, series: list });
    return {
      points: inside,
      events: series([{ label: t("over.events"), token: "muted", values: inside.map((one) => one.events) }]),
      alerts: series(
        SEVERITIES.map(([name, token]) => ({
          label: name,
          token,
          values: inside.map((one) => one.alerts_by_severity[name] ?? 0),
        })).filter(({ values }, at) => at === 0 || values.some((value) => value > 0)),
      ),
    };
  }, [data, from, to, step]);
  const zoom = (first: number, last: number) => setQuery({ from: String(first), to: String(last) }, true);
  const spare = useSpare();
  const at = point === undefined ? undefined : points[point];
  const moment = (time: number) =>
    span === "24h" ? clockTime(time * 1000).slice(0, 5) : `${day(time * 1000)} ${clockTime(time * 1000).slice(0, 5)}`;
  const range = zoomed
    ? { from: new Date(from * 1000).toISOString(), to: new Date(to * 1000).toISOString() }
    : undefined;
  return (
    <section className="overview-over" aria-labelledby="overview-over">
      <header className="row overview-head">
        <h2 id="overview-over">{t("over.title")}</h2>
        <span className="meta" aria-live="polite">
          {at
            ? t("over.point", {
                from: moment(Date.parse(at.at) / 1000),
                to: moment(Date.parse(at.at) / 1000 + step),
                events: t("over.n.events", { n: at.events }),
                alerts: t("over.n.alerts", { n: at.alerts }),
              })
            : zoomed
              ? `${moment(from)} - ${moment(Math.min(to, Date.parse(data.until) / 1000))}`
              : t("over.hint")}
        </span>
        <span className="grow" />
        {range ? (
          <>
            <Go path="/alerts" query={range} className="overview-way">
              {t("over.list")}
            </Go>
            <Go path="/hunt" query={range} className="overview-way">
              {t("over.hunt")}
            </Go>
            <Button onClick={() => setQuery({ from: undefined, to: undefined }, true)}>{t("over.out")}</Button>
          </>
        ) : null}
      </header>
      <div className="overview-small">
        <h3>
          {t("over.events")} <b>{number(points.reduce((sum, one) => sum + one.events, 0))}</b>
        </h3>
        <Chart
          label={t("over.events")}
          data={events}
          height={104 + spare * 0.16}
          group="overview"
          bare
          onZoom={zoom}
          onPoint={setPoint}
        />
        <h3>
          {t("over.alerts")} <b>{number(points.reduce((sum, one) => sum + one.alerts, 0))}</b>
        </h3>
        <Chart
          label={t("over.alerts")}
          data={alerts}
          height={148 + spare * 0.28}
          group="overview"
          onZoom={zoom}
          onPoint={setPoint}
        />
      </div>
    </section>
  );
}
