/**
 * The live stream: one EventSource per tab for all topics, opened when somebody
 * listens. What comes is collected and handed on at most every 250 ms, so that
 * map, counters and tables of one flush show the same. After a break the browser
 * sends the last id itself; when it gave up, we begin again with it.
 */
import { useEffect, useRef } from "react";
import { serverNow } from "../lib/time";
import { connected, connection, readClock } from "./connection";
import { refresh } from "./query";
import { session } from "./session";

export type Topic = "alerts" | "incidents" | "sessions" | "runs" | "notices" | "events" | "health";

/** One row as it is now, as in a list; a row that is gone, or too large to be sent along, has none. */
export interface LiveMessage<T = unknown> {
  topic: Topic;
  kind: "new" | "changed" | "gone";
  id: string;
  short?: string;
  row?: T;
}

/** What a listener gets at a flush. */
export interface Flush {
  messages: LiveMessage[];
  /** The server left out so many messages: rows have to be asked for again. */
  summarised: number;
  /** Begin anew: what is shown may be old. */
  reset: boolean;
}

type Listener = { topics: readonly Topic[]; take: (flush: Flush) => void };
const FLUSH = 250;
const STALE = 35_000; // two beats of the server and a bit

/** Opens the source; tests put their own in its place. */
type Opener = (url: string) => EventSource;

export class Live {
  #listeners = new Set<Listener>();
  #source: EventSource | null = null;
  #open = "";
  #held: LiveMessage[] = [];
  #summarised = 0;
  #reset = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #again: ReturnType<typeof setTimeout> | null = null;
  #watch: ReturnType<typeof setInterval> | null = null;
  #lastID = "";
  #heard = 0;
  #wait = 1000;
  #counts: number[] = [];
  #second = 0;
  /** Called when the server ended the stream; main.tsx asks who is signed in. */
  onEnd: () => void = () => undefined;

  constructor(private readonly opener: Opener = (url) => new EventSource(url, { withCredentials: true })) {}

