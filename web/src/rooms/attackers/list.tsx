/** The list of attackers. The server has no words to search them by: a filter reads on until there is a screen of them. */
import { useEffect, useMemo, useRef, useState } from "react";
import { useFreshness } from "../../api/live";
import { useList, useReadOn } from "../../api/query";
import type { Attacker } from "../../api/types";
import { number } from "../../lib/i18n";
import { useKeys } from "../../lib/keys";
import { useGo, useQueryState, writeQuery } from "../../lib/route";
import { serverNow, useNow } from "../../lib/time";
import { t } from "../../locale/rooms/attackers";
import { Chip, FilterBar, Toolbar } from "../../widgets/bar";
import "../../widgets/go.css";
import { type Column, Grid, type GridHandle } from "../../widgets/grid";
import { Safe } from "../../widgets/safe";
import { Severity, severityRank } from "../../widgets/severity";
import { TopLine } from "../../widgets/slot";
import { NoRows } from "../../widgets/views";
import { When } from "../../widgets/when";

/** The name of a source: its address, or what else it is known by. */
export const nameOf = (key: string): string => key.replace(/^(attacker|device|user|host):/, "");

const COLUMNS: Column<Attacker>[] = [
  { id: "last", head: t("col.last"), width: 48, weight: 1, cell: (row, now) => <When at={row.last_at} now={now} /> },
  { id: "severity", head: t("col.severity"), width: 62, weight: 2, cell: (row) => <Severity name={row.severity} /> },
  {
    id: "source",
    head: t("col.source"),
    width: 130,
    grow: 1,
    weight: 1,
    cell: (row) => <Safe text={nameOf(row.key)} />,
  },
  {
    id: "country",
    head: t("col.country"),
    width: 24,
    weight: 4,
    cell: (row) => <Safe text={row.src?.country ?? ""} />,
  },
  {
    id: "network",
    head: t("col.network"),
    width: 130,
    grow: 1,
    weight: 6,
    cell: (row) => <Safe text={row.src?.as_org || (row.src?.asn ? `AS${row.src.asn}` : "")} />,
  },
  { id: "alerts", head: t("col.alerts"), width: 50, weight: 3, align: "end", cell: (row) => number(row.alerts) },
  { id: "title", head: t("col.title"), width: 200, grow: 3, weight: 3, cell: (row) => <Safe text={row.last_title} /> },
  { id: "first", head: t("col.first"), width: 48, weight: 7, cell: (row, now) => <When at={row.first_at} now={now} /> },
];

const DAY = 86_400_000;

export function AttackerList({ shown }: { shown: boolean }) {
  const [query, setQuery] = useQueryState();
  const go = useGo();
  const grid = useRef<GridHandle>(null);
  const [current, setCurrent] = useState<string | null>(null);
  const now = useNow(10_000);
  const [began] = useState(serverNow);
  const from = query.since === "day" ? began - DAY : query.since === "week" ? began - 7 * DAY : 0;
  const since = from > 0 ? new Date(from).toISOString() : undefined;
  const list = useList<Attacker>("/attackers", { from: since });
  useFreshness(["alerts"], ["/attackers"], 10_000);
  const words = (query.q ?? "").trim().toLowerCase();
  const least = severityRank(query.severity ?? "informational");
  const rows = useMemo(
    () =>
      list.rows.filter(
        (row) =>
          severityRank(row.severity) >= least &&
          (words === "" ||
            `${row.key} ${row.src?.as_org ?? ""} ${row.src?.country ?? ""} ${row.last_title ?? ""}`
              .toLowerCase()
              .includes(words)),
      ),
    [list.rows, words, least],
  );
  const on = useReadOn(list, rows.length, words !== "" || least > 0);
  const at = rows.findIndex((row) => row.key === current);
  const move = (by: number) => {
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    if (!next) return;
    setCurrent(next.key);
    grid.current?.show(next.key);
  };
  const show = (row: Attacker) => {
    setCurrent(row.key);
    go(`/attackers/${encodeURIComponent(row.key)}`, query);
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
    { id: "list.open", keys: "o", label: t("key.open"), off: !shown, run: () => chosen && show(chosen) },
  ]);
  const choose = (name: string, value: string) => setQuery({ [name]: query[name] === value ? undefined : value });
  const filtered = words !== "" || least > 0 || from > 0;
  const empty = (
    <NoRows
      list={list}
      on={on}
      filtered={filtered && { title: t("empty.filtered"), newest: t("empty.newest", { n: list.rows.length }) }}
      onClear={() => setQuery({ q: undefined, severity: undefined, since: undefined })}
      none={t("empty.title")}
    >
      {t("empty.text")}
    </NoRows>
  );
  return (
    <>
      {shown ? (
        <TopLine>
          <span className="meta">{t("count.shown", { n: rows.length })}</span>
        </TopLine>
      ) : null}
      <Toolbar label={t("filter")}>
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
      </Toolbar>
      <FilterBar value={query.q ?? ""} onChange={(q) => setQuery({ q: q || undefined })} placeholder={t("filter")}>
        <a
          className="button button-plain"
          href={`/api/v1/attackers/export${writeQuery({ from: since })}`}
          download="attackers.csv"
          title={t("csv.title")}
        >
          {t("csv")}
        </a>
      </FilterBar>
      <Grid
        ref={grid}
        label={t("label")}
        rows={rows}
        id={(row) => row.key}
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
