/** Rules: what looks for attacks, how well, what is wrong with them, and what is hidden as noise. */
import "./rules.css";
import { useMemo, useRef, useState } from "react";
import { useMay } from "../../api/me";
import { useList, useOne } from "../../api/query";
import type { Suppression } from "../../api/types";
import { number } from "../../lib/i18n";
import { useKeys } from "../../lib/keys";
import { useKept } from "../../lib/preferences";
import { part, useGo, useItem, useQueryState } from "../../lib/route";
import { useNow } from "../../lib/time";
import { t } from "../../locale/rooms/rules";
import { Badge } from "../../widgets/badge";
import { Chip, FilterBar, Toolbar } from "../../widgets/bar";
import { ErrorBoundary } from "../../widgets/boundary";
import { Button } from "../../widgets/button";
import { TextArea } from "../../widgets/field";
import { type Column, Grid, type GridHandle } from "../../widgets/grid";
import { Safe } from "../../widgets/safe";
import { Severity, severityRank } from "../../widgets/severity";
import { TopLine } from "../../widgets/slot";
import { Split } from "../../widgets/split";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { Detail, SwitchDialog } from "./detail";
import { Faults } from "./faults";
import { SUPPRESSION_COLUMNS, SuppressionDetail } from "./suppressions";
import { Test } from "./test";
import { type Quality, qualityText, type RuleInfo, type RulesStatus, sourceOf, stateOf } from "./types";

type View = "rules" | "faults" | "suppressions" | "try";
const VIEWS: readonly View[] = ["rules", "suppressions", "faults", "try"];

export default function Room() {
  const [query, change] = useQueryState();
  const view: View = VIEWS.find((name) => name === query.view) ?? "rules";
  const go = useGo();
  const status = useOne<RulesStatus>("/rules/status");
  return (
    <>
      <TopLine>
        <span className="meta">
          {status.data ? t("counts", { force: status.data.in_force, all: status.data.rules }) : ""}
        </span>
      </TopLine>
      <Toolbar label={t("title")}>
        {VIEWS.map((name) => (
          <Chip key={name} on={view === name} onClick={() => go("/rules", name === "rules" ? {} : { view: name })}>
            {t(`view.${name}`)}
            {name === "faults" && status.data ? ` ${number(status.data.faults)}` : ""}
          </Chip>
        ))}
        {view === "rules" ? (
          <>
            <span className="grow" />
            <Chip on={query.hit === "true"} onClick={() => change({ hit: query.hit ? undefined : "true" })}>
              {t("chip.hit")}
            </Chip>
            <Chip on={query.off === "true"} onClick={() => change({ off: query.off ? undefined : "true" })}>
              {t("chip.off")}
            </Chip>
            <Chip on={query.unfed === "true"} onClick={() => change({ unfed: query.unfed ? undefined : "true" })}>
              {t("chip.unfed")}
            </Chip>
            <Chip on={query.origin === "own"} onClick={() => change({ origin: query.origin ? undefined : "own" })}>
              {t("chip.own")}
            </Chip>
            <Chip
              on={query.severity === "high"}
              onClick={() => change({ severity: query.severity ? undefined : "high" })}
            >
              {t("chip.high")}
            </Chip>
          </>
        ) : null}
        {view === "suppressions" ? (
          <>
            <span className="grow" />
            <Chip on={query.holding === "true"} onClick={() => change({ holding: query.holding ? undefined : "true" })}>
              {t("sup.holding")}
            </Chip>
          </>
        ) : null}
      </Toolbar>
      <div className="rules-view">
        <ErrorBoundary key={view}>
          {view === "rules" ? <Rules /> : null}
          {view === "faults" ? <Faults /> : null}
          {view === "suppressions" ? <Suppressions /> : null}
          {view === "try" ? <Try /> : null}
        </ErrorBoundary>
      </div>
    </>
  );
}