  /** Hands every flush with these topics to take, until the returned function is called. */
  listen(topics: readonly Topic[], take: (flush: Flush) => void): () => void {
    const listener = { topics, take };
    this.#listeners.add(listener);
    this.#arrange();
    return () => {
      this.#listeners.delete(listener);
      // A room that follows listens at once; only then is it worth to ask anew.
      setTimeout(() => this.#arrange(), 1000);
    };
  }

  /** Begins anew: after signing in again, or by hand. */
  reconnect(): void {
    this.#close();
    this.#wait = 1000;
    this.#arrange();
  }

  stop(): void {
    this.#close();
    this.#listeners.clear();
    this.#lastID = "";
    connected({ stream: "off", staleSince: null, lag: null, rate: 0 });
  }

  #wanted(): string {
    const topics = new Set<Topic>();
    for (const listener of this.#listeners) for (const topic of listener.topics) topics.add(topic);
    return [...topics].sort().join(",");
  }

  #arrange(): void {
    const wanted = session.get().state === "in" ? this.#wanted() : "";
    if (wanted === "") {
      if (this.#source) this.#close();
      connected({ stream: "off", staleSince: null });
      return;
    }
    const have = new Set(this.#open.split(","));
    if (this.#source && wanted.split(",").every((topic) => have.has(topic))) return;
    this.#close();
    this.#begin(wanted);
  }

  #begin(topics: string): void {
    this.#open = topics;
    const query = new URLSearchParams({ topics });
    if (this.#lastID) query.set("after", this.#lastID);
    const source = this.opener(`/api/v1/stream?${query}`);
    this.#source = source;
    connected({ stream: this.#lastID ? "reconnecting" : "connecting" });
    source.onopen = () => {
      this.#wait = 1000;
      this.#hear();
      connected({ stream: "connected", staleSince: null });
    };
    source.onerror = () => {
      if (this.#source !== source) return;
      connected({ stream: "reconnecting", staleSince: connection.get().staleSince ?? Date.now() });
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries by itself
      this.#close();
      if (session.get().state !== "in") return;
      this.#again = setTimeout(() => this.#arrange(), this.#wait);
      this.#wait = Math.min(30_000, this.#wait * 2);
    };
    const handler = (event: MessageEvent<string>) => this.#take(event);
    for (const name of ["hello", "batch", "reset", "summary", "beat", "end"]) {
      source.addEventListener(name, handler as EventListener);
    }
    this.#watch ??= setInterval(() => this.#look(), 1000);
  }

  #hear(): void {
    this.#heard = Date.now();
    if (connection.get().staleSince !== null) connected({ stream: "connected", staleSince: null });
  }

  #take(event: MessageEvent<string>): void {
    this.#hear();
    if (event.lastEventId) this.#lastID = event.lastEventId;
    let data: unknown;
    try {
      data = JSON.parse(event.data);
    } catch {
      return;
    }
    if (event.type === "hello" || event.type === "beat") {
      const at = (data as { at?: string } | null)?.at;
      if (at) readClock(at, Date.now(), Date.now());
      return;
    }
    if (event.type === "end") {
      // Rights ended, or the core stops: asking who we are tells which.
      this.onEnd();
      return;
    }
    if (event.type === "reset") {
      this.#reset = true;
    } else if (event.type === "summary") {
      this.#summarised += countSummary(data);
    } else {
      const messages = messagesOf(data);
      for (const message of messages) {
        if (message.topic !== "events") continue;
        const second = message.row as { at?: string; events?: number } | undefined;
        this.#second += Number(second?.events) || 0;
        const at = Date.parse(second?.at ?? "");
        if (!Number.isNaN(at)) connected({ lag: Math.max(0, Math.round(serverNow() - at)) });
      }
      this.#held.push(...messages);
      if (this.#held.length > 20_000) {
        // Nobody can look at so many: what is shown is asked for again.
        this.#held = [];
        this.#summarised += messages.length;
      }
    }
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH);
  }

  #flush(): void {
    this.#timer = null;
    const held = this.#held;
    const summarised = this.#summarised;
    const reset = this.#reset;
    this.#held = [];
    this.#summarised = 0;
    this.#reset = false;
    for (const listener of [...this.#listeners]) {
      const messages = held.filter((message) => listener.topics.includes(message.topic));
      if (messages.length > 0 || summarised > 0 || reset) listener.take({ messages, summarised, reset });
    }
  }

  /** Once a second: the rate over ten seconds, and whether it is silent for too long. */
  #look(): void {
    this.#counts.push(this.#second);
    this.#second = 0;
    if (this.#counts.length > 10) this.#counts.shift();
    const rate = this.#counts.reduce((sum, count) => sum + count, 0) / this.#counts.length;
    if (Math.abs(rate - connection.get().rate) > 0.05) connected({ rate });
    if (this.#heard > 0 && Date.now() - this.#heard > STALE && connection.get().staleSince === null) {
      connected({ staleSince: this.#heard });
    }
  }

  #close(): void {
    this.#source?.close();
    this.#source = null;
    this.#open = "";
    if (this.#again) clearTimeout(this.#again);
    this.#again = null;
    if (this.#watch) clearInterval(this.#watch);
    this.#watch = null;
  }
}

/** The messages of a batch, whether it comes as a list or in an envelope. */
export function messagesOf(data: unknown): LiveMessage[] {
  const list = Array.isArray(data)
    ? data
    : ((data as { messages?: unknown; items?: unknown } | null)?.messages ??
      (data as { items?: unknown } | null)?.items ??
      []);
  if (!Array.isArray(list)) return [];
  return list.filter(
    (item): item is LiveMessage =>
      item !== null && typeof item === "object" && typeof (item as LiveMessage).topic === "string",
  );
}

function countSummary(data: unknown): number {
  const counts = (data as { counts?: Record<string, number> } | null)?.counts ?? {};
  return Object.values(counts).reduce((sum, count) => sum + (Number(count) || 0), 0);
}

export const live = new Live();

/** Listens while the component is there. */
export function useLive(topics: readonly Topic[], take: (flush: Flush) => void): void {
  const latest = useRef(take);
  latest.current = take;
  const wanted = topics.join(",");
  useEffect(() => live.listen(wanted.split(",") as Topic[], (flush) => latest.current(flush)), [wanted]);
}

/** Asks again for documents under these paths when something of the topics changed, at most every so many ms. */
export function useFreshness(topics: readonly Topic[], begins: string[], every = 3000): void {
  const due = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => () => void (due.current && clearTimeout(due.current)), []);
  useLive(topics, () => {
    due.current ??= setTimeout(() => {
      due.current = null;
      refresh(...begins);
    }, every);
  });
}
