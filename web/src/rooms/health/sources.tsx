/** What brings in records of other products: how far it is, and what it could not read. */
import { useState } from "react";
import { useOne } from "../../api/query";
import type { Page, Source } from "../../api/types";
import { bytes, number } from "../../lib/i18n";
import { duration } from "../../lib/time";
import { t } from "../../locale/rooms/health";
import { Button } from "../../widgets/button";
import { Go } from "../../widgets/go";
import { Safe } from "../../widgets/safe";
import { Section, Table } from "../../widgets/section";
import { State } from "../../widgets/state";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";

export function Sources() {
  const asked = useOne<Page<Source>>("/sources", undefined, 10_000);
  const [open, setOpen] = useState("");
  if (asked.isPending) return <Loading />;
  if (asked.error && !asked.data) return <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />;
  const rows = asked.data?.items ?? [];
  if (rows.length === 0) return <Empty title={t("sources.empty")}>{t("sources.empty.text")}</Empty>;
  const chosen = rows.find((row) => row.name === open);
  return (
    <>
      <Section title={t("view.sources")}>
        <Table
          label={t("view.sources")}
          heads={[
            { id: "name", label: t("head.name") },
            { id: "state", label: t("head.state") },
            { id: "kind", label: t("head.kind") },
            { id: "format", label: t("head.format") },
            { id: "lag", label: t("head.lag"), end: true },
            { id: "records", label: t("head.records"), end: true },
            { id: "events", label: t("head.events"), end: true },
            { id: "rejected", label: t("head.rejected"), end: true },
            { id: "dropped", label: t("head.dropped"), end: true },
            { id: "duplicates", label: t("source.duplicates"), end: true },
            { id: "ignored", label: t("source.ignored"), end: true },
            { id: "errors", label: t("source.errors"), end: true },
            { id: "last", label: t("head.last"), end: true },
          ]}
        >
          {rows.map((row) => (
            <tr key={row.name}>
              <td>
                <Button
                  kind="quiet"
                  aria-expanded={open === row.name}
                  onClick={() => setOpen(open === row.name ? "" : row.name)}
                >
                  <Safe text={row.name} /> ▾
                </Button>
              </td>
              <td>
                <State name={row.state} health />
                {row.detail ? (
                  <div className="work-state-warn">
                    <Safe text={row.detail} block className="health-words" />
                  </div>
                ) : null}
              </td>
              <td>{row.kind}</td>
              <td>{row.format}</td>
              <td className="end work-nowrap">
                {row.lag_seconds > 0 ? duration(row.lag_seconds * 1000) : ""}
                {row.lag_bytes > 0 ? (
                  <div className="meta">{t("source.behind", { bytes: bytes(row.lag_bytes) })}</div>
                ) : null}
              </td>
              <td className="end">{number(row.records)}</td>
              <td className="end">{number(row.events)}</td>
              <td className={row.rejected > 0 ? "end work-state-warn" : "end"}>
                {row.rejected > 0 ? (
                  <Go path="/sensors" query={{ view: "dead", source: row.name }} label={t("source.letters")}>
                    {number(row.rejected)}
                  </Go>
                ) : (
                  number(row.rejected)
                )}
              </td>
              <td className={row.dropped > 0 ? "end work-state-warn" : "end"}>{number(row.dropped)}</td>
              <td className="end">{number(row.duplicates)}</td>
              <td className="end">{number(row.ignored)}</td>
              <td className="end">{number(row.errors)}</td>
              <td className="end work-nowrap">{row.last_at ? <When at={row.last_at} /> : t("never")}</td>
            </tr>
          ))}
        </Table>
      </Section>
      {chosen ? (
        <Section title={t("source.streams")}>
          <Table
            label={t("source.streams")}
            heads={[
              { id: "name", label: t("source.stream"), wide: true },
              { id: "state", label: t("head.state") },
              { id: "position", label: t("head.position"), end: true },
            ]}
          >
            {chosen.streams.map((stream) => (
              <tr key={stream.name}>
                <td>
                  <Safe text={stream.name} block />
                </td>
                <td>
                  <State name={stream.state} health />
                </td>
                <td className="end work-nowrap">
                  {number(stream.position)}
                  {stream.size > 0 ? ` / ${number(stream.size)}` : ""}
                </td>
              </tr>
            ))}
          </Table>
        </Section>
      ) : null}
    </>
  );
}
