/**
 * A recorded terminal with what happened in it: the frame it is played in, a
 * timeline with marks, and the list of commands, which follows the play head.
 */
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import "./replay.css";
import { cx } from "../../lib/cx";
import { bytes } from "../../lib/i18n";
import { keymap, keyName, useKeys } from "../../lib/keys";
import { preferences, useKept } from "../../lib/preferences";
import { brief } from "../../lib/safe";
import { s } from "../../locale/rooms/scenes";
import { Button } from "../button";
import { Empty, ErrorView, Loading } from "../views";
import { useWidth } from "../width";
import { type Cast, MOST_TEXT, type Played, shorten, stepFrom, steps, writeCast } from "./cast";
import { Glyph, MarkGlyph } from "./glyph";
import { type FrameState, ReplayHost } from "./host";
import { clock, type Mark, type MarkKind } from "./markers";

/** A pause longer than this is cut to it when idle time is skipped, in seconds. */
const IDLE = 2;
const SPEEDS = [1, 2, 4] as const;
/** How long the frame may take to be there, in ms. */
const PATIENCE = 10_000;

export interface ReplayProps {
  /** Changes when another recording is shown. */
  id: string;
  cast: Cast;
  /** In the recording's seconds, as all times here. */
  marks: readonly Mark[];
  /** Where to begin. */
  start?: number;
  onAt: (at: number) => void;
  /** A way to go to a place from outside is put here. */
  seek: { current: ((at: number) => void) | null };
  onMark?: (mark: Mark) => void;
}

export function Replay({ id, cast, marks, start, onAt, seek, onMark }: ReplayProps) {
  const [idle, keepIdle] = useKept("replay.idle", true);
  const played = useMemo(() => shorten(cast, idle ? IDLE : Number.POSITIVE_INFINITY), [cast, idle]);
  const all = useMemo(() => steps(played), [played]);
  const [speed, setSpeed] = useState<number>(1);
  const frame = useRef<HTMLIFrameElement>(null);
  const region = useRef<HTMLDivElement>(null);
  const host = useRef<ReplayHost | null>(null);
  const [state, setState] = useState<FrameState>({ at: 0, playing: false, ended: false, ready: false, failed: false });
  const real = useRef(start ?? 0);
  const latest = useRef({ all, played, speed, onAt, marks });
  latest.current = { all, played, speed, onAt, marks };

  const go = (at: number) => host.current?.seek(at);
  const step = (by: 1 | -1) => {
    const now = host.current;
    if (!now) return;
    if (now.state.playing) now.play(false);
    const to = stepFrom(latest.current.all, now.state.at, by);
    if (to !== undefined) go(to);
  };
  const toggle = () => {
    const now = host.current;
    if (!now) return;
    if (now.state.ended) now.seek(0);
    now.play(!now.state.playing);
  };
  const calls = useRef({ step });
  calls.current = { step };

  // One host for each frame. It is there before the frame can say anything.
  useLayoutEffect(() => {
    if (!frame.current) return;
    const made = new ReplayHost(frame.current, {
      change: (next) => {
        setState(next);
        real.current = latest.current.played.toReal(next.at);
        latest.current.onAt(real.current);
      },
      step: (by) => calls.current.step(by),
      leave: () => region.current?.focus(),
    });
    host.current = made;
    return () => {
      made.destroy();
      host.current = null;
    };
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another recording, or other pauses, is loaded anew; the rest is read as it is then
  useEffect(() => {
    const now = host.current;
    if (!now) return;
    const first = all[0] ?? 0;
    const at = Math.max(first + 0.001, played.toPlayed(real.current));
    now.load(
      {
        cast: writeCast(cast, played),
        markers: latest.current.marks.map((mark) => [played.toPlayed(mark.at), s(`mark.${mark.kind}`)]),
        at,
        speed: latest.current.speed,
        play: now.state.playing,
      },
      played.length,
    );
  }, [id, cast, played]);
  useEffect(() => {
    seek.current = (at) => host.current?.seek(latest.current.played.toPlayed(at));
    return () => {
      seek.current = null;
    };
  }, [seek]);
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (state.ready) return;
    const timer = setTimeout(() => setLate(true), PATIENCE);
    return () => clearTimeout(timer);
  }, [state.ready]);

  const acts = [
    { id: "replay.play", keys: "Space", label: s("replay.play"), run: toggle },
    { id: "replay.back", keys: ",", label: s("replay.back"), run: () => step(-1) },
    { id: "replay.on", keys: ".", label: s("replay.on"), run: () => step(1) },
  ];
  // They stand on the sheet; the region itself takes them, so that a list beside it keeps its own.
  useKeys(acts.map((act) => ({ ...act, group: s("replay.group"), off: true })));
  const keys = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const pressed = keyName(event.nativeEvent);
    const onButton = event.target instanceof HTMLElement && event.target.closest("button, input, a") !== null;
    for (const act of acts) {
      if (!keymap.keysOf(act).includes(pressed)) continue;
      if (pressed === "Space" ? onButton : !preferences.get().keys.on) continue;
      event.preventDefault();
      event.stopPropagation();
      act.run();
      return;
    }
  };
  const failed = state.failed || (late && !state.ready);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: its keys are those of the buttons inside
    <div className="replay" ref={region} tabIndex={-1} data-keys="replay" onKeyDown={keys}>
      <div className="replay-screen">
        <iframe
          ref={frame}
          className="replay-frame"
          title={s("replay.title")}
          sandbox="allow-scripts"
          src="/replay/frame.html"
          referrerPolicy="no-referrer"
        />
        {failed ? (
          <div className="replay-over">
            <ErrorView title={s("replay.failed")} error={new Error(s("replay.failed.text"))} />
          </div>
        ) : state.ready ? null : (
          <div className="replay-over">
            <Loading rows={3} label={s("replay.loading")} />
          </div>
        )}
      </div>
      <div className="replay-bar">
        <Button keys="Space" kind="primary" onClick={toggle} disabled={failed} className="replay-toggle">
          {s(state.playing ? "replay.pause" : "replay.play")}
        </Button>
        <Button keys="," onClick={() => step(-1)} aria-label={s("replay.back")} title={s("replay.back")}>
          <Glyph d="M9 3 4 8l5 5M12 3v10" />
        </Button>
        <Button keys="." onClick={() => step(1)} aria-label={s("replay.on")} title={s("replay.on")}>
          <Glyph d="M7 3l5 5-5 5M4 3v10" />
        </Button>
        <div className="replay-speeds" role="group" aria-label={s("replay.speed")}>
          {SPEEDS.map((one) => (
            <Button
              key={one}
              pressed={speed === one}
              onClick={() => {
                setSpeed(one);
                host.current?.speed(one);
              }}
            >
              {one}×
            </Button>
          ))}
        </div>
        <label className="check">
          <input type="checkbox" checked={idle} onChange={(event) => keepIdle(event.target.checked)} />
          <span>{s("replay.idle")}</span>
        </label>
        <span className="grow" />
        <span className="mono replay-clock">
          {clock(played.toReal(state.at))} / {clock(cast.length)}
        </span>
      </div>
      <Timeline
        played={played}
        length={cast.length}
        at={state.at}
        marks={marks}
        onSeek={go}
        onMark={(mark) => {
          go(played.toPlayed(mark.at));
          onMark?.(mark);
        }}
      />
      {cast.cut ? <p className="meta">{s("replay.cut", { size: bytes(MOST_TEXT) })}</p> : null}
      {cast.broken > 0 ? <p className="meta">{s("replay.broken", { n: cast.broken })}</p> : null}
    </div>
  );
}

