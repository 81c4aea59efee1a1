/** The decoys: whether they serve, how caged they are, and when they were last heard from. */
import { useOne } from "../../api/query";
import type { Page, Sensor } from "../../api/types";
import { number } from "../../lib/i18n";
import { duration } from "../../lib/time";
import { t } from "../../locale/rooms/health";
import { Safe } from "../../widgets/safe";
import { Section, Table } from "../../widgets/section";
import { State } from "../../widgets/state";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";

const on = (layer: string): boolean => /: on$/.test(layer);

export function Sensors() {
  const asked = useOne<Page<Sensor>>("/sensors", undefined, 10_000);
  if (asked.isPending) return <Loading />;
  if (asked.error && !asked.data) return <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />;
  const rows = asked.data?.items ?? [];
  if (rows.length === 0) return <Empty title={t("sensors.empty")}>{t("sensors.empty.text")}</Empty>;
  const layers = [...new Set(rows.flatMap((row) => row.layers))];
  return (
    <>
      <Section title={t("view.sensors")}>
        <Table
          label={t("view.sensors")}
          heads={[
            { id: "name", label: t("head.name") },
            { id: "state", label: t("head.state") },
            { id: "kind", label: t("head.kind") },
            { id: "listen", label: t("head.listen") },
            { id: "persona", label: t("head.persona") },
            { id: "rate", label: t("head.rate"), end: true },
            { id: "events", label: t("head.events"), end: true },
            { id: "sessions", label: t("head.sessions"), end: true },
            { id: "last", label: t("head.last"), end: true },
            { id: "lag", label: t("head.lag"), end: true },
            { id: "restarts", label: t("head.restarts"), end: true },
            { id: "layers", label: t("head.layers") },
            { id: "since", label: t("head.since"), end: true },
          ]}
        >
          {rows.map((row) => (
            <tr key={row.name}>
              <td>
                <b>
                  <Safe text={row.name} />
                </b>
              </td>
              <td>
                <State name={row.state} health />
                {row.detail ? (
                  <div className="work-state-warn">
                    <Safe text={row.detail} block className="health-words" />
                  </div>
                ) : null}
              </td>
              <td>{row.kind}</td>
              <td className="mono work-nowrap">
                {row.network} {row.listen}
              </td>
              <td>
                <Safe text={row.persona} />
              </td>
              <td className="end">{number(row.per_minute, { maximumFractionDigits: 1 })}</td>
              <td className="end">{number(row.events)}</td>
              <td className="end">{number(row.sessions)}</td>
              <td className="end work-nowrap">{row.last_at ? <When at={row.last_at} /> : t("never")}</td>
              <td className="end work-nowrap">{row.last_at ? duration(row.lag_ms) : ""}</td>
              <td className={row.restarts > 0 ? "end work-state-warn" : "end"}>{number(row.restarts)}</td>
              <td className="work-nowrap">
                {row.layers.every(on)
                  ? t("layers.all", { n: row.layers.length })
                  : t("layers.some", { n: row.layers.filter(on).length, all: row.layers.length })}
              </td>
              <td className="end work-nowrap">{row.since ? <When at={row.since} /> : ""}</td>
            </tr>
          ))}
        </Table>
      </Section>
      <Section title={t("sensor.layers")}>
        <ul className="health-layers">
          {layers.map((layer) => (
            <li key={layer} className={on(layer) ? undefined : "work-state-warn"}>
              <Safe text={layer} />
            </li>
          ))}
        </ul>
      </Section>
    </>
  );
}
