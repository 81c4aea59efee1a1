/** The alert queue: everything that waits for a person, and the detail of one beside it. */
import "./alerts.css";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { call } from "../../api/client";
import { connection } from "../../api/connection";
import { useLive } from "../../api/live";
import { useMay, useMe } from "../../api/me";
import { useOne } from "../../api/query";
import type { Alert, AlertStatus, VerdictName } from "../../api/types";
import { number } from "../../lib/i18n";
import { type Binding, Opening, useKeys } from "../../lib/keys";
import { useKept } from "../../lib/preferences";
import { part, useGo, useItem, useQueryState } from "../../lib/route";
import { extend, keepOnly, NOTHING, type Selection, selectMatching, toggle } from "../../lib/selection";
import { useStore } from "../../lib/store";
import { ago, useNow } from "../../lib/time";
import { t } from "../../locale/rooms/alerts";
import { Pill } from "../../widgets/badge";
import { Chip, FilterBar, Toolbar } from "../../widgets/bar";
import { ErrorBoundary } from "../../widgets/boundary";
import { Button } from "../../widgets/button";
import { copySafe } from "../../widgets/copy";
import { Grid, type GridHandle } from "../../widgets/grid";
import { Safe } from "../../widgets/safe";
import { Severity } from "../../widgets/severity";
import { TopLine } from "../../widgets/slot";
import { Split } from "../../widgets/split";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { setStatus, setVerdict, type Target } from "./acts";
import { COLUMNS } from "./columns";
import { Detail } from "./detail";
import { OPEN, parseFilter, toQuery } from "./filter";
import { type GroupKey, isGroup, type Line, type SortKey } from "./queue";
import { type AlertRow, slim } from "./row";
import { places, queue } from "./source";
import { Views } from "./views";

const NoteDialog = lazy(() => import("./note"));
const SuppressDialog = lazy(() => import("./suppress"));
const BlockDialog = lazy(() => import("./block"));
const MergeDialog = lazy(() => import("./merge"));
const GatherDialog = lazy(() => import("./gather"));

type Open = "none" | "note" | "suppress" | "block" | "merge" | "gather";
const GROUPS: readonly GroupKey[] = ["none", "src", "rule", "session"];
const FOLDED = ["src", "rule", "session", "technique", "attacker", "incident", "status", "severity", "verdict"];

/** The filter as text: links of other rooms name fields in the URL, people type. */
function textOf(query: Record<string, string>): string {
  const parts = FOLDED.filter((name) => query[name] && !(name === "status" && query.status === "all")).map(
    (name) => `${name}:${/\s/.test(query[name] ?? "") ? `"${query[name]}"` : query[name]}`,
  );
  return [...parts, query.q].filter(Boolean).join(" ");
}

