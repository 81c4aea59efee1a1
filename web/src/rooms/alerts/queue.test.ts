import { describe, expect, it } from "vitest";
import { matches, OPEN, parseFilter } from "./filter";
import { isGroup, Queue } from "./queue";
import { type AlertRow, host, slim } from "./row";

const row = (n: number, more: Partial<AlertRow> = {}): AlertRow => ({
  ...slim({
    id: `id${String(n).padStart(6, "0")}`,
    short: `A-${n}`,
    time: new Date(1_700_000_000_000 + n * 1000).toISOString(),
    created_at: new Date(1_700_000_000_000 + n * 1000).toISOString(),
    severity: "low",
    status: "new",
    score: n % 100,
    rule_id: `rule${n % 3}`,
    title: `Title ${n}`,
    src: { addr: `203.0.113.${n % 5}:4000` },
    attacks: [],
    evidence: [],
    event_ids: [],
    reasons: [],
  } as never),
  ...more,
});

/** A server with so many rows, newest first. */
function server(total: number) {
  const asked: number[] = [];
  const fetch = async (after: string, limit: number) => {
    asked.push(limit);
    const from = after === "" ? total : Number(after);
    const items: AlertRow[] = [];
    for (let n = from; n > Math.max(0, from - limit); n--) items.push(row(n));
    const left = from - limit;
    return { items, next: left > 0 ? String(left) : "" };
  };
  return { fetch, asked };
}
const shorts = (queue: Queue) => queue.get().lines.map((line) => (isGroup(line) ? line.group : line.short));

describe("Queue", () => {
  it("shows a first page of 100 and pages the rest", async () => {
    const { fetch, asked } = server(2350);
    const queue = new Queue(fetch);
    await queue.load({ status: OPEN }, null);
    expect(asked).toEqual([100, 1000, 1000, 1000]);
    expect(queue.get().shown).toBe(2350);
    expect(queue.get().loading).toBe("done");
    expect(shorts(queue)[0]).toBe("A-2350");
  });

  it("keeps rows where they are while somebody looks, and counts what came", async () => {
    const queue = new Queue(server(50).fetch);
    await queue.load({ status: OPEN }, null);
    queue.freeze(true);
    const before = shorts(queue);
    queue.take([{ kind: "new", id: row(51).id, row: row(51) }]);
    queue.take([
      { kind: "new", id: row(52).id, row: row(52) },
      { kind: "new", id: row(52).id, row: row(52) },
    ]);
    expect(shorts(queue)).toEqual(before);
    expect(queue.get().pending).toBe(2);
    queue.show();
    expect(shorts(queue).slice(0, 2)).toEqual(["A-52", "A-51"]);
    expect(queue.get().pending).toBe(0);
  });

  it("lets rows in at once when nobody looks, but not while paused", async () => {
    const queue = new Queue(server(3).fetch);
    await queue.load({ status: OPEN }, null);
    queue.take([{ kind: "new", id: row(4).id, row: row(4) }]);
    expect(shorts(queue)).toEqual(["A-4", "A-3", "A-2", "A-1"]);
    queue.pause(true);
    queue.take([{ kind: "new", id: row(5).id, row: row(5) }]);
    expect(queue.get().pending).toBe(1);
    queue.pause(false);
    expect(shorts(queue)[0]).toBe("A-5");
  });

  it("changes a row in place, and keeps it though it fits no more, until shown anew", async () => {
    const queue = new Queue(server(3).fetch);
    await queue.load({ status: ["new"] }, null);
    queue.freeze(true);
    queue.take([{ kind: "changed", id: row(2).id, row: row(2, { status: "closed", by: "kim" }) }]);
    expect(shorts(queue)).toEqual(["A-3", "A-2", "A-1"]);
    expect(queue.row("A-2")).toMatchObject({ status: "closed", by: "kim" });
    queue.show();
    expect(shorts(queue)).toEqual(["A-3", "A-1"]);
  });

  it("holds an own change against older news, and gives it back when refused", async () => {
    const queue = new Queue(server(3).fetch);
    await queue.load({ status: OPEN }, null);
    const before = queue.hold([row(2).id], { status: "acknowledged", by: "jo" });
    queue.take([{ kind: "changed", id: row(2).id, row: row(2, { count: 9 }) }]);
    expect(queue.row("A-2")).toMatchObject({ status: "acknowledged", by: "jo", count: 9 });
    queue.settled(before, () => true);
    expect(queue.row("A-2")).toMatchObject({ status: "new", by: "" });
  });

  it("hides what others work on, and keeps what is one's own", async () => {
    const rows = [row(3, { by: "kim", status: "acknowledged" }), row(2, { by: "jo", status: "acknowledged" }), row(1)];
    const queue = new Queue(async () => ({ items: rows, next: "" }));
    await queue.load({ status: OPEN }, "jo");
    expect(shorts(queue)).toEqual(["A-2", "A-1"]);
  });

  it("groups, folds and knows the members", async () => {
    const queue = new Queue(server(6).fetch);
    await queue.load({ status: OPEN }, null);
    queue.groupBy("rule");
    expect(shorts(queue)).toEqual(["rule0", "A-6", "A-3", "rule2", "A-5", "A-2", "rule1", "A-4", "A-1"]);
    queue.fold("rule0");
    expect(shorts(queue).slice(0, 2)).toEqual(["rule0", "rule2"]);
    expect(queue.members("rule0")).toEqual([row(6).id, row(3).id]);
  });

  it("sorts by severity with the worst first", async () => {
    const rows = [row(3, { severity: "low" }), row(2, { severity: "critical" }), row(1, { severity: "medium" })];
    const queue = new Queue(async () => ({ items: rows, next: "" }));
    await queue.load({}, null);
    queue.sortBy("severity", true);
    expect(shorts(queue)).toEqual(["A-2", "A-1", "A-3"]);
  });

  it("says what went wrong, and keeps what it has", async () => {
    let fail = false;
    const queue = new Queue(async () => {
      if (fail) throw new Error("down");
      return { items: [row(1)], next: "" };
    });
    await queue.load({}, null);
    fail = true;
    await queue.load({}, null);
    expect(queue.get().error).toBeInstanceOf(Error);
    expect(shorts(queue)).toEqual(["A-1"]);
  });

  it("keeps no more than it should in a storm", async () => {
    const queue = new Queue(server(10).fetch);
    await queue.load({}, null);
    for (let at = 0; at < 61; at++) {
      const changes = Array.from({ length: 1000 }, (_, n) => row(1000 + at * 1000 + n)).map((one) => ({
        kind: "new" as const,
        id: one.id,
        row: one,
      }));
      queue.take(changes);
    }
    expect(queue.get().loaded).toBeLessThanOrEqual(60_000);
    expect(shorts(queue)[0]).toBe("A-61999");
  });
});

