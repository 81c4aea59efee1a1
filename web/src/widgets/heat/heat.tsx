/** The matrix of tactics and techniques: arrow keys go through it, Enter opens what a cell counts. */
import { type CSSProperties, type KeyboardEvent, useEffect, useRef, useState } from "react";
import "./heat.css";
import { cx } from "../../lib/cx";
import { number } from "../../lib/i18n";
import { s } from "../../locale/rooms/scenes";
import { type Cell, type Column, firstSpot, levelOf, mostOf, move, type Spot, totalOf } from "./core";

export interface HeatProps {
  columns: readonly Column[];
  onOpen: (cell: Cell, column: Column) => void;
  onCurrent?: (cell: Cell | undefined) => void;
}

/** A cell has room for four characters. */
const COMPACT: Intl.NumberFormatOptions = { notation: "compact", maximumFractionDigits: 1 };

export function Heat({ columns, onOpen, onCurrent }: HeatProps) {
  const grid = useRef<HTMLDivElement>(null);
  const [spot, setSpot] = useState<Spot | undefined>(() => firstSpot(columns));
  const there = spot && columns[spot.column]?.cells[spot.row] ? spot : firstSpot(columns);
  const most = mostOf(columns);
  const cellAt = (at: Spot | undefined) => (at ? columns[at.column]?.cells[at.row] : undefined);
  const tell = useRef(onCurrent);
  tell.current = onCurrent;
  const current = cellAt(there);
  useEffect(() => tell.current?.(current), [current]);
  const keys = (event: KeyboardEvent) => {
    if (!there || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = move(columns, there, event.key);
    if (next === there && !["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    setSpot(next);
    grid.current?.querySelector<HTMLElement>(`[data-spot="${next.column}.${next.row}"]`)?.focus();
  };
  const height = Math.max(0, ...columns.map(({ cells }) => cells.length));
  return (
    <div className="heat-scroll">
      <div
        ref={grid}
        className="heat"
        role="grid"
        aria-label={s("heat.label")}
        aria-rowcount={height + 1}
        aria-colcount={columns.length}
        style={{ "--columns": columns.length } as CSSProperties}
        onKeyDown={keys}
        data-keys="list"
      >
        <div role="row" className="heat-row" aria-rowindex={1}>
          {columns.map((column) => (
            <div role="columnheader" key={column.id} className="heat-head">
              <span className="heat-tactic">{breakable(column.name)}</span>
              <span className="meta mono">
                {column.id} · {number(totalOf(column))}
              </span>
            </div>
          ))}
        </div>
        {Array.from({ length: height }, (_, row) => row).map((row) => (
          <div role="row" key={row} className="heat-row" aria-rowindex={row + 2}>
            {columns.map((column, at) => {
              const cell = column.cells[row];
              if (!cell) return <div role="gridcell" key={column.id} className="heat-gap" />;
              const here = there?.column === at && there.row === row;
              return (
                <div role="gridcell" key={column.id} className="heat-slot">
                  <button
                    type="button"
                    data-spot={`${at}.${row}`}
                    tabIndex={here ? 0 : -1}
                    className={cx(
                      "heat-cell",
                      `heat-${levelOf(cell.count, most)}`,
                      cell.id.includes(".") && "heat-part",
                    )}
                    title={cell.name}
                    onFocus={() => setSpot({ column: at, row })}
                    onClick={() => onOpen(cell, column)}
                  >
                    <span className="heat-name">{cell.name}</span>
                    <span className="heat-foot">
                      <span className="mono">{cell.id}</span>
                      <b>{cell.count > 0 ? number(cell.count, COMPACT) : ""}</b>
                    </span>
                  </button>
                </div>
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
}

/** A word longer than a column may break, with a hyphen, after its fifth letter. */
const breakable = (name: string): string => name.replace(/\b(\p{L}{5})(\p{L}{8,})/gu, "$1\u00ad$2");

/** What the warmth of a cell means. */
export function HeatScale({ most }: { most: number }) {
  return (
    <div className="heat-scale meta" aria-hidden="true">
      {s("heat.less")}
      {[0, 1, 2, 3, 4, 5].map((level) => (
        <span key={level} className={`heat-swatch heat-${level}`} />
      ))}
      {s("heat.more")} ({number(most)})
    </div>
  );
}
