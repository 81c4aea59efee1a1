/** The list of incidents; what is chosen lives in the URL, the rows stand still while somebody looks. */
import { useMemo, useRef, useState } from "react";
import { call } from "../../api/client";
import { useFreshness } from "../../api/live";
import { useMay, useMe } from "../../api/me";
import { useList } from "../../api/query";
import type { Incident } from "../../api/types";
import { number } from "../../lib/i18n";
import { type Binding, useKeys } from "../../lib/keys";
import { useGo, useQueryState } from "../../lib/route";
import { extend, NOTHING, type Selection, toggle } from "../../lib/selection";
import { useSteady } from "../../lib/steady";
import { useNow } from "../../lib/time";
import { t } from "../../locale/rooms/incidents";
import { Badge, Pill, Sla } from "../../widgets/badge";
import { Chip, FilterBar, Toolbar } from "../../widgets/bar";
import { Button } from "../../widgets/button";
import { copySafe } from "../../widgets/copy";
import { type Column, Grid, type GridHandle } from "../../widgets/grid";
import { Safe } from "../../widgets/safe";
import { Severity, severityRank } from "../../widgets/severity";
import { TopLine } from "../../widgets/slot";
import { note } from "../../widgets/toast";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { answered, changeAll, PHASES, type Phase, phaseWord } from "./acts";
import { MergeMany } from "./merge";
import { Views } from "./views";

const due = (row: Incident): number => (answered(row) ? Number.NaN : Date.parse(row.due_at));
const COLUMNS: Column<Incident>[] = [
  {
    id: "short",
    head: t("head.short"),
    width: 48,
    weight: 2,
    cell: (row) => <span className="mono">{row.short}</span>,
  },
  {
    id: "severity",
    head: t("head.severity"),
    width: 62,
    weight: 1,
    sortable: true,
    cell: (row) => <Severity name={row.severity} />,
  },
  {
    id: "title",
    head: t("head.title"),
    width: 140,
    grow: 3,
    weight: 1,
    cell: (row) => <Safe text={row.title} className="incidents-words" />,
  },
  {
    id: "phase",
    head: t("head.phase"),
    width: 84,
    weight: 3,
    cell: (row) => (row.status === "on_hold" ? <Badge kind="warn">{t("held")}</Badge> : phaseWord(row.phase)),
  },
  {
    id: "owner",
    head: t("head.owner"),
    width: 84,
    weight: 5,
    cell: (row) =>
      row.owner ? <Safe text={row.owner} className="incidents-words" /> : <span className="muted">{t("nobody")}</span>,
  },
  {
    id: "sla",
    head: t("head.sla"),
    width: 40,
    weight: 1,
    align: "end",
    sortable: true,
    cell: (row, now) => <Sla due={due(row)} now={now} />,
  },
  {
    id: "alerts",
    head: t("head.alerts"),
    width: 44,
    weight: 6,
    align: "end",
    cell: (row) => number(row.alert_count),
  },
  {
    id: "tasks",
    head: t("head.tasks"),
    width: 40,
    weight: 9,
    align: "end",
    cell: (row) => (row.tasks?.length ? `${row.tasks.filter((task) => task.done_at).length}/${row.tasks.length}` : ""),
  },
  {
    id: "attackers",
    head: t("head.attackers"),
    width: 110,
    grow: 1,
    weight: 7,
    cell: (row) => (
      <>
        <Safe text={row.attackers[0] ?? ""} />
        {row.attackers.length > 1 ? <span className="muted"> +{number(row.attackers.length - 1)}</span> : null}
      </>
    ),
  },
  {
    id: "last",
    head: t("head.last"),
    width: 44,
    weight: 4,
    sortable: true,
    cell: (row, now) => <When at={row.last_at} now={now} />,
  },
];

const OPEN = "new,in_progress,on_hold";

