/** Honeytokens: where they are planted, who read them, who used them, and how well they work. */
import "./tokens.css";
import { useMemo, useRef, useState } from "react";
import { useFreshness } from "../../api/live";
import { useList } from "../../api/query";
import type { Honeytoken } from "../../api/types";
import { number } from "../../lib/i18n";
import { useKeys } from "../../lib/keys";
import { useGo, useItem, useQueryState } from "../../lib/route";
import { useSteady } from "../../lib/steady";
import { useNow } from "../../lib/time";
import { t } from "../../locale/rooms/tokens";
import { Badge, Pill } from "../../widgets/badge";
import { Chip, FilterBar, Toolbar } from "../../widgets/bar";
import { Button } from "../../widgets/button";
import { type Column, Grid, type GridHandle } from "../../widgets/grid";
import { Safe } from "../../widgets/safe";
import { Severity } from "../../widgets/severity";
import { TopLine } from "../../widgets/slot";
import { Split } from "../../widgets/split";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { Detail } from "./detail";
import { stateOf, type TokenState } from "./state";
import { Summary } from "./summary";

const SEVERITY: Partial<Record<TokenState, string>> = { used: "critical", exposed: "medium" };

const COLUMNS: Column<Honeytoken>[] = [
  {
    id: "short",
    head: t("head.short"),
    width: 64,
    weight: 1,
    cell: (row) => (
      <span className="tokens-name">
        <svg viewBox="0 0 12 12" width="11" height="11" aria-hidden="true">
          <path d="M6 .8 10.6 3.4v5.2L6 11.2 1.4 8.6V3.4z" fill="none" stroke="currentColor" strokeWidth="1.2" />
        </svg>
        <span className="mono">{row.short}</span>
      </span>
    ),
  },
  { id: "kind", head: t("head.kind"), width: 84, weight: 3, cell: (row) => row.kind.replaceAll("_", " ") },
  {
    id: "place",
    head: t("head.place"),
    width: 160,
    grow: 3,
    weight: 1,
    cell: (row) => <Safe text={`${row.persona} : ${row.path}`} />,
  },
  {
    id: "proof",
    head: t("head.proof"),
    width: 80,
    weight: 5,
    cell: (row) => (
      <span title={row.proof}>
        <Badge>{row.style}</Badge>
      </span>
    ),
  },
  {
    id: "exposed",
    head: t("head.exposed"),
    width: 84,
    weight: 4,
    cell: (row, now) =>
      row.exposures > 0 ? (
        <>
          <When at={row.exposed_at} now={now} /> <span className="muted">{t("times", { n: row.exposures })}</span>
        </>
      ) : null,
  },
  {
    id: "used",
    head: t("head.used"),
    width: 84,
    weight: 2,
    cell: (row, now) =>
      row.uses > 0 ? (
        <>
          <When at={row.used_at} now={now} /> <span className="muted">{t("times", { n: row.uses })}</span>
        </>
      ) : null,
  },
  {
    id: "state",
    head: t("head.state"),
    width: 116,
    weight: 1,
    cell: (row) => {
      const state = stateOf(row);
      const severity = SEVERITY[state];
      return (
        <span className="tokens-state">
          <span>{t(`state.${state}`)}</span>
          {severity ? <Severity name={severity} /> : null}
        </span>
      );
    },
  },
];

const STATES: TokenState[] = ["used", "exposed", "live"];

export default function Room() {
  const item = useItem();
  const [query, change] = useQueryState();
  const go = useGo();
  const grid = useRef<GridHandle>(null);
  const [current, setCurrent] = useState<string | null>(null);
  const [hover, setHover] = useState(false);
  const [focused, setFocused] = useState(false);
  const now = useNow(5000);
  const list = useList<Honeytoken>("/tokens", {}, { limit: 500 });
  // Reads and uses of tokens come as alerts.
  useFreshness(["alerts"], ["/tokens", "/report/kpi"], 3000);
  const found = useMemo(() => {
    const words = (query.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    return list.rows.filter((row) => {
      if (query.state && stateOf(row) !== query.state) return false;
      const text = `${row.short} ${row.kind} ${row.persona} ${row.path} ${row.user ?? ""}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }, [list.rows, query.q, query.state]);
  const { rows, pending, show } = useSteady(found, (row) => row.id, `${query.q} ${query.state}`, hover || focused);
  const at = rows.findIndex((row) => row.id === current);
  const chosen = rows[at];
  const open = (row: Honeytoken, replace = false) => {
    setCurrent(row.id);
    go(`/tokens/${encodeURIComponent(row.short)}`, query, replace);
  };
  const move = (by: number) => {
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    if (!next) return;
    setCurrent(next.id);
    grid.current?.show(next.id);
    if (item !== undefined) open(next, true);
  };
  const close = () => {
    go("/tokens", query);
    grid.current?.focus();
  };
  const group = t("title");
  useKeys([
    { id: "list.next", keys: "j", label: t("act.next"), group, run: () => move(1) },
    { id: "list.before", keys: "k", label: t("act.before"), group, run: () => move(-1) },
    { id: "list.open", keys: "o", label: t("act.open"), group, run: () => chosen && open(chosen) },
    { id: "detail.back", keys: "Escape", label: t("act.back"), group, run: close },
    { id: "list.show", keys: ".", label: t("act.show"), group, run: show },
  ]);
  const count = (state: TokenState) => list.rows.filter((row) => stateOf(row) === state).length;
  const filtered = Boolean(query.q || query.state);
  const empty = list.loading ? (
    <Loading />
  ) : list.error ? (
    <ErrorView error={list.error} onRetry={list.again} />
  ) : filtered ? (
    <Empty title={t("empty.filtered")} action={<Button onClick={() => go("/tokens")}>{t("act.clear")}</Button>} />
  ) : (
    <Empty title={t("empty.title")}>{t("empty.text")}</Empty>
  );
  return (
    <>
      <TopLine>
        <span>
          {t("line", { live: number(count("live")), exposed: number(count("exposed")), used: number(count("used")) })}
        </span>
      </TopLine>
      <Split
        width={520}
        list={
          <>
            <Summary tokens={list.rows} whole={!list.hasMore && !list.loading} />
            <Toolbar label={t("filter.label")}>
              <Chip on={!query.state} onClick={() => change({ state: undefined })}>
                {t("view.all")}
              </Chip>
              {STATES.map((state) => (
                <Chip
                  key={state}
                  on={query.state === state}
                  onClick={() => change({ state: query.state === state ? undefined : state })}
                >
                  {t(`view.${state}`)} {number(count(state))}
                </Chip>
              ))}
              <span className="grow" />
              <Pill count={pending} onShow={show} />
            </Toolbar>
            <FilterBar
              value={query.q ?? ""}
              placeholder={t("filter.hint")}
              onChange={(q) => change({ q: q || undefined })}
            />
            <Grid
              ref={grid}
              label={t("title")}
              rows={rows}
              id={(row) => row.id}
              columns={COLUMNS}
              current={current}
              onCurrent={(id) => {
                setCurrent(id);
                const row = rows.find((one) => one.id === id);
                if (item !== undefined && row) open(row, true);
              }}
              onOpen={(row) => open(row)}
              hasMore={list.hasMore}
              onMore={list.more}
              empty={rows.length === 0 ? empty : undefined}
              now={now}
              onHover={setHover}
              onFocus={setFocused}
            />
          </>
        }
        detail={item === undefined ? null : <Detail key={item} item={item} onClose={close} />}
      />
    </>
  );
}
