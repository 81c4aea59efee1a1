import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { connection } from "./connection";
import { type Flush, Live, messagesOf } from "./live";
import { session, signedIn } from "./session";

vi.stubGlobal("EventSource", { CLOSED: 2 });

class Source {
  static all: Source[] = [];
  readyState = 1;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;
  #listeners = new Map<string, (event: unknown) => void>();
  constructor(readonly url: string) {
    Source.all.push(this);
  }
  addEventListener(name: string, listener: (event: unknown) => void) {
    this.#listeners.set(name, listener);
  }
  close() {
    this.closed = true;
  }
  send(type: string, data: unknown, lastEventId = "") {
    this.#listeners.get(type)?.({ type, data: JSON.stringify(data), lastEventId });
  }
}
const latest = () => Source.all.at(-1) as Source;

describe("Live", () => {
  let live: Live;
  let got: Flush[];
  beforeEach(() => {
    vi.useFakeTimers();
    Source.all = [];
    got = [];
    signedIn({ id: "u", name: "jo", role: "admin", permissions: [], kind: "user" });
    live = new Live((url) => new Source(url) as unknown as EventSource);
  });
  afterEach(() => {
    live.stop();
    vi.useRealTimers();
  });
  const alert = (id: string) => ({ topic: "alerts", kind: "new", id, row: { id } });

  it("opens one stream, and hands on a flush for all that came in 250 ms", () => {
    live.listen(["alerts"], (flush) => got.push(flush));
    latest().onopen?.();
    expect(latest().url).toBe("/api/v1/stream?topics=alerts");
    latest().send("batch", { id: 1, messages: [alert("a")] }, "1");
    latest().send("batch", { id: 2, messages: [alert("b"), { topic: "sessions", kind: "new", id: "s" }] }, "2");
    expect(got).toHaveLength(0);
    vi.advanceTimersByTime(250);
    expect(got).toHaveLength(1);
    expect(got[0]?.messages.map((message) => message.id)).toEqual(["a", "b"]);
    expect(connection.get().stream).toBe("connected");
  });

  it("goes on behind the last id when the browser has given up", () => {
    live.listen(["alerts"], (flush) => got.push(flush));
    latest().send("batch", { id: 41, messages: [alert("a")] }, "41");
    latest().readyState = 2;
    latest().onerror?.();
    expect(connection.get().stream).toBe("reconnecting");
    vi.advanceTimersByTime(1100);
    expect(Source.all).toHaveLength(2);
    expect(latest().url).toBe("/api/v1/stream?topics=alerts&after=41");
  });

  it("tells of summaries and of a new beginning", () => {
    live.listen(["alerts"], (flush) => got.push(flush));
    latest().send("summary", { id: 9, from: 2, to: 9, counts: { alerts: 1200, sessions: 40 } }, "9");
    latest().send("reset", { id: 9 }, "9");
    vi.advanceTimersByTime(250);
    expect(got[0]).toMatchObject({ summarised: 1240, reset: true, messages: [] });
  });

  it("widens its topics, and closes when nobody listens", () => {
    const first = live.listen(["alerts"], (flush) => got.push(flush));
    const second = live.listen(["alerts", "health"], (flush) => got.push(flush));
    expect(Source.all).toHaveLength(2);
    expect(Source.all[0]?.closed).toBe(true);
    first();
    second();
    vi.advanceTimersByTime(1100);
    expect(latest().closed).toBe(true);
    expect(connection.get().stream).toBe("off");
  });

  it("says when it has been silent for too long", () => {
    live.listen(["alerts"], (flush) => got.push(flush));
    latest().onopen?.();
    vi.advanceTimersByTime(40_000);
    expect(connection.get().staleSince).not.toBeNull();
    latest().send("beat", { id: 1, at: new Date().toISOString() }, "1");
    expect(connection.get().staleSince).toBeNull();
  });

  it("listens to nothing before somebody is signed in", () => {
    session.set({ state: "out", me: null });
    live.listen(["alerts"], (flush) => got.push(flush));
    expect(Source.all).toHaveLength(0);
    signedIn({ id: "u", name: "jo", role: "admin", permissions: [], kind: "user" });
    live.reconnect();
    expect(Source.all).toHaveLength(1);
  });

  it("is not upset by what it does not know", () => {
    live.listen(["alerts"], (flush) => got.push(flush));
    latest().send("batch", null, "");
    latest().send("batch", { messages: [null, 3, { topic: 4 }] }, "");
    vi.advanceTimersByTime(300);
    expect(got).toHaveLength(0);
    expect(messagesOf("text")).toEqual([]);
  });
});
