/** What was seen of ATT&CK: the matrix, warmer where there are more alerts. */
import { useMemo, useState } from "react";
import { useFreshness } from "../../api/live";
import { useOne } from "../../api/query";
import { useKept } from "../../lib/preferences";
import { useGo, useQueryState } from "../../lib/route";
import { t } from "../../locale/rooms/attack";
import { Chip, Toolbar } from "../../widgets/bar";
import { Button } from "../../widgets/button";
import { type Cell, mostOf, onlySeen } from "../../widgets/heat/core";
import { Heat, HeatScale } from "../../widgets/heat/heat";
import { Severity } from "../../widgets/severity";
import { TopLine } from "../../widgets/slot";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { columnsOf, coverage, type Matrix, type MatrixTechnique } from "./columns";
import "./attack.css";

const SPANS = ["24h", "7d", "30d"] as const;

export default function Room() {
  const [query, setQuery] = useQueryState();
  const [seen, keepSeen] = useKept("attack.seen", false);
  const [parts, keepParts] = useKept("attack.parts", true);
  const [current, setCurrent] = useState<Cell | undefined>();
  const go = useGo();
  const span = SPANS.find((one) => one === query.span) ?? "7d";
  const matrix = useOne<Matrix>("/attack/matrix", { span }, 60_000);
  useFreshness(["alerts"], ["/attack/matrix"], 10_000);
  const columns = useMemo(() => {
    if (!matrix.data) return [];
    const all = columnsOf(matrix.data, parts, t("other"));
    return seen ? onlySeen(all) : all;
  }, [matrix.data, seen, parts]);
  const techniques = useMemo(
    () =>
      new Map(matrix.data?.tactics.flatMap(({ techniques: all }) => all.map((one) => [one.id, one] as const)) ?? []),
    [matrix.data],
  );
  const covered = matrix.data ? coverage(matrix.data) : undefined;
  const open = (cell: Cell) => go("/alerts", { technique: cell.id, from: matrix.data?.since });
  return (
    <div className="attack">
      {covered ? (
        <TopLine>
          <span className="meta">{t("count.seen", covered)}</span>
        </TopLine>
      ) : null}
      <Toolbar label={t("bar")}>
        {SPANS.map((one) => (
          <Chip key={one} on={one === span} onClick={() => setQuery({ span: one })}>
            {t(`span.${one}`)}
          </Chip>
        ))}
        <Chip on={seen} onClick={() => keepSeen(!seen)}>
          {t("seen")}
        </Chip>
        <Chip on={parts} onClick={() => keepParts(!parts)}>
          {t("parts")}
        </Chip>
        <span className="grow" />
        <HeatScale most={mostOf(columns)} />
        <a
          className="button button-plain attack-layer"
          href={`/api/v1/attack/matrix?span=${span}&format=navigator`}
          download={`honeyguide-attack-${span}.json`}
          title={t("layer.title")}
        >
          {t("layer")}
        </a>
      </Toolbar>
      <div className="attack-body">
        {matrix.isPending ? (
          <Loading rows={12} />
        ) : matrix.error ? (
          <ErrorView error={matrix.error} onRetry={() => void matrix.refetch()} />
        ) : columns.length === 0 ? (
          <Empty title={t("empty.title")} action={<Button onClick={() => keepSeen(false)}>{t("empty.all")}</Button>}>
            {t("empty.text")}
          </Empty>
        ) : (
          <Heat columns={columns} onOpen={open} onCurrent={setCurrent} />
        )}
      </div>
      <footer className="attack-foot">
        {current ? (
          <Current cell={current} technique={techniques.get(current.id)} onOpen={() => open(current)} />
        ) : null}
        <span className="grow" />
        <span className="meta attack-credit">{matrix.data?.credit}</span>
      </footer>
    </div>
  );
}

function Current({ cell, technique, onOpen }: { cell: Cell; technique?: MatrixTechnique; onOpen: () => void }) {
  return (
    <>
      <b>
        <span className="mono">{cell.id}</span> {technique?.title ?? cell.name}
      </b>
      {cell.count > 0 ? (
        <>
          {technique?.severity ? <Severity name={technique.severity} /> : null}
          <span>
            {t("current.alerts", { n: cell.count })}
            {technique ? <span className="muted">, {t("current.events", { n: technique.events })}</span> : null}
          </span>
          <Button keys="Enter" onClick={onOpen}>
            {t("current.open")}
          </Button>
        </>
      ) : (
        <span className="muted">{t("current.none")}</span>
      )}
    </>
  );
}
