/** Who is never blocked. */
import { useState } from "react";
import { call } from "../../api/client";
import { useMay } from "../../api/me";
import { refresh, useOne } from "../../api/query";
import type { Page } from "../../api/types";
import type { AllowRow } from "../../api/work";
import { useKeys } from "../../lib/keys";
import { safe } from "../../lib/safe";
import { absolute } from "../../lib/time";
import { t } from "../../locale/rooms/response";
import { Ask } from "../../widgets/ask";
import { Toolbar } from "../../widgets/bar";
import { Button } from "../../widgets/button";
import { Safe } from "../../widgets/safe";
import { Table } from "../../widgets/section";
import { done } from "../../widgets/toast";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { Allowing } from "./allowing";

export default function Allow() {
  const asked = useOne<Page<AllowRow>>("/allowlist");
  const may = useMay("allow");
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<AllowRow | null>(null);
  useKeys([
    {
      id: "allow.add",
      keys: "+",
      label: t("allow.add"),
      group: t("title"),
      off: !may,
      run: () => setAdding(true),
    },
  ]);
  const rows = asked.data?.items ?? [];
  return (
    <div className="response-scroll" data-keys="list" tabIndex={0} role="region" aria-label={t("view.allow")}>
      <Toolbar label={t("view.allow")}>
        <span className="grow muted">{t("allow.empty.text")}</span>
        <Button keys="+" disabled={!may} onClick={() => setAdding(true)}>
          {t("allow.add")}
        </Button>
      </Toolbar>
      {asked.isPending ? (
        <Loading />
      ) : asked.error ? (
        <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />
      ) : rows.length === 0 ? (
        <Empty title={t("allow.empty")} />
      ) : (
        <div className="response-pad">
          <Table
            label={t("view.allow")}
            heads={[
              { id: "address", label: t("head.address") },
              { id: "owner", label: t("head.owner") },
              { id: "reason", label: t("head.reason"), wide: true },
              { id: "by", label: t("head.by") },
              { id: "since", label: t("head.since") },
              { id: "ends", label: t("head.ends") },
              { id: "act", label: "" },
            ]}
          >
            {rows.map((row) => (
              <tr key={row.address} className={row.holds ? undefined : "muted"}>
                <td>
                  <Safe text={row.address} block />
                </td>
                <td>
                  <Safe text={row.owner} block className="response-text" />
                </td>
                <td>
                  <Safe text={row.reason} block className="response-text" />
                </td>
                <td>
                  <Safe text={row.created_by} block className="response-text" />
                </td>
                <td className="work-nowrap">
                  <When at={row.created_at} />
                </td>
                <td className="work-nowrap">{row.expires_at ? absolute(row.expires_at) : t("never")}</td>
                <td>
                  <Button disabled={!may} onClick={() => setRemoving(row)}>
                    {t("allow.remove")}
                  </Button>
                </td>
              </tr>
            ))}
          </Table>
        </div>
      )}
      {adding ? <Allowing onClose={() => setAdding(false)} /> : null}
      {removing ? (
        <Ask
          open
          bare
          danger
          onClose={() => setRemoving(null)}
          title={t("allow.remove.title", { address: safe(removing.address) })}
          rollback={t("allow.remove.rollback")}
          verb={t("allow.remove")}
          run={async () => {
            await call("DELETE", `/allowlist/${encodeURIComponent(removing.address)}`);
            done(t("allow.remove.done", { address: safe(removing.address) }));
            refresh("/allowlist");
          }}
        >
          <p>{t("allow.remove.text")}</p>
        </Ask>
      ) : null}
    </div>
  );
}
