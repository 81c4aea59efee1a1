/** The live map on the whole page, with the table of the same numbers and what came just now. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { connection } from "../../api/connection";
import { live } from "../../api/live";
import { useOne } from "../../api/query";
import { cx } from "../../lib/cx";
import { number } from "../../lib/i18n";
import { useKept } from "../../lib/preferences";
import { useQueryState } from "../../lib/route";
import { useStore } from "../../lib/store";
import { clockTime } from "../../lib/time";
import { t } from "../../locale/rooms/map";
import { Chip, Toolbar } from "../../widgets/bar";
import { Button } from "../../widgets/button";
import { Go } from "../../widgets/go";
import { countryCodes } from "../../widgets/map/countries";
import { type Hit, hitsOf, worstOf } from "../../widgets/map/flow";
import { countryName, Origins, type OriginsProps } from "../../widgets/map/map";
import { Safe } from "../../widgets/safe";
import { Severity } from "../../widgets/severity";
import { ErrorView, Loading } from "../../widgets/views";
import "./map.css";

interface Country {
  country: string;
  events: number;
  alerts: number;
  sessions: number;
  severity: string;
  alerts_by_severity: Record<string, number>;
}

interface WorldMap {
  since: string;
  countries: Country[];
  sensors: { name: string; kind?: string; decoy: boolean; events: number }[];
  events: number;
  credit: string[];
}

/** One event in short, as the topic events tells it. */
interface Sample {
  time: string;
  src?: string;
  country?: string;
  severity: string;
  activity: string;
  service?: string;
  sensor?: string;
}

const SPANS = ["24h", "7d", "30d"] as const;
/** Events shown as just arrived. */
const RECENT = 12;

