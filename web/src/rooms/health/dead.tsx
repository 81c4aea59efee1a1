/** Input nobody understood, with the reason; the bytes are shown when they are asked for. */
import { useState } from "react";
import { call } from "../../api/client";
import { useList, useOne } from "../../api/query";
import type { Page, Source } from "../../api/types";
import type { DeadLetter } from "../../api/work";
import { bytes, number } from "../../lib/i18n";
import { useQueryState } from "../../lib/route";
import { safe } from "../../lib/safe";
import { t } from "../../locale/rooms/health";
import { Button } from "../../widgets/button";
import { Safe, SafeLines } from "../../widgets/safe";
import { Section, Table } from "../../widgets/section";
import { failed } from "../../widgets/toast";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";

/** The bytes as text; what is no UTF-8 shows as replacement characters. */
export function textOf(raw: string): string {
  try {
    const bytesOf = Uint8Array.from(atob(raw), (char) => char.charCodeAt(0));
    return new TextDecoder().decode(bytesOf);
  } catch {
    return raw;
  }
}

export function Dead() {
  const [query, change] = useQueryState();
  const list = useList<DeadLetter>("/dead-letters", { source: query.source });
  const sources = useOne<Page<Source>>("/sources");
  const [raw, setRaw] = useState<Record<string, string>>({});
  const names = [
    ...new Set([
      ...(sources.data?.items.map((row) => row.name) ?? []),
      ...list.rows.map((row) => row.source),
      ...(query.source ? [query.source] : []),
    ]),
  ];
  const show = async (row: DeadLetter) => {
    if (raw[row.id] !== undefined) {
      const { [row.id]: _, ...rest } = raw;
      setRaw(rest);
      return;
    }
    try {
      const page = await call<Page<DeadLetter>>("GET", "/dead-letters", {
        query: { include: "raw", source: row.source, limit: 1000 },
      });
      const found = page.items.find((one) => one.id === row.id)?.raw;
      setRaw({ ...raw, [row.id]: found ? textOf(found) : t("dead.gone") });
    } catch (error) {
      failed(t("dead.show"), error);
    }
  };
  return (
    <Section
      title={t("view.dead")}
      actions={
        <select
          className="input"
          aria-label={t("dead.filter")}
          value={query.source ?? ""}
          onChange={(event) => change({ view: "dead", source: event.target.value || undefined })}
        >
          <option value="">{t("dead.all")}</option>
          {names.map((name) => (
            <option key={name} value={name}>
              {safe(name)}
            </option>
          ))}
        </select>
      }
    >
      {list.loading ? (
        <Loading />
      ) : list.error ? (
        <ErrorView error={list.error} onRetry={list.again} />
      ) : list.rows.length === 0 ? (
        <Empty title={t("dead.empty")}>{t("dead.empty.text")}</Empty>
      ) : (
        <>
          <Table
            label={t("view.dead")}
            heads={[
              { id: "time", label: t("dead.time") },
              { id: "source", label: t("dead.source") },
              { id: "line", label: t("dead.line"), end: true },
              { id: "bytes", label: t("dead.bytes"), end: true },
              { id: "reason", label: t("dead.reason"), wide: true },
              { id: "show", label: "" },
            ]}
          >
            {list.rows.map((row) => (
              <tr key={row.id}>
                <td className="work-nowrap">
                  <When at={row.time} />
                </td>
                <td>
                  <Safe text={row.source} block />
                </td>
                <td className="end">{row.line ? number(row.line) : ""}</td>
                <td className="end work-nowrap">{bytes(row.bytes)}</td>
                <td>
                  <Safe text={row.reason} block className="health-words" />
                  {raw[row.id] === undefined ? null : (
                    <div className="health-raw">
                      <SafeLines text={raw[row.id]} />
                    </div>
                  )}
                </td>
                <td className="work-nowrap">
                  <Button aria-expanded={raw[row.id] !== undefined} onClick={() => void show(row)}>
                    {raw[row.id] === undefined ? t("dead.show") : t("dead.hide")}
                  </Button>
                </td>
              </tr>
            ))}
          </Table>
          {list.hasMore ? (
            <Button busy={list.loadingMore} onClick={list.more}>
              {t("act.more")}
            </Button>
          ) : null}
        </>
      )}
    </Section>
  );
}
