/** What happened in a span, and what the next shift takes over. */
import type { ReactNode } from "react";
import { useMay } from "../../api/me";
import { useOne } from "../../api/query";
import type { Alert, BlockRow, Incident, Judgement, Page } from "../../api/types";
import { part } from "../../lib/route";
import { t } from "../../locale/rooms/reports";
import { word } from "../../locale/words";
import { Badge } from "../../widgets/badge";
import { Button } from "../../widgets/button";
import { Go } from "../../widgets/go";
import { Safe } from "../../widgets/safe";
import { Severity, severityRank } from "../../widgets/severity";
import { ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import type { Span } from "./span";

const MOST = 25;

interface AuditRow {
  seq: number;
  time: string;
  actor: string;
  kind: string;
  action: string;
  object?: string;
  reason?: string;
  outcome: string;
}

export function Shift({ span }: { span: Span }) {
  const mayAudit = useMay("audit");
  const incidents = useOne<Page<Incident>>("/incidents", { limit: 200 });
  const alerts = useOne<Page<Alert>>("/alerts", {
    status: "new",
    severity: "medium",
    from: span.from,
    to: span.to,
    limit: MOST,
  });
  const waits = useOne<Page<{ id: string; short?: string; title: string; created_at?: string }>>("/approvals", {
    limit: MOST,
  });
  const blocks = useOne<Page<BlockRow>>("/blocks", { limit: 200 });
  const verdicts = useOne<Page<Judgement>>("/verdicts", { from: span.from, to: span.to, limit: MOST });
  const acts = useOne<Page<AuditRow>>(mayAudit ? "/audit" : null, {
    from: span.from,
    to: span.to,
    kind: "user",
    limit: 50,
  });
  const inside = (at: string | undefined) => at !== undefined && at >= span.from && at <= span.to;
  const all = incidents.data?.items ?? [];
  const open = all
    .filter((one) => !["closed", "resolved"].includes(one.status))
    .sort((a, b) => severityRank(b.severity) - severityRank(a.severity));
  const changed = all.filter((one) => ["closed", "resolved"].includes(one.status) && inside(one.updated_at));
  const made = (blocks.data?.items ?? []).filter((one) => inside(one.created_at));
  const people = (acts.data?.items ?? []).filter((one) => !["login", "logout", "confirm"].includes(one.action));
  return (
    <>
      <div className="row wrap reports-acts">
        <p className="muted grow">{t("shift.text")}</p>
        <Button onClick={() => window.print()}>{t("print")}</Button>
      </div>
      <List
        asked={incidents}
        title={t("shift.open")}
        text={t("shift.open.text")}
        none={t("shift.none")}
        rows={open}
        more={Boolean(incidents.data?.next)}
      >
        {(one: Incident) => <IncidentLine key={one.id} one={one} />}
      </List>
      <List asked={waits} title={t("shift.waits")} none={t("shift.waits.none")} rows={waits.data?.items ?? []}>
        {(one) => (
          <li key={one.id} className="reports-line">
            <Go path="/response">{one.short ?? t("shift.waits")}</Go>
            <Safe text={one.title} className="grow" />
            <span className="muted">
              <When at={one.created_at} />
            </span>
          </li>
        )}
      </List>
      <List
        asked={alerts}
        title={t("shift.alerts")}
        none={t("shift.alerts.none")}
        rows={alerts.data?.items ?? []}
        more={Boolean(alerts.data?.next)}
      >
        {(one: Alert) => (
          <li key={one.id} className="reports-line">
            <Go path={`/alerts/${part(one.short || one.id)}`}>{one.short}</Go>
            <Severity name={one.severity} />
            <Safe text={one.title} className="grow" />
            <Safe text={one.src?.addr} className="muted" />
            <span className="muted">
              <When at={one.created_at} />
            </span>
          </li>
        )}
      </List>
      <List
        asked={incidents}
        title={t("shift.changed")}
        none={t("shift.changed.none")}
        rows={changed}
        more={Boolean(incidents.data?.next)}
      >
        {(one: Incident) => <IncidentLine key={one.id} one={one} />}
      </List>
      <List
        asked={blocks}
        title={t("shift.blocks")}
        none={t("shift.blocks.none")}
        rows={made}
        more={Boolean(blocks.data?.next)}
      >
        {(one: BlockRow) => (
          <li key={`${one.address} ${one.created_at}`} className="reports-line">
            <Safe text={one.address} />
            <Badge>{word(one.state)}</Badge>
            <Safe text={one.reason} className="grow muted" />
            <span className="muted">
              <When at={one.created_at} />
            </span>
          </li>
        )}
      </List>
      <List
        asked={verdicts}
        title={t("shift.verdicts")}
        none={t("shift.verdicts.none")}
        rows={verdicts.data?.items ?? []}
      >
        {(one: Judgement) => (
          <li key={one.id} className="reports-line">
            <Badge>{word(one.verdict.as)}</Badge>
            <Safe text={`${one.short} ${one.title}`} className="grow" />
            <Safe text={one.verdict.by} className="muted" />
            <span className="muted">
              <When at={one.verdict.at} />
            </span>
          </li>
        )}
      </List>
      {mayAudit ? (
        <List asked={acts} title={t("shift.acts")} none={t("shift.acts.none")} rows={people}>
          {(one: AuditRow) => (
            <li key={one.seq} className="reports-line">
              <Go path={`/audit/${one.seq}`}>{word(one.action)}</Go>
              <Safe text={one.object} className="grow" />
              <Safe text={one.actor} className="muted" />
              <span className="muted">
                <When at={one.time} />
              </span>
            </li>
          )}
        </List>
      ) : null}
    </>
  );
}

function IncidentLine({ one }: { one: Incident }) {
  return (
    <li className="reports-line">
      <Go path={`/incidents/${part(one.short || one.id)}`}>{one.short}</Go>
      <Severity name={one.severity} />
      <Badge>{word(one.status)}</Badge>
      <Safe text={one.title} className="grow" />
      <Safe text={one.owner ? t("shift.owner", { who: one.owner }) : t("shift.noowner")} className="muted" />
      <span className="muted">
        <When at={one.updated_at} />
      </span>
    </li>
  );
}

function List<T>({
  asked,
  title,
  text,
  none,
  rows,
  more,
  children,
}: {
  asked: { error: unknown; isPending: boolean; refetch: () => unknown };
  title: string;
  text?: string;
  none: string;
  rows: readonly T[];
  /** There are others that were not asked for. */
  more?: boolean;
  children: (row: T) => ReactNode;
}) {
  return (
    <section className="reports-part">
      <h2>
        {title} {asked.isPending ? null : <span className="muted">{more ? `${rows.length}+` : rows.length}</span>}
      </h2>
      {text && rows.length > 0 ? <p className="muted">{text}</p> : null}
      {asked.error ? (
        <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />
      ) : asked.isPending ? (
        <Loading rows={2} />
      ) : rows.length === 0 ? (
        <p className="muted">{none}</p>
      ) : (
        <ul>{rows.slice(0, MOST).map(children)}</ul>
      )}
      {more || rows.length > MOST ? <p className="meta">{t("shift.more")}</p> : null}
    </section>
  );
}
