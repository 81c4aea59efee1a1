/** One session: its recording, what was done in it, and what came of it. */
import { useEffect, useRef, useState } from "react";
import type { Alert, Event } from "../../api/types";
import { useKeys } from "../../lib/keys";
import { useGo, useQueryState } from "../../lib/route";
import { absolute, duration } from "../../lib/time";
import { t } from "../../locale/rooms/sessions";
import { ErrorBoundary } from "../../widgets/boundary";
import { Button } from "../../widgets/button";
import { CopyButton } from "../../widgets/copy";
import { Go } from "../../widgets/go";
import type { Cast } from "../../widgets/replay/cast";
import { Commands } from "../../widgets/replay/commands";
import { writeLog } from "../../widgets/replay/log";
import { clock } from "../../widgets/replay/markers";
import { Replay, ReplayEmpty } from "../../widgets/replay/replay";
import { Safe } from "../../widgets/safe";
import { Severity } from "../../widgets/severity";
import { Tabs } from "../../widgets/tabs";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { Facts } from "./facts";
import { useSession } from "./load";
import { tell } from "./words";

const host = (addr: string | undefined): string => (addr ?? "").replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");

/** Saves text under a name of ours. */
function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function SessionDetail({ id }: { id: string }) {
  const [query, setQuery] = useQueryState();
  const go = useGo();
  const all = useSession(id);
  const seek = useRef<((at: number) => void) | null>(null);
  const [at, setAt] = useState(0);
  const [filter, setFilter] = useState("");
  const { session, recording, commands, marks } = all;
  const alerts = all.alerts.data?.items ?? [];
  const incident = alerts.find((alert) => alert.incident)?.incident;
  const attacker = alerts.find((alert) => alert.attacker)?.attacker ?? host(session.data?.src?.addr);
  const back = () => {
    const { tab: _, at: __, ...rest } = query;
    go("/sessions", rest);
  };
  useKeys([
    { id: "detail.back", keys: "Escape", label: t("key.back"), run: back },
    {
      id: "detail.incident",
      keys: "i",
      label: t("key.incident"),
      off: !incident,
      run: () => incident && go(`/incidents/${encodeURIComponent(incident)}`),
    },
    {
      id: "detail.attacker",
      keys: "u",
      label: t("key.attacker"),
      run: () => go(`/attackers/${encodeURIComponent(attacker)}`),
    },
  ]);
  const heading = useRef<HTMLHeadingElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the session has come
  useEffect(() => heading.current?.focus({ preventScroll: true }), [session.data === undefined]);
  if (session.isPending) return <Loading />;
  if (session.error || !session.data) {
    return (
      <div className="session" data-keys="detail">
        <ErrorView
          error={session.error}
          title={session.error?.status === 404 ? t("detail.missing") : undefined}
          onRetry={() => void session.refetch()}
        />
      </div>
    );
  }
  const row = session.data;
  const ended = row.ended_at && !row.ended_at.startsWith("0001") ? row.ended_at : undefined;
  const cast = recording.data ?? undefined;
  const start = query.at ? Date.parse(query.at) / 1000 - all.began : undefined;
  return (
    <article className="session" data-keys="detail">
      <header className="session-head">
        <Button kind="quiet" keys="Escape" onClick={back}>
          ‹ {t("back")}
        </Button>
        <h2 ref={heading} tabIndex={-1} className="session-title">
          <Safe text={row.user ? `${row.user}@${row.sensor}` : row.sensor} />
        </h2>
        <Severity name={row.severity} />
        <Go path={`/attackers/${encodeURIComponent(attacker)}`} className="session-fact">
          <Safe text={host(row.src?.addr)} />
        </Go>
        {row.src?.country ? <span className="session-fact mono">{row.src.country.slice(0, 2)}</span> : null}
        <Safe className="session-fact muted" text={row.client ?? ""} />
        <span className="session-fact muted" title={`${absolute(row.started_at)} - ${absolute(ended)}`}>
          {absolute(row.started_at)} ·{" "}
          {ended ? duration(Date.parse(ended) - Date.parse(row.started_at)) : t("still.open")}
        </span>
        <span className="grow" />
        {cast ? (
          <>
            <a
              className="button button-plain"
              title={t("cast.title")}
              href={`/api/v1/sessions/${encodeURIComponent(id)}/recording`}
              download={`session-${id.replace(/\W/g, "")}.cast`}
            >
              {t("cast.save")}
            </a>
            <Button
              title={t("log.title")}
              onClick={() =>
                save(
                  `session-${id.replace(/\W/g, "")}.log`,
                  writeLog(cast, [t("log.heading", { id, sensor: row.sensor, began: row.started_at })]),
                )
              }
            >
              {t("log.save")}
            </Button>
          </>
        ) : null}
        {incident ? (
          <Button keys="i" onClick={() => go(`/incidents/${encodeURIComponent(incident)}`)}>
            {t("incident")}
          </Button>
        ) : null}
        <Button keys="u" onClick={() => go(`/attackers/${encodeURIComponent(attacker)}`)}>
          {t("attacker")}
        </Button>
      </header>
      <div className={cast ? "session-body" : "session-body session-plain"}>
        <div className="session-left">
          {all.recorded ? (
            recording.isPending ? (
              <Loading />
            ) : recording.error ? (
              <ErrorView error={recording.error} onRetry={() => void recording.refetch()} />
            ) : cast?.pieces.some(([, kind]) => kind === "o") ? (
              <ErrorBoundary>
                <Replay
                  id={id}
                  cast={cast}
                  marks={marks}
                  start={start}
                  onAt={setAt}
                  seek={seek}
                  onMark={(mark) => mark.kind === "alert" && setQuery({ tab: "alerts" })}
                />
              </ErrorBoundary>
            ) : (
              <ReplayEmpty />
            )
          ) : (
            <NoRecording why={row.commands > 0 ? "gone" : row.requests > 0 ? "http" : "text"} events={all} />
          )}
        </div>
        <aside className="session-right">
          <Tabs
            value={query.tab ?? (all.recorded ? "commands" : "alerts")}
            onChange={(tab) => setQuery({ tab })}
            tabs={[
              {
                id: "commands",
                label: t("tab.commands"),
                count: commands.length,
                body: (
                  <div className="session-commands">
                    {commands.length > 5 ? (
                      <input
                        className="input"
                        type="search"
                        value={filter}
                        placeholder={t("commands.filter")}
                        aria-label={t("commands.filter")}
                        onChange={(event) => setFilter(event.target.value)}
                      />
                    ) : null}
                    {all.events.isPending ? (
                      <Loading rows={4} />
                    ) : (
                      <Commands
                        commands={commands}
                        at={cast ? at : undefined}
                        onSeek={cast ? (to) => seek.current?.(to) : undefined}
                        filter={filter}
                        copyWhat={t("command")}
                        onTechnique={(technique) => go("/alerts", { technique })}
                      />
                    )}
                  </div>
                ),
              },
              {
                id: "alerts",
                label: t("tab.alerts"),
                count: alerts.length,
                body: (
                  <Alerts alerts={alerts} began={all.began} onSeek={cast ? (to) => seek.current?.(to) : undefined} />
                ),
              },
              ...(all.recorded
                ? [
                    {
                      id: "events",
                      label: t("tab.events"),
                      count: all.events.data?.events.length,
                      body: <Events events={all} />,
                    },
                  ]
                : []),
            ]}
          />
          <Facts all={all} />
        </aside>
      </div>
    </article>
  );
}

