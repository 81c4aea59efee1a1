/** The audit log: who did what, and the proof that nothing of it was changed. */
import "./audit.css";
import { useMemo, useRef, useState } from "react";
import { useMay } from "../../api/me";
import { useList, useOne } from "../../api/query";
import { useKeys } from "../../lib/keys";
import { useKept } from "../../lib/preferences";
import { useGo, useItem, useQueryState } from "../../lib/route";
import { serverNow, useNow } from "../../lib/time";
import { t as shell } from "../../locale/en";
import { t } from "../../locale/rooms/audit";
import { Badge } from "../../widgets/badge";
import { Chip, FilterBar, Toolbar } from "../../widgets/bar";
import { ErrorBoundary } from "../../widgets/boundary";
import { Button } from "../../widgets/button";
import { type Column, Grid, type GridHandle } from "../../widgets/grid";
import { Safe } from "../../widgets/safe";
import { TopLine } from "../../widgets/slot";
import { Split } from "../../widgets/split";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { Detail, kindOf, outcomeOf } from "./detail";
import { parse } from "./filter";
import type { Checkpoint, Entry } from "./types";
import { Export, Verify } from "./verify";

const SPANS = { all: 0, "24h": 1, "7d": 7 } as const;
type Span = keyof typeof SPANS;
const OUTCOMES = ["any", "asked", "refused", "failed"] as const;
const KINDS = ["any", "user", "key", "local", "playbook", "system", "nobody"] as const;

const COLUMNS: Column<Entry>[] = [
  {
    id: "seq",
    head: t("col.seq"),
    width: 44,
    weight: 5,
    align: "end",
    cell: (row) => <span className="mono muted">{row.seq}</span>,
  },
  { id: "time", head: t("col.time"), width: 44, weight: 3, cell: (row, now) => <When at={row.time} now={now} /> },
  { id: "actor", head: t("col.actor"), width: 90, grow: 1, weight: 1, cell: (row) => <Who row={row} /> },
  {
    id: "kind",
    head: t("col.kind"),
    width: 80,
    weight: 7,
    cell: (row) => <span className="muted">{kindOf(row.kind)}</span>,
  },
  { id: "action", head: t("col.action"), width: 110, grow: 1, weight: 1, cell: (row) => <Safe text={row.action} /> },
  {
    id: "object",
    head: t("col.object"),
    width: 130,
    grow: 2,
    weight: 4,
    cell: (row) => <Safe text={row.object ?? ""} />,
  },
  {
    id: "outcome",
    head: t("col.outcome"),
    width: 64,
    weight: 2,
    cell: (row) => <Badge kind={row.outcome === "asked" ? "plain" : "warn"}>{outcomeOf(row.outcome)}</Badge>,
  },
  {
    id: "reason",
    head: t("col.reason"),
    width: 120,
    grow: 2,
    weight: 6,
    cell: (row) => <Safe text={row.reason ?? row.detail ?? ""} className="muted" />,
  },
];

function Who({ row }: { row: Entry }) {
  if (row.erased_by) return <span className="muted">{t("erased", { n: row.erased_by })}</span>;
  return <Safe text={row.actor} />;
}

export default function Room() {
  const may = useMay("audit");
  if (!may) return <Empty title={shell("error.forbidden")} />;
  return <Log />;
}

