/** Hunting: a question to all events, how many there were over time, and each of them. */
import "./hunt.css";
import { useMemo, useRef, useState } from "react";
import { call } from "../../api/client";
import { useList, useOne } from "../../api/query";
import type { Event, Page } from "../../api/types";
import { useKeys } from "../../lib/keys";
import { useKept } from "../../lib/preferences";
import { part, useGo, useItem, useQueryState } from "../../lib/route";
import { absolute, serverNow, useNow } from "../../lib/time";
import { t } from "../../locale/rooms/hunt";
import { word } from "../../locale/words";
import { Chip, Toolbar } from "../../widgets/bar";
import { ErrorBoundary } from "../../widgets/boundary";
import { Button } from "../../widgets/button";
import { Chart } from "../../widgets/chart/chart";
import { copySafe } from "../../widgets/copy";
import { type Column, Grid, type GridHandle } from "../../widgets/grid";
import { Safe } from "../../widgets/safe";
import { SEVERITIES, Severity } from "../../widgets/severity";
import { TopLine } from "../../widgets/slot";
import { Split } from "../../widgets/split";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { QueryBar } from "./bar";
import { EventDetail, gist, hostOf, type Pivot } from "./event";
import { condition, faultAt, type HuntField, withCondition } from "./query";
import { Export, Saved } from "./saved";
import { Top } from "./top";

