/** Machines that enforce what is blocked, and whether they still ask. */
import { useState } from "react";
import { call } from "../../api/client";
import { useMay } from "../../api/me";
import { refresh, useOne } from "../../api/query";
import type { Page } from "../../api/types";
import type { Bouncer } from "../../api/work";
import { number } from "../../lib/i18n";
import { safe } from "../../lib/safe";
import { absolute, serverNow } from "../../lib/time";
import { t } from "../../locale/rooms/response";
import { Ask } from "../../widgets/ask";
import { Badge } from "../../widgets/badge";
import { Button } from "../../widgets/button";
import { Safe } from "../../widgets/safe";
import { Table } from "../../widgets/section";
import { done } from "../../widgets/toast";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";

/** Bouncers ask every few seconds; one that has been silent this long does not work. */
const SILENT = 10 * 60_000;

export default function Bouncers() {
  const asked = useOne<Page<Bouncer>>("/bouncers", undefined, 15_000);
  const may = useMay("keys");
  const [removing, setRemoving] = useState<Bouncer | null>(null);
  if (asked.isPending) return <Loading />;
  if (asked.error) return <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />;
  const rows = asked.data.items;
  if (rows.length === 0) return <Empty title={t("bouncers.empty")}>{t("bouncers.empty.text")}</Empty>;
  return (
    <div className="response-scroll response-pad" data-keys="detail">
      <Table
        label={t("view.bouncers")}
        heads={[
          { id: "name", label: t("head.name") },
          { id: "pulled", label: t("head.pulled") },
          { id: "agent", label: t("head.agent"), wide: true },
          { id: "address", label: t("head.address") },
          { id: "pulls", label: t("head.pulls"), end: true },
          { id: "active", label: t("head.active"), end: true },
          { id: "dropped", label: t("head.dropped"), end: true },
          { id: "key", label: t("head.key") },
          { id: "act", label: "" },
        ]}
      >
        {rows.map((row) => (
          <tr key={row.id}>
            <td>
              <Safe text={row.name} block className="response-text" />
            </td>
            <td className="work-nowrap">
              {row.last_pull ? <When at={row.last_pull} /> : <span className="muted">{t("bouncer.never")}</span>}{" "}
              {!row.last_pull || serverNow() - Date.parse(row.last_pull) > SILENT ? (
                <Badge kind="warn">{t("bouncer.late")}</Badge>
              ) : null}
            </td>
            <td>
              <Safe text={row.agent ?? ""} block />
            </td>
            <td>
              <Safe text={row.address ?? ""} block />
            </td>
            <td className="end">{number(row.pulls)}</td>
            <td className="end">{row.metrics_at ? number(row.active) : ""}</td>
            <td className="end">{row.metrics_at ? number(row.dropped) : ""}</td>
            <td className="work-nowrap">
              <span className="mono">…{row.last4}</span>{" "}
              {row.expires_at ? (
                <span className="muted">{t("bouncer.expires", { time: absolute(row.expires_at) })}</span>
              ) : null}
            </td>
            <td>
              <Button disabled={!may} onClick={() => setRemoving(row)}>
                {t("bouncer.remove")}
              </Button>
            </td>
          </tr>
        ))}
      </Table>
      {removing ? (
        <Ask
          open
          bare
          danger
          onClose={() => setRemoving(null)}
          title={t("bouncer.remove.title", { name: safe(removing.name) })}
          rollback={t("bouncer.remove.rollback")}
          verb={t("bouncer.remove")}
          run={async () => {
            await call("POST", `/bouncers/${encodeURIComponent(removing.id)}/remove`, { body: {} });
            done(t("bouncer.removed", { name: safe(removing.name) }));
            refresh("/bouncers");
          }}
        >
          <p>{t("bouncer.remove.text")}</p>
        </Ask>
      ) : null}
    </div>
  );
}
