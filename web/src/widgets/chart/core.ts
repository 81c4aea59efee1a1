/**
 * Bars or lines over time, by uPlot. It knows no framework: whoever holds the
 * element gives it series, size and colours, and hears of a zoom.
 */
import uPlot from "uplot";
import { snap, stack, type TimeSeries } from "./bins";

export interface ChartColours {
  axis: string;
  grid: string;
  font: string;
  /** The colour of a token. */
  token: (name: string) => string;
}

export interface ChartSettings {
  shape: "bars" | "lines";
  colours: ChartColours;
  /** How a value is written on the axis. */
  value: (value: number) => string;
  /** How a moment is written on the axis; step is what lies between two marks, in seconds. */
  moment: (at: number, step: number) => string;
  /** Called with a range in unix seconds when somebody dragged over it. */
  zoom?: (from: number, to: number) => void;
  /** Called with the step under the pointer, or undefined. */
  point?: (at: number | undefined) => void;
  /** Without marks on the x-axis: for the upper of two that share one. */
  bare?: boolean;
  /** Charts of the same name point at the same moment. */
  group?: string;
}

/** Narrower than this the labels of the y-axis are cut (measured at 44). */
export const AXIS = 56;

export class TimeChart {
  #plot: uPlot | undefined;
  #element: HTMLElement;
  #settings: ChartSettings;
  #data: TimeSeries = { start: 0, step: 1, series: [] };
  #width = 0;
  #height = 0;

  constructor(element: HTMLElement, settings: ChartSettings) {
    this.#element = element;
    this.#settings = settings;
  }

  /** Takes other colours or another shape: the plot is made anew, its colours cannot be changed. */
  set(settings: ChartSettings): void {
    this.#settings = settings;
    this.#build();
  }

  data(data: TimeSeries): void {
    const same =
      this.#plot !== undefined &&
      data.series.length === this.#data.series.length &&
      data.step === this.#data.step &&
      data.series.every((series, at) => series.token === this.#data.series[at]?.token);
    this.#data = data;
    if (same) this.#plot?.setData(this.#columns());
    else this.#build();
  }

  resize(width: number, height: number): void {
    if (width === this.#width && height === this.#height) return;
    this.#width = Math.floor(width);
    this.#height = Math.floor(height);
    if (this.#plot) this.#plot.setSize({ width: this.#width, height: this.#height });
    else this.#build();
  }

  /** Points at a step, as the pointer would. */
  point(at: number): void {
    const { start, step } = this.#data;
    const plot = this.#plot;
    if (plot) plot.setCursor({ left: plot.valToPos(start + (at + 0.5) * step, "x"), top: 4 });
  }

  destroy(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  #columns(): uPlot.AlignedData {
    const { start, step, series } = this.#data;
    const length = Math.max(0, ...series.map(({ values }) => values.length));
    const times = Array.from({ length }, (_, at) => start + at * step);
    const values = this.#settings.shape === "bars" ? stack(series).reverse() : series.map((one) => [...one.values]);
    return [times, ...values];
  }

  #build(): void {
    this.destroy();
    if (this.#width < 60 || this.#height < 30 || this.#data.series.length === 0) return;
    const { colours, shape, value, moment, zoom, point, bare, group } = this.#settings;
    const { step } = this.#data;
    // Bars lie over one another, the sum of all first: what is seen of each is its own share.
    const drawn = shape === "bars" ? [...this.#data.series].reverse() : this.#data.series;
    const axis: uPlot.Axis = {
      stroke: colours.axis,
      font: colours.font,
      grid: { stroke: colours.grid, width: 1 },
      ticks: { stroke: colours.grid, width: 1, size: 4 },
    };
    const options: uPlot.Options = {
      width: this.#width,
      height: this.#height,
      padding: [6, 18, bare ? 2 : 0, 0],
      legend: { show: false },
      cursor: {
        x: true,
        y: false,
        points: { show: shape === "lines" },
        ...(group ? { sync: { key: group } } : {}),
        drag: { x: zoom !== undefined, y: false, setScale: false, dist: 4 },
      },
      scales: {
        x: { time: true, range: (_, low, high) => (shape === "bars" ? [low, high + step] : [low, high]) },
        y: { range: (_, low, high) => [Math.min(0, low ?? 0), niceTop(high ?? 0)] },
      },
      axes: [
        {
          ...axis,
          show: true,
          size: bare ? 2 : 26,
          space: 72,
          grid: { show: false },
          ticks: bare ? { show: false } : axis.ticks,
          values: (_, splits, __, ___, between) =>
            bare ? splits.map(() => "") : splits.map((at) => moment(at, between)),
        },
        {
          ...axis,
          size: AXIS,
          space: 28,
          incrs: [
            1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 1e8,
            1e9,
          ],
          values: (_, splits) => splits.map(value),
        },
      ],
      series: [
        {},
        ...drawn.map((series): uPlot.Series => {
          const colour = colours.token(series.token);
          return shape === "bars"
            ? { label: series.label, stroke: colour, fill: colour, width: 0, points: { show: false }, paths: bars() }
            : { label: series.label, stroke: colour, width: 1.5, points: { show: false }, spanGaps: false };
        }),
      ],
      hooks: {
        setCursor: [(plot) => point?.(plot.cursor.idx ?? undefined)],
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (width < 4) return;
            const [from, to] = snap(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"), step);
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            zoom?.(from, to);
          },
        ],
      },
    };
    this.#plot = new uPlot(options, this.#columns(), this.#element);
  }
}

const bars = (): uPlot.Series.PathBuilder =>
  uPlot.paths.bars?.({ size: [0.82, 120], align: 1, gap: 0 }) ?? (() => null);

/** The top of an axis: a little more than the highest value, never nothing. */
export function niceTop(high: number): number {
  if (!(high > 0)) return 1;
  const unit = 10 ** Math.floor(Math.log10(high));
  for (const factor of [1, 1.5, 2, 3, 4, 5, 6, 8, 10]) if (high <= unit * factor * 0.98) return unit * factor;
  return unit * 12;
}