function Log() {
  const [query, change] = useQueryState();
  const item = useItem();
  const go = useGo();
  const grid = useRef<GridHandle>(null);
  const [current, setCurrent] = useState<string | null>(item ?? null);
  const [width, setWidth] = useKept("audit.detail", 480);
  const [began] = useState(serverNow);
  const now = useNow(10_000);
  const parsed = useMemo(() => parse(query.q ?? ""), [query.q]);
  const span: Span = query.since === "24h" || query.since === "7d" ? query.since : "all";
  const question = {
    ...parsed.filter,
    outcome: query.outcome,
    kind: query.kind,
    from: SPANS[span] ? new Date(began - SPANS[span] * 86_400_000).toISOString() : undefined,
  };
  const list = useList<Entry>("/audit", question);
  const point = useOne<Checkpoint>("/audit/checkpoint");
  const at = list.rows.findIndex((row) => String(row.seq) === current);
  const open = (row: Entry | undefined, replace = false) => {
    if (!row) return;
    setCurrent(String(row.seq));
    go(`/audit/${row.seq}`, query, replace);
  };
  const move = (by: number) => {
    const next = list.rows[Math.max(0, Math.min(list.rows.length - 1, at + by))];
    if (!next) return;
    if (item === undefined) setCurrent(String(next.seq));
    else open(next, true);
    grid.current?.show(String(next.seq));
  };
  const back = () => {
    if (item === undefined) return;
    go("/audit", query);
    grid.current?.focus();
  };
  const group = t("title");
  useKeys([
    { id: "audit.next", keys: "j", label: t("key.next"), group, run: () => move(1) },
    { id: "audit.before", keys: "k", label: t("key.before"), group, run: () => move(-1) },
    { id: "audit.open", keys: "o", label: t("key.open"), group, run: () => open(list.rows[at]) },
    { id: "audit.back", keys: "Escape", label: t("key.back"), group, run: back },
  ]);
  const filtered = Boolean(query.q || query.outcome || query.kind || query.since);
  return (
    <>
      <TopLine>
        <span className="meta">{point.data ? t("size", { n: point.data.size }) : ""}</span>
      </TopLine>
      <Split
        width={width}
        onWidth={setWidth}
        list={
          <>
            <ErrorBoundary>
              <Verify />
            </ErrorBoundary>
            <Toolbar label={t("title")}>
              <select
                className="input"
                aria-label={t("filter.outcome")}
                value={query.outcome ?? "any"}
                onChange={(event) => change({ outcome: event.target.value === "any" ? undefined : event.target.value })}
              >
                {OUTCOMES.map((name) => (
                  <option key={name} value={name}>
                    {t(`outcome.${name}`)}
                  </option>
                ))}
              </select>
              <select
                className="input"
                aria-label={t("filter.kind")}
                value={query.kind ?? "any"}
                onChange={(event) => change({ kind: event.target.value === "any" ? undefined : event.target.value })}
              >
                {KINDS.map((name) => (
                  <option key={name} value={name}>
                    {t(`kind.${name}`)}
                  </option>
                ))}
              </select>
              {(Object.keys(SPANS) as Span[]).map((name) => (
                <Chip
                  key={name}
                  on={span === name}
                  onClick={() => change({ since: name === "all" ? undefined : name })}
                >
                  {t(`span.${name}`)}
                </Chip>
              ))}
              <span className="grow" />
              <Export query={question} />
            </Toolbar>
            <FilterBar
              value={query.q ?? ""}
              placeholder={t("hint")}
              wait={400}
              onChange={(q) => change({ q: q || undefined })}
            >
              {parsed.faults.length > 0 ? (
                <span className="field-error" role="status">
                  {t("filter.fault")} <Safe text={parsed.faults.join(" ")} />
                </span>
              ) : null}
            </FilterBar>
            <Grid
              ref={grid}
              label={t("title")}
              rows={list.rows}
              id={(row) => String(row.seq)}
              columns={COLUMNS}
              current={current}
              onCurrent={(id) =>
                item === undefined
                  ? setCurrent(id)
                  : open(
                      list.rows.find((row) => String(row.seq) === id),
                      true,
                    )
              }
              onOpen={open}
              hasMore={list.hasMore}
              onMore={list.more}
              now={now}
              empty={
                list.loading || (list.hasMore && list.rows.length === 0) ? (
                  <Loading />
                ) : list.error ? (
                  <ErrorView error={list.error} onRetry={list.again} />
                ) : filtered ? (
                  <Empty
                    title={t("empty.title")}
                    action={<Button onClick={() => go("/audit", {})}>{t("empty.clear")}</Button>}
                  >
                    {t("empty.text")}
                  </Empty>
                ) : (
                  <Empty title={t("empty.none.title")}>{t("empty.none.text")}</Empty>
                )
              }
            />
          </>
        }
        detail={
          item === undefined ? null : (
            <ErrorBoundary key={item}>
              <Detail seq={item} onClose={back} />
            </ErrorBoundary>
          )
        }
      />
    </>
  );
}
