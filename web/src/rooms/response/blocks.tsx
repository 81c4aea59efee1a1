/** Who is, was or would be blocked, with the evidence for it; blocking and unblocking by hand. */
import { useMemo, useRef, useState } from "react";
import { useMay } from "../../api/me";
import { useList, useOne } from "../../api/query";
import type { BlockRow } from "../../api/types";
import type { BlockDetail } from "../../api/work";
import { number } from "../../lib/i18n";
import { useKeys } from "../../lib/keys";
import { useQueryState } from "../../lib/route";
import { useSteady } from "../../lib/steady";
import { absolute, span, useNow } from "../../lib/time";
import { t } from "../../locale/rooms/response";
import { word } from "../../locale/words";
import { Pill } from "../../widgets/badge";
import { Chip, FilterBar, Toolbar } from "../../widgets/bar";
import { Button } from "../../widgets/button";
import { Field, Fields } from "../../widgets/field";
import { Go } from "../../widgets/go";
import { type Column, Grid, type GridHandle } from "../../widgets/grid";
import { Plans } from "../../widgets/plan";
import { Safe } from "../../widgets/safe";
import { Section } from "../../widgets/section";
import { Split } from "../../widgets/split";
import { State } from "../../widgets/state";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { Allowing } from "./allowing";
import { Add, Remove } from "./blocking";

const COLUMNS: Column<BlockRow>[] = [
  {
    id: "address",
    head: t("head.address"),
    width: 120,
    grow: 1,
    weight: 1,
    cell: (row) => <Safe text={row.address} />,
  },
  {
    id: "state",
    head: t("head.state"),
    width: 76,
    weight: 1,
    cell: (row) => <State name={row.state} />,
  },
  {
    id: "until",
    head: t("head.until"),
    width: 64,
    weight: 1,
    cell: (row, now) => {
      const end = row.until ?? row.expires_at;
      if (row.holds && end) return t("block.in", { time: span(Date.parse(end) - now) });
      return <span className="muted">{row.ended_at ? t("block.over") : ""}</span>;
    },
  },
  { id: "mode", head: t("head.mode"), width: 54, weight: 6, cell: (row) => word(row.mode) },
  {
    id: "reason",
    head: t("head.reason"),
    width: 160,
    grow: 3,
    weight: 2,
    cell: (row) => <Safe text={row.error || row.reason} className="response-text" />,
  },
  {
    id: "by",
    head: t("head.by"),
    width: 100,
    grow: 1,
    weight: 5,
    cell: (row) => <Safe text={row.by ?? ""} className="response-text" />,
  },
  {
    id: "count",
    head: t("head.count"),
    width: 40,
    weight: 7,
    align: "end",
    cell: (row) => (row.count > 0 ? number(row.count) : ""),
  },
  {
    id: "since",
    head: t("head.since"),
    width: 44,
    weight: 4,
    cell: (row, now) => <When at={row.created_at} now={now} />,
  },
];

type Open = "none" | "add" | "remove" | "allow";