export default function Room() {
  const [query, setQuery] = useQueryState();
  const [off, switchOff] = useKept("map.off", false);
  const [home, keepHome] = useKept("map.home", "");
  const span = SPANS.find((one) => one === query.span) ?? "24h";
  const map = useOne<WorldMap>("/map", { span }, 120_000);
  const [recent, setRecent] = useState<{ key: number; sample: Sample }[]>([]);
  const [unplaced, setUnplaced] = useState(0);
  const next = useRef(1);
  const base = useMemo(
    () =>
      (map.data?.countries ?? [])
        .filter(({ events, country }) => events > 0 && country !== "")
        .map((one) => ({
          country: one.country,
          count: one.events,
          rank: worstOf(one.severity, one.alerts_by_severity),
        })),
    [map.data],
  );
  useEffect(() => {
    setUnplaced(map.data?.countries.find(({ country }) => country === "")?.events ?? 0);
  }, [map.data]);
  const listen = useCallback<OriginsProps["listen"]>(
    (take) =>
      live.listen(["events"], (flush) => {
        const rows = flush.messages.map((message) => message.row);
        const hits = hitsOf(rows);
        const placed = hits.filter(({ country }) => country !== "");
        const rest = hits.reduce((sum: number, hit: Hit) => (hit.country === "" ? sum + hit.count : sum), 0);
        if (rest > 0) setUnplaced((before) => before + rest);
        take(placed);
        const samples = samplesOf(rows);
        if (samples.length > 0) {
          setRecent((before) =>
            [...samples.reverse().map((sample) => ({ key: next.current++, sample })), ...before].slice(0, RECENT),
          );
        }
      }),
    [],
  );
  const codes = useMemo(
    () =>
      countryCodes()
        .map((code) => [code, countryName(code)] as const)
        .sort((a, b) => a[1].localeCompare(b[1])),
    [],
  );
  const chosen = query.country ? map.data?.countries.find(({ country }) => country === query.country) : undefined;
  return (
    <div className="map" data-keys="list" tabIndex={-1}>
      <Toolbar label={t("bar")}>
        {SPANS.map((one) => (
          <Chip key={one} on={one === span} onClick={() => setQuery({ span: one })}>
            {t(`span.${one}`)}
          </Chip>
        ))}
        <Button onClick={() => switchOff(!off)}>{t(off ? "on" : "off")}</Button>
        <label className="row map-home" title={t("home.title")}>
          <span className="meta">{t("home")}</span>
          <select className="input" value={home} onChange={(event) => keepHome(event.target.value)}>
            <option value="">{t("home.none")}</option>
            {codes.map(([code, name]) => (
              <option key={code} value={code}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <span className="grow" />
        <Connected />
      </Toolbar>
      {map.isPending ? (
        <Loading rows={12} />
      ) : map.error ? (
        <ErrorView error={map.error} onRetry={() => void map.refetch()} />
      ) : (
        <Origins
          base={base}
          listen={listen}
          home={home || undefined}
          off={off}
          rows={chosen ? 8 : 16}
          layout="beside"
          onCountry={(country) => setQuery({ country: country === query.country ? undefined : country })}
          foot={
            <>
              {unplaced > 0 ? (
                <p className="meta map-block" title={t("unplaced.text")}>
                  {t("unplaced", { n: unplaced })}
                </p>
              ) : null}
              {query.country ? (
                <Chosen
                  code={query.country}
                  country={chosen}
                  since={map.data.since}
                  onClose={() => setQuery({ country: undefined })}
                />
              ) : null}
              <Recent rows={recent} />
              {[...new Set(map.data.credit)].map((line) => (
                <p key={line} className="meta map-block">
                  {line}
                </p>
              ))}
            </>
          }
        />
      )}
    </div>
  );
}

/** The samples of seconds; whatever is none is passed over. */
function samplesOf(rows: readonly unknown[]): Sample[] {
  return rows.flatMap((row) => {
    const samples = (row as { samples?: unknown } | null | undefined)?.samples;
    return Array.isArray(samples)
      ? (samples as unknown[]).filter(
          (one): one is Sample => one !== null && typeof one === "object" && typeof (one as Sample).time === "string",
        )
      : [];
  });
}

/** How live it is, as the status bar has it: beside the map, where it matters. */
function Connected() {
  const { stream, staleSince, rate } = useStore(connection);
  const word =
    staleSince !== null
      ? t("live.stale", { time: clockTime(staleSince) })
      : stream === "connected"
        ? t("live.on")
        : stream === "reconnecting"
          ? t("live.again")
          : stream === "connecting"
            ? t("live.wait")
            : t("live.off");
  const fine = stream === "connected" && staleSince === null;
  return (
    <span className={cx("map-live", fine ? "map-fine" : "map-stale")} role="status">
      <svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">
        <circle cx="5" cy="5" r="3.5" fill={fine ? "currentColor" : "none"} stroke="currentColor" strokeWidth="1.5" />
      </svg>
      {word}
      {fine ? <span className="muted">{t("live.rate", { n: number(rate, { maximumFractionDigits: 1 }) })}</span> : null}
    </span>
  );
}

function Chosen({
  code,
  country,
  since,
  onClose,
}: {
  code: string;
  country?: Country;
  since: string;
  onClose: () => void;
}) {
  const code2 = /^[A-Z]{2}$/.test(code) ? code : "";
  const rows: [string, number][] = [
    [t("country.events"), country?.events ?? 0],
    [t("country.alerts"), country?.alerts ?? 0],
    [t("country.sessions"), country?.sessions ?? 0],
  ];
  return (
    <section className="map-block map-chosen">
      <header className="row">
        <h2 className="cut">{t("country.title", { name: countryName(code2) })}</h2>
        <span className="grow" />
        <Button kind="quiet" onClick={onClose}>
          {t("country.close")}
        </Button>
      </header>
      <dl>
        {rows.map(([name, value]) => (
          <div key={name} className="row">
            <dt className="muted grow">{name}</dt>
            <dd>{number(value)}</dd>
          </div>
        ))}
      </dl>
      <Go path="/hunt" query={{ q: `country:${code2}`, from: since }} className="map-way">
        {t("country.open")}
      </Go>
    </section>
  );
}

function Recent({ rows }: { rows: { key: number; sample: Sample }[] }) {
  return (
    <section className="map-block">
      <h2>{t("recent.title")}</h2>
      {rows.length === 0 ? (
        <p className="muted">{t("recent.none")}</p>
      ) : (
        <ul>
          {rows.map(({ key, sample }) => (
            <li key={key} className="map-event">
              <Severity name={sample.severity} bare />
              <span className="mono muted">{clockTime(sample.time)}</span>
              <Safe text={sample.src ?? ""} />
              <Safe text={sample.activity} className="muted" />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
