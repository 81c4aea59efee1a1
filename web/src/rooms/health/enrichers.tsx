/** Where enrichment comes from: databases, tables, feeds and services, and how fresh they are. */
import { useOne } from "../../api/query";
import type { Page } from "../../api/types";
import type { EnricherStatus } from "../../api/work";
import { number } from "../../lib/i18n";
import { absolute } from "../../lib/time";
import { t } from "../../locale/rooms/health";
import { Safe } from "../../widgets/safe";
import { Section, Table } from "../../widgets/section";
import { State } from "../../widgets/state";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";

export function Enrichers() {
  const asked = useOne<Page<EnricherStatus>>("/enrichers", undefined, 30_000);
  if (asked.isPending) return <Loading />;
  if (asked.error && !asked.data) return <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />;
  const rows = asked.data?.items ?? [];
  if (rows.length === 0) return <Empty title={t("enrich.empty")}>{t("enrich.empty.text")}</Empty>;
  return (
    <Section title={t("view.enrichers")}>
      <Table
        label={t("view.enrichers")}
        heads={[
          { id: "name", label: t("head.name") },
          { id: "state", label: t("head.state") },
          { id: "kind", label: t("head.kind") },
          { id: "items", label: t("enrich.items"), end: true },
          { id: "bad", label: t("enrich.bad"), end: true },
          { id: "budget", label: t("enrich.budget"), end: true },
          { id: "asof", label: t("enrich.asof") },
          { id: "loaded", label: t("enrich.loaded") },
          { id: "next", label: t("enrich.next") },
          { id: "detail", label: t("enrich.detail"), wide: true },
        ]}
      >
        {rows.map((row) => (
          <tr key={row.name}>
            <td>
              <Safe text={row.name} />
            </td>
            <td>
              <State name={row.state} health />
            </td>
            <td>{row.kind}</td>
            <td className="end">{number(row.items)}</td>
            <td className={row.bad > 0 ? "end work-state-warn" : "end"}>{number(row.bad)}</td>
            <td className="end work-nowrap">
              {row.budget ? `${number(row.asked ?? 0)} / ${number(row.budget)}` : row.asked ? number(row.asked) : ""}
            </td>
            <td className="work-nowrap">{row.as_of ? <When at={row.as_of} /> : ""}</td>
            <td className="work-nowrap">{row.loaded ? <When at={row.loaded} /> : ""}</td>
            <td className="work-nowrap">{row.next_at ? absolute(row.next_at) : ""}</td>
            <td>
              <Safe text={row.detail ?? ""} block className="health-words" />
              {row.bad_lines?.slice(0, 3).map((line) => (
                <div key={line.line} className="muted">
                  {t("enrich.line", { n: line.line })}: <Safe text={line.reason} block className="health-words" />
                </div>
              ))}
            </td>
          </tr>
        ))}
      </Table>
    </Section>
  );
}
