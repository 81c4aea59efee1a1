/** What an alert rests on: its facts, its events, and what is known about its values. */

import { useState } from "react";
import { useOne } from "../../api/query";
import type { Alert, Event } from "../../api/types";
import { number } from "../../lib/i18n";
import { part } from "../../lib/route";
import { absolute, duration } from "../../lib/time";
import { t } from "../../locale/rooms/alerts";
import { word } from "../../locale/words";
import { Field, Fields } from "../../widgets/field";
import { Safe, SafeLines } from "../../widgets/safe";
import { ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { host } from "./row";

export function Evidence({ alert }: { alert: Alert }) {
  const src = host(alert.src?.addr);
  return (
    <>
      <section className="panel">
        <h3>{t("evidence.count", { n: alert.event_ids.length })}</h3>
        {alert.evidence.length === 0 ? <p className="muted">{t("evidence.none")}</p> : null}
        <ul className="alerts-events">
          {alert.evidence.map((event) => (
            <EventRow key={event.event_id} id={event.event_id} text={event.text} time={event.time} />
          ))}
        </ul>
        {alert.evidence.length < alert.event_ids.length ? (
          <p className="meta">{t("evidence.shown", { n: alert.evidence.length, all: alert.event_ids.length })}</p>
        ) : null}
      </section>
      <section className="panel">
        <h3>{t("facts")}</h3>
        <Fields label={t("facts")}>
          <Field name={t("field.id")} text={alert.id} />
          <Field name={t("field.time")} text={alert.time}>
            {absolute(alert.time)}
          </Field>
          <Field name={t("field.found")} text={alert.created_at}>
            {absolute(alert.created_at)}{" "}
            <span className="muted">+{duration(Date.parse(alert.created_at) - Date.parse(alert.time))}</span>
          </Field>
          {src ? <Field name={t("field.src")} text={alert.src?.addr ?? src} address /> : null}
          {alert.src?.country ? <Field name={t("field.country")} text={alert.src.country} /> : null}
          {alert.src?.asn ? (
            <Field name={t("field.asn")} text={`AS${alert.src.asn} ${alert.src.as_org ?? ""}`} />
          ) : null}
          {alert.dst?.addr ? <Field name={t("field.dst")} text={alert.dst.addr} address /> : null}
          {alert.sensor ? <Field name={t("field.sensor")} text={alert.sensor} /> : null}
          {alert.session ? <Field name={t("field.session")} text={alert.session} /> : null}
          {alert.attacker ? <Field name={t("field.attacker")} text={alert.attacker} /> : null}
          <Field name={t("field.rule")} text={alert.rule_id} />
          <Field name={t("field.detector")} text={alert.detector} />
          <Field name={t("field.category")} text={alert.category} />
          <Field name={t("field.count")} text={number(alert.count)} />
          {alert.suppression ? <Field name={t("field.suppression")} text={alert.suppression} /> : null}
        </Fields>
      </section>
      {alert.observables?.length ? (
        <section className="panel">
          <h3>{t("observables")}</h3>
          <Fields label={t("observables")}>
            {alert.observables.map((one) => (
              <Field
                key={`${one.type} ${one.name} ${one.value}`}
                name={one.name || one.type}
                text={one.value}
                address
                block
              />
            ))}
          </Fields>
        </section>
      ) : null}
      {alert.enrichments?.length ? (
        <section className="panel">
          <h3>{t("enrichments")}</h3>
          <ul className="col">
            {alert.enrichments.map((one) => (
              <li key={`${one.provider} ${one.type} ${one.value}`}>
                <span className="row">
                  <b>{one.provider}</b>
                  <Safe text={one.value} />
                  <span className="muted">{word(one.verdict)}</span>
                </span>
                {one.text ? <Safe text={one.text} block className="muted" /> : null}
              </li>
            ))}
          </ul>
        </section>
      ) : null}
    </>
  );
}

function EventRow({ id, text, time }: { id: string; text: string; time: string }) {
  const [open, setOpen] = useState(false);
  return (
    <li className="alerts-event">
      <button
        type="button"
        className="alerts-event-head"
        aria-expanded={open}
        aria-label={t("evidence.open")}
        onClick={() => setOpen(!open)}
      >
        <span className={open ? "alerts-fold alerts-fold-open" : "alerts-fold"} aria-hidden="true" />
        <span className="muted mono">
          <When at={time} />
        </span>
      </button>
      <SafeLines text={text} />
      {open ? <EventBody id={id} /> : null}
    </li>
  );
}

function EventBody({ id }: { id: string }) {
  const asked = useOne<Event>(`/events/${part(id)}`);
  if (asked.error)
    return asked.error.status === 404 ? (
      <p className="muted">{t("evidence.gone")}</p>
    ) : (
      <ErrorView error={asked.error} />
    );
  const event = asked.data;
  if (!event) return <Loading rows={3} />;
  return (
    <Fields>
      <Field name={t("field.activity")} text={event.activity} />
      <Field name={t("field.time")} text={event.time}>
        {absolute(event.time)}
      </Field>
      <Field name={t("field.found")} text={event.observed}>
        {absolute(event.observed)}
      </Field>
      {event.service ? <Field name={t("field.service")} text={event.service} /> : null}
      {Object.entries(event.attrs ?? {}).map(([name, value]) => (
        <Field key={name} name={name} text={typeof value === "string" ? value : JSON.stringify(value)} block />
      ))}
      {event.raw ? (
        <>
          <dt className="field-name">{t("evidence.raw")}</dt>
          <dd>
            <SafeLines text={decode(event.raw)} />
          </dd>
        </>
      ) : null}
    </Fields>
  );
}

/** Base64 as text; bytes that are no text become U+FFFD. */
export function decode(raw: string): string {
  try {
    const bytes = Uint8Array.from(atob(raw), (char) => char.charCodeAt(0));
    return new TextDecoder("utf-8").decode(bytes.subarray(0, 16_384));
  } catch {
    return raw;
  }
}
