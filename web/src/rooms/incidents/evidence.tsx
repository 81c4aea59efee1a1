/** What is kept of an incident: files attackers brought, with hash and custody, and snapshots. */
import { useList, useOne } from "../../api/query";
import type { Incident } from "../../api/types";
import type { Links, Plan } from "../../api/work";
import { bytes } from "../../lib/i18n";
import { t } from "../../locale/rooms/incidents";
import { CopyButton } from "../../widgets/copy";
import { Go } from "../../widgets/go";
import { Safe } from "../../widgets/safe";
import { Section, Table } from "../../widgets/section";
import { State } from "../../widgets/state";
import { ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { Archives } from "./archives";

export function Evidence({ row, path }: { row: Incident; path: string }) {
  const linked = useOne<Links>(`${path}/linked`);
  const plans = useList<Plan>("/plans", { incident: row.id, action: "snapshot" });
  if (linked.isPending) return <Loading rows={4} />;
  if (linked.error) return <ErrorView error={linked.error} onRetry={() => void linked.refetch()} />;
  const files = linked.data.samples;
  return (
    <>
      <Archives row={row} path={path} />
      <Section title={t("evidence.files")}>
        {files.length === 0 ? (
          <p className="muted">{t("evidence.none")}</p>
        ) : (
          <Table
            label={t("evidence.files")}
            heads={[
              { id: "hash", label: t("evidence.hash"), wide: true },
              { id: "size", label: t("evidence.size"), end: true },
              { id: "type", label: t("evidence.type") },
              { id: "kept", label: t("evidence.kept") },
              { id: "paths", label: t("evidence.paths") },
              { id: "custody", label: t("evidence.custody") },
              { id: "seen", label: t("evidence.seen"), end: true },
            ]}
          >
            {files.map((file) => (
              <tr key={file.id}>
                <td>
                  <span className="incident-hash">
                    <Safe text={file.id} block />
                    <CopyButton text={file.id} what={t("evidence.hash")} />
                  </span>
                </td>
                <td className="end work-nowrap">{bytes(file.size)}</td>
                <td>
                  <Safe text={file.type} block className="incidents-words" />
                </td>
                <td>
                  <Safe text={file.kept} block className="incidents-words" />
                </td>
                <td>
                  {file.paths.slice(0, 3).map((one) => (
                    <div key={one}>
                      <Safe text={one} block />
                    </div>
                  ))}
                </td>
                <td>
                  {file.sources.slice(0, 2).map((one) => (
                    <div key={one}>
                      <Safe text={one} block />
                    </div>
                  ))}
                  <span className="muted">
                    {t("evidence.sessions", { n: file.sessions.length })}{" "}
                    {file.sessions.slice(0, 2).map((one) => (
                      <Go key={one} path={`/sessions/${encodeURIComponent(one)}`} className="mono">
                        {one.slice(-6)}{" "}
                      </Go>
                    ))}
                  </span>
                </td>
                <td className="end work-nowrap">
                  <When at={file.last_at} />
                </td>
              </tr>
            ))}
          </Table>
        )}
      </Section>
      <Section title={t("evidence.snaps")}>
        {plans.loading ? (
          <Loading rows={2} />
        ) : plans.error ? (
          <ErrorView error={plans.error} onRetry={plans.again} />
        ) : plans.rows.length === 0 ? (
          <p className="muted">{t("evidence.snaps.none")}</p>
        ) : (
          <Table
            label={t("evidence.snaps")}
            heads={[
              { id: "hash", label: t("evidence.manifest"), wide: true },
              { id: "state", label: t("evidence.state") },
              { id: "made", label: t("evidence.made"), end: true },
            ]}
          >
            {plans.rows.map((plan) => (
              <tr key={plan.id}>
                <td>
                  {plan.ref ? (
                    <span className="incident-hash">
                      <Safe text={plan.ref} block />
                      <CopyButton text={plan.ref} what={t("evidence.manifest")} />
                    </span>
                  ) : (
                    <Safe text={plan.effect} block className="muted incidents-words" />
                  )}
                </td>
                <td>
                  <State name={plan.state} />
                </td>
                <td className="end work-nowrap">
                  <When at={plan.applied_at ?? plan.created_at} />
                </td>
              </tr>
            ))}
          </Table>
        )}
      </Section>
    </>
  );
}