function columns(quality: ReadonlyMap<string, Quality>): Column<RuleInfo>[] {
  return [
    {
      id: "level",
      head: t("col.level"),
      width: 62,
      weight: 2,
      sortable: true,
      cell: (row) => <Severity name={row.level} />,
    },
    {
      id: "title",
      head: t("col.title"),
      width: 200,
      grow: 3,
      weight: 1,
      sortable: true,
      cell: (row) => <span className="cut rules-words">{row.title}</span>,
    },
    {
      id: "id",
      head: t("col.id"),
      width: 150,
      grow: 1,
      weight: 6,
      cell: (row) => <Safe text={row.id} className="muted" />,
    },
    {
      id: "source",
      head: t("col.source"),
      width: 150,
      grow: 1,
      weight: 7,
      sortable: true,
      cell: (row) => <Safe text={sourceOf(row)} className="muted" />,
    },
    { id: "origin", head: t("col.origin"), width: 52, weight: 8, cell: (row) => row.origin },
    {
      id: "hits",
      head: t("col.hits"),
      width: 46,
      weight: 1,
      align: "end",
      sortable: true,
      cell: (row) => number(row.hits),
    },
    {
      id: "last",
      head: t("col.last"),
      width: 40,
      weight: 5,
      sortable: true,
      cell: (row, now) => <When at={row.last_hit} now={now} />,
    },
    {
      id: "quality",
      head: t("col.quality"),
      width: 84,
      weight: 4,
      sortable: true,
      cell: (row) => <span className={quality.has(row.id) ? "" : "muted"}>{qualityText(quality.get(row.id))}</span>,
    },
    {
      id: "state",
      head: t("col.state"),
      width: 70,
      weight: 3,
      sortable: true,
      cell: (row) => <StateBadge row={row} />,
    },
  ];
}

function StateBadge({ row }: { row: RuleInfo }) {
  const state = stateOf(row);
  return <Badge kind={state === "off" || state === "unfed" ? "warn" : "plain"}>{t(`state.${state}`)}</Badge>;
}

function sorted(
  rows: readonly RuleInfo[],
  by: string,
  down: boolean,
  quality: ReadonlyMap<string, Quality>,
): RuleInfo[] {
  const key = (row: RuleInfo): number | string => {
    if (by === "level") return severityRank(row.level);
    if (by === "hits") return row.hits;
    if (by === "last") return row.last_hit ? Date.parse(row.last_hit) : 0;
    if (by === "quality") return quality.get(row.id)?.precision.value ?? -1;
    if (by === "source") return sourceOf(row);
    if (by === "state") return stateOf(row);
    return row.title.toLowerCase();
  };
  const turned = down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [left, right] = [key(a), key(b)];
    return left === right ? (a.id < b.id ? -1 : 1) : left < right ? -turned : turned;
  });
}

