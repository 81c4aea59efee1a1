/** What happened in a session, laid onto its recording: marks of the timeline and commands of the list. */

export type MarkKind = "login" | "token" | "alert" | "download";

export interface Mark {
  /** In the recording's seconds. */
  at: number;
  kind: MarkKind;
  /** Attacker's text may be in it. */
  label: string;
  /** Severity of an alert. */
  severity?: string;
  /** What it leads to: the id of an alert or a honeytoken. */
  id?: string;
}

export interface Command {
  at: number;
  /** The event's id. */
  id: string;
  text: string;
  techniques: readonly string[];
  /** What the shell answered with; undefined when it is not known. */
  status?: number;
}

/** What is read of an event. */
export interface SessionEvent {
  id: string;
  time: string;
  activity?: string;
  attrs?: Record<string, unknown>;
  attacks?: readonly { id: string }[] | null;
}

/** What is read of an alert. */
export interface SessionAlert {
  id: string;
  time: string;
  title?: string;
  severity?: string;
  attacks?: readonly { id: string }[] | null;
  event_ids?: readonly string[] | null;
}

const seconds = (time: string): number => Date.parse(time) / 1000;
const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Techniques by event: those of the event itself and of the alerts it is evidence of. */
function techniquesOf(events: readonly SessionEvent[], alerts: readonly SessionAlert[]): Map<string, string[]> {
  const found = new Map<string, Set<string>>();
  const put = (id: string, attacks: readonly { id: string }[] | null | undefined) => {
    if (!attacks?.length) return;
    const there = found.get(id) ?? new Set<string>();
    for (const attack of attacks) there.add(attack.id);
    found.set(id, there);
  };
  for (const event of events) put(event.id, event.attacks);
  for (const alert of alerts) {
    const ids = alert.event_ids ?? [];
    // An alert of several events and techniques does not say which belongs to which.
    if (ids.length === 1 || alert.attacks?.length === 1) for (const id of ids) put(id, alert.attacks);
  }
  return new Map([...found].map(([id, set]) => [id, [...set].sort()]));
}

/** The commands of a session by time, in seconds since the recording began. */
export function commandsOf(events: readonly SessionEvent[], alerts: readonly SessionAlert[], began: number): Command[] {
  const techniques = techniquesOf(events, alerts);
  return events
    .filter((event) => event.activity === "command")
    .map((event): Command => {
      const status = event.attrs?.status_code;
      return {
        at: Math.max(0, seconds(event.time) - began),
        id: event.id,
        text: text(event.attrs?.["process.cmd_line"]),
        techniques: techniques.get(event.id) ?? [],
        ...(typeof status === "number" ? { status } : {}),
      };
    })
    .sort((a, b) => a.at - b.at);
}

/** The marks of a session by time. What lies before the recording is at its beginning. */
export function marksOf(events: readonly SessionEvent[], alerts: readonly SessionAlert[], began: number): Mark[] {
  const marks: Mark[] = [];
  for (const event of events) {
    const at = Math.max(0, seconds(event.time) - began);
    const attrs = event.attrs ?? {};
    if (event.activity === "login_success") marks.push({ at, kind: "login", label: text(attrs["user.name"]) });
    if (event.activity === "download")
      marks.push({ at, kind: "download", label: text(attrs["http_request.url"]) || text(attrs["file.path"]) });
    if (event.activity === "token_exposed" || event.activity === "token_used") {
      marks.push({
        at,
        kind: "token",
        label: text(attrs["file.path"]) || text(attrs["honeytoken.kind"]),
        id: text(attrs["honeytoken.id"]),
      });
    }
  }
  for (const alert of alerts) {
    const at = Math.max(0, seconds(alert.time) - began);
    marks.push({
      at,
      kind: "alert",
      label: alert.title ?? "",
      id: alert.id,
      ...(alert.severity ? { severity: alert.severity } : {}),
    });
  }
  return marks.sort((a, b) => a.at - b.at);
}

/** Which command is on: the last that began by a moment, or -1. Commands rise in time. */
export function commandAt(commands: readonly Command[], at: number): number {
  let low = 0;
  let high = commands.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    // A command is told when it is done: it shows a moment before its event.
    if ((commands[middle] as Command).at - 0.12 <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** A place in a recording as people write it: 04:12, 1:04:12. */
export function clock(at: number): string {
  const whole = Math.max(0, Math.floor(at));
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}
