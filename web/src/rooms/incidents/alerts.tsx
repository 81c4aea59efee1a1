/** The alerts of an incident; some can be selected to be split off. */
import { useList } from "../../api/query";
import type { Alert, Incident } from "../../api/types";
import { number } from "../../lib/i18n";
import { t } from "../../locale/rooms/incidents";
import { word } from "../../locale/words";
import { Badge } from "../../widgets/badge";
import { Button } from "../../widgets/button";
import { Go } from "../../widgets/go";
import { Safe } from "../../widgets/safe";
import { Table } from "../../widgets/section";
import { Severity } from "../../widgets/severity";
import { ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";

const host = (addr: string | undefined): string => (addr ?? "").replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");

export function Alerts({
  row,
  may,
  picked,
  onPick,
  onSplit,
}: {
  row: Incident;
  may: boolean;
  picked: ReadonlySet<string>;
  onPick: (ids: ReadonlySet<string>) => void;
  onSplit: () => void;
}) {
  const list = useList<Alert>("/alerts", { incident: row.id }, { limit: 50 });
  if (list.loading) return <Loading rows={5} />;
  if (list.error) return <ErrorView error={list.error} onRetry={list.again} />;
  if (list.rows.length === 0) return <p className="muted incident-pad">{t("alerts.none")}</p>;
  const flip = (id: string) => {
    const next = new Set(picked);
    if (!next.delete(id)) next.add(id);
    onPick(next);
  };
  return (
    <div className="work-section">
      <Table
        label={t("tab.alerts")}
        heads={[
          { id: "pick", label: <span className="sr">{t("act.select")}</span> },
          { id: "short", label: t("head.short") },
          { id: "severity", label: t("head.severity") },
          { id: "score", label: t("alerts.score"), end: true },
          { id: "title", label: t("alerts.rule"), wide: true },
          { id: "src", label: t("alerts.source") },
          { id: "state", label: t("alerts.state") },
          { id: "time", label: t("alerts.time"), end: true },
        ]}
      >
        {list.rows.map((alert) => (
          <tr key={alert.id}>
            <td>
              <input
                type="checkbox"
                disabled={!may}
                aria-label={t("alerts.pick", { short: alert.short })}
                checked={picked.has(alert.id)}
                onChange={() => flip(alert.id)}
              />
            </td>
            <td>
              <Go path={`/alerts/${encodeURIComponent(alert.short)}`} className="mono">
                {alert.short}
              </Go>
            </td>
            <td>
              <Severity name={alert.severity} />
            </td>
            <td className="end">{number(alert.score, { maximumFractionDigits: 0 })}</td>
            <td>
              <Safe text={alert.title} block className="incidents-words" />
              {alert.count > 1 ? <span className="muted"> ×{number(alert.count)}</span> : null}
            </td>
            <td>
              <Safe text={host(alert.src?.addr)} block />
            </td>
            <td className="work-nowrap">
              {word(alert.status)}{" "}
              {alert.verdict?.as && alert.verdict.as !== "none" ? (
                <Badge kind="accent">{word(alert.verdict.as)}</Badge>
              ) : null}
            </td>
            <td className="end work-nowrap">
              <When at={alert.time} />
            </td>
          </tr>
        ))}
      </Table>
      <div className="row wrap incident-under">
        {list.hasMore ? (
          <Button busy={list.loadingMore} onClick={list.more}>
            {t("alerts.more")}
          </Button>
        ) : null}
        <Button keys="s" disabled={!may || picked.size === 0} onClick={onSplit}>
          {t("alerts.split", { n: picked.size })}
        </Button>
        <Go path="/alerts" query={{ incident: row.id }}>
          {t("alerts.queue")}
        </Go>
      </div>
    </div>
  );
}