export default function Blocks() {
  const [query, change] = useQueryState();
  const may = { respond: useMay("respond"), allow: useMay("allow") };
  const grid = useRef<GridHandle>(null);
  const [current, setCurrent] = useState<string | null>(query.address ?? null);
  const [open, setOpen] = useState<Open>("none");
  const [hover, setHover] = useState(false);
  const [focused, setFocused] = useState(false);
  const now = useNow(1000);
  const filter = { holding: query.holding === "1" || undefined, state: query.state, incident: query.incident };
  const list = useList<BlockRow>("/blocks", filter);
  const found = useMemo(
    () => (query.q ? list.rows.filter((row) => row.address.includes(query.q ?? "")) : list.rows),
    [list.rows, query.q],
  );
  const { rows, pending, show } = useSteady(
    found,
    (row) => row.address,
    JSON.stringify([filter, query.q]),
    hover || focused,
  );
  const at = rows.findIndex((row) => row.address === current);
  const chosen = rows[at];
  const opened = query.address;
  const openAt = (row: BlockRow | undefined) => row && change({ address: row.address }, true);
  const move = (by: number) => {
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    if (!next) return;
    setCurrent(next.address);
    grid.current?.show(next.address);
    if (opened) change({ address: next.address });
  };
  const target = opened ?? chosen?.address;
  const group = t("title");
  useKeys([
    { id: "list.next", keys: "j", label: t("act.next"), group, run: () => move(1) },
    { id: "list.before", keys: "k", label: t("act.before"), group, run: () => move(-1) },
    { id: "list.open", keys: "o", label: t("act.open"), group, run: () => openAt(chosen) },
    { id: "list.show", keys: ".", label: t("act.show"), group, run: show },
    {
      id: "detail.back",
      keys: "Escape",
      label: t("act.back"),
      group,
      run: () => {
        change({ address: undefined });
        grid.current?.focus();
      },
    },
    { id: "blocks.add", keys: "b", label: t("blocks.add"), group, off: !may.respond, run: () => setOpen("add") },
    {
      id: "blocks.remove",
      keys: "u",
      label: t("blocks.remove"),
      group,
      off: !may.respond || !target,
      run: () => setOpen("remove"),
    },
    {
      id: "blocks.allow",
      keys: "l",
      label: t("blocks.allow"),
      group,
      off: !may.allow || !target,
      run: () => setOpen("allow"),
    },
  ]);
  const filtered = Boolean(query.q || query.holding || query.state || query.incident);
  const flip = (name: string, value: string) => change({ [name]: query[name] === value ? undefined : value });
  const empty = list.loading ? (
    <Loading />
  ) : list.error ? (
    <ErrorView error={list.error} onRetry={list.again} />
  ) : filtered ? (
    <Empty
      title={t("blocks.filtered")}
      action={
        <Button onClick={() => change({ q: undefined, holding: undefined, state: undefined, incident: undefined })}>
          {t("act.clear")}
        </Button>
      }
    />
  ) : (
    <Empty title={t("blocks.empty")}>{t("blocks.empty.text")}</Empty>
  );
  return (
    <>
      <Split
        list={
          <>
            <Toolbar label={t("view.blocks")}>
              <Chip on={query.holding === "1"} onClick={() => flip("holding", "1")}>
                {t("blocks.holding")}
              </Chip>
              <Chip on={query.state === "refused"} onClick={() => flip("state", "refused")}>
                {t("blocks.refused")}
              </Chip>
              <span className="grow" />
              <Pill count={pending} onShow={show} />
              <Button keys="b" disabled={!may.respond} onClick={() => setOpen("add")}>
                {t("blocks.add")}
              </Button>
            </Toolbar>
            <FilterBar
              value={query.q ?? ""}
              placeholder={t("blocks.hint")}
              onChange={(q) => change({ q: q.trim() || undefined })}
            />
            <Grid
              ref={grid}
              label={t("view.blocks")}
              rows={rows}
              id={(row) => row.address}
              columns={COLUMNS}
              current={current}
              onCurrent={(id) => {
                setCurrent(id);
                if (opened) change({ address: id });
              }}
              onOpen={openAt}
              hasMore={list.hasMore}
              onMore={list.more}
              empty={rows.length === 0 ? empty : undefined}
              now={now}
              onHover={setHover}
              onFocus={setFocused}
            />
          </>
        }
        detail={
          opened === undefined ? null : (
            <Detail
              address={opened}
              row={rows.find((row) => row.address === opened)}
              may={may}
              onOpen={setOpen}
              onClose={() => {
                change({ address: undefined });
                grid.current?.focus();
              }}
            />
          )
        }
      />
      {open === "add" ? <Add onClose={() => setOpen("none")} /> : null}
      {open === "remove" && target ? <Remove address={target} onClose={() => setOpen("none")} /> : null}
      {open === "allow" ? <Allowing given={target} onClose={() => setOpen("none")} /> : null}
    </>
  );
}

