/** One attacker: when, how far, with what; and who else looks like it. */
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { useMay } from "../../api/me";
import { useOne } from "../../api/query";
import { number } from "../../lib/i18n";
import { useKeys } from "../../lib/keys";
import { useGo, useQueryState } from "../../lib/route";
import { absolute, ago, span, useNow } from "../../lib/time";
import { t } from "../../locale/rooms/attackers";
import { ErrorBoundary } from "../../widgets/boundary";
import { Button } from "../../widgets/button";
import { bin, type TimeSeries } from "../../widgets/chart/bins";
import { Chart } from "../../widgets/chart/chart";
import { CopyButton } from "../../widgets/copy";
import { Go } from "../../widgets/go";
import { Safe } from "../../widgets/safe";
import { Severity } from "../../widgets/severity";
import { Tabs } from "../../widgets/tabs";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { BlockDialog } from "./block";
import { nameOf } from "./list";
import { tabsOf } from "./tabs";
import type { Profile } from "./types";

/** Steps of the activity, in seconds. */
const STEP = 6 * 3600;

export function AttackerProfile({ id }: { id: string }) {
  const [query, setQuery] = useQueryState();
  const go = useGo();
  const path = `/attackers/${encodeURIComponent(id)}`;
  const profile = useOne<Profile>(`${path}/profile`, undefined, 60_000);
  const may = useMay("respond");
  const [blocking, setBlocking] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const data = profile.data;
  const address = data?.address ?? "";
  const back = () => {
    const { tab: _, ...rest } = query;
    go("/attackers", rest);
  };
  useKeys([
    { id: "detail.back", keys: "Escape", label: t("key.back"), run: back },
    { id: "attacker.block", keys: "b", label: t("block"), off: !may || address === "", run: () => setBlocking(true) },
    { id: "attacker.note", keys: "n", label: t("note"), run: () => setQuery({ tab: "notes" }) },
  ]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it has come
  useEffect(() => heading.current?.focus({ preventScroll: true }), [data === undefined]);
  if (!data) {
    return (
      <div className="attacker" data-keys="detail" tabIndex={-1}>
        {profile.isPending ? (
          <Loading rows={10} />
        ) : profile.error?.status === 404 ? (
          <Empty
            title={t("missing.title")}
            action={<Button onClick={() => go("/sessions", { src: nameOf(id) })}>{t("missing.sessions")}</Button>}
          >
            <Safe text={nameOf(id)} /> {t("missing.text")}
          </Empty>
        ) : (
          <ErrorView error={profile.error} onRetry={() => void profile.refetch()} />
        )}
      </div>
    );
  }
  return (
    <article className="attacker" data-keys="detail">
      <header className="attacker-head">
        <Button kind="quiet" keys="Escape" onClick={back}>
          ‹ {t("back")}
        </Button>
        <h2 ref={heading} tabIndex={-1} className="attacker-title">
          <Safe text={nameOf(data.key)} />
        </h2>
        <CopyButton text={nameOf(data.key)} what={t("col.source")} />
        <Severity name={data.severity} />
        <Where data={data} />
        <Seen data={data} />
        <span className="grow" />
        {may && address !== "" ? (
          <Button keys="b" onClick={() => setBlocking(true)}>
            {t("block")}
          </Button>
        ) : null}
        <Button keys="n" onClick={() => setQuery({ tab: "notes" })}>
          {t("note")}
        </Button>
        <Button title={t("export.title")} onClick={() => save(data)}>
          {t("export")}
        </Button>
      </header>
      <Figures data={data} />
      {data.cut ? <p className="meta attacker-cut">{t("cut", { n: data.events })}</p> : null}
      <div className="attacker-top">
        <Panel title={t("activity.title")}>
          <ErrorBoundary>
            <Activity data={data} />
          </ErrorBoundary>
        </Panel>
        <Panel title={t("path.title")}>
          <Path data={data} />
        </Panel>
        <Panel title={t("prints.title")}>
          <Prints data={data} />
        </Panel>
      </div>
      <div className="attacker-body">
        <div className="attacker-tabs">
          <Tabs
            label={t("tabs.label")}
            value={query.tab ?? "sessions"}
            onChange={(tab) => setQuery({ tab })}
            tabs={tabsOf(data, path)}
          />
        </div>
        <aside className="attacker-side">
          <Panel title={t("same.title")}>
            <Same data={data} />
          </Panel>
          <Panel title={t("rules.title")}>
            <Rules data={data} />
          </Panel>
        </aside>
      </div>
      <BlockDialog address={address} open={blocking} onClose={() => setBlocking(false)} />
    </article>
  );
}

/** Saves all of it under a name of ours. */
function save(data: Profile): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(data, null, 2)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = "attacker.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function Panel({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="attacker-panel">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Where({ data }: { data: Profile }) {
  const { asn, as_org: org, country } = data.src ?? {};
  return (
    <span className="row muted">
      {asn ? <span className="mono">AS{asn}</span> : null}
      {org ? <Safe text={org} /> : null}
      {country ? <Safe text={country} /> : null}
    </span>
  );
}

function Seen({ data }: { data: Profile }) {
  const now = useNow(10_000);
  return (
    <span className="muted" title={`${absolute(data.first_at)} - ${absolute(data.last_at)}`}>
      {t("seen", { first: absolute(data.first_at).split(",").slice(0, 2).join(","), last: ago(data.last_at, now) })}
    </span>
  );
}