describe("filter", () => {
  it("reads fields, short words, quotes and faults", () => {
    expect(parseFilter('src:203.0.113.9 sev:crit status:new,ack rule:"a b" wget http://x')).toEqual({
      filter: {
        src: "203.0.113.9",
        severity: "critical",
        status: ["new", "acknowledged"],
        rule: "a b",
        q: "wget http://x",
      },
      faults: [],
    });
    expect(parseFilter("sev:purple status:odd verdict:tp").faults).toEqual(["sev:purple", "status:odd"]);
    expect(parseFilter("")).toEqual({ filter: {}, faults: [] });
  });
  it("holds rows against it as the server does", () => {
    const one = row(7, { severity: "high", techniques: "T1059.004 T1105", verdict: "" });
    expect(matches(one, { severity: "medium" })).toBe(true);
    expect(matches(one, { severity: "critical" })).toBe(false);
    expect(matches(one, { technique: "T1059" })).toBe(true);
    expect(matches(one, { technique: "T105" })).toBe(false);
    expect(matches(one, { verdict: "none" })).toBe(true);
    expect(matches(one, { q: "title 7" })).toBe(true);
    expect(matches(one, { q: "title 8" })).toBe(false);
    expect(matches(row(1, { status: "suppressed" }), {})).toBe(false);
  });
});

describe("host", () => {
  const cases: [string | undefined, string][] = [
    ["203.0.113.9:4000", "203.0.113.9"],
    ["203.0.113.9", "203.0.113.9"],
    ["[2001:db8::1]:22", "2001:db8::1"],
    ["2001:db8::1", "2001:db8::1"],
    [undefined, ""],
  ];
  for (const [from, to] of cases) it(String(from), () => expect(host(from)).toBe(to));
});