function Rules() {
  const [query, change] = useQueryState();
  const item = useItem();
  const go = useGo();
  const may = useMay("rules");
  const grid = useRef<GridHandle>(null);
  const [current, setCurrent] = useState<string | null>(item ?? null);
  const [tab, setTab] = useState("about");
  const [width, setWidth] = useKept("rules.detail", 520);
  const [switching, setSwitching] = useState<RuleInfo | null>(null);
  const now = useNow(10_000);
  const { q, origin, severity, hit, off, unfed } = query;
  const list = useList<RuleInfo>("/rules", { q, origin, severity, hit, off, unfed }, { limit: 1000, every: 60_000 });
  const measured = useOne<{ rules: Quality[] }>("/rules/quality");
  const quality = useMemo(() => new Map((measured.data?.rules ?? []).map((one) => [one.name, one])), [measured.data]);
  const shown = useMemo(() => columns(quality), [quality]);
  const sort = query.sort ?? "-hits";
  const [by, down] = [sort.replace(/^-/, ""), sort.startsWith("-")];
  const rows = useMemo(() => sorted(list.rows, by, down, quality), [list.rows, by, down, quality]);
  const at = rows.findIndex((row) => row.id === current);
  const open = (row: RuleInfo | undefined, replace = false) => {
    if (!row) return;
    setCurrent(row.id);
    go(`/rules/${part(row.id)}`, query, replace);
  };
  const move = (by: number) => {
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    if (!next) return;
    if (item === undefined) setCurrent(next.id);
    else open(next, true);
    grid.current?.show(next.id);
  };
  const back = () => {
    if (item === undefined) return;
    go("/rules", query);
    grid.current?.focus();
  };
  const flip = () => {
    const row = rows.find((one) => one.id === (item ?? current));
    if (row && may) setSwitching(row);
  };
  useKeys([
    { id: "rules.next", keys: "j", label: t("key.next"), group: t("title"), run: () => move(1) },
    { id: "rules.before", keys: "k", label: t("key.before"), group: t("title"), run: () => move(-1) },
    { id: "rules.open", keys: "o", label: t("key.open"), group: t("title"), run: () => open(rows[at]) },
    { id: "rules.back", keys: "Escape", label: t("key.back"), group: t("title"), run: back },
    { id: "rules.switch", keys: "s", label: t("key.switch"), group: t("title"), off: !may, run: flip },
  ]);
  const filtered = Boolean(q || origin || severity || hit || off || unfed);
  return (
    <>
      <Split
        width={width}
        onWidth={setWidth}
        list={
          <>
            <FilterBar
              value={q ?? ""}
              placeholder={t("filter")}
              onChange={(next) => change({ q: next || undefined })}
            />
            <Grid
              ref={grid}
              label={t("title")}
              rows={rows}
              id={(row) => row.id}
              columns={shown}
              current={current}
              onCurrent={(id) =>
                item === undefined
                  ? setCurrent(id)
                  : open(
                      rows.find((row) => row.id === id),
                      true,
                    )
              }
              onOpen={open}
              sort={{ id: by, down }}
              onSort={(id) => change({ sort: by === id && down ? id : `-${id}` })}
              hasMore={list.hasMore}
              onMore={list.more}
              now={now}
              rowClass={(row) => (row.off ? "rules-off" : undefined)}
              empty={
                list.loading ? (
                  <Loading />
                ) : list.error ? (
                  <ErrorView error={list.error} onRetry={list.again} />
                ) : filtered ? (
                  <Empty
                    title={t("empty.title")}
                    action={<Button onClick={() => go("/rules", {})}>{t("empty.clear")}</Button>}
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
              <Detail id={item} quality={quality.get(item)} tab={tab} onTab={setTab} onClose={back} onSwitch={flip} />
            </ErrorBoundary>
          )
        }
      />
      {switching ? <SwitchDialog rule={switching} onClose={() => setSwitching(null)} /> : null}
    </>
  );
}

function Suppressions() {
  const [query] = useQueryState();
  const item = useItem();
  const go = useGo();
  const grid = useRef<GridHandle>(null);
  const [current, setCurrent] = useState<string | null>(null);
  const [width, setWidth] = useKept("rules.suppression", 480);
  const now = useNow(10_000);
  const list = useList<Suppression>("/suppressions", { holding: query.holding });
  const at = list.rows.findIndex((row) => row.id === current);
  const open = (row: Suppression | undefined, replace = false) => {
    if (!row) return;
    setCurrent(row.id);
    go(`/rules/${part(row.short || row.id)}`, query, replace);
  };
  const move = (by: number) => {
    const next = list.rows[Math.max(0, Math.min(list.rows.length - 1, at + by))];
    if (!next) return;
    if (item === undefined) setCurrent(next.id);
    else open(next, true);
    grid.current?.show(next.id);
  };
  const back = () => {
    if (item === undefined) return;
    go("/rules", query);
    grid.current?.focus();
  };
  useKeys([
    { id: "rules.next", keys: "j", label: t("key.next"), group: t("title"), run: () => move(1) },
    { id: "rules.before", keys: "k", label: t("key.before"), group: t("title"), run: () => move(-1) },
    { id: "rules.open", keys: "o", label: t("key.open"), group: t("title"), run: () => open(list.rows[at]) },
    { id: "rules.back", keys: "Escape", label: t("key.back"), group: t("title"), run: back },
  ]);
  return (
    <Split
      width={width}
      onWidth={setWidth}
      list={
        <Grid
          ref={grid}
          label={t("view.suppressions")}
          rows={list.rows}
          id={(row) => row.id}
          columns={SUPPRESSION_COLUMNS}
          current={current}
          onCurrent={setCurrent}
          onOpen={open}
          hasMore={list.hasMore}
          onMore={list.more}
          now={now}
          empty={
            list.loading ? (
              <Loading />
            ) : list.error ? (
              <ErrorView error={list.error} onRetry={list.again} />
            ) : (
              <Empty title={t("sup.none.title")}>{t("sup.none.text")}</Empty>
            )
          }
        />
      }
      detail={item === undefined ? null : <SuppressionDetail key={item} id={item} onClose={back} />}
    />
  );
}

function Try() {
  const [text, setText] = useState("");
  return (
    <div className="page rules-try" data-keys="detail">
      <section className="col">
        <h2>{t("try.title")}</h2>
        <p className="muted">{t("try.text")}</p>
        <TextArea
          label={t("try.label")}
          value={text}
          rows={14}
          spellCheck={false}
          onChange={(event) => setText(event.target.value)}
        />
      </section>
      <Test what={{ text }} off={text.trim() === ""} />
    </div>
  );
}
