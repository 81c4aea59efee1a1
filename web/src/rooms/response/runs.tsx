/** Runs of playbooks, newest first. */
import { useMemo, useRef, useState } from "react";
import { useList } from "../../api/query";
import type { Run } from "../../api/types";
import { useKeys } from "../../lib/keys";
import { useGo, useQueryState } from "../../lib/route";
import { useSteady } from "../../lib/steady";
import { useNow } from "../../lib/time";
import { t } from "../../locale/rooms/response";
import { word } from "../../locale/words";
import { Pill } from "../../widgets/badge";
import { Chip, FilterBar, Toolbar } from "../../widgets/bar";
import { Button } from "../../widgets/button";
import { type Column, Grid, type GridHandle } from "../../widgets/grid";
import { Safe } from "../../widgets/safe";
import { State } from "../../widgets/state";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";

const COLUMNS: Column<Run>[] = [
  { id: "short", head: t("head.run"), width: 48, weight: 1, cell: (row) => <span className="mono">{row.short}</span> },
  { id: "state", head: t("head.state"), width: 80, weight: 1, cell: (row) => <State name={row.state} /> },
  {
    id: "title",
    head: t("head.book"),
    width: 140,
    grow: 2,
    weight: 1,
    cell: (row) => <Safe text={row.title} className="response-text" />,
  },
  { id: "mode", head: t("head.mode"), width: 56, weight: 4, cell: (row) => word(row.mode) },
  {
    id: "step",
    head: t("head.step"),
    width: 40,
    weight: 5,
    align: "end",
    cell: (row) =>
      row.steps.length === 0 ? "" : `${row.ended_at ? row.steps.length : row.step + 1}/${row.steps.length}`,
  },
  {
    id: "by",
    head: t("head.by"),
    width: 110,
    grow: 1,
    weight: 6,
    cell: (row) => <Safe text={row.by} className="response-text" />,
  },
  {
    id: "error",
    head: t("head.reason"),
    width: 140,
    grow: 2,
    weight: 7,
    cell: (row) => (
      <Safe
        text={row.error || row.reason}
        className={row.error ? "response-text work-state-bad" : "response-text muted"}
      />
    ),
  },
  {
    id: "began",
    head: t("head.began"),
    width: 48,
    weight: 3,
    cell: (row, now) => <When at={row.created_at} now={now} />,
  },
];

export function Runs({ hidden }: { hidden: boolean }) {
  const [query, change] = useQueryState();
  const go = useGo();
  const grid = useRef<GridHandle>(null);
  const [current, setCurrent] = useState<string | null>(null);
  const [hover, setHover] = useState(false);
  const [focused, setFocused] = useState(false);
  const now = useNow(5000);
  const filter = {
    incident: query.incident,
    playbook: query.playbook,
    open: query.open === "1" || undefined,
    state: query.state,
  };
  const list = useList<Run>("/runs", filter);
  const found = useMemo(
    () => (query.mode ? list.rows.filter((row) => row.mode === query.mode) : list.rows),
    [list.rows, query.mode],
  );
  const { rows, pending, show } = useSteady(
    found,
    (row) => row.id,
    JSON.stringify([filter, query.mode]),
    hover || focused || hidden,
  );
  const at = rows.findIndex((row) => row.id === current);
  const chosen = rows[at];
  const move = (by: number) => {
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    if (!next) return;
    setCurrent(next.id);
    grid.current?.show(next.id);
  };
  const open = (row: Run) => {
    setCurrent(row.id);
    go(`/response/${encodeURIComponent(row.short)}`, { ...query, view: "runs" });
  };
  const group = t("title");
  useKeys([
    { id: "list.next", keys: "j", label: t("act.next"), group, off: hidden, run: () => move(1) },
    { id: "list.before", keys: "k", label: t("act.before"), group, off: hidden, run: () => move(-1) },
    { id: "list.open", keys: "o", label: t("act.open"), group, off: hidden, run: () => chosen && open(chosen) },
    { id: "list.show", keys: ".", label: t("act.show"), group, off: hidden, run: show },
  ]);
  const filtered = Object.values(filter).some(Boolean) || Boolean(query.mode);
  const flip = (name: string, value: string) => change({ [name]: query[name] === value ? undefined : value });
  const empty = list.loading ? (
    <Loading />
  ) : list.error ? (
    <ErrorView error={list.error} onRetry={list.again} />
  ) : filtered ? (
    <Empty
      title={t("runs.filtered")}
      action={<Button onClick={() => go("/response", { view: "runs" })}>{t("act.clear")}</Button>}
    />
  ) : (
    <Empty title={t("runs.empty")}>{t("runs.empty.text")}</Empty>
  );
  return (
    <>
      <Toolbar label={t("view.runs")}>
        <Chip on={query.open === "1"} onClick={() => flip("open", "1")}>
          {t("runs.open")}
        </Chip>
        <Chip on={query.state === "waiting"} onClick={() => flip("state", "waiting")}>
          {t("runs.waiting")}
        </Chip>
        <Chip on={query.state === "failed"} onClick={() => flip("state", "failed")}>
          {t("runs.failed")}
        </Chip>
        <Chip on={query.mode === "apply"} onClick={() => flip("mode", "apply")}>
          {t("runs.applied")}
        </Chip>
        <span className="grow" />
        <span aria-live="polite">
          <Pill count={pending} onShow={show} />
        </span>
      </Toolbar>
      <FilterBar
        value={query.incident ?? ""}
        placeholder={t("runs.hint")}
        onChange={(text) => change({ view: "runs", incident: text.trim() || undefined })}
      />
      <Grid
        ref={grid}
        label={t("view.runs")}
        rows={rows}
        id={(row) => row.id}
        columns={COLUMNS}
        current={current}
        onCurrent={setCurrent}
        onOpen={open}
        hasMore={list.hasMore}
        onMore={list.more}
        empty={rows.length === 0 ? empty : undefined}
        now={now}
        onHover={setHover}
        onFocus={setFocused}
      />
    </>
  );
}
