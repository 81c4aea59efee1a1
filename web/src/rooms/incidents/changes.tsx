/** What was moved between incidents, and the way back. */
import { useState } from "react";
import { call } from "../../api/client";
import { refresh, useList } from "../../api/query";
import type { Incident } from "../../api/types";
import type { IncidentChange } from "../../api/work";
import { number } from "../../lib/i18n";
import { t } from "../../locale/rooms/incidents";
import { Ask } from "../../widgets/ask";
import { Button } from "../../widgets/button";
import { Go } from "../../widgets/go";
import { Safe } from "../../widgets/safe";
import { Table } from "../../widgets/section";
import { done } from "../../widgets/toast";
import { ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";

export function Changes({ row, may }: { row: Incident; may: boolean }) {
  const list = useList<IncidentChange>("/incident-changes", { incident: row.id });
  const [asked, setAsked] = useState<IncidentChange | null>(null);
  if (list.loading) return <Loading rows={3} />;
  if (list.error) return <ErrorView error={list.error} onRetry={list.again} />;
  if (list.rows.length === 0) return <p className="muted incident-pad">{t("changes.none")}</p>;
  return (
    <div className="work-section">
      <Table
        label={t("changes.label")}
        heads={[
          { id: "short", label: t("head.short") },
          { id: "kind", label: t("changes.kind") },
          { id: "from", label: t("changes.from") },
          { id: "into", label: t("changes.into") },
          { id: "alerts", label: t("changes.alerts"), end: true },
          { id: "by", label: t("changes.by") },
          { id: "why", label: t("changes.why"), wide: true },
          { id: "at", label: t("changes.at"), end: true },
          { id: "undo", label: "" },
        ]}
      >
        {list.rows.map((one) => (
          <tr key={one.id}>
            <td className="mono">{one.short}</td>
            <td>{one.kind}</td>
            <td>
              <Side id={one.from} here={row.id} short={row.short} />
            </td>
            <td>
              <Side id={one.into} here={row.id} short={row.short} />
            </td>
            <td className="end">{number(one.alerts)}</td>
            <td>
              <Safe text={one.by} block className="incidents-words" />
            </td>
            <td>
              <Safe text={one.reason} block className="incidents-words" />
            </td>
            <td className="end work-nowrap">
              <When at={one.at} />
            </td>
            <td className="work-nowrap">
              {one.undone_at ? (
                <Safe text={t("changes.undone", { who: one.undone_by ?? "" })} className="muted incidents-words" />
              ) : (
                <Button disabled={!may} onClick={() => setAsked(one)}>
                  {t("changes.undo")}
                </Button>
              )}
            </td>
          </tr>
        ))}
      </Table>
      {list.hasMore ? (
        <Button busy={list.loadingMore} onClick={list.more}>
          {t("alerts.more")}
        </Button>
      ) : null}
      {asked ? (
        <Ask
          open
          bare
          onClose={() => setAsked(null)}
          title={t("changes.undo.title", { short: asked.short })}
          rollback={t("changes.undo.rollback")}
          verb={t("changes.undo")}
          run={async () => {
            await call("POST", `/incident-changes/${encodeURIComponent(asked.id)}/undo`, { body: {} });
            done(t("changes.undo.done", { short: asked.short }));
            refresh("/incidents", "/incident-changes", "/alerts", "/overview");
          }}
        >
          <p>{t("changes.undo.text")}</p>
        </Ask>
      ) : null}
    </div>
  );
}

function Side({ id, here, short }: { id: string; here: string; short: string }) {
  if (id === here) return <span className="mono muted">{short}</span>;
  return (
    <Go path={`/incidents/${encodeURIComponent(id)}`} className="mono">
      {id.slice(-6)}
    </Go>
  );
}