function Detail({
  address,
  row,
  may,
  onOpen,
  onClose,
}: {
  address: string;
  row: BlockRow | undefined;
  may: { respond: boolean; allow: boolean };
  onOpen: (which: Open) => void;
  onClose: () => void;
}) {
  const asked = useOne<BlockDetail>(`/blocks/${encodeURIComponent(address)}`);
  const data = asked.data;
  const evidence = row?.evidence ?? data?.plans[0]?.evidence ?? [];
  return (
    <article aria-label={t("block.detail", { address: "" })}>
      <header className="response-head">
        <div className="row">
          <h2 className="grow cut">
            <Safe text={address} />
          </h2>
          <Button kind="quiet" keys="Esc" aria-label={t("act.back")} onClick={onClose}>
            ×
          </Button>
        </div>
        {data ? (
          <p className={data.holds ? undefined : "muted"}>
            {data.holds ? t("block.holds", { time: absolute(data.until) }) : t("block.not")}
          </p>
        ) : null}
        <div className="row wrap">
          <Button keys="u" disabled={!may.respond || !data?.holds} onClick={() => onOpen("remove")}>
            {t("blocks.remove")}
          </Button>
          <Button keys="l" disabled={!may.allow} onClick={() => onOpen("allow")}>
            {t("blocks.allow")}
          </Button>
          <Go path={`/attackers/${encodeURIComponent(address)}`}>{t("block.attacker")}</Go>
        </div>
      </header>
      {asked.isPending ? (
        <Loading rows={4} />
      ) : asked.error && !data ? (
        <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />
      ) : null}
      {row ? (
        <Section title={t("head.reason")}>
          <Fields>
            <Field name={t("head.address")} text={row.address} address />
            <Field name={t("head.reason")} text={row.reason} block />
            <Field name={t("head.by")} text={row.by ?? ""} />
            <Field name={t("head.since")} text={absolute(row.applied_at ?? row.created_at)} />
            {row.ended_at ? (
              <Field name={t("head.ended")} text={`${absolute(row.ended_at)} ${row.ended_by ?? ""}`} />
            ) : null}
            {row.error ? <Field name={t("run.error")} text={row.error} block /> : null}
          </Fields>
          <p className="row wrap response-links">
            {row.run ? <Go path={`/response/${encodeURIComponent(row.run)}`}>{t("head.run")}</Go> : null}
            {row.incident ? (
              <Go path={`/incidents/${encodeURIComponent(row.incident)}`}>{t("head.incident")}</Go>
            ) : null}
          </p>
        </Section>
      ) : null}
      <Section title={`${t("block.evidence")} ${evidence.length}`}>
        {evidence.length === 0 ? <p className="muted">{t("block.evidence.none")}</p> : null}
        <ul className="response-evidence">
          {evidence.slice(0, 10).map((id) => (
            <Alert key={id} id={id} />
          ))}
        </ul>
      </Section>
      {data && data.covered_by.length > 0 ? (
        <Section title={t("block.covered")}>
          {data.covered_by.map((one) => (
            <p key={one.plan} className="row">
              <Safe text={one.address} /> <State name={one.state} />
            </p>
          ))}
        </Section>
      ) : null}
      {data ? (
        <Section title={t("block.history")}>
          <Plans plans={data.plans} label={t("block.history")} />
        </Section>
      ) : null}
    </article>
  );
}

/** What a block rests on, by name. */
function Alert({ id }: { id: string }) {
  const asked = useOne<{ short: string; title: string }>(`/alerts/${encodeURIComponent(id)}`, {
    fields: "id,short,title",
  });
  return (
    <li className="row">
      <Go path={`/alerts/${encodeURIComponent(id)}`} className="mono">
        {asked.data?.short ?? id.slice(-6)}
      </Go>
      <Safe text={asked.data?.title ?? ""} className="response-text" />
    </li>
  );
}
