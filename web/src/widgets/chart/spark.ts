/** A line so small that only its shape counts. */

/**
 * The path of a line over a box of the given size; none for fewer than two
 * values. A value that is not known
 * breaks the line; a single one between two breaks becomes a short dash.
 */
export function sparkPath(values: readonly (number | null)[], width: number, height: number): string {
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  // One value has no course.
  if (known.length < 2) return "";
  const low = Math.min(0, ...known);
  const high = Math.max(...known);
  const range = high - low || 1;
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  const round = (value: number) => Math.round(value * 10) / 10;
  const y = (value: number) => round(height - 1 - ((value - low) / range) * (height - 2));
  let path = "";
  let open = false;
  values.forEach((value, at) => {
    if (value === null || !Number.isFinite(value)) {
      open = false;
      return;
    }
    const x = round(at * step);
    const alone = !open && !Number.isFinite(values[at + 1] ?? Number.NaN);
    path += open ? `L${x} ${y(value)}` : `M${alone ? Math.max(0, x - 1) : x} ${y(value)}`;
    if (alone) path += `L${Math.min(width, x + 1)} ${y(value)}`;
    open = true;
  });
  return path;
}
