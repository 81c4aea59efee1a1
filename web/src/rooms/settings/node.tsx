/** How this node is set up: what leads outside, data and how long they are kept, configuration, versions. */
import { useMemo, useState } from "react";
import { call } from "../../api/client";
import { useMay } from "../../api/me";
import { refresh, useOne } from "../../api/query";
import type { Methods, Page } from "../../api/types";
import { bytes, number } from "../../lib/i18n";
import { useKept } from "../../lib/preferences";
import { useQueryState } from "../../lib/route";
import { safe } from "../../lib/safe";
import { clockAhead, duration } from "../../lib/time";
import { t } from "../../locale/rooms/settings";
import { word } from "../../locale/words";
import { Badge } from "../../widgets/badge";
import { Chip, FilterBar } from "../../widgets/bar";
import { Button } from "../../widgets/button";
import { Field, Fields } from "../../widgets/field";
import { Safe } from "../../widgets/safe";
import { done, failed, note } from "../../widgets/toast";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { Part } from "./part";

interface Integration {
  name: string;
  kind: string;
  part: string;
  state: string;
  detail?: string;
}
interface Node {
  node: string;
  version: string;
  go: string;
  now: string;
  retention_days: number;
  sizes: { class: string; bytes: number; files: number; limit_bytes?: number; about: string }[];
  integrations: Integration[];
  credits: string[];
  attack_version: string;
}

const useNode = () => useOne<Node>("/settings", {}, 60_000);
const good = (state: string): boolean => ["ready", "ok", "up", "running", "fresh", "loaded"].includes(state);
const wrong = (state: string): boolean => ["failed", "failing", "error", "down", "open", "stale"].includes(state);

