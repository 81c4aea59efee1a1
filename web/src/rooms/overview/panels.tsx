/** The small lists of the overview. */
import type { ReactNode } from "react";
import { number } from "../../lib/i18n";
import { span, useNow } from "../../lib/time";
import { t } from "../../locale/rooms/overview";
import { Go } from "../../widgets/go";
import { Safe } from "../../widgets/safe";
import { Severity } from "../../widgets/severity";
import type { Overview, Presence } from "./types";

function Panel({ id, title, children }: { id: string; title: ReactNode; children: ReactNode }) {
  return (
    <section className="overview-panel" aria-labelledby={id}>
      <header className="row overview-head">
        <h2 id={id}>{title}</h2>
      </header>
      {children}
    </section>
  );
}

function Ranks({
  head,
  rows,
}: {
  head: string;
  rows: { key: string; n: number; severity: string; name: ReactNode; aside?: ReactNode }[];
}) {
  return (
    <table className="overview-ranks">
      <thead>
        <tr>
          <th scope="col">{head}</th>
          <th scope="col" className="end">
            {t("col.n")}
          </th>
          <th scope="col">{t("col.worst")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.key}>
            <td>
              <span className="row">
                {row.name}
                {row.aside}
              </span>
            </td>
            <td className="end">{number(row.n)}</td>
            <td>
              <Severity name={row.severity} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function TopSources({ rows }: { rows: Overview["top_sources"] }) {
  return (
    <Panel id="overview-sources" title={t("sources.title")}>
      {rows.length === 0 ? (
        <p className="muted">{t("sources.none")}</p>
      ) : (
        <Ranks
          head={t("col.source")}
          rows={rows.map((row) => ({
            key: row.address,
            n: row.n,
            severity: row.severity,
            name: (
              <Go path={`/attackers/${encodeURIComponent(row.attacker ?? row.address)}`} className="cut">
                <Safe text={row.address} />
              </Go>
            ),
            aside: (
              <span className="meta cut">
                {row.country} {row.as_org ? <Safe text={row.as_org} className="overview-org" /> : null}
              </span>
            ),
          }))}
        />
      )}
    </Panel>
  );
}

export function TopRules({ rows }: { rows: Overview["top_rules"] }) {
  return (
    <Panel id="overview-rules" title={t("rules.title")}>
      {rows.length === 0 ? (
        <p className="muted">{t("rules.none")}</p>
      ) : (
        <Ranks
          head={t("col.rule")}
          rows={rows.map((row) => ({
            key: row.id,
            n: row.n,
            severity: row.severity,
            name: (
              <Go path="/alerts" query={{ rule: row.id }} className="cut overview-rule">
                <Safe text={row.title || row.id} />
              </Go>
            ),
          }))}
        />
      )}
    </Panel>
  );
}

export function Needs({ data }: { data: Overview }) {
  const now = useNow(1000);
  const { needs } = data;
  const nothing = needs.approvals === 0 && needs.due.length === 0;
  return (
    <Panel id="overview-needs" title={t("needs.title")}>
      {nothing ? <p className="muted">{t("needs.none")}</p> : null}
      {needs.approvals > 0 ? (
        <ul className="overview-list">
          <li>
            <Go path="/response">
              <b>{t("needs.approvals", { n: needs.approvals })}</b>
            </Go>
          </li>
          {needs.first_approvals.slice(0, 2).map((one) => (
            <li key={`${one.run} ${one.name}`} className="row">
              <Go path={`/response/${encodeURIComponent(one.short)}`} className="row cut">
                <span className="mono muted">{one.short}</span>
                <Safe text={`${one.title}: ${one.name}`} />
              </Go>
            </li>
          ))}
        </ul>
      ) : null}
      {needs.due.length > 0 ? (
        <ul className="overview-list">
          {needs.due.slice(0, 4).map((one) => {
            const left = Date.parse(one.due_at) - now;
            return (
              <li key={one.id} className="row">
                <Severity name={one.severity} />
                <Go path={`/incidents/${encodeURIComponent(one.short)}`} className="row cut grow">
                  <span className="mono muted">{one.short}</span>
                  <Safe text={one.title} />
                </Go>
                <span className={left < 0 ? "overview-missed" : "overview-due muted"}>
                  {t(left < 0 ? "needs.due.over" : "needs.due.in", { time: span(Math.abs(left)) })}
                </span>
              </li>
            );
          })}
        </ul>
      ) : null}
    </Panel>
  );
}

export function Health({ data }: { data: Overview }) {
  return (
    <Panel id="overview-health" title={t("health.title")}>
      <ul className="overview-list">
        <Side name={t("health.sensors")} presence={data.sensors} />
        <Side name={t("health.sources")} presence={data.sources} />
      </ul>
    </Panel>
  );
}

function Side({ name, presence }: { name: string; presence: Presence }) {
  const nothing = presence.ok + presence.late === 0;
  return (
    <>
      <li className="row">
        <Go path="/sensors">{name}</Go>
        <span className="grow" />
        {nothing ? <span className="muted">{t("health.none")}</span> : null}
        {presence.ok > 0 ? <span className="overview-met">{t("health.ok", { n: presence.ok })}</span> : null}
        {presence.late > 0 ? <span className="overview-missed">{t("health.late", { n: presence.late })}</span> : null}
      </li>
      {presence.list.slice(0, 2).map((one) => (
        <li key={one.name} className="row muted">
          <Safe text={one.name} /> <Safe text={one.detail || one.state} />
        </li>
      ))}
    </>
  );
}
