/** What an incident is about: attackers, sessions, honeytokens, observables, techniques. */
import { useOne } from "../../api/query";
import type { Incident } from "../../api/types";
import type { Links } from "../../api/work";
import { defang } from "../../lib/defang";
import { number } from "../../lib/i18n";
import { t } from "../../locale/rooms/incidents";
import { Badge } from "../../widgets/badge";
import { Button } from "../../widgets/button";
import { CopyButton, copySafe } from "../../widgets/copy";
import { Go } from "../../widgets/go";
import { Safe } from "../../widgets/safe";
import { Section, Table } from "../../widgets/section";
import { Severity } from "../../widgets/severity";
import { ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";

const host = (addr: string | undefined): string => (addr ?? "").replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");

export function Linked({ row, path }: { row: Incident; path: string }) {
  const asked = useOne<Links>(`${path}/linked`);
  if (asked.isPending) return <Loading rows={6} />;
  if (asked.error) return <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />;
  const { attackers, sessions, tokens, indicators } = asked.data;
  const proven = new Set(row.proven ?? []);
  const none = <p className="muted">{t("linked.none")}</p>;
  return (
    <div className="incident-linked">
      <Section title={`${t("linked.attackers")} ${number(attackers.length)}`}>
        {attackers.length === 0 ? none : null}
        <ul className="incident-links">
          {attackers.map((one) => (
            <li key={one.key} className="row wrap">
              <Severity name={one.severity} bare />
              <Go path={`/attackers/${encodeURIComponent(one.key)}`}>
                <Safe text={host(one.src.addr) || one.key} block />
              </Go>
              {proven.has(host(one.src.addr)) ? (
                <span title={t("linked.proven.title")}>
                  <Badge>{t("linked.proven")}</Badge>
                </span>
              ) : null}
              <span className="muted">
                <Safe text={[one.src.country, one.src.as_org].filter(Boolean).join(" ")} /> <When at={one.last_at} />
              </span>
            </li>
          ))}
        </ul>
      </Section>
      <Section title={`${t("linked.sessions")} ${number(sessions.length)}`}>
        {sessions.length === 0 ? none : null}
        <ul className="incident-links">
          {sessions.map((one) => (
            <li key={one.id} className="row wrap">
              <Severity name={one.severity} bare />
              <Go path={`/sessions/${encodeURIComponent(one.id)}`}>
                <Safe text={`${one.service} ${one.user ? `${one.user}@` : ""}${one.sensor}`} block />
              </Go>
              <span className="muted">
                <Safe text={host(one.src?.addr)} /> <When at={one.started_at} />
              </span>
            </li>
          ))}
        </ul>
      </Section>
      <Section title={`${t("linked.tokens")} ${number(tokens.length)}`}>
        {tokens.length === 0 ? none : null}
        <ul className="incident-links">
          {tokens.map((one) => (
            <li key={one.id} className="row wrap">
              <Go path={`/tokens/${encodeURIComponent(one.short)}`} className="mono">
                {one.short}
              </Go>
              <span>{one.kind}</span>
              <Safe text={one.path} block className="muted" />
              <span className="muted">
                {t("linked.read", { n: one.exposures })}, {t("linked.uses", { n: one.uses })}
              </span>
            </li>
          ))}
        </ul>
      </Section>
      <Section title={`${t("linked.techniques")} ${number(row.attacks.length)}`}>
        <ul className="incident-links">
          {row.attacks.map((one) => (
            <li key={one.id} className="row">
              <Go
                path="/alerts"
                query={{ technique: one.id, status: "all", who: "any" }}
                className="mono incident-tech"
              >
                {one.id}
              </Go>
              <Safe text={one.why ?? ""} block className="incidents-words muted" />
            </li>
          ))}
        </ul>
      </Section>
      <Section
        className="incident-wide"
        title={`${t("linked.indicators")} ${number(indicators.length)}`}
        actions={
          indicators.length > 0 ? (
            <Button
              onClick={() => void copySafe(indicators.map((one) => `${one.type}\t${defang(one.value)}`).join("\n"))}
            >
              {t("linked.copy")}
            </Button>
          ) : null
        }
      >
        {indicators.length === 0 ? (
          none
        ) : (
          <Table
            label={t("linked.indicators")}
            heads={[
              { id: "type", label: t("linked.type") },
              { id: "value", label: t("linked.value"), wide: true },
              { id: "known", label: t("linked.known") },
              { id: "alerts", label: t("linked.alerts"), end: true },
            ]}
          >
            {indicators.map((one) => (
              <tr key={`${one.type} ${one.value}`}>
                <td>{one.type}</td>
                <td>
                  <span className="incident-hash">
                    <Safe text={one.value} block />
                    <CopyButton text={defang(one.value)} what={t("linked.value")} />
                  </span>
                </td>
                <td>
                  <Safe text={one.known ?? ""} block className="incidents-words" />
                </td>
                <td className="end">{number(one.alerts)}</td>
              </tr>
            ))}
          </Table>
        )}
      </Section>
    </div>
  );
}
