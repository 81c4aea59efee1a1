/** The live map and the table of the same numbers: both are fed by the same flush. */
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import "./map.css";
import "../go.css";
import { token, watchTheme } from "../../design/theme";
import { currentLanguage, number } from "../../lib/i18n";
import { s } from "../../locale/rooms/scenes";
import { SEVERITIES, Severity } from "../severity";
import { WorldMap } from "./core";
import { middleOf, type Place } from "./countries";
import type { Hit } from "./flow";
import { type Row, Tally } from "./tally";

export interface OriginsProps {
  /** What the server counted for the span. */
  base: readonly Row[];
  /** Hands every flush of arrivals to take, until the returned function is called. */
  listen: (take: (hits: readonly Hit[]) => void) => () => void;
  /** ISO 3166 alpha-2 of where the decoys stand. */
  home?: string;
  /** The map is switched off: the table stays. */
  off?: boolean;
  /** Rows of the table. */
  rows: number;
  /** table: beside the map or under it. */
  layout: "beside" | "under";
  onCountry?: (country: string) => void;
  foot?: ReactNode;
}

const names = new Map<string, Intl.DisplayNames>();
/** The name of a country in the reader's language. */
export function countryName(country: string): string {
  if (country === "") return s("map.unknown");
  const language = currentLanguage();
  let of = names.get(language);
  if (!of) {
    of = new Intl.DisplayNames([language], { type: "region" });
    names.set(language, of);
  }
  try {
    return of.of(country) ?? country;
  } catch {
    return country;
  }
}

const still = () => window.matchMedia("(prefers-reduced-motion: reduce)");

export function Origins({ base, listen, home, off, rows, layout, onCountry, foot }: OriginsProps) {
  const tally = useRef(new Tally());
  const map = useRef<WorldMap | null>(null);
  const [shown, setShown] = useState<Row[]>([]);
  const show = useRef<() => void>(() => undefined);
  show.current = () => {
    const all = tally.current.rows();
    setShown(all);
    map.current?.totals(all.filter((row) => row.country !== ""));
  };
  useEffect(() => {
    tally.current.reset(base);
    show.current();
  }, [base]);
  useEffect(
    () =>
      listen((hits) => {
        for (const hit of hits) {
          tally.current.add(hit.country, hit.count, hit.rank);
          if (hit.country !== "") map.current?.hit(hit.country, hit.count, hit.rank);
        }
        if (hits.length > 0) show.current();
      }),
    [listen],
  );
  const made = (next: WorldMap | null) => {
    map.current = next;
    if (next) show.current();
  };
  const table = (
    <OriginTable rows={shown} most={rows} onMark={(country) => map.current?.mark(country)} onCountry={onCountry} />
  );
  return (
    <div className={`origins origins-${layout}`}>
      {off ? (
        <p className="origins-off meta">{s("map.off")}</p>
      ) : (
        <MapCanvas home={home} onMap={made} onCountry={onCountry} />
      )}
      <div className="origins-side">
        {table}
        {foot}
      </div>
    </div>
  );
}

function colours() {
  return {
    sea: token("sea"),
    land: token("land"),
    coast: token("coast"),
    muted: token("muted"),
    text: token("text"),
    severity: [token("info"), token("low"), token("medium"), token("high"), token("critical")] as const,
  };
}

function settingsFor(home: Place | undefined, motionless: boolean) {
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  return { colours: colours(), home, label: s("map.end"), font, still: motionless };
}

function MapCanvas({
  home,
  onMap,
  onCountry,
}: {
  home?: string;
  onMap: (map: WorldMap | null) => void;
  onCountry?: (country: string) => void;
}) {
  const holder = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const hand = useRef(onMap);
  hand.current = onMap;
  const core = useRef<WorldMap | null>(null);
  const place = home ? middleOf(home) : undefined;
  const at = useRef(place);
  at.current = place;
  useLayoutEffect(() => {
    if (!canvas.current || !holder.current) return;
    const around = holder.current;
    const motion = still();
    const settings = () => settingsFor(at.current, motion.matches);
    const made = new WorldMap(canvas.current, settings());
    core.current = made;
    const size = () => made.resize(around.clientWidth, around.clientHeight, window.devicePixelRatio);
    size();
    const watcher = new ResizeObserver(size);
    watcher.observe(around);
    const seen = new IntersectionObserver((entries) => made.visible(entries.some((entry) => entry.isIntersecting)));
    seen.observe(around);
    const again = () => made.set(settings());
    const unwatch = watchTheme(again);
    motion.addEventListener("change", again);
    hand.current(made);
    return () => {
      watcher.disconnect();
      seen.disconnect();
      unwatch();
      motion.removeEventListener("change", again);
      made.destroy();
      core.current = null;
      hand.current(null);
    };
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another home is another end of every arc
  useEffect(() => {
    core.current?.set(settingsFor(at.current, still().matches));
  }, [home]);
  return (
    <div className="origins-map" ref={holder}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={s("map.label")}
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          core.current?.mark(core.current.at(event.clientX - box.left, event.clientY - box.top) ?? "");
        }}
        onPointerLeave={() => core.current?.mark("")}
        onClick={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const country = core.current?.at(event.clientX - box.left, event.clientY - box.top);
          if (country) onCountry?.(country);
        }}
      />
    </div>
  );
}

function OriginTable({
  rows,
  most,
  onMark,
  onCountry,
}: {
  rows: readonly Row[];
  most: number;
  onMark: (country: string) => void;
  onCountry?: (country: string) => void;
}) {
  if (rows.length === 0) {
    return (
      <div className="origins-none">
        <p>{s("map.none")}</p>
        <p className="meta">{s("map.none.text")}</p>
      </div>
    );
  }
  const left = rows.length - most;
  return (
    <table className="origins-table">
      <thead>
        <tr>
          <th scope="col">{s("map.country")}</th>
          <th scope="col" className="end">
            {s("map.count")}
          </th>
          <th scope="col">{s("map.worst")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.slice(0, most).map((row) => (
          <tr key={row.country} onPointerEnter={() => onMark(row.country)} onPointerLeave={() => onMark("")}>
            <td className="cut">
              {onCountry && row.country !== "" ? (
                <button
                  type="button"
                  className="link cut"
                  onClick={() => onCountry(row.country)}
                  onFocus={() => onMark(row.country)}
                  onBlur={() => onMark("")}
                >
                  <span className="mono">{row.country}</span> {countryName(row.country)}
                </button>
              ) : (
                <>
                  <span className="mono">{row.country || "--"}</span> {countryName(row.country)}
                </>
              )}
            </td>
            <td className="end">{number(row.count)}</td>
            <td>
              <Severity name={SEVERITIES[row.rank] ?? "informational"} />
            </td>
          </tr>
        ))}
      </tbody>
      {left > 0 ? (
        <tfoot>
          <tr>
            <td colSpan={3} className="meta">
              {s("map.more", { n: left })}
            </td>
          </tr>
        </tfoot>
      ) : null}
    </table>
  );
}
