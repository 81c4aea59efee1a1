/**
 * Our side of the frame a recording is played in. The frame has no origin and no
 * network; what it says is believed only where it is a number or a yes or no.
 */

export interface FrameState {
  /** In played seconds. */
  at: number;
  playing: boolean;
  ended: boolean;
  /** The frame is there and takes recordings. */
  ready: boolean;
  /** The recording could not be played. */
  failed: boolean;
}

export interface HostEvents {
  /** Something of the state is different. */
  change: (state: FrameState) => void;
  /** A key was pressed inside the frame: step forwards or back. */
  step: (by: 1 | -1) => void;
  /** Escape was pressed inside the frame. */
  leave: () => void;
}

/** What the frame takes. */
export type Order =
  | { cast: string; markers: [number, string][]; at: number; speed: number; play: boolean }
  | { play: boolean }
  | { seek: number }
  | { speed: number };

/** What may be trusted of a message of the frame. */
export function readMessage(
  data: unknown,
): Partial<Record<"ready" | "ended" | "playing" | "failed" | "leave", boolean>> & { time?: number; step?: 1 | -1 } {
  if (data === null || typeof data !== "object") return {};
  const from = data as Record<string, unknown>;
  const found: ReturnType<typeof readMessage> = {};
  for (const name of ["ready", "ended", "playing", "failed", "leave"] as const) {
    if (typeof from[name] === "boolean") found[name] = from[name];
  }
  if (typeof from.time === "number" && Number.isFinite(from.time) && from.time >= 0) found.time = from.time;
  if (from.step === 1 || from.step === -1) found.step = from.step;
  return found;
}

interface Frame {
  readonly contentWindow: { postMessage(message: unknown, target: string): void } | null;
}
interface Window_ {
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  removeEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

export class ReplayHost {
  #state: FrameState = { at: 0, playing: false, ended: false, ready: false, failed: false };
  #waiting: Order | undefined;
  #length = 0;

  constructor(
    private readonly frame: Frame,
    private readonly events: HostEvents,
    private readonly around: Window_ = window,
  ) {
    around.addEventListener("message", this.#hear);
  }

  get state(): FrameState {
    return this.#state;
  }

  /** Gives the frame a recording of so many played seconds; it waits until the frame is there. */
  load(order: Extract<Order, { cast: string }>, length: number): void {
    this.#length = length;
    this.#change({ at: Math.min(order.at, length), ended: false, failed: false, playing: false });
    if (this.#state.ready) this.#send(order);
    else this.#waiting = order;
  }

  play(yes: boolean): void {
    this.#send({ play: yes });
  }

  seek(at: number): void {
    const where = Math.max(0, Math.min(this.#length, at));
    this.#change({ at: where, ended: false });
    this.#send({ seek: where });
  }

  speed(times: number): void {
    this.#send({ speed: times });
  }

  destroy(): void {
    this.around.removeEventListener("message", this.#hear);
  }

  #send(order: Order): void {
    // The frame's origin is the word null, which cannot be named as a target; the window is the one we made.
    if (this.#state.ready) this.frame.contentWindow?.postMessage(order, "*");
  }

  #hear = (event: MessageEvent): void => {
    if (this.frame.contentWindow === null || event.source !== (this.frame.contentWindow as unknown)) return;
    const said = readMessage(event.data);
    if (said.ready) {
      this.#change({ ready: true });
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (waiting) this.#send(waiting);
    }
    const change: Partial<FrameState> = {};
    if (said.time !== undefined) change.at = Math.min(said.time, this.#length);
    if (said.playing !== undefined) change.playing = said.playing;
    if (said.playing) change.ended = false;
    if (said.ended) Object.assign(change, { ended: true, playing: false, at: this.#length });
    if (said.failed) change.failed = true;
    this.#change(change);
    if (said.step) this.events.step(said.step);
    if (said.leave) this.events.leave();
  };

  #change(change: Partial<FrameState>): void {
    const next = { ...this.#state, ...change };
    const same = (Object.keys(next) as (keyof FrameState)[]).every((name) => next[name] === this.#state[name]);
    if (same) return;
    this.#state = next;
    this.events.change(next);
  }
}
