/** One event with all its fields, each a way to others like it, and the bytes it was made of. */
import { useMemo, useState } from "react";
import { useOne } from "../../api/query";
import type { Event } from "../../api/types";
import { defang } from "../../lib/defang";
import { part, useGo } from "../../lib/route";
import { brief, safe } from "../../lib/safe";
import { absolute, duration } from "../../lib/time";
import { t as shell } from "../../locale/en";
import { t } from "../../locale/rooms/hunt";
import { word } from "../../locale/words";
import { Button } from "../../widgets/button";
import { copyRaw, copySafe } from "../../widgets/copy";
import { bytesOf, Hex } from "../../widgets/hex";
import { Menu, type MenuEntry } from "../../widgets/menu";
import { Safe, SafeLines } from "../../widgets/safe";
import { Severity } from "../../widgets/severity";
import { Tabs } from "../../widgets/tabs";
import { ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { fieldOfAttr, type HuntField } from "./query";

export type Pivot = (field: string, value: string, how: "add" | "not" | "only") => void;

/** The address without its port. */
export const hostOf = (addr: string | undefined): string => {
  const text = addr ?? "";
  const six = /^\[([^\]]*)\](?::\d+)?$/.exec(text);
  if (six) return six[1] ?? "";
  return /^[^:]*:\d+$/.test(text) ? text.slice(0, text.lastIndexOf(":")) : text;
};

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

/** What an event says in one line. */
export function gist(event: Event): string {
  const attrs = (event.attrs ?? {}) as Record<string, unknown>;
  const first = (...names: string[]) => {
    for (const name of names) if (attrs[name] !== undefined && attrs[name] !== "") return textOf(attrs[name]);
    return "";
  };
  const command = first("process.cmd_line", "command");
  if (command) return command;
  const user = first("user.name");
  if (user || attrs["auth.password"] !== undefined) return [user, first("auth.password")].filter(Boolean).join(" / ");
  const url = first("http_request.url", "url");
  if (url) return `${first("http_request.method")} ${url}`.trim();
  const file = first("file.path", "file.hash");
  if (file) return file;
  const message = first("message", "detail");
  if (message) return message;
  return Object.entries(attrs)
    .slice(0, 4)
    .map(([name, value]) => `${name}=${textOf(value)}`)
    .join(" ");
}

export function EventDetail({
  id,
  fields,
  tab,
  onTab,
  onPivot,
  onClose,
}: {
  id: string;
  fields: readonly HuntField[];
  tab: string;
  onTab: (tab: string) => void;
  onPivot: Pivot;
  onClose: () => void;
}) {
  const asked = useOne<Event>(`/events/${part(id)}`);
  const event = asked.data;
  return (
    <article className="hunt-detail" aria-label={t("detail")}>
      <header className="hunt-detail-head">
        <div className="row">
          <h2 className="grow cut">{event ? word(event.activity) : t("detail")}</h2>
          {event ? <Severity name={event.severity} /> : null}
          <Button keys="y" disabled={!event} onClick={() => void copySafe(JSON.stringify(event, null, 2))}>
            {shell("copy")}
          </Button>
          <Button keys="Escape" onClick={onClose}>
            {shell("close")}
          </Button>
        </div>
        {event ? <Safe text={gist(event)} block /> : null}
      </header>
      {asked.error ? <ErrorView error={asked.error} onRetry={() => void asked.refetch()} /> : null}
      {event ? (
        <Tabs
          label={t("detail")}
          value={tab}
          onChange={onTab}
          tabs={[
            { id: "fields", label: t("tab.fields"), body: <Facts event={event} fields={fields} onPivot={onPivot} /> },
            { id: "raw", label: t("tab.raw"), body: <Raw raw={event.raw} /> },
          ]}
        />
      ) : asked.error ? null : (
        <Loading />
      )}
    </article>
  );
}

interface Row {
  name: string;
  value: string;
  field?: string;
  ask?: string;
  shown?: React.ReactNode;
  address?: boolean;
}

