/** What a rule would have found in the past: run, watched, stopped, and shown by day. */
import { useEffect, useMemo, useRef, useState } from "react";
import { number } from "../../lib/i18n";
import { part } from "../../lib/route";
import { absolute, serverNow } from "../../lib/time";
import { t } from "../../locale/rooms/rules";
import { Button } from "../../widgets/button";
import { Chart } from "../../widgets/chart/chart";
import { Select } from "../../widgets/field";
import { Go } from "../../widgets/go";
import { Safe } from "../../widgets/safe";
import { ErrorView } from "../../widgets/views";
import { When } from "../../widgets/when";
import { FaultList } from "./faults";
import { byDay, run, type Trial } from "./trial";

const SPANS = { "24h": 1, "7d": 7, "30d": 30, all: 0 } as const;
type Span = keyof typeof SPANS;

export function Test({ what, off }: { what: { rule: string } | { text: string }; off?: boolean }) {
  const [span, setSpan] = useState<Span>("30d");
  const [trial, setTrial] = useState<Trial | null>(null);
  const [from, setFrom] = useState<number>(0);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const begin = () => {
    stop.current?.abort();
    const control = new AbortController();
    stop.current = control;
    const since = SPANS[span] === 0 ? 0 : serverNow() - SPANS[span] * 86_400_000;
    setFrom(since);
    void run(what, since ? new Date(since).toISOString() : undefined, control.signal, setTrial);
  };
  const running = trial?.state === "running";
  return (
    <section className="panel col">
      <p className="muted">{t("test.text")}</p>
      <div className="rules-run">
        <Select
          label={t("test.span")}
          value={span}
          onChange={(event) => setSpan(event.target.value as Span)}
          options={(Object.keys(SPANS) as Span[]).map((value) => ({ value, label: t(`test.span.${value}`) }))}
        />
        {running ? (
          <Button onClick={() => stop.current?.abort()}>{t("test.stop")}</Button>
        ) : (
          <Button kind="primary" disabled={off} onClick={begin}>
            {t("test.run")}
          </Button>
        )}
      </div>
      {trial ? <Shown trial={trial} from={from} /> : null}
    </section>
  );
}

function Shown({ trial, from }: { trial: Trial; from: number }) {
  const running = trial.state === "running";
  const until = trial.until ? Date.parse(trial.until) : Number.NaN;
  const share = from > 0 && Number.isFinite(until) ? (until - from) / Math.max(1, serverNow() - from) : undefined;
  const days = useMemo(() => byDay(trial.days), [trial.days]);
  return (
    <div className="col" aria-live="polite" aria-busy={running}>
      {running ? (
        <>
          <progress className="rules-progress" value={share} max={1} />
          <p>{trial.events > 0 ? t("test.busy", { n: trial.events, when: absolute(trial.until) }) : t("test.begin")}</p>
        </>
      ) : (
        <p className="muted">{t("test.done", { n: trial.events })}</p>
      )}
      {trial.state === "stopped" ? <p className="rules-note">{t("test.stopped")}</p> : null}
      {trial.state === "failed" ? <ErrorView error={trial.error} /> : null}
      {trial.faults.length > 0 ? <FaultList faults={trial.faults} /> : null}
      {trial.hits > 0 ? (
        <>
          <p>
            <b>{t("test.hits", { n: trial.hits })}</b>{" "}
            <span className="muted">{t("test.sources", { n: trial.sources })}</span>
          </p>
          {days ? (
            <Chart
              label={t("test.days")}
              height={110}
              data={{
                start: days.start,
                step: 86_400,
                series: [{ label: t("test.days"), token: "muted", values: days.values }],
              }}
            />
          ) : null}
          {trial.rules.length > 1 ? (
            <ul className="col">
              {trial.rules
                .filter((rule) => rule.hits > 0)
                .map((rule) => (
                  <li key={rule.id} className="row">
                    <span className="mono">{number(rule.hits)}</span>
                    <Safe text={rule.title} />
                  </li>
                ))}
            </ul>
          ) : null}
          <h3>{t("test.examples")}</h3>
          <ul className="rules-examples">
            {trial.examples.map((hit) => (
              <li key={`${hit.event} ${hit.reasons?.join()}`}>
                <Go path={`/hunt/${part(hit.event)}`} label={t("test.open")} className="rules-example-when">
                  <When at={hit.time} />
                </Go>
                <Safe text={hit.source} className="muted" />
                <Safe text={hit.text} block />
                {hit.reasons?.length ? <Safe text={hit.reasons.join("; ")} block className="muted" /> : null}
              </li>
            ))}
          </ul>
        </>
      ) : running || trial.state === "failed" ? null : (
        <p>{trial.faults.length > 0 && trial.events === 0 ? t("test.nothing") : t("test.none")}</p>
      )}
    </div>
  );
}
