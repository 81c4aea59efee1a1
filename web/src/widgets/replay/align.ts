/**
 * Where events lie on a recording. The recording says when it began in whole
 * seconds only, and events are told when a command is done: the difference is
 * found by laying the commands over the returns that were typed.
 */
import type { Cast } from "./cast";

/** Moments an input line was sent, in the recording's seconds. */
export function returns(cast: Cast): number[] {
  const found: number[] = [];
  for (const [at, kind, data] of cast.pieces) {
    if (kind !== "i") continue;
    for (const char of data) if (char === "\r" || char === "\n") found.push(at);
  }
  return found;
}

/** How near a command and a return must be to belong together, in seconds. */
const NEAR = 0.25;
/** Pairs that vote. */
const VOTERS = 60;

/**
 * When the recording began, in unix seconds with fraction. Every pair of a
 * command and a return proposes a beginning; the one that most commands agree
 * with wins, the earlier one of equals. Without any, the recording's own word.
 */
export function beginning(cast: Cast, commands: readonly number[], fallback: number): number {
  const word = cast.began ?? Math.floor(fallback);
  const typed = returns(cast).slice(0, VOTERS);
  const asked = commands.slice(0, VOTERS);
  let best = fallback >= word && fallback < word + 1 ? fallback : word;
  let most = 0;
  for (const command of asked) {
    for (const back of typed) {
      const proposal = command - back;
      // Beyond two seconds from the recording's word it is chance.
      if (Math.abs(proposal - word) > 2.5) continue;
      const votes = agree(asked, typed, proposal);
      if (votes > most || (votes === most && most > 0 && proposal < best)) {
        most = votes;
        best = proposal;
      }
    }
  }
  return best;
}

/** How many commands came at most a moment after a return. Both lists rise. */
function agree(commands: readonly number[], typed: readonly number[], began: number): number {
  let votes = 0;
  let at = 0;
  for (const command of commands) {
    const inside = command - began;
    while (at < typed.length && (typed[at] as number) < inside - NEAR) at++;
    if (at < typed.length && Math.abs((typed[at] as number) - inside) <= NEAR) {
      votes++;
      at++;
    }
  }
  return votes;
}
