/** One honeytoken: where it is, who read it, who used it, and how long lay between. */
import { useOne } from "../../api/query";
import type { Alert, Honeytoken, Page } from "../../api/types";
import type { Exposure } from "../../api/work";
import { useKeys } from "../../lib/keys";
import { absolute, duration } from "../../lib/time";
import { t } from "../../locale/rooms/tokens";
import { Badge } from "../../widgets/badge";
import { Button } from "../../widgets/button";
import { copySafe } from "../../widgets/copy";
import { Field, Fields } from "../../widgets/field";
import { Go } from "../../widgets/go";
import { Safe } from "../../widgets/safe";
import { Section, Table } from "../../widgets/section";
import { Severity } from "../../widgets/severity";
import { ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { dwell, stateOf } from "./state";

const host = (addr: string | undefined): string => (addr ?? "").replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");

export function Detail({ item, onClose }: { item: string; onClose: () => void }) {
  const path = `/tokens/${encodeURIComponent(item)}`;
  const asked = useOne<Honeytoken>(path);
  const reads = useOne<Page<Exposure>>(`${path}/exposures`);
  const row = asked.data;
  // Alerts name the token in what they say; the kind of alert is known by its detector.
  const alerts = useOne<Page<Alert>>(row && row.exposures + row.uses > 0 ? "/alerts" : null, {
    q: row?.short,
    limit: 20,
  });
  const uses = useOne<Page<Alert>>(row && row.uses > 0 ? "/alerts" : null, { rule: "token_used", limit: 20 });
  useKeys([
    {
      id: "tokens.copy",
      keys: "y",
      label: t("act.copy"),
      group: t("title"),
      off: !row,
      run: () => void copySafe(JSON.stringify(row, null, 2)),
    },
  ]);
  if (asked.isPending) return <Loading />;
  if (!row) {
    return (
      <ErrorView
        error={asked.error}
        title={asked.error?.status === 404 ? t("detail.missing") : undefined}
        onRetry={() => void asked.refetch()}
      />
    );
  }
  const about = new Map<string, Alert>();
  for (const alert of [...(alerts.data?.items ?? []), ...(uses.data?.items ?? [])]) {
    if (JSON.stringify(alert).includes(row.id) || JSON.stringify(alert).includes(row.short)) about.set(alert.id, alert);
  }
  const state = stateOf(row);
  return (
    <article aria-label={`${t("detail.label")} ${row.short}`}>
      <header className="tokens-head">
        <div className="row">
          <h2 className="grow">
            <span className="mono">{row.short}</span> {row.kind.replaceAll("_", " ")}
          </h2>
          {state === "used" ? <Severity name="critical" /> : state === "exposed" ? <Severity name="medium" /> : null}
          <Badge>{t(`state.${state}`)}</Badge>
          <Button kind="quiet" keys="Esc" aria-label={t("act.back")} onClick={onClose}>
            ×
          </Button>
        </div>
      </header>
      <Chain row={row} reads={reads.data?.items ?? []} uses={[...about.values()]} />
      <Section title={t("exposures.title")}>
        {reads.isPending ? (
          <Loading rows={2} />
        ) : reads.error ? (
          <ErrorView error={reads.error} onRetry={() => void reads.refetch()} />
        ) : reads.data.items.length === 0 ? (
          <p className="muted">{t("exposures.none")}</p>
        ) : (
          <Table
            label={t("exposures.title")}
            heads={[
              { id: "time", label: t("exposures.time") },
              { id: "src", label: t("exposures.src") },
              { id: "by", label: t("exposures.by"), wide: true },
              { id: "session", label: t("exposures.session") },
            ]}
          >
            {reads.data.items.map((one) => (
              <tr key={one.event_id}>
                <td className="work-nowrap">
                  <When at={one.time} />
                </td>
                <td>
                  <Go path={`/attackers/${encodeURIComponent(host(one.src.addr))}`}>
                    <Safe text={host(one.src.addr)} block />
                  </Go>
                </td>
                <td>
                  <Safe text={one.by} block />
                </td>
                <td>
                  {one.session ? (
                    <Go path={`/sessions/${encodeURIComponent(one.session)}`} query={{ at: one.time }} className="mono">
                      {one.session.slice(-6)}
                    </Go>
                  ) : null}
                </td>
              </tr>
            ))}
          </Table>
        )}
      </Section>
      <Section title={t("alerts.title")}>
        {about.size === 0 ? <p className="muted">{t("alerts.none")}</p> : null}
        <ul className="tokens-alerts">
          {[...about.values()].map((alert) => (
            <li key={alert.id} className="row">
              <Severity name={alert.severity} bare />
              <Go path={`/alerts/${encodeURIComponent(alert.short)}`} className="mono">
                {alert.short}
              </Go>
              <Safe text={alert.title} className="tokens-words" />
              <span className="muted">
                <When at={alert.time} />
              </span>
              {alert.incident ? (
                <Go path={`/incidents/${encodeURIComponent(alert.incident)}`}>{t("alerts.incident")}</Go>
              ) : null}
            </li>
          ))}
        </ul>
      </Section>
      <Section title={t("detail.place")}>
        <Fields>
          <Field name={t("detail.persona")} text={row.persona} />
          <Field name={t("detail.path")} text={row.path} block />
          {row.user ? <Field name={t("detail.user")} text={row.user} /> : null}
          {row.opens_sensor ? <Field name={t("detail.opens")} text={row.opens_sensor} /> : null}
          <Field name={t("detail.style")} text={row.style} />
          <Field name={t("detail.proof")} text={row.proof} block />
          <Field name={t("detail.value")} text={row.last4}>
            {t("detail.value.text", { last4: row.last4 })}
          </Field>
          <Field name={t("detail.fingerprint")} text={row.fingerprint} />
        </Fields>
      </Section>
    </article>
  );
}

/** Planted, read, used: one line of time. */
function Chain({ row, reads, uses }: { row: Honeytoken; reads: readonly Exposure[]; uses: readonly Alert[] }) {
  const wait = dwell(row);
  // The last one who read it before it was used is who gave it on.
  const reader = reads.find((one) => !row.used_at || one.time <= row.used_at);
  const user = uses.find((alert) => alert.rule_id === "token_used");
  const who = { read: host(reader?.src.addr), used: host(user?.src?.addr) };
  return (
    <Section title={t("chain.title")}>
      <ol className="tokens-chain">
        <li className="tokens-link">
          <b>{t("chain.minted")}</b>
          <span className="meta">{absolute(row.created_at)}</span>
        </li>
        <li className={row.exposures > 0 ? "tokens-link" : "tokens-link tokens-link-none"}>
          <b>{t("chain.exposed")}</b>
          {row.exposures > 0 ? (
            <>
              <span className="meta">
                {absolute(row.exposed_at)} {t("times", { n: row.exposures })}
              </span>
              {who.read ? (
                <Go path={`/attackers/${encodeURIComponent(who.read)}`}>
                  <Safe text={who.read} />
                </Go>
              ) : null}
            </>
          ) : (
            <span className="meta">{t("chain.never.read")}</span>
          )}
        </li>
        <li className={row.uses > 0 ? "tokens-link tokens-link-used" : "tokens-link tokens-link-none"}>
          <b>{t("chain.used")}</b>
          {row.uses > 0 ? (
            <>
              <span className="meta">
                {absolute(row.used_at)} {t("times", { n: row.uses })}
              </span>
              {who.used ? (
                <Go path={`/attackers/${encodeURIComponent(who.used)}`}>
                  <Safe text={who.used} />
                </Go>
              ) : null}
            </>
          ) : (
            <span className="meta">{t("chain.never.used")}</span>
          )}
        </li>
      </ol>
      {Number.isNaN(wait) ? null : <p>{t("chain.dwell.long", { time: duration(wait) })}</p>}
      {who.read && who.used ? (
        <p className={who.read === who.used ? "muted" : undefined}>
          {t(who.read === who.used ? "chain.same" : "chain.differ")}
        </p>
      ) : null}
    </Section>
  );
}
