/**
 * A list of any length. Only rows on the screen are there; the focus stays on
 * the grid, which names the current row; boxes to select are always seen; the
 * columns that matter least leave first when it gets narrow.
 */
import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type CSSProperties,
  type KeyboardEvent,
  memo,
  type ReactNode,
  type Ref,
  useEffect,
  useId,
  useImperativeHandle,
  useMemo,
  useRef,
} from "react";
import { cx } from "../lib/cx";
import { usePreferences } from "../lib/preferences";
import { extend, type Selection, toggle, toggleAll } from "../lib/selection";
import { t } from "../locale/en";
import { useWidth } from "./width";

export interface Column<T> {
  id: string;
  head: string;
  /** Least width in px, and how much of what is left it takes (0: none). */
  width: number;
  grow?: number;
  /** 1 stays longest; the highest leaves first. */
  weight: number;
  cell: (row: T, now: number) => ReactNode;
  align?: "end";
  sortable?: boolean;
}

export interface GridHandle {
  focus: () => void;
  /** Scrolls as little as shows the row. */
  show: (id: string) => void;
  offset: () => number;
  scrollTo: (offset: number) => void;
}

export interface GridProps<T> {
  label: string;
  rows: readonly T[];
  id: (row: T) => string;
  columns: readonly Column<T>[];
  /** The current row, by id. */
  current?: string | null;
  /** Something is open that may be none of the rows: the focus alone makes no row the current one. */
  elsewhere?: boolean;
  onCurrent?: (id: string) => void;
  onOpen?: (row: T) => void;
  selection?: Selection;
  onSelection?: (selection: Selection) => void;
  sort?: { id: string; down: boolean };
  onSort?: (id: string) => void;
  /** Rows there are in all, when more than are loaded. */
  total?: number;
  hasMore?: boolean;
  onMore?: () => void;
  /** Shown instead of rows. */
  empty?: ReactNode;
  /** A class for a row, for states that colour it. */
  rowClass?: (row: T) => string | undefined;
  /** Rows that stand as headings of groups; they take the whole width. */
  group?: (row: T) => ReactNode | null;
  now?: number;
  onHover?: (over: boolean) => void;
  onFocus?: (inside: boolean) => void;
  /** Where it was scrolled to before. */
  start?: number;
  onScroll?: (offset: number) => void;
  ref?: Ref<GridHandle>;
}

const BOX = 32;
const PAD = 8;

/** The columns that fit, in their order. */
export function fitting<T>(columns: readonly Column<T>[], width: number, boxes: boolean): Column<T>[] {
  const left = (list: readonly Column<T>[]) =>
    list.reduce((sum, column) => sum + column.width + PAD * 2, boxes ? BOX : 0);
  let kept = [...columns];
  const limit = width < 700 ? 3 : Number.POSITIVE_INFINITY;
  while (kept.length > 1 && width > 0 && (left(kept) > width || kept.length > limit)) {
    const heaviest = Math.max(...kept.map((column) => column.weight));
    const at = kept.findLastIndex((column) => column.weight === heaviest);
    kept = kept.filter((_, index) => index !== at);
  }
  return kept;
}

