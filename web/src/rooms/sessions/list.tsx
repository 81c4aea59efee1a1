/** The list of sessions with its filters; what is chosen lives in the URL. */
import { useEffect, useMemo, useRef, useState } from "react";
import { useFreshness } from "../../api/live";
import { useList, useOne, useReadOn } from "../../api/query";
import type { Page, Sensor, Session } from "../../api/types";
import { useKeys } from "../../lib/keys";
import { useGo, useQueryState, writeQuery } from "../../lib/route";
import { duration, serverNow, useNow } from "../../lib/time";
import { t } from "../../locale/rooms/sessions";
import { Chip, FilterBar, Toolbar } from "../../widgets/bar";
import "../../widgets/go.css";
import { type Column, Grid, type GridHandle } from "../../widgets/grid";
import { MarkGlyph } from "../../widgets/replay/glyph";
import { Safe } from "../../widgets/safe";
import { Severity } from "../../widgets/severity";
import { NoRows } from "../../widgets/views";
import { When } from "../../widgets/when";

const host = (addr: string | undefined): string => (addr ?? "").replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
const lasted = (row: Session): number => Date.parse(row.ended_at ?? row.last_at ?? "") - Date.parse(row.started_at);
const open = (row: Session): boolean => !row.ended_at || row.ended_at.startsWith("0001");

const COLUMNS: Column<Session>[] = [
  { id: "time", head: t("col.time"), width: 64, weight: 1, cell: (row, now) => <When at={row.started_at} now={now} /> },
  { id: "severity", head: t("col.severity"), width: 62, weight: 3, cell: (row) => <Severity name={row.severity} /> },
  {
    id: "source",
    head: t("col.source"),
    width: 118,
    grow: 1,
    weight: 1,
    cell: (row) => <Safe text={host(row.src?.addr)} />,
  },
  {
    id: "country",
    head: t("col.country"),
    width: 24,
    weight: 7,
    cell: (row) => <Safe text={row.src?.country ?? ""} />,
  },
  { id: "service", head: t("col.service"), width: 54, weight: 4, cell: (row) => <Safe text={row.service} /> },
  { id: "sensor", head: t("col.sensor"), width: 70, weight: 8, cell: (row) => <Safe text={row.sensor} /> },
  { id: "user", head: t("col.user"), width: 80, grow: 1, weight: 5, cell: (row) => <Safe text={row.user ?? ""} /> },
  {
    id: "client",
    head: t("col.client"),
    width: 120,
    grow: 2,
    weight: 9,
    cell: (row) => <Safe text={row.client ?? ""} />,
  },
  { id: "commands", head: t("col.commands"), width: 40, weight: 2, align: "end", cell: (row) => row.commands || "" },
  {
    id: "length",
    head: t("col.length"),
    width: 64,
    weight: 6,
    align: "end",
    cell: (row) => (open(row) ? t("still.open") : duration(lasted(row))),
  },
  { id: "marks", head: t("col.marks"), width: 60, weight: 2, cell: (row) => <Marks row={row} /> },
];

/** What a session has besides: a recording, honeytokens it read, files it brought. */
function Marks({ row }: { row: Session }) {
  const tokens = row.tokens?.length ?? 0;
  const files = row.samples?.length ?? 0;
  return (
    <span className="session-marks">
      {row.recording ? (
        <span role="img" aria-label={t("has.recording")} title={t("has.recording")}>
          <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
            <path d="M4 2.5 13 8l-9 5.5z" fill="currentColor" />
          </svg>
        </span>
      ) : null}
      {tokens > 0 ? (
        <span role="img" aria-label={t("has.tokens", { n: tokens })} title={t("has.tokens", { n: tokens })}>
          <MarkGlyph kind="token" />
        </span>
      ) : null}
      {files > 0 ? (
        <span role="img" aria-label={t("has.files", { n: files })} title={t("has.files", { n: files })}>
          <MarkGlyph kind="download" />
        </span>
      ) : null}
    </span>
  );
}

const DAY = 86_400_000;