type All = ReturnType<typeof useSession>;

function NoRecording({ why, events }: { why: "gone" | "http" | "text"; events: All }) {
  return (
    <div className="session-story">
      <p>
        <b>{t("none.recording")}</b> {t(`none.recording.${why}`)}
      </p>
      <Events events={events} />
    </div>
  );
}

function Events({ events }: { events: All }) {
  const { data, error, isPending, refetch } = events.events;
  if (isPending) return <Loading rows={5} />;
  if (error) return <ErrorView error={error} onRetry={() => void refetch()} />;
  return (
    <div className="session-events" data-keys="list">
      <table>
        <thead>
          <tr>
            <th scope="col">{t("events.time")}</th>
            <th scope="col">{t("events.what")}</th>
            <th scope="col">{t("events.detail")}</th>
          </tr>
        </thead>
        <tbody>
          {data.events.map((event) => (
            <EventRow key={event.id} event={event} began={events.began} />
          ))}
        </tbody>
      </table>
      {data.left ? <p className="meta">{t("events.left", { n: data.events.length })}</p> : null}
    </div>
  );
}

function EventRow({ event, began }: { event: Event; began: number }) {
  const detail = tell(event.attrs as Record<string, unknown> | undefined);
  return (
    <tr>
      <td className="mono muted" title={absolute(event.time)}>
        {clock(Date.parse(event.time) / 1000 - began)}
      </td>
      <td>
        <Safe text={event.activity} />
      </td>
      <td>
        <div className="session-event">
          <Safe text={detail} block />
          {detail === "" ? null : <CopyButton text={detail} what={t("events.detail")} />}
        </div>
      </td>
    </tr>
  );
}

function Alerts({ alerts, began, onSeek }: { alerts: readonly Alert[]; began: number; onSeek?: (at: number) => void }) {
  if (alerts.length === 0) return <Empty title={t("alerts.none")} />;
  const rows = [...alerts].sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
  return (
    <ul className="session-alerts" data-keys="list">
      {rows.map((alert) => {
        const at = Math.max(0, Date.parse(alert.time) / 1000 - began);
        return (
          <li key={alert.id}>
            <button type="button" className="link mono muted" disabled={!onSeek} onClick={() => onSeek?.(at)}>
              {clock(at)}
            </button>
            <Severity name={alert.severity} />
            <Go path={`/alerts/${encodeURIComponent(alert.short)}`} className="row grow">
              <span className="mono muted">{alert.short}</span> <Safe text={alert.title} />
            </Go>
          </li>
        );
      })}
    </ul>
  );
}

export type { Cast };