export function Grid<T>(props: GridProps<T>) {
  const { rows, id, columns, current = null, selection, label } = props;
  const base = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const width = useWidth(scroller);
  const { density } = usePreferences();
  const height = density === "cosy" ? 36 : 28;
  const boxes = selection !== undefined && props.onSelection !== undefined;
  const shown = useMemo(() => fitting(columns, width, boxes), [columns, width, boxes]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 12,
    initialOffset: props.start ?? 0,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another height of rows is another layout
  useEffect(() => virtual.measure(), [height]);
  const at = useMemo(() => (current === null ? -1 : rows.findIndex((row) => id(row) === current)), [rows, id, current]);
  const latest = useRef(props);
  latest.current = props; // rows that did not change keep their functions, which read what is true now
  const order = () => latest.current.rows.map(id);

  useImperativeHandle(props.ref, () => ({
    focus: () => scroller.current?.focus({ preventScroll: true }),
    show: (which) => {
      const index = rows.findIndex((row) => id(row) === which);
      if (index >= 0) virtual.scrollToIndex(index, { align: "auto" });
    },
    offset: () => scroller.current?.scrollTop ?? 0,
    scrollTo: (offset) => scroller.current?.scrollTo({ top: offset }),
  }));

  // Who comes into a room works in its list at once, unless they are somewhere already.
  useEffect(() => {
    const active = document.activeElement;
    if (active === document.body || active?.id === "main" || active === null)
      scroller.current?.focus({ preventScroll: true });
  }, []);

  const items = virtual.getVirtualItems();
  const lastIndex = items.at(-1)?.index ?? 0;
  const { hasMore, onMore } = props;
  useEffect(() => {
    if (hasMore && lastIndex >= rows.length - 30) onMore?.();
  }, [hasMore, lastIndex, rows.length, onMore]);

  const go = (to: number) => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, to))];
    if (row === undefined) return;
    props.onCurrent?.(id(row));
    virtual.scrollToIndex(Math.min(rows.length - 1, Math.max(0, to)), { align: "auto" });
  };
  const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 400) / height) - 2);
  const keys = (event: KeyboardEvent) => {
    if (event.target !== scroller.current || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: rows.length - 1,
    };
    const to = moves[event.key];
    if (to !== undefined) {
      event.preventDefault();
      if (event.shiftKey && boxes && selection && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
        const next = rows[Math.min(rows.length - 1, Math.max(0, to))];
        const from = rows[at];
        if (next !== undefined && from !== undefined) {
          const begun = selection.anchor === null ? { ...selection, anchor: id(from) } : selection;
          props.onSelection?.(extend(begun, id(next), order()));
        }
      }
      go(to);
    } else if (event.key === "Enter" && at >= 0) {
      event.preventDefault();
      props.onOpen?.(rows[at] as T);
    } else if (event.key === " " && boxes && at >= 0 && selection) {
      event.preventDefault();
      props.onSelection?.(toggle(selection, id(rows[at] as T)));
    }
  };

  const template = `${boxes ? `${BOX}px ` : ""}${shown.map((column) => (column.grow ? `minmax(${column.width + PAD * 2}px, ${column.grow}fr)` : `${column.width + PAD * 2}px`)).join(" ")}`;
  const every = boxes && rows.length > 0 && rows.every((row) => selection?.ids.has(id(row)));
  return (
    <div className="grid" style={{ "--cols": template } as CSSProperties}>
      <div
        className="grid-scroll"
        ref={scroller}
        role="grid"
        aria-label={label}
        aria-rowcount={(props.total ?? rows.length) + 1}
        aria-colcount={shown.length + (boxes ? 1 : 0)}
        aria-multiselectable={boxes || undefined}
        aria-activedescendant={items.some((item) => item.index === at) ? `${base}-${at}` : undefined}
        data-keys="list"
        tabIndex={0}
        onKeyDown={keys}
        onPointerEnter={() => props.onHover?.(true)}
        onPointerLeave={() => props.onHover?.(false)}
        onFocus={() => {
          props.onFocus?.(true);
          if (at < 0 && rows[0] !== undefined && !props.elsewhere) props.onCurrent?.(id(rows[0]));
        }}
        onBlur={(event) => {
          if (!event.currentTarget.contains(event.relatedTarget)) props.onFocus?.(false);
        }}
        onScroll={(event) => props.onScroll?.(event.currentTarget.scrollTop)}
      >
        <div className="grid-head" role="row" aria-rowindex={1}>
          {boxes ? (
            <div className="cell cell-box" role="columnheader">
              <input
                type="checkbox"
                tabIndex={-1}
                aria-label={t("grid.selectAll")}
                checked={every}
                onChange={() => selection && props.onSelection?.(toggleAll(selection, order()))}
              />
            </div>
          ) : null}
          {shown.map((column) => (
            <div
              key={column.id}
              role="columnheader"
              className={cx("cell", column.align === "end" && "end")}
              aria-sort={props.sort?.id === column.id ? (props.sort.down ? "descending" : "ascending") : undefined}
            >
              {column.sortable && props.onSort ? (
                <button
                  type="button"
                  className="grid-sort"
                  aria-label={t("grid.sort", { what: column.head })}
                  onClick={() => props.onSort?.(column.id)}
                >
                  {column.head}
                  <span aria-hidden="true">{props.sort?.id === column.id ? (props.sort.down ? " ↓" : " ↑") : ""}</span>
                </button>
              ) : (
                column.head
              )}
            </div>
          ))}
        </div>
        {rows.length === 0 ? (
          <div className="grid-empty" role="row">
            <div role="gridcell">{props.empty}</div>
          </div>
        ) : (
          <div className="grid-body" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
            {items.map((item) => {
              const row = rows[item.index];
              if (row === undefined) return null;
              const key = id(row);
              return (
                <Row
                  key={key}
                  dom={`${base}-${item.index}`}
                  row={row}
                  index={item.index}
                  top={item.start}
                  height={height}
                  columns={shown as readonly Column<unknown>[]}
                  current={item.index === at}
                  selected={boxes ? (selection?.ids.has(key) ?? false) : undefined}
                  heading={props.group?.(row) ?? null}
                  className={props.rowClass?.(row)}
                  now={props.now ?? 0}
                  onPress={(shift) => {
                    const now = latest.current;
                    now.onCurrent?.(key);
                    if (shift && now.selection) now.onSelection?.(extend(now.selection, key, order()));
                  }}
                  onOpen={() => latest.current.onOpen?.(row)}
                  onToggle={(shift) => {
                    const now = latest.current;
                    if (!now.selection) return;
                    now.onCurrent?.(key);
                    now.onSelection?.(shift ? extend(now.selection, key, order()) : toggle(now.selection, key));
                  }}
                />
              );
            })}
          </div>
        )}
        {hasMore ? (
          <div className="grid-more" role="row">
            <div role="gridcell">
              <span role="status">{t("grid.loading")}</span>
            </div>
          </div>
        ) : null}
      </div>
    </div>
  );
}

