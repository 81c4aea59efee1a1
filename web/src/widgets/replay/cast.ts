/**
 * A recording of a terminal (asciicast version 2 or 3) as a list of what came
 * when. Recordings are what attackers made: a line that is none is left out, and
 * there is an end to how much is read.
 */

/** What came: o output, i input, r a new size, m a mark; x (exit) and others are kept and shown nowhere. */
export type Piece = readonly [at: number, kind: string, data: string];

export interface Cast {
  columns: number;
  rows: number;
  /** When it began, unix seconds without fraction; undefined when the recording does not say. */
  began?: number;
  pieces: readonly Piece[];
  /** In seconds. */
  length: number;
  /** Lines that could not be read. */
  broken: number;
  /** Whether something was left out at the end because it was too much. */
  cut: boolean;
}

/** Characters of a recording that are read at most. */
export const MOST_TEXT = 24 * 1024 * 1024;
/** Pieces that are read at most. */
export const MOST_PIECES = 400_000;

const size = (value: unknown, fallback: number, most: number): number =>
  typeof value === "number" && Number.isInteger(value) && value > 0 ? Math.min(value, most) : fallback;

/** Reads a recording. Undefined when even the first line is none. */
export function readCast(text: string): Cast | undefined {
  const end = text.indexOf("\n");
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(end < 0 ? text : text.slice(0, end)) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  if (header === null || typeof header !== "object" || (header.version !== 2 && header.version !== 3)) return undefined;
  const relative = header.version === 3;
  const term = (header.term ?? {}) as Record<string, unknown>;
  const pieces: Piece[] = [];
  let at = 0;
  let broken = 0;
  let position = end < 0 ? text.length : end + 1;
  const last = Math.min(text.length, MOST_TEXT);
  while (position < last && pieces.length < MOST_PIECES) {
    let stop = text.indexOf("\n", position);
    if (stop < 0) stop = text.length;
    const line = text.slice(position, stop).trim();
    position = stop + 1;
    if (line === "" || line.startsWith("#")) continue;
    const piece = readPiece(line);
    if (!piece) {
      broken++;
      continue;
    }
    at = relative ? at + Math.max(0, piece[0]) : Math.max(at, piece[0]);
    pieces.push([at, piece[1], piece[2]]);
  }
  const began = header.timestamp;
  return {
    columns: size(relative ? term.cols : header.width, 80, 500),
    rows: size(relative ? term.rows : header.height, 24, 200),
    ...(typeof began === "number" && began > 0 ? { began } : {}),
    pieces,
    length: at,
    broken,
    cut: position < text.length,
  };
}

function readPiece(line: string): Piece | undefined {
  try {
    const piece: unknown = JSON.parse(line);
    if (!Array.isArray(piece) || piece.length < 3) return undefined;
    const [at, kind, data] = piece as unknown[];
    if (typeof at !== "number" || !Number.isFinite(at) || typeof kind !== "string" || typeof data !== "string")
      return undefined;
    return [at, kind, data];
  } catch {
    return undefined;
  }
}

/** A recording with its pauses cut short, and the way between its times and ours. */
export interface Played {
  pieces: readonly Piece[];
  length: number;
  /** From the recording's seconds to those that are played. */
  toPlayed: (at: number) => number;
  /** And back. */
  toReal: (at: number) => number;
}

/** Cuts every pause to at most longest seconds; Infinity leaves all as it was. */
export function shorten(cast: Cast, longest: number): Played {
  // Corners of the broken line between real and played time.
  const real: number[] = [0];
  const played: number[] = [0];
  let shift = 0;
  let before = 0;
  const pieces: Piece[] = cast.pieces.map(([at, kind, data]) => {
    const pause = at - before;
    if (pause > longest) {
      real.push(before, at);
      played.push(before - shift, before - shift + longest);
      shift += pause - longest;
    }
    before = at;
    return [at - shift, kind, data] as const;
  });
  real.push(cast.length);
  played.push(cast.length - shift);
  return {
    pieces,
    length: cast.length - shift,
    toPlayed: (at) => between(real, played, at),
    toReal: (at) => between(played, real, at),
  };
}

/** Follows a broken line given by its corners; beyond its ends it goes on level. */
function between(from: readonly number[], to: readonly number[], at: number): number {
  if (at <= (from[0] as number)) return to[0] as number;
  let low = 0;
  let high = from.length - 1;
  if (at >= (from[high] as number)) return to[high] as number;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((from[middle] as number) <= at) low = middle;
    else high = middle;
  }
  const [x0, x1, y0, y1] = [from[low] as number, from[high] as number, to[low] as number, to[high] as number];
  return x1 === x0 ? y1 : y0 + ((at - x0) / (x1 - x0)) * (y1 - y0);
}

/** What the player is given: output and sizes only, as asciicast version 2. */
export function writeCast(cast: Cast, played: Played): string {
  const lines = [JSON.stringify({ version: 2, width: cast.columns, height: cast.rows })];
  for (const [at, kind, data] of played.pieces) {
    if (kind === "o" || (kind === "r" && /^\d{1,3}x\d{1,3}$/.test(data)))
      lines.push(JSON.stringify([Math.round(at * 1e6) / 1e6, kind, data]));
  }
  // The player refuses a recording without anything in it, and ends with the last piece.
  lines.push(JSON.stringify([Math.round(played.length * 1e6) / 1e6, "o", ""]));
  return lines.join("\n");
}

/** The moments something came onto the screen, pieces within 50 ms as one: where steps lead. In played seconds. */
export function steps(played: Played): number[] {
  const found: number[] = [];
  for (const [at, kind] of played.pieces) {
    if (kind !== "o") continue;
    const last = found.at(-1);
    if (last === undefined || at - last > 0.05) found.push(at);
  }
  return found;
}

/** The step before or after a moment. */
export function stepFrom(all: readonly number[], at: number, by: 1 | -1): number | undefined {
  return by > 0 ? all.find((step) => step > at + 0.02) : all.findLast((step) => step < at - 0.02);
}
