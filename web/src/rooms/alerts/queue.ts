/**
 * The rows of the queue. A first page comes at once, the rest in the background,
 * up to 50,000; what happens live is merged in; and nothing moves while somebody
 * looks at it: new rows wait, changed ones change where they stand.
 */

import { slaDue } from "../../widgets/badge";
import { severityRank } from "../../widgets/severity";
import { type Filter, matcher } from "./filter";
import { type Bring, pages } from "./pages";
import type { AlertRow } from "./row";

export type SortKey = "time" | "severity" | "score" | "title" | "src" | "sla" | "status";
export type GroupKey = "none" | "src" | "rule" | "session";

export interface GroupRow {
  group: string;
  id: string;
  label: string;
  count: number;
  fresh: number;
  severity: string;
  open: boolean;
  latest: string;
}
export type Line = AlertRow | GroupRow;
export const isGroup = (line: Line): line is GroupRow => "group" in line;

export interface QueueView {
  lines: readonly Line[];
  /** Rows that are shown, groups not counted. */
  shown: number;
  loaded: number;
  pending: number;
  loading: "first" | "rest" | "done";
  error: unknown;
  /** Rows the filter finds on the server that are beyond what is kept. */
  more: boolean;
  paused: boolean;
  summarised: number;
  latest: string;
}

export const KEEP = 50_000;
const TRIM = 60_000;
const FIRST = 100;
const REST = 1000;

const compare: Record<SortKey, (a: AlertRow, b: AlertRow) => number> = {
  // As the server has its list: by when it was found, then by id.
  time: (a, b) => a.found - b.found || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  severity: (a, b) => severityRank(a.severity) - severityRank(b.severity) || a.score - b.score,
  score: (a, b) => a.score - b.score,
  title: (a, b) => (a.title < b.title ? -1 : a.title > b.title ? 1 : 0),
  src: (a, b) => (a.src < b.src ? -1 : a.src > b.src ? 1 : 0),
  status: (a, b) => (a.status < b.status ? -1 : a.status > b.status ? 1 : 0),
  sla: (a, b) => due(b) - due(a),
};
const due = (row: AlertRow) => {
  const at = row.status === "new" ? slaDue(row.severity, row.found) : Number.NaN;
  return Number.isNaN(at) ? Number.POSITIVE_INFINITY : at;
};

export class Queue {
  #rows = new Map<string, AlertRow>();
  /** Rows by what people call them. */
  #byShort = new Map<string, string>();
  /** Ids in the order they are shown; only show() and a filter change it. */
  #order: string[] = [];
  #inOrder = new Set<string>();
  #waiting = new Set<string>();
  #filter: Filter = {};
  #matches = matcher({});
  #mine: string | null = null;
  #sort: SortKey = "time";
  #down = true;
  #group: GroupKey = "none";
  #closed = new Set<string>();
  #frozen = false;
  #paused = false;
  #loading: QueueView["loading"] = "first";
  #error: unknown = null;
  #more = false;
  #summarised = 0;
  #latest = "";
  #abort: AbortController | null = null;
  #watchers = new Set<() => void>();
  #view: QueueView | null = null;
  /** Changes made here that the server has not answered yet: they stand over what comes live. */
  #held = new Map<string, Partial<AlertRow>>();

  constructor(private readonly page: Bring<AlertRow>) {}

  watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };
  get = (): QueueView => {
    this.#view ??= this.#make();
    return this.#view;
  };
  row = (id: string): AlertRow | undefined => this.#rows.get(id) ?? this.#rows.get(this.#byShort.get(id) ?? "");
  /** Ids as they are shown, groups left out. */
  order = (): readonly string[] => this.#order;
  get filter(): Filter {
    return this.#filter;
  }

  #tell(): void {
    this.#view = null;
    for (const watcher of this.#watchers) watcher();
  }

  /** Begins anew with another filter. */
  async load(filter: Filter, mine: string | null): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.#filter = filter;
    this.#matches = matcher(filter);
    this.#mine = mine;
    this.#loading = "first";
    this.#error = null;
    this.#more = false;
    this.#waiting.clear();
    this.#summarised = 0;
    // What is there and fits is shown at once; the server's answer makes it whole.
    this.#settle();
    this.#tell();
    let whole = false;
    let first = true;
    let told = 0;
    const seen = new Set<string>();
    try {
      for await (const page of pages(this.page, FIRST, REST, abort.signal)) {
        if (abort.signal.aborted) return;
        for (const row of page.items) {
          seen.add(row.id);
          this.#put(row);
          if (row.created > this.#latest) this.#latest = row.created;
        }
        whole = page.next === "";
        // Pages come in the order of the list: only the first is put in order.
        if (first) this.#settle();
        else this.#append(page.items);
        this.#loading = whole ? "done" : "rest";
        this.#more = !whole && this.#rows.size >= KEEP;
        if (first || Date.now() - told > 400) {
          told = Date.now();
          this.#tell();
        }
        first = false;
        if (this.#rows.size >= KEEP) break;
        await idle(abort.signal);
      }
      if (abort.signal.aborted) return;
      if (whole) this.#drop(seen);
      if (!this.#frozen && !(this.#sort === "time" && this.#down)) this.#settle();
      this.#loading = "done";
    } catch (error) {
      if (abort.signal.aborted) return;
      this.#error = error;
      this.#loading = "done";
    }
    this.#tell();
  }

  stop(): void {
    this.#abort?.abort();
  }

  /** Rows of before that fit the filter by what is kept, but not by what the server says. */
  #drop(seen: Set<string>): void {
    for (const [id, row] of this.#rows) {
      if (!seen.has(id) && this.#fits(row) && !this.#waiting.has(id) && row.created < this.#latest) {
        this.#forget(id);
      }
    }
    this.#order = this.#order.filter((id) => this.#rows.has(id));
  }

  #fits(row: AlertRow): boolean {
    if (this.#mine !== null && row.by !== "" && row.by !== this.#mine) return false;
    return this.#matches(row);
  }

  #put(row: AlertRow): void {
    const held = this.#held.get(row.id);
    this.#rows.set(row.id, held ? { ...row, ...held } : row);
    if (row.short) this.#byShort.set(row.short, row.id);
  }

  #forget(id: string): void {
    const short = this.#rows.get(id)?.short;
    if (short && this.#byShort.get(short) === id) this.#byShort.delete(short);
    this.#rows.delete(id);
    this.#inOrder.delete(id);
    this.#waiting.delete(id);
  }

  #before = (a: AlertRow, b: AlertRow): number =>
    (this.#down ? -1 : 1) * compare[this.#sort](a, b) || -compare.time(a, b);

  /** The order as sort and filter have it now. */
  #settle(): void {
    const rows: AlertRow[] = [];
    for (const row of this.#rows.values()) if (this.#fits(row)) rows.push(row);
    rows.sort(this.#before);
    this.#order = rows.map((row) => row.id);
    this.#inOrder = new Set(this.#order);
    this.#waiting.clear();
  }

  /** Puts what waits where it belongs, and lets go what fits no more: the rest is in order already. */
  #merge(): void {
    const fresh: AlertRow[] = [];
    for (const id of this.#waiting) {
      const row = this.#rows.get(id);
      if (row && this.#fits(row)) fresh.push(row);
    }
    fresh.sort(this.#before);
    const order: string[] = [];
    let next = 0;
    for (const id of this.#order) {
      const row = this.#rows.get(id);
      if (!row || !this.#fits(row)) {
        this.#inOrder.delete(id);
        continue;
      }
      for (; next < fresh.length && this.#before(fresh[next] as AlertRow, row) < 0; next++)
        order.push((fresh[next] as AlertRow).id);
      order.push(id);
    }
    for (; next < fresh.length; next++) order.push((fresh[next] as AlertRow).id);
    for (const row of fresh) this.#inOrder.add(row.id);
    this.#order = order;
    this.#waiting.clear();
  }

  #append(rows: AlertRow[]): void {
    for (const row of rows) {
      if (!this.#inOrder.has(row.id) && this.#fits(row)) {
        this.#order.push(row.id);
        this.#inOrder.add(row.id);
      }
    }
  }

  /** What came live. */
  take(changes: { kind: "new" | "changed" | "gone"; id: string; row?: AlertRow }[], summarised = 0): void {
    let changed = summarised > 0;
    this.#summarised += summarised;
    for (const change of changes) {
      if (change.kind === "gone") {
        // It stays where it is, greyed by its state, until the list is shown anew.
        const row = this.#rows.get(change.id);
        if (row) this.#rows.set(change.id, { ...row, status: "closed" });
        changed = true;
        continue;
      }
      if (!change.row) continue;
      const known = this.#rows.has(change.id);
      this.#put(change.row);
      if (change.row.created > this.#latest) this.#latest = change.row.created;
      if (!this.#inOrder.has(change.id)) {
        if (this.#fits(change.row)) this.#waiting.add(change.id);
        else if (!known) this.#forget(change.id);
      }
      changed = true;
    }
    if (!changed) return;
    if (!this.#frozen && !this.#paused && this.#waiting.size > 0) this.#merge();
    if (this.#rows.size > TRIM) this.#trim();
    this.#tell();
  }

  #trim(): void {
    const rows = [...this.#rows.values()].sort((a, b) => compare.time(a, b));
    for (const row of rows) {
      if (this.#rows.size <= KEEP) break;
      if (this.#inOrder.has(row.id) && this.#frozen) continue;
      this.#forget(row.id);
    }
    this.#more = true;
    this.#order = this.#order.filter((id) => this.#inOrder.has(id));
  }

  /** While frozen, rows keep their places. */
  freeze(frozen: boolean): void {
    if (this.#frozen === frozen) return;
    this.#frozen = frozen;
    if (!frozen && !this.#paused && this.#waiting.size > 0) {
      this.#merge();
      this.#tell();
    }
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    if (!paused && !this.#frozen) this.#settle();
    this.#tell();
  }

  /** Shows what waits, and lets go what fits no more. */
  show(): void {
    this.#settle();
    this.#summarised = 0;
    this.#tell();
  }

  sortBy(key: SortKey, down: boolean): void {
    if (this.#sort === key && this.#down === down) return;
    this.#sort = key;
    this.#down = down;
    this.#settle();
    this.#tell();
  }

  groupBy(key: GroupKey): void {
    if (this.#group === key) return;
    this.#group = key;
    this.#closed.clear();
    this.#tell();
  }

  fold(group: string): void {
    if (!this.#closed.delete(group)) this.#closed.add(group);
    this.#tell();
  }

  /** Changes rows at once; what comes live does not turn it back until settled() is called. */
  hold(ids: readonly string[], change: Partial<AlertRow>): Map<string, AlertRow> {
    const before = new Map<string, AlertRow>();
    for (const id of ids) {
      const row = this.#rows.get(id);
      if (!row) continue;
      before.set(id, row);
      this.#held.set(id, change);
      this.#rows.set(id, { ...row, ...change });
    }
    this.#tell();
    return before;
  }

  /** The server answered: those in back go to what they were. */
  settled(before: Map<string, AlertRow>, back: (id: string) => boolean = () => false): void {
    for (const [id, row] of before) {
      this.#held.delete(id);
      if (back(id)) this.#rows.set(id, row);
    }
    this.#tell();
  }

  /** Puts a row as the server has it. */
  replace(row: AlertRow): void {
    this.#held.delete(row.id);
    if (this.#rows.has(row.id)) {
      this.#rows.set(row.id, row);
      this.#tell();
    }
  }

  #make(): QueueView {
    const rows: AlertRow[] = [];
    for (const id of this.#order) {
      const row = this.#rows.get(id);
      if (row) rows.push(row);
    }
    return {
      lines: this.#group === "none" ? rows : this.#grouped(rows),
      shown: rows.length,
      loaded: this.#rows.size,
      pending: this.#waiting.size,
      loading: this.#loading,
      error: this.#error,
      more: this.#more,
      paused: this.#paused,
      summarised: this.#summarised,
      latest: this.#latest,
    };
  }

  #grouped(rows: AlertRow[]): Line[] {
    const groups = new Map<string, AlertRow[]>();
    for (const row of rows) {
      const key = row[this.#group as "src" | "rule" | "session"] || "";
      const of = groups.get(key);
      if (of) of.push(row);
      else groups.set(key, [row]);
    }
    const lines: Line[] = [];
    for (const [key, of] of groups) {
      let worst = "informational";
      let fresh = 0;
      let latest = "";
      for (const row of of) {
        if (severityRank(row.severity) > severityRank(worst)) worst = row.severity;
        if (row.status === "new") fresh++;
        if (row.time > latest) latest = row.time;
      }
      const open = !this.#closed.has(key);
      lines.push({
        group: key,
        id: `group ${key}`,
        label: key,
        count: of.length,
        fresh,
        severity: worst,
        open,
        latest,
      });
      if (open) lines.push(...of);
    }
    return lines;
  }

  /** Ids of the rows of a group. */
  members(group: string): string[] {
    return this.#order.filter(
      (id) => (this.#rows.get(id)?.[this.#group as "src" | "rule" | "session"] || "") === group,
    );
  }
}

/** Gives way to the reader between two pages. */
function idle(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    if (typeof requestIdleCallback === "function") requestIdleCallback(() => resolve(), { timeout: 50 });
    else setTimeout(resolve, 16);
  });
}
