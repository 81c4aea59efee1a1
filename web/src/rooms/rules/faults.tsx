/** What could not be used of the rules, by file and line. */
import { useList } from "../../api/query";
import { t } from "../../locale/rooms/rules";
import { Badge } from "../../widgets/badge";
import { type Column, Grid } from "../../widgets/grid";
import { Safe } from "../../widgets/safe";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import type { RuleFault } from "./types";

const KINDS = ["error", "unsupported", "needs_placeholder", "warning"] as const;
const kindOf = (kind: string): string => {
  const known = KINDS.find((name) => name === kind);
  return known ? t(`fault.${known}`) : kind;
};

const COLUMNS: Column<RuleFault>[] = [
  {
    id: "kind",
    head: t("faults.kind"),
    width: 150,
    weight: 3,
    cell: (row) => <Badge kind={row.kind === "warning" ? "plain" : "bad"}>{kindOf(row.kind)}</Badge>,
  },
  { id: "file", head: t("faults.file"), width: 140, grow: 1, weight: 2, cell: (row) => <Safe text={row.file} /> },
  { id: "line", head: t("faults.line"), width: 40, weight: 1, align: "end", cell: (row) => row.line },
  { id: "rule", head: t("faults.rule"), width: 120, grow: 1, weight: 4, cell: (row) => <Safe text={row.rule ?? ""} /> },
  {
    id: "why",
    head: t("faults.why"),
    width: 160,
    grow: 3,
    weight: 1,
    cell: (row) => <Safe text={row.field ? `${row.field}: ${row.why}` : row.why} />,
  },
];

export function Faults() {
  const list = useList<RuleFault & { at: number }>("/rules/faults");
  const rows = list.rows.map((row, at) => ({ ...row, at }));
  return (
    <Grid
      label={t("faults.title")}
      rows={rows}
      id={(row) => String(row.at)}
      columns={COLUMNS as Column<RuleFault & { at: number }>[]}
      hasMore={list.hasMore}
      onMore={list.more}
      empty={
        list.loading ? (
          <Loading />
        ) : list.error ? (
          <ErrorView error={list.error} onRetry={list.again} />
        ) : (
          <Empty title={t("faults.none.title")}>{t("faults.none.text")}</Empty>
        )
      }
    />
  );
}

/** The faults of rules that were tried. */
export function FaultList({ faults }: { faults: RuleFault[] }) {
  return (
    <section>
      <h3>{t("faults.title")}</h3>
      <ul className="col">
        {faults.map((fault) => (
          <li key={`${fault.file} ${fault.line} ${fault.why}`} className="row wrap">
            <Badge kind={fault.kind === "warning" ? "plain" : "bad"}>{kindOf(fault.kind)}</Badge>
            <span className="mono">
              {t("faults.line")} {fault.line}
            </span>
            <Safe text={fault.field ? `${fault.field}: ${fault.why}` : fault.why} block />
          </li>
        ))}
      </ul>
    </section>
  );
}
