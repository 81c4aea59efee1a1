/** Other alerts that speak of the same: source, session, rule. */

import { Link } from "@tanstack/react-router";
import { useOne } from "../../api/query";
import type { Alert, Page } from "../../api/types";
import { part } from "../../lib/route";
import { t } from "../../locale/rooms/alerts";
import { word } from "../../locale/words";
import { Safe } from "../../widgets/safe";
import { Severity } from "../../widgets/severity";
import { Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { host } from "./row";

export function Related({ alert }: { alert: Alert }) {
  const src = host(alert.src?.addr);
  return (
    <>
      {src ? <Same title={t("related.src")} query={{ src }} but={alert.id} /> : null}
      {alert.session ? <Same title={t("related.session")} query={{ session: alert.session }} but={alert.id} /> : null}
      <Same title={t("related.rule")} query={{ rule: alert.rule_id }} but={alert.id} />
    </>
  );
}

function Same({ title, query, but }: { title: string; query: Record<string, string>; but: string }) {
  const asked = useOne<Page<Alert>>("/alerts", { ...query, limit: 8 });
  const rows = asked.data?.items.filter((row) => row.id !== but) ?? [];
  return (
    <section className="panel">
      <h3>{title}</h3>
      {asked.isPending ? <Loading rows={2} /> : rows.length === 0 ? <p className="muted">{t("related.none")}</p> : null}
      <ul>
        {rows.map((row) => (
          <li key={row.id} className="alerts-same">
            <Link
              to={`/alerts/${part(row.short)}` as string}
              search={((before: Record<string, string>) => before) as never}
              className="mono"
            >
              {row.short}
            </Link>
            <Severity name={row.severity} bare />
            <Safe text={row.title} className="alerts-words" />
            <span className="muted">{word(row.status)}</span>
            <span className="muted">
              <When at={row.time} />
            </span>
          </li>
        ))}
      </ul>
      {rows.length > 0 ? (
        <Link to="/alerts" search={{ ...query, status: "all", who: "any" } as never}>
          {t("related.all")}
        </Link>
      ) : null}
    </section>
  );
}