function Facts({ event, fields, onPivot }: { event: Event; fields: readonly HuntField[]; onPivot: Pivot }) {
  const late = Date.parse(event.observed) - Date.parse(event.time);
  const src = hostOf(event.src?.addr);
  const facts: Row[] = [
    { name: t("field.time"), value: event.time, shown: <When at={event.time} exact /> },
    {
      name: t("field.observed"),
      value: event.observed,
      shown: (
        <>
          {absolute(event.observed)} {late > 0 ? <span className="muted">+{duration(late)}</span> : null}
        </>
      ),
    },
    { name: "src", value: event.src?.addr ?? "", field: "src", ask: src, address: true },
    { name: "country", value: event.src?.country ?? "", field: "country" },
    {
      name: "asn",
      value: event.src?.asn ? `AS${event.src.asn} ${event.src.as_org ?? ""}`.trim() : "",
      field: "asn",
      ask: event.src?.asn ? `AS${event.src.asn}` : undefined,
    },
    { name: "dst", value: event.dst?.addr ?? "", field: "dst", ask: hostOf(event.dst?.addr), address: true },
    { name: "activity", value: event.activity, field: "activity" },
    { name: "class", value: String(event.class), field: "class" },
    { name: "sensor", value: event.sensor, field: "sensor" },
    { name: "service", value: event.service ?? "", field: "service" },
    { name: "session", value: event.session ?? "", field: "session" },
    { name: "id", value: event.id, field: "id" },
  ];
  const attrs: Row[] = Object.entries(event.attrs ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({ name, value: textOf(value), field: fieldOfAttr(name, fields) }));
  const seen: Row[] = (event.observables ?? []).map((one) => ({
    name: one.type || one.name,
    value: one.value,
    field: "observable",
    address: true,
  }));
  const attacks: Row[] = (event.attacks ?? []).map((one) => ({
    name: one.id,
    value: [one.tactic, one.why].filter(Boolean).join(": "),
    field: "technique",
    ask: one.id,
  }));
  return (
    <>
      <Section title={t("section.facts")} rows={facts} onPivot={onPivot} />
      <Section title={t("section.attrs")} rows={attrs} onPivot={onPivot} />
      <Section title={t("section.observables")} rows={seen} onPivot={onPivot} />
      <Section title={t("section.attacks")} rows={attacks} onPivot={onPivot} />
    </>
  );
}

function Section({ title, rows, onPivot }: { title: string; rows: Row[]; onPivot: Pivot }) {
  const there = rows.filter((row) => row.value !== "");
  if (there.length === 0) return null;
  return (
    <section className="panel">
      <h3>{title}</h3>
      <dl className="fields">
        {there.map((row, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: names come twice, and rows never move
          <div key={at} className="field">
            <dt className="field-name">{safe(row.name)}</dt>
            <dd className="field-value">
              <span className="grow">{row.shown ?? <Safe text={row.value} block />}</span>
              <PivotMenu row={row} onPivot={onPivot} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function PivotMenu({ row, onPivot }: { row: Row; onPivot: Pivot }) {
  const go = useGo();
  const value = row.ask ?? row.value;
  const { field } = row;
  const ways: MenuEntry[] = field
    ? [
        { id: "add", label: t("pivot.add"), run: () => onPivot(field, value, "add") },
        { id: "not", label: t("pivot.not"), run: () => onPivot(field, value, "not") },
        { id: "only", label: t("pivot.only"), run: () => onPivot(field, value, "only") },
      ]
    : [];
  if (field === "session")
    ways.push({ id: "session", line: true, label: t("pivot.session"), run: () => go(`/sessions/${part(value)}`) });
  if (field === "src") {
    ways.push(
      {
        id: "attacker",
        line: true,
        label: t("pivot.attacker"),
        run: () => go(`/attackers/${part(`attacker:${value}`)}`),
      },
      { id: "alerts", label: t("pivot.alerts"), run: () => go("/alerts", { src: value, status: "all", who: "any" }) },
    );
  }
  if (field === "technique")
    ways.push({
      id: "alerts",
      line: true,
      label: t("pivot.alerts"),
      run: () => go("/alerts", { technique: value, status: "all", who: "any" }),
    });
  return (
    <Menu
      trigger={
        <button type="button" className="copy hunt-pivot" aria-label={t("pivot.of", { name: brief(row.name, 60) })}>
          ⋯
        </button>
      }
      entries={[
        ...ways,
        { id: "copy", line: ways.length > 0, label: t("pivot.copy"), run: () => void copySafe(row.value) },
        ...(row.address
          ? [{ id: "defang", label: t("pivot.defanged"), run: () => void copySafe(defang(row.value)) }]
          : []),
        { id: "raw", label: t("pivot.raw"), danger: true, run: () => void copyRaw(row.value) },
      ]}
    />
  );
}

const TEXT = 16_384;

function Raw({ raw }: { raw?: string }) {
  const bytes = useMemo(() => (raw ? bytesOf(raw) : null), [raw]);
  const [way, setWay] = useState<"hex" | "text">("hex");
  if (!raw) return <p className="panel muted">{t("raw.none")}</p>;
  const text = bytes ? new TextDecoder("utf-8").decode(bytes.subarray(0, TEXT)) : raw;
  return (
    <section className="panel col">
      <div className="row wrap">
        <Button pressed={way === "hex"} disabled={!bytes} onClick={() => setWay("hex")}>
          {t("raw.hex")}
        </Button>
        <Button pressed={way === "text"} onClick={() => setWay("text")}>
          {t("raw.text")}
        </Button>
        <span className="grow muted">{bytes ? t("raw.size", { n: bytes.length }) : ""}</span>
        <Button kind="quiet" onClick={() => void copySafe(text)}>
          {t("raw.copy")}
        </Button>
      </div>
      {way === "hex" && bytes ? <Hex bytes={bytes} label={t("raw.hex")} /> : <SafeLines text={text} />}
    </section>
  );
}