const SPANS = { "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000, "30d": 2_592_000_000, all: 0 } as const;
type SpanName = keyof typeof SPANS;
const isSpan = (text: string | undefined): text is SpanName => text !== undefined && text in SPANS;

interface Histogram {
  from: string;
  to: string;
  step_s: number;
  total: number;
  points: { at: string; events: number; by_severity: Record<string, number> }[];
}

const TOKENS: Record<string, string> = {
  informational: "muted",
  low: "low",
  medium: "medium",
  high: "high",
  critical: "critical",
};

const COLUMNS: Column<Event>[] = [
  { id: "time", head: t("col.time"), width: 44, weight: 1, cell: (row, now) => <When at={row.time} now={now} /> },
  { id: "severity", head: t("col.severity"), width: 62, weight: 4, cell: (row) => <Severity name={row.severity} /> },
  { id: "activity", head: t("col.activity"), width: 110, weight: 3, cell: (row) => <Safe text={word(row.activity)} /> },
  {
    id: "src",
    head: t("col.src"),
    width: 120,
    grow: 1,
    weight: 2,
    cell: (row) => <Safe text={hostOf(row.src?.addr)} />,
  },
  {
    id: "country",
    head: t("col.country"),
    width: 24,
    weight: 6,
    cell: (row) => <Safe text={row.src?.country ?? ""} />,
  },
  { id: "sensor", head: t("col.sensor"), width: 90, weight: 5, cell: (row) => <Safe text={row.sensor} /> },
  { id: "what", head: t("col.what"), width: 120, grow: 4, weight: 1, cell: (row) => <Safe text={gist(row)} /> },
];

/** Where counting begins when nobody says: the API looks a day back, and all is all. */
const BEGINNING = "2000-01-01T00:00:00Z";

export default function Room() {
  const [query, change] = useQueryState();
  const item = useItem();
  const go = useGo();
  const grid = useRef<GridHandle>(null);
  const [current, setCurrent] = useState<string | null>(item ?? null);
  const [tab, setTab] = useState("fields");
  const [width, setWidth] = useKept("hunt.detail", 480);
  const [chart, setChart] = useKept("hunt.histogram", true);
  const [values, setValues] = useKept("hunt.values", false);
  const now = useNow(10_000);
  // Spans are counted from when they were asked for: pages of one list begin at one time.
  const [asked, setAsked] = useState(serverNow);

  const text = query.q ?? "";
  const ranged = query.from !== undefined || query.to !== undefined;
  const span: SpanName = isSpan(query.since) ? query.since : "24h";
  const from = query.from ?? (ranged || span === "all" ? undefined : new Date(asked - SPANS[span]).toISOString());
  const question = { query: text || undefined, from, to: query.to };
  const list = useList<Event>("/events", question);
  const fields = useOne<Page<HuntField>>("/events/fields");
  const known = fields.data?.items ?? [];
  const counts = useOne<Histogram>("/events/histogram", { ...question, from: from ?? BEGINNING });
  const refused = list.error?.status === 400 || list.error?.status === 422 ? list.error : null;
  const fault = refused ? (faultAt(text, refused.detail) ?? { at: 0, why: refused.detail }) : null;

  const run = (q: string) => {
    setAsked(serverNow());
    change({ q: q || undefined }, true);
    if (q === text) list.again();
  };
  const pivot: Pivot = (field, value, how) => {
    if (how === "only") {
      setAsked(serverNow());
      go("/hunt", { q: condition(field, value), since: "all" });
      return;
    }
    run(withCondition(text, condition(field, value, how === "not")));
  };

  const at = list.rows.findIndex((row) => row.id === current);
  const select = (id: string) => {
    setCurrent(id);
    if (item !== undefined) go(`/hunt/${part(id)}`, query, true);
  };
  const step = (by: number) => {
    const next = list.rows[Math.max(0, Math.min(list.rows.length - 1, at + by))];
    if (!next) return;
    select(next.id);
    grid.current?.show(next.id);
  };
  const open = (row: Event | undefined) => {
    if (!row) return;
    setCurrent(row.id);
    go(`/hunt/${part(row.id)}`, query);
  };
  const back = () => {
    if (item === undefined) return;
    go("/hunt", query);
    grid.current?.focus();
  };
  useKeys([
    { id: "hunt.next", keys: "j", label: t("key.next"), group: t("title"), run: () => step(1) },
    { id: "hunt.before", keys: "k", label: t("key.before"), group: t("title"), run: () => step(-1) },
    { id: "hunt.open", keys: "o", label: t("key.open"), group: t("title"), run: () => open(list.rows[at]) },
    { id: "hunt.back", keys: "Escape", label: t("key.back"), group: t("title"), run: back },
    {
      id: "hunt.copy",
      keys: "y",
      label: t("key.copy"),
      group: t("title"),
      run: () => {
        const id = item ?? current;
        if (id)
          void call<Event>("GET", `/events/${part(id)}`).then((event) => copySafe(JSON.stringify(event, null, 2)));
      },
    },
  ]);

  const empty = list.loading ? (
    <Loading />
  ) : refused ? (
    <Empty title={t("fault.title")}>{t("fault.text")}</Empty>
  ) : list.error ? (
    <ErrorView error={list.error} onRetry={list.again} />
  ) : text === "" && span === "all" && !ranged ? (
    <Empty title={t("empty.none.title")}>{t("empty.none.text")}</Empty>
  ) : (
    <Empty
      title={t("empty.title")}
      action={
        <span className="row">
          {span !== "all" || ranged ? (
            <Button onClick={() => change({ since: "all", from: undefined, to: undefined })}>{t("empty.wider")}</Button>
          ) : null}
          {text ? <Button onClick={() => change({ q: undefined })}>{t("empty.clear")}</Button> : null}
        </span>
      }
    >
      {t("empty.text")}
    </Empty>
  );

  return (
    <>
      <TopLine>
        <span className="meta" aria-live="polite">
          {counts.data && !refused ? t("found", { n: counts.data.total }) : refused ? "" : t("counting")}
        </span>
      </TopLine>
      <Split
        width={width}
        onWidth={setWidth}
        list={
          <>
            <QueryBar value={text} onRun={run} fields={known} fault={fault} from={from ?? BEGINNING} to={query.to} />
            <Toolbar label={t("span.label")}>
              {ranged ? (
                <Chip on label={t("span.clear")} onClick={() => change({ from: undefined, to: undefined })}>
                  {t("span.range", { from: absolute(query.from) || "…", to: absolute(query.to) || "…" })} ×
                </Chip>
              ) : (
                (Object.keys(SPANS) as SpanName[]).map((name) => (
                  <Chip
                    key={name}
                    on={span === name}
                    onClick={() => {
                      setAsked(serverNow());
                      change({ since: name === "24h" ? undefined : name });
                    }}
                  >
                    {t(`span.${name}`)}
                  </Chip>
                ))
              )}
              <span className="grow" />
              <Chip on={chart} onClick={() => setChart(!chart)}>
                {t("histogram.hide")}
              </Chip>
              <Chip on={values} onClick={() => setValues(!values)}>
                {t("top.show")}
              </Chip>
              <Saved query={query} onOpen={(next) => go("/hunt", next)} />
              <Export query={question} />
            </Toolbar>
            {chart && !refused ? (
              <div className="hunt-chart">
                <ErrorBoundary>
                  {counts.data ? (
                    <Over
                      data={counts.data}
                      onZoom={(a, b) =>
                        change(
                          {
                            from: new Date(a * 1000).toISOString(),
                            to: new Date(b * 1000).toISOString(),
                            since: undefined,
                          },
                          true,
                        )
                      }
                    />
                  ) : counts.error ? (
                    <p className="meta">{counts.error.detail}</p>
                  ) : null}
                </ErrorBoundary>
              </div>
            ) : null}
            {values && !refused ? (
              <Top question={{ ...question, from: from ?? BEGINNING }} fields={known} onPivot={pivot} />
            ) : null}
            <Grid
              ref={grid}
              label={t("title")}
              rows={list.rows}
              id={(row) => row.id}
              columns={COLUMNS}
              current={current}
              onCurrent={select}
              onOpen={open}
              total={counts.data?.total}
              hasMore={list.hasMore}
              onMore={list.more}
              empty={empty}
              now={now}
            />
            <p className="sr" role="status">
              {list.loading ? "" : t("shown", { n: list.rows.length })}
            </p>
          </>
        }
        detail={
          item === undefined ? null : (
            <ErrorBoundary key={item}>
              <EventDetail id={item} fields={known} tab={tab} onTab={setTab} onPivot={pivot} onClose={back} />
            </ErrorBoundary>
          )
        }
      />
    </>
  );
}

function Over({ data, onZoom }: { data: Histogram; onZoom: (from: number, to: number) => void }) {
  const series = useMemo(() => {
    const step = Math.max(1, data.step_s);
    const first = data.points[0] ? Date.parse(data.points[0].at) / 1000 : Math.floor(Date.parse(data.from) / 1000);
    const last = data.points.length > 0 ? Date.parse(data.points[data.points.length - 1]?.at ?? "") / 1000 : first;
    const begin = Date.parse(data.from) / 1000;
    // All times would be an empty century: begin where the first events are.
    const start = (last - begin) / step > 400 ? first : first - Math.max(0, Math.floor((first - begin) / step)) * step;
    const end = Math.max(last, Date.parse(data.to) / 1000 - step);
    const length = Math.min(1000, Math.max(1, Math.floor((end - start) / step) + 1));
    const rows = SEVERITIES.map(() => new Array<number>(length).fill(0));
    for (const point of data.points) {
      const slot = Math.round((Date.parse(point.at) / 1000 - start) / step);
      SEVERITIES.forEach((name, at) => {
        const row = rows[at];
        if (row && slot >= 0 && slot < length) row[slot] = point.by_severity[name] ?? 0;
      });
    }
    return {
      start,
      step,
      series: SEVERITIES.map((name, at) => ({
        label: word(name),
        token: TOKENS[name] ?? "muted",
        values: rows[at] ?? [],
      })),
    };
  }, [data]);
  return <Chart label={t("histogram")} data={series} height={84} onZoom={onZoom} />;
}
