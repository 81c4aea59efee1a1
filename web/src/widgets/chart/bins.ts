/** Series over time in steps of equal length. */

export interface Series {
  /** A word for people. */
  label: string;
  /** The colour: the name of a token, without its dashes. */
  token: string;
  /** One value for each step; null where nothing is known. */
  values: readonly (number | null)[];
}

export interface TimeSeries {
  /** When the first step begins, in unix seconds. */
  start: number;
  /** How long a step is, in seconds. */
  step: number;
  series: readonly Series[];
}

/** Steps that are easy to read, in seconds. */
const STEPS = [1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800];

/** The shortest easy step that cuts a span into no more than most pieces. */
export function stepFor(seconds: number, most = 96): number {
  return STEPS.find((step) => seconds / step <= most) ?? Math.ceil(seconds / most / 604_800) * 604_800;
}

/** Counts things by the step they happened in; what lies outside is left out. */
export function bin(
  times: readonly number[],
  start: number,
  step: number,
  count: number,
  weights?: readonly number[],
): number[] {
  const bins = new Array<number>(Math.max(0, count)).fill(0);
  times.forEach((time, at) => {
    const slot = Math.floor((time - start) / step);
    if (slot >= 0 && slot < bins.length) bins[slot] = (bins[slot] as number) + (weights?.[at] ?? 1);
  });
  return bins;
}

/** Series laid on one another: each is the sum of itself and those before it. */
export function stack(series: readonly Series[]): (number | null)[][] {
  let below: (number | null)[] = [];
  return series.map(({ values }) => {
    below = values.map((value, at) =>
      value === null && (below[at] ?? null) === null ? null : (value ?? 0) + (below[at] ?? 0),
    );
    return below;
  });
}

/** The steps of a series that a range of time touches, for zooming: [from, to] in unix seconds, on steps. */
export function snap(from: number, to: number, step: number): [number, number] {
  const [low, high] = from <= to ? [from, to] : [to, from];
  const first = Math.floor(low / step) * step;
  return [first, Math.max(first + step, Math.ceil(high / step) * step)];
}