/** Instead of a recording in which nothing was shown. */
export const ReplayEmpty = ({ children }: { children?: ReactNode }) => (
  <Empty title={s("replay.empty")}>{children}</Empty>
);

/** What is told first when marks fall on one place. */
const WEIGHT: Record<MarkKind, number> = { alert: 3, token: 4, download: 2, login: 1 };

interface Cluster {
  share: number;
  marks: Mark[];
}

/** Marks that would lie over one another are one. */
export function cluster(marks: readonly Mark[], share: (at: number) => number, least: number): Cluster[] {
  const found: Cluster[] = [];
  for (const mark of marks) {
    const at = share(mark.at);
    const last = found.at(-1);
    if (last && at - last.share < least) last.marks.push(mark);
    else found.push({ share: at, marks: [mark] });
  }
  return found;
}

function Timeline({
  played,
  length,
  at,
  marks,
  onSeek,
  onMark,
}: {
  played: Played;
  length: number;
  at: number;
  marks: readonly Mark[];
  onSeek: (at: number) => void;
  onMark: (mark: Mark) => void;
}) {
  const track = useRef<HTMLDivElement>(null);
  const width = useWidth(track);
  const whole = Math.max(0.001, played.length);
  const clusters = useMemo(
    () => cluster(marks, (one) => Math.min(1, played.toPlayed(one) / whole), width > 0 ? 30 / width : 0.03),
    [marks, played, whole, width],
  );
  return (
    <div className="timeline">
      <div className="timeline-marks" ref={track}>
        {clusters.map(({ share, marks: own }) => {
          const first = own.reduce((best, mark) => (WEIGHT[mark.kind] > WEIGHT[best.kind] ? mark : best));
          const text = own
            .slice(0, 6)
            .map((mark) => `${clock(mark.at)} ${s(`mark.${mark.kind}`)}: ${brief(mark.label, 80)}`)
            .join("\n");
          return (
            <button
              type="button"
              key={`${share} ${own.length}`}
              className={cx(
                "mark",
                `mark-${first.kind}`,
                share > 0.96 && "mark-last",
                share < 0.02 && "mark-first",
                first.kind === "alert" && first.severity && `mark-${first.severity}`,
              )}
              style={{ left: `${share * 100}%` }}
              title={text}
              aria-label={text}
              onClick={() => onMark(own[0] ?? first)}
            >
              <MarkGlyph kind={first.kind} />
              {own.length > 1 ? <span className="mark-count">{own.length}</span> : null}
            </button>
          );
        })}
      </div>
      <input
        type="range"
        className="timeline-range"
        min={0}
        max={whole}
        step={0.01}
        value={Math.min(at, whole)}
        aria-label={s("replay.position")}
        aria-valuetext={s("replay.at", { at: clock(played.toReal(at)), length: clock(length) })}
        onChange={(event) => onSeek(Number(event.target.value))}
      />
    </div>
  );
}