export function List({ hidden }: { hidden: boolean }) {
  const me = useMe()?.name ?? "";
  const may = useMay("work");
  const [query, change] = useQueryState();
  const go = useGo();
  const grid = useRef<GridHandle>(null);
  const [current, setCurrent] = useState<string | null>(null);
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const [hover, setHover] = useState(false);
  const [focused, setFocused] = useState(false);
  const [merging, setMerging] = useState(false);
  const now = useNow(5000);
  const status = query.status === "all" ? undefined : query.status === "hold" ? "on_hold" : OPEN;
  const filter = { q: query.q, severity: query.sev, status, attacker: query.attacker };
  const list = useList<Incident>("/incidents", filter);
  useFreshness(["incidents"], ["/incidents"], 2000);
  const found = useMemo(() => {
    const rows = list.rows.filter(
      (row) => query.who === undefined || (query.who === "none" ? !row.owner : row.owner === me),
    );
    const sort = (query.sort ?? "").replace(/^-/, "");
    const turn = query.sort?.startsWith("-") ? -1 : 1;
    const value: Record<string, (row: Incident) => number> = {
      severity: (row) => severityRank(row.severity),
      sla: (row) => (Number.isNaN(due(row)) ? Number.POSITIVE_INFINITY : due(row)),
      last: (row) => Date.parse(row.last_at),
    };
    const of = value[sort];
    return of ? [...rows].sort((a, b) => turn * (of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : 0)) : rows;
  }, [list.rows, query.who, query.sort, me]);
  const still = hover || focused || selection.ids.size > 0 || hidden;
  const { rows, pending, show } = useSteady(
    found,
    (row) => row.id,
    JSON.stringify([filter, query.who, query.sort]),
    still,
  );

  const at = rows.findIndex((row) => row.id === current);
  const chosen = rows[at];
  const move = (by: number) => {
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    if (!next) return;
    setCurrent(next.id);
    grid.current?.show(next.id);
  };
  const open = (row: Incident) => {
    setCurrent(row.id);
    go(`/incidents/${encodeURIComponent(row.short)}`, query);
  };
  const picked = (): Incident[] =>
    selection.ids.size > 0 ? rows.filter((row) => selection.ids.has(row.id)) : chosen ? [chosen] : [];
  const clear = () => setSelection(NOTHING);
  const take = () =>
    void changeAll(
      picked(),
      (row) => (row.owner === me ? null : { owner: me, acknowledge: true }),
      (n) => t("done.take", { n }),
    );
  const forward = () => {
    const to = PHASES[PHASES.indexOf((picked()[0]?.phase ?? "new") as Phase) + 1];
    if (!to || to === "closed") {
      if (picked().length === 1 && chosen) open(chosen);
      return;
    }
    void changeAll(
      picked(),
      (row) =>
        PHASES.indexOf(row.phase as Phase) < PHASES.indexOf(to) && row.status !== "on_hold" ? { phase: to } : null,
      (n) => t("done.phase", { n, phase: phaseWord(to) }),
    );
  };
  const hold = () => {
    const on = picked()[0]?.status !== "on_hold";
    void changeAll(
      picked(),
      (row) => ((row.status === "on_hold") === on ? null : { hold: on }),
      (n) => t(on ? "done.hold" : "done.unhold", { n }),
    );
  };
  const merge = () => (picked().length > 1 ? setMerging(true) : note(t("merge.need")));
  const title = t("title");
  const off = hidden;
  const bindings: Binding[] = [
    { id: "list.next", keys: "j", label: t("act.next"), group: title, off, run: () => move(1) },
    { id: "list.before", keys: "k", label: t("act.before"), group: title, off, run: () => move(-1) },
    { id: "list.open", keys: "o", label: t("act.open"), group: title, off, run: () => chosen && open(chosen) },
    {
      id: "incidents.select",
      keys: "x",
      label: t("act.select"),
      group: title,
      off,
      run: () => current && setSelection(toggle(selection, current)),
    },
    {
      id: "incidents.range",
      keys: "Shift x",
      label: t("act.range"),
      group: title,
      off,
      run: () =>
        current &&
        setSelection(
          extend(
            selection,
            current,
            rows.map((row) => row.id),
          ),
        ),
    },
    { id: "incidents.clear", keys: "Escape", label: t("select.clear"), group: title, off, run: clear },
    { id: "incidents.take", keys: "a", label: t("act.take.long"), group: title, off: off || !may, run: take },
    { id: "incidents.forward", keys: "n", label: t("act.forward"), group: title, off: off || !may, run: forward },
    { id: "incidents.hold", keys: "h", label: t("act.hold"), group: title, off: off || !may, run: hold },
    { id: "incidents.merge", keys: "m", label: t("act.merge"), group: title, off: off || !may, run: merge },
    {
      id: "incidents.copy",
      keys: "y",
      label: t("act.copy"),
      group: title,
      off,
      run: () =>
        chosen &&
        void call<Incident>("GET", `/incidents/${chosen.id}`).then((row) => copySafe(JSON.stringify(row, null, 2))),
    },
    { id: "incidents.show", keys: ".", label: t("act.show"), group: title, off, run: show },
  ];
  useKeys(bindings);

  const filtered = Boolean(query.q || query.sev || query.who || query.attacker || query.status !== "all");
  const empty = list.loading ? (
    <Loading />
  ) : list.error ? (
    <ErrorView error={list.error} onRetry={list.again} />
  ) : filtered && (query.q || query.sev || query.who || query.attacker) ? (
    <Empty
      title={t("empty.filtered")}
      action={<Button onClick={() => go("/incidents", { status: "all" })}>{t("empty.clear")}</Button>}
    >
      {t("empty.filtered.text")}
    </Empty>
  ) : (
    <Empty
      title={t("empty.title")}
      action={
        query.status === "all" ? null : (
          <Button onClick={() => go("/incidents", { status: "all" })}>{t("empty.clear")}</Button>
        )
      }
    >
      {t("empty.text")}
    </Empty>
  );
  const flip = (name: string, value: string) => change({ [name]: query[name] === value ? undefined : value });
  const several = selection.ids.size > 0;
  return (
    <>
      {hidden ? null : (
        <TopLine>
          <span>
            {t("line", { n: rows.length })}
            {list.hasMore ? "+" : ""}
          </span>
        </TopLine>
      )}
      <Toolbar label={t("filter.label")}>
        <Chip
          on={query.status === undefined}
          onClick={() => change({ status: query.status === undefined ? "all" : undefined })}
        >
          {t("view.open")}
        </Chip>
        <Chip on={query.who === "mine"} onClick={() => flip("who", "mine")}>
          {t("view.mine")}
        </Chip>
        <Chip on={query.who === "none"} onClick={() => flip("who", "none")}>
          {t("view.nobody")}
        </Chip>
        <Chip on={query.sev === "high"} onClick={() => flip("sev", "high")}>
          {t("view.severity")}
        </Chip>
        <Chip on={query.status === "hold"} onClick={() => flip("status", "hold")}>
          {t("view.hold")}
        </Chip>
        <Views query={query} onOpen={(next) => go("/incidents", next)} />
        <span className="grow" />
        <span aria-live="polite">
          <Pill count={pending} onShow={show} />
        </span>
      </Toolbar>
      <FilterBar value={query.q ?? ""} placeholder={t("filter.hint")} onChange={(q) => change({ q: q || undefined })} />
      <Grid
        ref={grid}
        label={title}
        rows={rows}
        id={(row) => row.id}
        columns={COLUMNS}
        current={current}
        onCurrent={setCurrent}
        onOpen={open}
        selection={selection}
        onSelection={setSelection}
        sort={query.sort ? { id: query.sort.replace(/^-/, ""), down: query.sort.startsWith("-") } : undefined}
        onSort={(id) => change({ sort: query.sort === `-${id}` ? id : query.sort === id ? undefined : `-${id}` })}
        hasMore={list.hasMore}
        onMore={list.more}
        empty={rows.length === 0 ? empty : undefined}
        now={now}
        onHover={setHover}
        onFocus={setFocused}
      />
      {chosen || several ? (
        <div className="incidents-bar" role="toolbar" aria-label={t("act.more")}>
          <b className="incidents-bar-count">{several ? t("selected", { n: selection.ids.size }) : chosen?.short}</b>
          {several ? null : (
            <Button keys="o" onClick={() => chosen && open(chosen)}>
              {t("act.open")}
            </Button>
          )}
          <Button keys="a" disabled={!may} onClick={take}>
            {t("act.take")}
          </Button>
          <Button keys="n" disabled={!may} onClick={forward}>
            {t("act.forward")}
          </Button>
          <Button keys="h" disabled={!may} onClick={hold}>
            {picked()[0]?.status === "on_hold" ? t("act.unhold") : t("act.hold")}
          </Button>
          <Button keys="m" disabled={!may || !several} onClick={merge}>
            {t("act.merge")}
          </Button>
          {several ? (
            <Button kind="quiet" keys="Esc" onClick={clear}>
              {t("select.clear")}
            </Button>
          ) : null}
        </div>
      ) : null}
      {merging ? (
        <MergeMany
          rows={picked()}
          onClose={() => setMerging(false)}
          onDone={() => {
            clear();
            setMerging(false);
          }}
        />
      ) : null}
    </>
  );
}
