/** Charts over time, with a table for who does not see them, and the small lines of figures. */
import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import "uplot/dist/uPlot.min.css";
import "./chart.css";
import { token, watchTheme } from "../../design/theme";
import { number } from "../../lib/i18n";
import { clockTime, day, useZone } from "../../lib/time";
import { s } from "../../locale/rooms/scenes";
import type { TimeSeries } from "./bins";
import { TimeChart } from "./core";
import { sparkPath } from "./spark";

export interface ChartProps {
  /** What is shown, for who does not see it and over the table. */
  label: string;
  data: TimeSeries;
  height: number;
  shape?: "bars" | "lines";
  value?: (value: number) => string;
  /** A range in unix seconds was chosen. */
  onZoom?: (from: number, to: number) => void;
  /** The step that is pointed at. */
  onPoint?: (at: number | undefined) => void;
  /** Without marks under it: another chart below has them. */
  bare?: boolean;
  group?: string;
}

const short = (value: number): string => number(value, { notation: "compact", maximumFractionDigits: 1 });

/** A moment on the axis: a day where a step is a day, else the time; midnight names its day. */
export function momentLabel(at: number, between: number): string {
  const date = new Date(at * 1000);
  if (between >= 86_400) return day(date).replace(/[\s,]*\d{4}[\s,]*/, "");
  const time = clockTime(date).slice(0, 5);
  return time === "00:00" ? day(date).replace(/[\s,]*\d{4}[\s,]*/, "") : time;
}

export function Chart({
  label,
  data,
  height,
  shape = "bars",
  value = short,
  onZoom,
  onPoint,
  bare,
  group,
}: ChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<TimeChart | null>(null);
  const calls = useRef({ onZoom, onPoint, value });
  calls.current = { onZoom, onPoint, value };
  const zone = useZone();
  const zooms = onZoom !== undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the zone is in the labels of the axis
  useLayoutEffect(() => {
    const element = holder.current;
    if (!element) return;
    const settings = () => ({
      shape,
      bare,
      group,
      colours: {
        axis: token("muted"),
        grid: token("line"),
        font: `11px ${getComputedStyle(document.body).fontFamily}`,
        token,
      },
      value: (of: number) => calls.current.value(of),
      moment: momentLabel,
      ...(zooms ? { zoom: (from: number, to: number) => calls.current.onZoom?.(from, to) } : {}),
      point: (at: number | undefined) => calls.current.onPoint?.(at),
    });
    const made = new TimeChart(element, settings());
    chart.current = made;
    const size = () => made.resize(element.clientWidth, element.clientHeight);
    const watcher = new ResizeObserver(size);
    watcher.observe(element);
    size();
    const unwatch = watchTheme(() => made.set(settings()));
    return () => {
      watcher.disconnect();
      unwatch();
      made.destroy();
      chart.current = null;
    };
  }, [shape, bare, group, zooms, zone]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart that was made anew needs its data again
  useEffect(() => chart.current?.data(data), [data, shape, bare, group, zooms, zone]);

  const keys = useSteps(data, (at) => chart.current?.point(at), onPoint, onZoom);
  return (
    <figure className="chart">
      <div
        className="chart-plot"
        ref={holder}
        style={{ height }}
        role="img"
        aria-label={`${label}. ${s("chart.keys")}`}
        tabIndex={0}
        onKeyDown={keys}
        onPointerLeave={() => onPoint?.(undefined)}
      />
      <ChartTable label={label} data={data} value={value} />
    </figure>
  );
}

/** Keys that go along the steps of a chart. */
function useSteps(
  data: TimeSeries,
  point: (at: number) => void,
  onPoint: ChartProps["onPoint"],
  onZoom: ChartProps["onZoom"],
) {
  const [at, setAt] = useState(-1);
  const [anchor, setAnchor] = useState(-1);
  const length = Math.max(0, ...data.series.map(({ values }) => values.length));
  return (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves: Record<string, number> = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: length - 1 };
    const to = moves[event.key];
    if (to !== undefined && length > 0) {
      event.preventDefault();
      const next = Math.max(0, Math.min(length - 1, to));
      if (!event.shiftKey) setAnchor(next);
      setAt(next);
      point(next);
      onPoint?.(next);
    } else if (event.key === "Enter" && onZoom && at >= 0) {
      event.preventDefault();
      const [first, last] = [Math.min(at, anchor), Math.max(at, anchor)];
      onZoom(data.start + first * data.step, data.start + (last + 1) * data.step);
      setAt(-1);
    }
  };
}

/** The numbers of a chart; only steps with something in them. */
function ChartTable({ label, data, value }: { label: string; data: TimeSeries; value: (value: number) => string }) {
  const rows = useMemo(() => {
    const length = Math.max(0, ...data.series.map(({ values }) => values.length));
    return Array.from({ length }, (_, at) => at).filter((at) =>
      data.series.some(({ values }) => (values[at] ?? 0) > 0),
    );
  }, [data]);
  return (
    <div className="sr">
      <table>
        <caption>{s("chart.table", { label })}</caption>
        <thead>
          <tr>
            <th scope="col">{s("chart.time")}</th>
            {data.series.map((series) => (
              <th scope="col" key={series.label}>
                {series.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((at) => (
            <tr key={at}>
              <th scope="row">{momentLabel(data.start + at * data.step, data.step)}</th>
              {data.series.map((series) => (
                <td key={series.label}>{value(series.values[at] ?? 0)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export interface SparkProps {
  label: string;
  values: readonly (number | null)[];
  value?: (value: number) => string;
}

const WIDTH = 120;
const HEIGHT = 24;

/** A line of words' height: only its shape counts, the words beside it have the number. */
export function Spark({ label, values, value = short }: SparkProps) {
  const id = useId();
  const known = values.filter((one): one is number => one !== null);
  const path = useMemo(() => sparkPath(values, WIDTH, HEIGHT), [values]);
  const text =
    known.length === 0
      ? s("spark.none", { label })
      : s("spark.label", {
          label,
          first: value(known[0] as number),
          last: value(known.at(-1) as number),
          low: value(Math.min(...known)),
          high: value(Math.max(...known)),
        });
  return (
    <svg
      className="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-labelledby={id}
    >
      <title id={id}>{text}</title>
      {path === "" ? (
        <path className="spark-none" d={`M0 ${HEIGHT - 1}H${WIDTH}`} vectorEffect="non-scaling-stroke" />
      ) : (
        <path className="spark-line" d={path} vectorEffect="non-scaling-stroke" />
      )}
    </svg>
  );
}
