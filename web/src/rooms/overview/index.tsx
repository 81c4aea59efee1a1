/** The first screen: how it goes, what happens, and what waits for you. */
import { useCallback, useMemo } from "react";
import { useFreshness } from "../../api/live";
import { useOne } from "../../api/query";
import type { Page, Sensor } from "../../api/types";
import { number } from "../../lib/i18n";
import { useKept } from "../../lib/preferences";
import { useQueryState } from "../../lib/route";
import { ago, useNow } from "../../lib/time";
import { t } from "../../locale/rooms/overview";
import { Chip } from "../../widgets/bar";
import { ErrorBoundary } from "../../widgets/boundary";
import { Go } from "../../widgets/go";
import { Safe } from "../../widgets/safe";
import { ErrorView, Loading } from "../../widgets/views";
import { Figures } from "./figures";
import { From } from "./from";
import { Over } from "./over";
import { Health, Needs, TopRules, TopSources } from "./panels";
import { Start } from "./start";
import type { Overview } from "./types";
import "./overview.css";

const SPANS = ["24h", "7d", "30d"] as const;
/** States of a decoy that takes visitors. */
const SERVES = ["serving", "running"];
export type Span = (typeof SPANS)[number];

export default function Room() {
  const [query, setQuery] = useQueryState();
  const [kept, keep] = useKept<string>("overview.span", "24h");
  const asked = query.span ?? kept;
  const span: Span = SPANS.find((one) => one === asked) ?? "24h";
  const overview = useOne<Overview>("/overview", { span }, 30_000);
  useFreshness(["alerts", "incidents", "runs", "health"], ["/overview"], 5000);
  const data = overview.data;
  const quiet = useMemo(
    () => data !== undefined && !data.last_alert && data.series.points.every(({ events }) => events === 0),
    [data],
  );
  const choose = useCallback(
    (next: Span) => {
      keep(next);
      setQuery({ span: next, from: undefined, to: undefined });
    },
    [keep, setQuery],
  );
  if (!data) {
    return overview.error ? (
      <ErrorView error={overview.error} onRetry={() => void overview.refetch()} />
    ) : (
      <Loading rows={12} />
    );
  }
  return (
    <div className="overview" data-keys="list" tabIndex={-1}>
      <div className="overview-spans" role="toolbar" aria-label={t("span")}>
        {SPANS.map((one) => (
          <Chip key={one} on={one === span} onClick={() => choose(one)}>
            {t(`span.${one}`)}
          </Chip>
        ))}
        <span className="grow" />
        <Last data={data} />
      </div>
      <Figures data={data} />
      <div className="overview-main">
        {quiet ? (
          <StartWithSensors />
        ) : (
          <>
            <ErrorBoundary>
              <Over data={data} span={span} />
            </ErrorBoundary>
            <div className="overview-tops">
              <TopSources rows={data.top_sources} />
              <TopRules rows={data.top_rules} />
            </div>
          </>
        )}
      </div>
      <div className="overview-side">
        <ErrorBoundary>
          <From span={span} />
        </ErrorBoundary>
        <Needs data={data} />
        <Health data={data} />
      </div>
    </div>
  );
}

function Last({ data }: { data: Overview }) {
  const now = useNow(10_000);
  return (
    <span className="meta overview-last">
      {t("health.rate", { n: number(data.events_per_minute, { maximumFractionDigits: 1 }) })}
      {" · "}
      {data.last_alert && data.last_alert_at ? (
        <Go path={`/alerts/${encodeURIComponent(data.last_alert)}`}>
          {t("last.alert", { short: data.last_alert, ago: ago(data.last_alert_at, now) })}
        </Go>
      ) : (
        t("last.none")
      )}
    </span>
  );
}

function StartWithSensors() {
  const sensors = useOne<Page<Sensor>>("/sensors");
  const running = (sensors.data?.items ?? []).filter(({ state }) => SERVES.includes(state));
  return (
    <Start loading={sensors.isPending}>
      {running.map((sensor) => (
        <li key={sensor.name} className="row">
          <Safe text={sensor.kind} />
          <span className="mono muted">{sensor.listen}</span>
        </li>
      ))}
    </Start>
  );
}
