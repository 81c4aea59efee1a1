/** The columns of the queue. */
import { brief } from "../../lib/safe";
import { absolute, ago, clockTime } from "../../lib/time";
import { t } from "../../locale/rooms/alerts";
import { word } from "../../locale/words";
import { Sla, slaDue } from "../../widgets/badge";
import type { Column } from "../../widgets/grid";
import { Safe } from "../../widgets/safe";
import { Severity } from "../../widgets/severity";
import { isGroup, type Line } from "./queue";
import type { AlertRow } from "./row";

const of = (cell: (row: AlertRow, now: number) => React.ReactNode) => (line: Line, now: number) =>
  isGroup(line) ? null : cell(line, now);

const DAY = 86_400_000;

export const COLUMNS: readonly Column<Line>[] = [
  {
    id: "time",
    head: t("head.time"),
    width: 64,
    weight: 3,
    sortable: true,
    cell: of((row, now) => (
      <time
        dateTime={row.created}
        title={t("times.both", { time: absolute(row.time), found: absolute(row.created) })}
        className="muted"
      >
        {now - Date.parse(row.created) < DAY ? clockTime(row.created) : ago(row.created, now)}
      </time>
    )),
  },
  {
    id: "severity",
    head: t("head.severity"),
    width: 62,
    weight: 1,
    sortable: true,
    cell: of((row) => <Severity name={row.severity} />),
  },
  {
    id: "score",
    head: t("head.score"),
    width: 40,
    weight: 6,
    align: "end",
    sortable: true,
    cell: of((row) => <span className="mono">{Math.round(row.score)}</span>),
  },
  {
    id: "title",
    head: t("head.title"),
    width: 150,
    grow: 2,
    weight: 1,
    sortable: true,
    cell: of((row) => (
      <span className="row alerts-title">
        {row.proven ? (
          <svg viewBox="0 0 16 16" width="12" height="12" className="alerts-token" role="img" aria-label={t("proven")}>
            <path d="M8 1.8 13.5 5v6L8 14.2 2.5 11V5z" fill="none" stroke="currentColor" strokeWidth="1.6" />
          </svg>
        ) : null}
        <Safe text={row.title} className="alerts-words" />
        {row.count > 1 ? <span className="meta">{t("times", { n: row.count })}</span> : null}
      </span>
    )),
  },
  {
    id: "src",
    head: t("head.src"),
    width: 112,
    weight: 2,
    sortable: true,
    cell: of((row) => (row.src ? <Safe text={row.src} /> : <Safe text={row.attacker} className="muted" />)),
  },
  {
    id: "evidence",
    head: t("head.evidence"),
    width: 140,
    grow: 3,
    weight: 7,
    cell: of((row) => <Safe text={row.evidence} className="muted" />),
  },
  {
    id: "sensor",
    head: t("head.sensor"),
    width: 64,
    weight: 8,
    cell: of((row) => <Safe text={row.sensor} className="muted" />),
  },
  {
    id: "sla",
    head: t("head.sla"),
    width: 44,
    weight: 5,
    align: "end",
    sortable: true,
    cell: of((row, now) => <Sla due={slaDue(row.severity, row.created)} done={row.status !== "new"} now={now} />),
  },
  {
    id: "status",
    head: t("head.status"),
    width: 116,
    weight: 4,
    sortable: true,
    cell: of((row) => {
      const state = row.verdict ? word(row.verdict) : row.status === "acknowledged" ? t("state.ack") : word(row.status);
      return (
        <span className="muted" title={row.by ? t("by", { state, who: brief(row.by) }) : undefined}>
          {state}
          {row.by ? <span className="alerts-by"> {brief(row.by, 40)}</span> : null}
        </span>
      );
    }),
  },
];