export default function Room() {
  const me = useMe()?.name ?? "";
  const [query, change] = useQueryState();
  const item = useItem();
  const opened = item !== undefined;
  const go = useGo();
  const grid = useRef<GridHandle>(null);
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const [dialog, setDialog] = useState<Open>("none");
  const [hover, setHover] = useState(false);
  const [focused, setFocused] = useState(false);
  const [detailWidth, setDetailWidth] = useKept("alerts.detail", 440);
  const may = { work: useMay("work"), respond: useMay("respond") };
  const now = useNow(5000);

  // What is shown, from the URL.
  const text = textOf(query);
  const everyone = query.who === "any" || text.includes("status:") || query.incident !== undefined;
  const states = query.status === "all" || query.open === "any" ? "all" : "open";
  const parsed = useMemo(() => {
    const got = parseFilter(text);
    if (!got.filter.status && states === "open") got.filter.status = OPEN;
    if (query.sev && !got.filter.severity) got.filter.severity = query.sev;
    return got;
  }, [text, states, query.sev]);
  const group = (GROUPS.includes(query.group as GroupKey) ? query.group : "none") as GroupKey;
  const [sort, down] = useMemo(() => {
    const key = (query.sort ?? "-time").replace(/^-/, "") as SortKey;
    return [
      COLUMNS.some((column) => column.id === key && column.sortable) ? key : "time",
      (query.sort ?? "-time").startsWith("-"),
    ] as const;
  }, [query.sort]);
  const shownAs = JSON.stringify([parsed.filter, everyone, group, sort, down]);

  const view = useSyncExternalStore(queue.watch, queue.get, queue.get);
  // Counting takes the server as long as the first rows do: they come first.
  const begun = view.loading !== "first" || view.lines.length > 0;
  const counts = useOne<{ total: number }>(begun ? "/alerts/counts" : null, toQuery(parsed.filter), 15_000);
  const place = useRef(places.get(shownAs));
  const [current, setCurrent] = useState<string | null>(() => place.current?.current ?? null);

  useEffect(() => {
    void queue.load(parsed.filter, everyone ? null : me);
    setSelection(NOTHING);
    return () => queue.stop();
  }, [parsed, everyone, me]);
  useEffect(() => queue.sortBy(sort, down), [sort, down]);
  useEffect(() => queue.groupBy(group), [group]);
  useEffect(() => {
    queue.freeze(hover || focused || opened || selection.ids.size > 0);
  }, [hover, focused, opened, selection]);
  useLive(["alerts"], ({ messages, summarised, reset }) => {
    queue.take(
      messages.map((message) => ({
        kind: message.kind,
        id: message.id,
        row: message.row ? slim(message.row as Alert) : undefined,
      })),
      summarised,
    );
    // A row too large to be sent along comes by itself; what was left out comes with the list.
    for (const message of messages) {
      if (message.kind !== "gone" && !message.row) {
        void call<Alert>("GET", `/alerts/${message.id}`)
          .then((alert) => queue.take([{ kind: message.kind, id: message.id, row: slim(alert) }]))
          .catch(() => undefined);
      }
    }
    if (reset || summarised > 0) void queue.load(parsed.filter, everyone ? null : me);
  });

  // The open alert is in the URL, and follows the cursor.
  // What the filter hides is not acted on.
  const listed = useMemo(() => view.lines.some((line) => line.id === current), [view.lines, current]);
  const row = current === null || !(listed || opened) ? undefined : queue.row(current);
  const openRow = item === undefined ? undefined : queue.row(item);
  const openID = openRow?.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another item of the URL moves the cursor
  useEffect(() => {
    if (openID && current !== openID) {
      setCurrent(openID);
      grid.current?.show(openID);
    }
  }, [openID]);
  const follow = useRef<ReturnType<typeof setTimeout> | null>(null);
  const pathOf = (of: AlertRow) => `/alerts/${part(of.short || of.id)}`;
  const select = useCallback(
    (id: string) => {
      setCurrent(id);
      if (!opened) return;
      const next = queue.row(id);
      if (!next) return;
      if (follow.current) clearTimeout(follow.current);
      follow.current = setTimeout(() => go(`/alerts/${part(next.short || next.id)}`, query, true), 90);
    },
    [opened, go, query],
  );
  useEffect(() => {
    places.set(shownAs, { offset: grid.current?.offset() ?? places.get(shownAs)?.offset ?? 0, current });
  }, [shownAs, current]);

  const all = selection.all && counts.data ? { filter: parsed.filter, count: counts.data.total } : undefined;
  const target = (): Target | null => {
    const line = current === null ? undefined : view.lines.find((one) => one.id === current);
    if (selection.ids.size > 0) return { ids: [...selection.ids], all };
    if (line && isGroup(line)) return { ids: queue.members(line.group) };
    if (openRow && row === undefined) return { ids: [openRow.id] };
    return row ? { ids: [row.id] } : null;
  };
  const clear = () => setSelection(NOTHING);
  const act = (status: AlertStatus, note?: string) => {
    const to = target();
    if (!to || !may.work) return;
    clear();
    void setStatus(queue, to, status, me, note);
  };
  const judge = (verdict: VerdictName) => {
    const to = target();
    if (!to || !may.work) return;
    clear();
    void setVerdict(queue, to, verdict, me);
  };
  const step = (by: number) => {
    const lines = queue.get().lines;
    const at = lines.findIndex((line) => line.id === current);
    const next = lines[Math.min(lines.length - 1, Math.max(0, at + by))];
    if (next) {
      select(next.id);
      grid.current?.show(next.id);
    }
  };
  const openLine = (line: Line | undefined) => {
    if (!line) return;
    if (isGroup(line)) queue.fold(line.group);
    else {
      setCurrent(line.id);
      go(pathOf(line), query);
    }
  };
  const back = () => {
    if (selection.ids.size > 0) clear();
    else if (opened) {
      go("/alerts", query);
      grid.current?.focus();
    }
  };
  // One alert that has an incident leads there; several, or one without, are put into one.
  const incident = () => {
    const of = row ?? openRow;
    if (selection.ids.size > 0 || (of && !of.incident)) {
      if (may.work && target()) setDialog("gather");
    } else if (of) go(`/incidents/${part(of.incident)}`);
  };
  const copy = async () => {
    const id = (row ?? openRow)?.id;
    if (id) await copySafe(JSON.stringify(await call<Alert>("GET", `/alerts/${part(id)}`), null, 2));
  };
  const current1 = row ?? openRow;
  const title = t("title");
  const bindings: Binding[] = [
    { id: "alerts.next", keys: "j", label: t("act.next"), group: title, run: () => step(1) },
    { id: "alerts.before", keys: "k", label: t("act.before"), group: title, run: () => step(-1) },
    {
      id: "alerts.open",
      keys: ["o"],
      label: t("act.open"),
      group: title,
      run: () => openLine(view.lines.find((line) => line.id === current)),
    },
    {
      id: "alerts.select",
      keys: "x",
      label: t("act.select"),
      group: title,
      run: () => {
        const line = view.lines.find((one) => one.id === current);
        if (line && isGroup(line))
          setSelection({ ids: new Set([...selection.ids, ...queue.members(line.group)]), anchor: null, all: false });
        else if (line) setSelection(toggle(selection, line.id));
      },
    },
    {
      id: "alerts.range",
      keys: "Shift x",
      label: t("act.range"),
      group: title,
      run: () =>
        current &&
        setSelection(
          extend(
            selection,
            current,
            queue
              .get()
              .lines.filter((line) => !isGroup(line))
              .map((line) => line.id),
          ),
        ),
    },
    { id: "alerts.back", keys: "Escape", label: t("act.back"), group: title, run: back },
    { id: "alerts.ack", keys: "a", label: t("act.ack"), group: title, off: !may.work, run: () => act("acknowledged") },
    {
      id: "alerts.note",
      keys: "Shift a",
      label: t("act.ackNote"),
      group: title,
      off: !may.work,
      run: () => target() && setDialog("note"),
    },
    {
      id: "alerts.escalate",
      keys: "e",
      label: t("act.escalate"),
      group: title,
      off: !may.work,
      run: () => act("escalated"),
    },
    { id: "alerts.tp", keys: "t", label: t("act.tp"), group: title, off: !may.work, run: () => judge("true_positive") },
    {
      id: "alerts.fp",
      keys: "f",
      label: t("act.fp"),
      group: title,
      off: !may.work,
      run: () => judge("false_positive"),
    },
    { id: "alerts.incident", keys: "i", label: t("act.incident"), group: title, run: incident },
    {
      id: "alerts.merge",
      keys: "m",
      label: t("act.merge"),
      group: title,
      off: !may.work,
      run: () => setDialog("merge"),
    },
    {
      id: "alerts.suppress",
      keys: "s",
      label: t("act.suppress"),
      group: title,
      off: !may.work || !current1,
      run: () => setDialog("suppress"),
    },
    {
      id: "alerts.block",
      keys: "b",
      label: t("act.block"),
      group: title,
      off: !may.respond || !current1?.src,
      run: () => setDialog("block"),
    },
    { id: "alerts.copy", keys: "y", label: t("act.copy"), group: title, run: () => void copy() },
    { id: "alerts.show", keys: ".", label: t("act.show"), group: title, run: () => queue.show() },
    { id: "alerts.pause", keys: "p", label: t("act.pause"), group: title, run: () => queue.pause(!queue.get().paused) },
  ];
  useKeys(bindings);

  // A selection means rows that are there.
  useEffect(() => {
    setSelection((before) => (before.ids.size === 0 ? before : keepOnly(before, (id) => queue.row(id) !== undefined)));
  }, []);

  const total = counts.data?.total;
  const loadedAll = view.loading === "done" && !view.more;
  const selected =
    selection.all && total !== undefined ? t("selected.all", { n: total }) : t("selected", { n: selection.ids.size });
  const several = selection.ids.size > 0;
  const quiet = useStore(connection).stream === "connected";

  const list = (
    <>
      <Toolbar label={title}>
        <Chip
          on={states === "open" && !text.includes("status:")}
          onClick={() => change({ status: states === "open" ? "all" : undefined, open: undefined })}
        >
          {t("view.open")}
        </Chip>
        <Chip on={!everyone} onClick={() => change({ who: everyone ? undefined : "any" })}>
          {t("view.mine")}
        </Chip>
        <Chip
          on={query.sev === "medium"}
          onClick={() => change({ sev: query.sev === "medium" ? undefined : "medium" })}
        >
          {t("view.severity")}
        </Chip>
        <Chip
          on={group !== "none"}
          onClick={() => change({ group: { none: "src", src: "rule", rule: "session", session: undefined }[group] })}
        >
          {t("view.group", { by: t(`group.${group}`) })}
        </Chip>
        <Views query={query} filter={toQuery(parsed.filter)} onOpen={(next) => go("/alerts", next)} />
        <span className="grow" />
        <span aria-live="polite">
          <Pill count={view.pending} onShow={() => queue.show()} />
        </span>
        <Button kind="quiet" keys="p" pressed={view.paused} onClick={() => queue.pause(!view.paused)}>
          {t("act.pause")}
        </Button>
      </Toolbar>
      <FilterBar
        value={text}
        placeholder={t("filter.hint")}
        onChange={(next) => {
          const cleared = Object.fromEntries(FOLDED.map((name) => [name, undefined]));
          change({ ...cleared, status: query.status === "all" ? "all" : undefined, q: next || undefined });
        }}
      >
        {parsed.faults.length > 0 ? (
          <span className="field-error" role="status">
            {t("filter.fault", { what: "" })}
            <Safe text={parsed.faults.join(" ")} />
          </span>
        ) : null}
        {view.summarised > 0 ? <span className="meta">{t("summarised", { n: view.summarised })}</span> : null}
      </FilterBar>
      {view.error && view.lines.length === 0 ? (
        <ErrorView error={view.error} onRetry={() => void queue.load(parsed.filter, everyone ? null : me)} />
      ) : view.loading === "first" && view.lines.length === 0 ? (
        <Loading rows={14} />
      ) : (
        <Grid<Line>
          ref={grid}
          label={title}
          rows={view.lines}
          id={lineID}
          columns={COLUMNS}
          current={current}
          elsewhere={opened}
          onCurrent={select}
          onOpen={openLine}
          selection={selection}
          onSelection={setSelection}
          sort={{ id: sort, down }}
          onSort={(id) =>
            change({ sort: sort === id ? `${down ? "" : "-"}${id}` : id === "time" ? undefined : `-${id}` })
          }
          total={total}
          now={now}
          onHover={setHover}
          onFocus={setFocused}
          start={place.current?.offset ?? 0}
          onScroll={(offset) => places.set(shownAs, { offset, current: places.get(shownAs)?.current ?? null })}
          rowClass={(line) =>
            isGroup(line) || line.status === "new" || line.status === "escalated" ? undefined : "alerts-handled"
          }
          group={heading}
          empty={
            <Empty
              title={t("empty.title")}
              action={<Button onClick={() => go("/alerts", { status: "all", who: "any" })}>{t("empty.clear")}</Button>}
            >
              {view.latest
                ? t("empty.last", { time: ago(view.latest, now) })
                : quiet || total === 0
                  ? t("empty.none")
                  : t("empty.hidden")}
            </Empty>
          }
        />
      )}
      <div className="alerts-bar" role="toolbar" aria-label={selected}>
        <span className="meta alerts-bar-count" role="status">
          {several ? <b>{selected}</b> : current1 ? current1.short : ""}
        </span>
        {several ? (
          <>
            {!selection.all && total !== undefined && total > selection.ids.size && everyone ? (
              <Button
                kind="quiet"
                onClick={() =>
                  setSelection(
                    selectMatching(
                      selection,
                      view.lines.filter((line) => !isGroup(line)).map((line) => line.id),
                    ),
                  )
                }
              >
                {t("select.matching", { total: number(total) })}
              </Button>
            ) : null}
            <Button kind="quiet" keys="Esc" onClick={clear}>
              {t("select.clear")}
            </Button>
          </>
        ) : null}
        {several || item === undefined ? (
          <>
            <Button keys="a" disabled={!may.work || (!current1 && !several)} onClick={() => act("acknowledged")}>
              {t("act.ack")}
            </Button>
            <Button keys="e" disabled={!may.work || (!current1 && !several)} onClick={() => act("escalated")}>
              {t("act.escalate")}
            </Button>
            <Button keys="t" disabled={!may.work || (!current1 && !several)} onClick={() => judge("true_positive")}>
              {t("act.tp")}
            </Button>
            <Button keys="f" disabled={!may.work || (!current1 && !several)} onClick={() => judge("false_positive")}>
              {t("act.fp")}
            </Button>
            <Button keys="i" disabled={!current1 && !several} onClick={incident}>
              {t(several || !current1?.incident ? "act.gather" : "act.incident")}
            </Button>
            {selection.ids.size > 1 ? (
              <Button keys="m" disabled={!may.work} onClick={() => setDialog("merge")}>
                {t("act.merge")}
              </Button>
            ) : null}
            <Button keys="s" disabled={!may.work || !current1} onClick={() => setDialog("suppress")}>
              {t("act.suppress")}
            </Button>
            <Button keys="b" disabled={!may.respond || !current1?.src} onClick={() => setDialog("block")}>
              {t("act.block")}
            </Button>
          </>
        ) : null}
        <span className="grow" />
        <span className="meta">
          {view.loading === "rest"
            ? t("loading", { n: view.loaded })
            : view.more
              ? t("more.left", { n: view.loaded })
              : loadedAll
                ? number(view.shown)
                : ""}
        </span>
      </div>
    </>
  );

  return (
    <>
      <TopLine>{total === undefined ? null : t("line", { open: number(total) })}</TopLine>
      <Split
        width={detailWidth}
        onWidth={setDetailWidth}
        list={list}
        detail={
          item === undefined ? null : (
            <ErrorBoundary key={item}>
              <Detail
                id={item}
                row={openRow}
                may={may}
                onStep={step}
                onClose={() => {
                  go("/alerts", query);
                  setTimeout(() => grid.current?.focus(), 0);
                }}
                onAct={act}
                onJudge={judge}
                onDialog={setDialog}
                onIncident={incident}
                onCopy={() => void copy()}
              />
            </ErrorBoundary>
          )
        }
      />
      <Suspense fallback={<Opening />}>
        {dialog === "note" ? (
          <NoteDialog onClose={() => setDialog("none")} onSend={(words) => act("acknowledged", words)} />
        ) : null}
        {dialog === "suppress" && current1 ? (
          <SuppressDialog
            row={current1}
            onClose={() => setDialog("none")}
            onDone={() => void queue.load(parsed.filter, everyone ? null : me)}
          />
        ) : null}
        {dialog === "block" && current1 ? <BlockDialog row={current1} onClose={() => setDialog("none")} /> : null}
        {dialog === "gather" ? (
          <GatherDialog
            target={target() ?? { ids: [] }}
            onClose={() => setDialog("none")}
            onDone={() => {
              clear();
              void queue.load(parsed.filter, everyone ? null : me);
            }}
          />
        ) : null}
        {dialog === "merge" ? (
          <MergeDialog
            rows={[...selection.ids].map((id) => queue.row(id)).filter((one): one is AlertRow => one !== undefined)}
            onClose={() => setDialog("none")}
            onDone={() => {
              clear();
              void queue.load(parsed.filter, everyone ? null : me);
            }}
          />
        ) : null}
      </Suspense>
    </>
  );
}

const lineID = (line: Line) => line.id;

function heading(line: Line) {
  if (!isGroup(line)) return null;
  return (
    <span className="row">
      <span className={line.open ? "alerts-fold alerts-fold-open" : "alerts-fold"} aria-hidden="true" />
      <Severity name={line.severity} />
      {line.label ? <Safe text={line.label} /> : <span className="muted">{t("group.nothing")}</span>}
      <span className="meta">{t("group.count", { n: line.count, fresh: line.fresh })}</span>
    </span>
  );
}