export function SessionList({ shown }: { shown: boolean }) {
  const [query, setQuery] = useQueryState();
  const go = useGo();
  const grid = useRef<GridHandle>(null);
  const [current, setCurrent] = useState<string | null>(null);
  const now = useNow(10_000);
  const [began] = useState(serverNow);
  const from = query.since === "day" ? began - DAY : query.since === "week" ? began - 7 * DAY : Number(query.from) || 0;
  const sensors = useOne<Page<Sensor>>("/sensors");
  const services = useMemo(
    () =>
      [
        ...new Set([...(sensors.data?.items.map(({ kind }) => kind) ?? []), ...(query.service ? [query.service] : [])]),
      ].sort(),
    [sensors.data, query.service],
  );
  const filters = {
    q: query.q,
    service: query.service,
    severity: query.severity,
    recorded: query.recorded === "1" || undefined,
    open: query.open === "1" || undefined,
    src: query.src,
    sensor: query.sensor,
    from: from > 0 ? new Date(from).toISOString() : undefined,
  };
  const list = useList<Session>("/sessions", filters);
  useFreshness(["sessions"], ["/sessions"], 5000);
  const rows = useMemo(
    () => (query.shell === "1" ? list.rows.filter((row) => row.commands > 0) : list.rows),
    [list.rows, query.shell],
  );
  const on = useReadOn(list, rows.length, query.shell === "1");
  const at = rows.findIndex((row) => row.id === current);
  const move = (by: number) => {
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    if (!next) return;
    setCurrent(next.id);
    grid.current?.show(next.id);
  };
  const show = (row: Session) => {
    setCurrent(row.id);
    go(`/sessions/${encodeURIComponent(row.id)}`, query);
  };
  const chosen = rows[at];
  const was = useRef(shown);
  useEffect(() => {
    // Back from the detail: the focus is where it was.
    if (shown && !was.current) grid.current?.focus();
    was.current = shown;
  }, [shown]);
  useKeys([
    { id: "list.next", keys: "j", label: t("key.next"), off: !shown, run: () => move(1) },
    { id: "list.before", keys: "k", label: t("key.before"), off: !shown, run: () => move(-1) },
    { id: "list.open", keys: "o", label: t("label"), off: !shown, run: () => chosen && show(chosen) },
  ]);
  const filtered = Object.values(filters).some((value) => value !== undefined && value !== "") || query.shell === "1";
  const flip = (name: string) => setQuery({ [name]: query[name] === "1" ? undefined : "1" });
  const choose = (name: string, value: string) => setQuery({ [name]: query[name] === value ? undefined : value });
  const empty = (
    <NoRows
      list={list}
      on={on}
      filtered={filtered && { title: t("empty.filtered"), newest: t("empty.newest", { n: list.rows.length }) }}
      onClear={() =>
        setQuery(Object.fromEntries(Object.keys(query).map((name) => [name, undefined])) as Record<string, undefined>)
      }
      none={t("empty.title")}
    >
      {t("empty.text")}
    </NoRows>
  );
  return (
    <>
      <Toolbar label={t("filter")}>
        <Chip on={query.recorded === "1"} onClick={() => flip("recorded")}>
          {t("recorded")}
        </Chip>
        <Chip on={query.shell === "1"} onClick={() => flip("shell")}>
          {t("shell")}
        </Chip>
        <Chip on={query.open === "1"} onClick={() => flip("open")}>
          {t("open")}
        </Chip>
        <Chip on={query.severity === "medium"} onClick={() => choose("severity", "medium")}>
          {t("severity.medium")}
        </Chip>
        <Chip on={query.severity === "high"} onClick={() => choose("severity", "high")}>
          {t("severity.high")}
        </Chip>
        <Chip on={query.since === "day"} onClick={() => choose("since", "day")}>
          {t("since.day")}
        </Chip>
        <Chip on={query.since === "week"} onClick={() => choose("since", "week")}>
          {t("since.week")}
        </Chip>
        <select
          className="input session-service"
          aria-label={t("service.label")}
          value={query.service ?? ""}
          onChange={(event) => setQuery({ service: event.target.value || undefined })}
        >
          <option value="">{t("service.any")}</option>
          {services.map((service) => (
            <option key={service} value={service}>
              {service}
            </option>
          ))}
        </select>
      </Toolbar>
      <FilterBar value={query.q ?? ""} onChange={(q) => setQuery({ q: q || undefined })} placeholder={t("filter")}>
        <a
          className="button button-plain"
          href={`/api/v1/sessions/export${writeQuery(filters)}`}
          download="sessions.csv"
          title={t("export.title")}
        >
          {t("export")}
        </a>
      </FilterBar>
      <Grid
        ref={grid}
        label={t("label")}
        rows={rows}
        id={(row) => row.id}
        columns={COLUMNS}
        current={current}
        onCurrent={setCurrent}
        onOpen={show}
        hasMore={list.hasMore}
        onMore={list.more}
        empty={rows.length === 0 ? empty : undefined}
        now={now}
      />
    </>
  );
}