function Figures({ data }: { data: Profile }) {
  const now = useNow(60_000);
  const most = (list: readonly unknown[]) =>
    list.length >= 50 ? t("n.more", { n: list.length }) : number(list.length);
  const holding = data.blocks.find(
    (block) => block.expires_at && Date.parse(block.expires_at) > now && !ended(block.ended_at),
  );
  const rows: [string, string, string?][] = [
    [t("n.alerts"), number(data.alerts)],
    [t("n.sessions"), data.sessions >= 200 ? t("n.more", { n: 200 }) : number(data.sessions)],
    [t("n.events"), data.cut ? t("n.more", { n: data.events }) : number(data.events)],
    [t("n.credentials"), most(data.credentials)],
    [t("n.commands"), most(data.commands)],
    [t("n.files"), most(data.files)],
    [
      t("n.blocks"),
      number(data.blocks.length),
      holding?.expires_at ? t("n.blocks.until", { time: span(Date.parse(holding.expires_at) - now) }) : undefined,
    ],
  ];
  return (
    <dl className="attacker-figures">
      {rows.map(([name, value, more]) => (
        <div key={name}>
          <dt className="meta">{name}</dt>
          <dd>
            <b>{value}</b> {more ? <span className="meta">{more}</span> : null}
          </dd>
        </div>
      ))}
    </dl>
  );
}

const ended = (at: string | undefined): boolean => at !== undefined && !at.startsWith("0001");

function Activity({ data }: { data: Profile }) {
  const series = useMemo<TimeSeries>(() => {
    const start = Math.floor(Date.parse(data.since) / 1000 / STEP) * STEP;
    const count = Math.ceil((30 * 86_400) / STEP) + 1;
    const times = data.activity.map(({ at }) => Date.parse(at) / 1000);
    const values = bin(
      times,
      start,
      STEP,
      count,
      data.activity.map(({ events }) => events),
    );
    return { start, step: STEP, series: [{ label: t("activity.events"), token: "muted", values }] };
  }, [data]);
  if (data.activity.length === 0) return <p className="muted">{t("activity.none")}</p>;
  return <Chart label={t("activity.label", { hours: STEP / 3600 })} data={series} height={132} />;
}

function Path({ data }: { data: Profile }) {
  if (data.path.length === 0) return <p className="muted">{t("path.none")}</p>;
  return (
    <ol className="attacker-path">
      {data.path.map((step) => (
        <li key={step.tactic}>
          <span className="row">
            <b>{step.name || step.tactic}</b>
            <span className="grow" />
            <span className="meta" title={absolute(step.at)}>
              {t("path.alerts", { n: step.alerts })}
            </span>
          </span>
          <span className="row wrap">
            {step.techniques.map((id) => (
              <Go key={id} path="/alerts" query={{ attacker: data.key, technique: id }} className="mono muted">
                <Safe text={id} />
              </Go>
            ))}
          </span>
        </li>
      ))}
    </ol>
  );
}

const KINDS = ["software", "hassh", "ja3", "ja4", "user_agent", "key"] as const;

function Prints({ data }: { data: Profile }) {
  if (data.clients.length === 0) return <p className="muted">{t("prints.none")}</p>;
  return (
    <ul className="attacker-prints">
      {data.clients.slice(0, 12).map((one) => {
        const kind = KINDS.find((name) => name === one.kind);
        return (
          <li key={`${one.kind} ${one.text}`} className="row">
            <span className="meta attacker-kind">{kind ? t(`kind.${kind}`) : <Safe text={one.kind} />}</span>
            <Safe text={one.text} />
            <span className="grow" />
            <span className="meta">{number(one.n)}</span>
            <CopyButton text={one.text} what={kind ? t(`kind.${kind}`) : t("prints.title")} />
          </li>
        );
      })}
    </ul>
  );
}

function Same({ data }: { data: Profile }) {
  if (data.looks_the_same.length === 0) return <p className="muted">{t("same.none")}</p>;
  return (
    <>
      <ul className="attacker-same">
        {data.looks_the_same.map((one) => (
          <li key={one.address}>
            <span className="row">
              {one.alerts ? (
                <Go path={`/attackers/${encodeURIComponent(one.address)}`}>
                  <Safe text={one.address} />
                </Go>
              ) : (
                <Go path="/sessions" query={{ src: one.address }}>
                  <Safe text={one.address} />
                </Go>
              )}
              {one.country ? <Safe text={one.country} className="muted" /> : null}
              <span className="grow" />
              <span>{number(one.score, { maximumFractionDigits: 0 })}</span>
            </span>
            {one.reasons.slice(0, 3).map((reason) => (
              <Safe key={reason} text={reason} className="muted attacker-why" />
            ))}
          </li>
        ))}
      </ul>
      {data.looks_the_same_cut ? <p className="meta">{t("same.cut")}</p> : null}
    </>
  );
}

function Rules({ data }: { data: Profile }) {
  if (data.rules.length === 0) return <p className="muted">{t("rules.none")}</p>;
  return (
    <ul>
      {data.rules.slice(0, 12).map((rule) => (
        <li key={rule.id} className="row attacker-rule">
          <Severity name={rule.severity} bare />
          <Go path="/alerts" query={{ attacker: data.key, rule: rule.id }} className="cut grow">
            <Safe text={rule.title || rule.id} className="attacker-words" />
          </Go>
          <span>{number(rule.n)}</span>
        </li>
      ))}
    </ul>
  );
}
