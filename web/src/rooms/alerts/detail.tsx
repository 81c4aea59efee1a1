/** One alert: what it is, why it has its score, what it rests on, and what to do about it. */

import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useOne } from "../../api/query";
import type { Alert, AlertStatus, VerdictName } from "../../api/types";
import { useKept } from "../../lib/preferences";
import { part } from "../../lib/route";
import { t as shell } from "../../locale/en";
import { t } from "../../locale/rooms/alerts";
import { word } from "../../locale/words";
import { Badge, Sla, slaDue } from "../../widgets/badge";
import { Button, IconButton } from "../../widgets/button";
import { Icon } from "../../widgets/icons";
import { Menu } from "../../widgets/menu";
import { Safe } from "../../widgets/safe";
import { Severity } from "../../widgets/severity";
import { Tabs } from "../../widgets/tabs";
import { ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { Evidence } from "./evidence";
import { Log } from "./log";
import { Related } from "./related";
import { type AlertRow, host, slim } from "./row";
import { Why } from "./why";

export interface DetailProps {
  id: string;
  row: AlertRow | undefined;
  may: { work: boolean; respond: boolean };
  onStep: (by: number) => void;
  onClose: () => void;
  onAct: (status: AlertStatus) => void;
  onJudge: (verdict: VerdictName) => void;
  onDialog: (which: "note" | "suppress" | "block" | "gather") => void;
  onIncident: () => void;
  onCopy: () => void;
}

export function Detail(props: DetailProps) {
  const { id, may } = props;
  const asked = useOne<Alert>(`/alerts/${part(id)}`);
  const [tab, setTab] = useKept("alerts.tab", "why");
  const alert = asked.data;
  // The row of the list knows first what changed: then the rest is asked again.
  const known = props.row;
  const stamp = known ? `${known.status} ${known.verdict} ${known.at} ${known.count}` : "";
  const [seen, setSeen] = useState(stamp);
  const again = asked.refetch;
  useEffect(() => {
    if (stamp !== seen) {
      setSeen(stamp);
      if (alert && stamp) void again();
    }
  }, [stamp, seen, alert, again]);
  const row = known ?? (alert ? slim(alert) : undefined);
  if (asked.error && !row)
    return <ErrorView error={asked.error} title={t("detail.none", { id: "" })} onRetry={() => void asked.refetch()} />;
  if (!row) return <Loading />;
  const src = alert ? host(alert.src?.addr) : row.src;
  return (
    <article className="alerts-detail" aria-label={`${t("detail.label")} ${row.short}`}>
      <header className="alerts-detail-head">
        <div className="row">
          <span className="mono muted">{row.short}</span>
          <span className="grow" />
          <IconButton label={`${t("act.before")} (k)`} icon={<Icon name="back" />} onClick={() => props.onStep(-1)} />
          <IconButton label={`${t("act.next")} (j)`} icon={<Icon name="forward" />} onClick={() => props.onStep(1)} />
          <Button kind="quiet" keys="Esc" aria-label={`${shell("close")} Esc`} onClick={props.onClose}>
            ×
          </Button>
        </div>
        <div className="alerts-detail-title">
          <h2>
            <Safe text={alert?.title ?? row.title} block className="alerts-words" />
          </h2>
          <Severity name={row.severity} />
        </div>
        <p className="row wrap alerts-detail-line">
          {src ? (
            <Link to={`/attackers/${part(src)}` as string} className="alerts-link">
              <Safe text={src} />
            </Link>
          ) : null}
          {row.sensor ? <Safe text={row.sensor} className="muted" /> : null}
          {row.session ? <Link to={`/sessions/${part(row.session)}` as string}>{t("open.session")}</Link> : null}
          {row.incident ? <Link to={`/incidents/${part(row.incident)}` as string}>{t("act.incident")}</Link> : null}
          <span className="muted">
            <When at={row.time} />
          </span>
          {row.status === "new" ? <Sla due={slaDue(row.severity, row.created)} /> : null}
        </p>
        <p className="row wrap">
          <Badge kind={row.status === "escalated" ? "warn" : "plain"}>{word(row.status)}</Badge>
          {row.verdict ? <Badge kind="accent">{word(row.verdict)}</Badge> : null}
          {row.proven ? <Badge>{t("proven")}</Badge> : null}
          {row.by ? (
            <span className="muted">
              <Safe text={row.by} /> <When at={row.at} />
            </span>
          ) : null}
        </p>
        {row.note ? (
          <p className="alerts-note">
            <Safe text={row.note} block />
          </p>
        ) : null}
        <div className="row wrap">
          <Button
            kind={row.status === "new" ? "primary" : "plain"}
            keys="a"
            disabled={!may.work}
            onClick={() => props.onAct("acknowledged")}
          >
            {t("act.ack")}
          </Button>
          <Button keys="e" disabled={!may.work} onClick={() => props.onAct("escalated")}>
            {t("act.escalate")}
          </Button>
          <Button keys="t" disabled={!may.work} onClick={() => props.onJudge("true_positive")}>
            {t("act.tp")}
          </Button>
          <Button keys="f" disabled={!may.work} onClick={() => props.onJudge("false_positive")}>
            {t("act.fp")}
          </Button>
          <Menu
            trigger={<Button aria-label={t("act.more")}>{t("act.more")} ▾</Button>}
            entries={[
              { id: "note", label: t("act.ackNote"), keys: "A", off: !may.work, run: () => props.onDialog("note") },
              { id: "close", label: t("act.close"), off: !may.work, run: () => props.onAct("closed") },
              {
                id: "reopen",
                label: t("act.reopen"),
                off: !may.work || row.status === "new",
                run: () => props.onAct("new"),
              },
              { id: "benign", line: true, label: t("act.benign"), off: !may.work, run: () => props.onJudge("benign") },
              { id: "duplicate", label: t("act.duplicate"), off: !may.work, run: () => props.onJudge("duplicate") },
              {
                id: "none",
                label: t("act.unverdict"),
                off: !may.work || !row.verdict,
                run: () => props.onJudge("none"),
              },
              {
                id: "incident",
                line: true,
                label: t("act.incident"),
                keys: "i",
                off: !row.incident,
                run: props.onIncident,
              },
              { id: "gather", label: t("act.gather"), off: !may.work, run: () => props.onDialog("gather") },
              {
                id: "suppress",
                label: t("act.suppress"),
                keys: "s",
                off: !may.work,
                run: () => props.onDialog("suppress"),
              },
              {
                id: "block",
                label: t("act.block"),
                keys: "b",
                danger: true,
                off: !may.respond || !row.src,
                run: () => props.onDialog("block"),
              },
              { id: "copy", line: true, label: t("act.copy"), keys: "y", run: props.onCopy },
            ]}
          />
        </div>
      </header>
      {asked.error && !alert ? <ErrorView error={asked.error} onRetry={() => void asked.refetch()} /> : null}
      {alert ? (
        <Tabs
          value={tab}
          onChange={setTab}
          label={t("detail.label")}
          tabs={[
            { id: "why", label: t("tab.why"), body: <Why alert={alert} may={may.respond} /> },
            {
              id: "evidence",
              label: t("tab.evidence"),
              count: alert.event_ids.length,
              body: <Evidence alert={alert} />,
            },
            { id: "related", label: t("tab.related"), body: <Related alert={alert} /> },
            { id: "log", label: t("tab.log"), body: <Log alert={alert} /> },
          ]}
        />
      ) : asked.error ? null : (
        <Loading />
      )}
    </article>
  );
}