export function Integrations() {
  const node = useNode();
  const ways = useOne<Methods>("/auth/methods");
  const may = useMay("work");
  const [testing, setTesting] = useState("");
  if (node.error) return <ErrorView error={node.error} onRetry={() => void node.refetch()} />;
  if (!node.data) return <Loading />;
  const of = (part: string) => node.data.integrations.filter((one) => one.part === part);
  const test = async (channel: string) => {
    setTesting(channel);
    try {
      const sent = await call<{ state: string; error?: string }>("POST", "/notices/test", { body: { channel } });
      if (sent.state === "sent") done(t("int.test.sent"));
      else note(t("int.test.not", { why: safe(sent.error || word(sent.state)) }));
      refresh("/settings", "/notices");
    } catch (problem) {
      failed(t("int.test.failed"), problem, () => void test(channel));
    } finally {
      setTesting("");
    }
  };
  const others = [...new Set(node.data.integrations.map((one) => one.part))].filter((part) => part !== "channel");
  return (
    <>
      <Part title={t("int.title")} text={t("int.text")}>
        <h3>{t("int.channel")}</h3>
        {of("channel").length === 0 ? <p className="settings-warn">{t("int.channel.none")}</p> : null}
        <ul>
          {of("channel").map((one) => (
            <li key={one.name} className="settings-line">
              <span className="settings-name">
                <Safe text={one.name} />
              </span>
              <StateBadge state={one.state} />
              <span className="grow">{one.detail ? <Safe text={one.detail} block className="muted" /> : null}</span>
              {may ? (
                <Button busy={testing === one.name} disabled={testing !== ""} onClick={() => void test(one.name)}>
                  {t("int.test")}
                </Button>
              ) : null}
            </li>
          ))}
        </ul>
        {others.map((part) => (
          <section key={part} className="col">
            <h3>{partName(part)}</h3>
            <ul>
              {of(part).map((one) => (
                <li key={`${one.part} ${one.name} ${one.kind}`} className="settings-line">
                  <span className="settings-name">
                    <Safe text={one.name} />
                  </span>
                  <StateBadge state={one.state} />
                  <span className="grow row wrap">
                    {one.kind && one.kind !== one.name ? <Safe text={one.kind} className="muted" /> : null}
                    {one.detail ? <Safe text={one.detail} block className="muted" /> : null}
                  </span>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </Part>
      <Part title={t("int.login")}>
        {ways.data ? (
          <>
            <Way name={t("int.password")} on={ways.data.password} />
            <Way name={t("int.passkey")} on={ways.data.passkey} />
            <h3>{t("int.oidc")}</h3>
            {ways.data.oidc.length === 0 ? <p className="muted">{t("int.oidc.none")}</p> : null}
            {ways.data.oidc.map((one) => (
              <div key={one.id} className="settings-line">
                <span className="settings-name">
                  <Safe text={one.label} />
                </span>
                <span className="mono muted">{safe(one.id)}</span>
                <span className="muted">{t("int.oidc.on")}</span>
              </div>
            ))}
          </>
        ) : (
          <Loading rows={2} />
        )}
      </Part>
    </>
  );
}

const PARTS = ["action", "enricher", "source", "sink"] as const;
const partName = (part: string): string => {
  const known = PARTS.find((name) => name === part);
  return known ? t(`int.${known}`) : word(part);
};

function Way({ name, on }: { name: string; on: boolean }) {
  return (
    <div className="settings-line">
      <span className="settings-name">{name}</span>
      <Badge kind={on ? "ok" : "plain"}>{t(on ? "int.on" : "int.off")}</Badge>
    </div>
  );
}

function StateBadge({ state }: { state: string }) {
  return <Badge kind={good(state) ? "ok" : wrong(state) ? "bad" : "plain"}>{word(state)}</Badge>;
}

export function Data() {
  const node = useNode();
  if (node.error) return <ErrorView error={node.error} onRetry={() => void node.refetch()} />;
  if (!node.data) return <Loading />;
  const { sizes } = node.data;
  const total = sizes.reduce((sum, one) => sum + one.bytes, 0);
  return (
    <Part title={t("data.title")} text={t("data.where")}>
      {node.data.retention_days > 0 ? <p>{t("data.keep", { n: node.data.retention_days })}</p> : null}
      <div className="settings-scroll">
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">{t("data.class")}</th>
              <th scope="col" className="end">
                {t("data.bytes")}
              </th>
              <th scope="col" className="end">
                {t("data.files")}
              </th>
              <th scope="col">{t("data.limit")}</th>
            </tr>
          </thead>
          <tbody>
            {sizes.map((one) => (
              <tr key={one.class}>
                <th scope="row">
                  {word(one.class)} <span className="meta">{one.about}</span>
                </th>
                <td className="end">{bytes(one.bytes)}</td>
                <td className="end">{number(one.files)}</td>
                <td>
                  {one.limit_bytes ? (
                    <span className="row">
                      <meter min={0} max={one.limit_bytes} value={one.bytes} aria-label={t("data.limit")} />
                      {bytes(one.limit_bytes)}
                    </span>
                  ) : (
                    <span className="muted">{t("data.bydays")}</span>
                  )}
                </td>
              </tr>
            ))}
            <tr>
              <th scope="row">{t("data.total")}</th>
              <td className="end">
                <b>{bytes(total)}</b>
              </td>
              <td className="end">{number(sizes.reduce((sum, one) => sum + one.files, 0))}</td>
              <td />
            </tr>
          </tbody>
        </table>
      </div>
    </Part>
  );
}

interface Key {
  path: string;
  value: string;
  origin: string;
  default: string;
  type?: string;
  doc?: string;
  secret?: boolean;
  set: boolean;
}

export function Configuration() {
  const got = useOne<Page<{ room: string; keys: Key[] }>>("/settings/values");
  const [query, change] = useQueryState();
  const [own, setOwn] = useKept("settings.own", false);
  const words = (query.q ?? "").trim().toLowerCase();
  const rooms = useMemo(
    () =>
      (got.data?.items ?? [])
        .map((room) => ({
          ...room,
          keys: room.keys.filter(
            (key) =>
              (!own || key.set) &&
              (words === "" || `${key.path} ${key.value} ${key.doc ?? ""}`.toLowerCase().includes(words)),
          ),
        }))
        .filter((room) => room.keys.length > 0),
    [got.data, words, own],
  );
  return (
    <Part title={t("conf.title")} text={t("conf.text")}>
      <FilterBar value={query.q ?? ""} placeholder={t("conf.filter")} onChange={(q) => change({ q: q || undefined })}>
        <Chip on={own} onClick={() => setOwn(!own)}>
          {t("conf.set")}
        </Chip>
      </FilterBar>
      {got.error ? <ErrorView error={got.error} onRetry={() => void got.refetch()} /> : null}
      {got.isPending ? <Loading /> : null}
      {got.data && rooms.length === 0 ? <Empty title={t("conf.empty")}>{t("conf.empty.text")}</Empty> : null}
      {rooms.map((room) => (
        <section key={room.room} className="settings-room">
          <h3>{safe(room.room)}</h3>
          <ul>
            {room.keys.map((key) => (
              <li key={key.path} className="settings-key">
                <span className="settings-key-name">
                  <Safe text={key.path} block />
                </span>
                <span className="settings-key-value">
                  {key.value === "" ? (
                    <span className="muted">{t("conf.nothing")}</span>
                  ) : (
                    <Safe text={key.value} block />
                  )}
                  {key.secret ? <Badge>{t("conf.secret")}</Badge> : null}
                </span>
                <span className="settings-key-origin">
                  {key.set ? (
                    <Safe text={key.origin} block className="settings-origin" />
                  ) : (
                    <span className="muted">{t("conf.default")}</span>
                  )}
                  {key.set && key.default !== "" && key.default !== key.value ? (
                    <Safe text={t("conf.delivered", { value: key.default })} block className="muted" />
                  ) : null}
                </span>
                {key.doc ? <span className="meta settings-key-doc">{safe(key.doc)}</span> : null}
              </li>
            ))}
          </ul>
        </section>
      ))}
    </Part>
  );
}

const MADE_WITH = [
  "React (MIT)",
  "TanStack Query, Router, Virtual (MIT)",
  "Base UI (MIT)",
  "uPlot (MIT)",
  "d3-geo (ISC)",
  "topojson-client (ISC)",
  "world-atlas (ISC), Natural Earth (public domain)",
  "asciinema-player (Apache-2.0)",
  "MIT: openapi-fetch",
];

export function About() {
  const node = useNode();
  const about = useOne<{ version: string; formats: string[] }>("/about");
  if (node.error) return <ErrorView error={node.error} onRetry={() => void node.refetch()} />;
  if (!node.data) return <Loading />;
  const skew = clockAhead();
  return (
    <>
      <Part title={t("about.title")}>
        <Fields>
          <Field name={t("about.node")} text={node.data.node} />
          <Field name={t("about.version")} text={node.data.version} />
          <Field name={t("about.go")} text={node.data.go} />
          <Field name={t("about.now")} text={node.data.now}>
            <When at={node.data.now} exact />{" "}
            {Math.abs(skew) > 2000 ? (
              <span className="muted">{t("about.skew", { time: duration(Math.abs(skew)) })}</span>
            ) : null}
          </Field>
          <Field name={t("about.attack")} text={node.data.attack_version} />
          {about.data ? <Field name={t("about.formats")} text={about.data.formats.join(", ")} block /> : null}
        </Fields>
      </Part>
      <Part title={t("about.licences")}>
        <h3>{t("about.data")}</h3>
        <ul className="col">
          {node.data.credits.map((credit) => (
            <li key={credit}>{safe(credit)}</li>
          ))}
        </ul>
        <h3>{t("about.console")}</h3>
        <ul className="settings-columns">
          {MADE_WITH.map((name) => (
            <li key={name}>{name}</li>
          ))}
        </ul>
      </Part>
    </>
  );
}