interface RowProps {
  dom: string;
  row: unknown;
  index: number;
  top: number;
  height: number;
  columns: readonly Column<unknown>[];
  current: boolean;
  selected: boolean | undefined;
  heading: ReactNode | null;
  className?: string;
  now: number;
  onPress: (shift: boolean) => void;
  onOpen: () => void;
  onToggle: (shift: boolean) => void;
}

const Row = memo(
  function Row({
    dom,
    row,
    index,
    top,
    height,
    columns,
    current,
    selected,
    heading,
    className,
    now,
    onPress,
    onOpen,
    onToggle,
  }: RowProps) {
    return (
      // biome-ignore lint/a11y/useKeyWithClickEvents: the grid handles keys for all rows
      <div
        id={dom}
        role="row"
        aria-rowindex={index + 2}
        aria-selected={selected ?? current}
        className={cx(
          "grid-row",
          current && "grid-current",
          selected && "grid-selected",
          heading !== null && "grid-group",
          className,
        )}
        style={{ transform: `translateY(${top}px)`, height }}
        onMouseDown={(event) => {
          if (event.shiftKey) event.preventDefault(); // a range of rows, not of text
        }}
        onClick={(event) => onPress(event.shiftKey)}
        onDoubleClick={onOpen}
      >
        {heading !== null ? (
          <div className="cell cell-group" role="gridcell" aria-colspan={columns.length}>
            {heading}
          </div>
        ) : (
          <>
            {selected === undefined ? null : (
              <div className="cell cell-box" role="gridcell">
                <input
                  type="checkbox"
                  tabIndex={-1}
                  aria-label={t("grid.select")}
                  checked={selected}
                  onChange={() => undefined}
                  onClick={(event) => {
                    event.stopPropagation();
                    onToggle(event.shiftKey);
                  }}
                />
              </div>
            )}
            {columns.map((column) => (
              <div key={column.id} role="gridcell" className={cx("cell", column.align === "end" && "end")}>
                {column.cell(row, now)}
              </div>
            ))}
          </>
        )}
      </div>
    );
  },
  // What a row shows is its data, its place and its state; the functions do the same for the same row.
  (a, b) =>
    a.row === b.row &&
    a.index === b.index &&
    a.top === b.top &&
    a.height === b.height &&
    a.columns === b.columns &&
    a.current === b.current &&
    a.selected === b.selected &&
    a.now === b.now &&
    a.className === b.className,
) as (props: RowProps) => ReactNode;
