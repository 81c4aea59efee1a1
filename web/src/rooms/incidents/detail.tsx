/** One incident: where its handling stands, what happened, what has to be done, and what it rests on. */
import { useEffect, useRef, useState } from "react";
import { useFreshness } from "../../api/live";
import { useMay, useMe } from "../../api/me";
import { useOne } from "../../api/query";
import type { Incident } from "../../api/types";
import { saveAs } from "../../api/work";
import { type Binding, useKeys } from "../../lib/keys";
import { useGo, useQueryState } from "../../lib/route";
import { safe } from "../../lib/safe";
import { duration, useNow } from "../../lib/time";
import { t } from "../../locale/rooms/incidents";
import { word } from "../../locale/words";
import { Badge, Sla } from "../../widgets/badge";
import { Button } from "../../widgets/button";
import { copySafe } from "../../widgets/copy";
import { Go } from "../../widgets/go";
import { Menu } from "../../widgets/menu";
import { Safe } from "../../widgets/safe";
import { Severity } from "../../widgets/severity";
import { Tabs } from "../../widgets/tabs";
import { done, failed } from "../../widgets/toast";
import { ErrorView, Loading } from "../../widgets/views";
import { answered, type Change, PHASES, type Phase, phaseWord, useChange } from "./acts";
import { Alerts } from "./alerts";
import { Changes } from "./changes";
import Dialogs from "./dialogs";
import { Evidence } from "./evidence";
import { Linked } from "./linked";
import { Merge, Split } from "./merge";
import { PhaseBar } from "./phase";
import { Acts, Response } from "./response";
import RunDialog from "./run";
import { Tasks } from "./tasks";
import { Timeline } from "./timeline";

export type Open = "none" | "hold" | "give" | "verdict" | "close" | "back" | "merge" | "split" | "run";

export function Detail({ item }: { item: string }) {
  const path = `/incidents/${encodeURIComponent(item)}`;
  const asked = useOne<Incident>(path);
  useFreshness(["incidents", "runs"], [path, "/runs", "/approvals", "/incident-changes"], 1500);
  const change = useChange(path, asked.data);
  if (asked.isPending) return <Loading />;
  if (!asked.data) {
    return (
      <ErrorView
        error={asked.error}
        title={asked.error?.status === 404 ? t("detail.missing") : undefined}
        onRetry={() => void asked.refetch()}
      />
    );
  }
  return <Sheet row={asked.data} change={change} path={path} />;
}

function Sheet({ row, change, path }: { row: Incident; change: Change; path: string }) {
  const me = useMe()?.name ?? "";
  const may = useMay("work") && !row.joined;
  const mayRun = useMay("respond");
  const go = useGo();
  const [query, setQuery] = useQueryState();
  const [open, setOpen] = useState<Open>("none");
  const [verdict, setVerdict] = useState("true_positive");
  const [target, setTarget] = useState<Phase>("new");
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const heading = useRef<HTMLHeadingElement>(null);
  const comment = useRef<HTMLTextAreaElement>(null);
  const task = useRef<HTMLInputElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  const close = () => {
    setOpen("none");
    heading.current?.focus({ preventScroll: true });
  };
  const held = row.status === "on_hold";
  const back = () => {
    const { tab: _, kinds: __, order: ___, ...rest } = query;
    go("/incidents", rest);
  };
  const moveTo = (phase: Phase) => {
    if (!may || held || change.busy || phase === row.phase) return;
    if (phase === "closed") setOpen("close");
    else if (PHASES.indexOf(phase) < PHASES.indexOf(row.phase as Phase)) {
      setTarget(phase);
      setOpen("back");
    } else void change.quick({ phase }, t("done.phase", { n: 1, phase: phaseWord(phase) }));
  };
  const next = PHASES[PHASES.indexOf(row.phase as Phase) + 1];
  const take = () => void change.quick({ owner: me, acknowledge: true }, t("done.take", { n: 1 }));
  const hold = () => {
    if (held) void change.quick({ hold: false }, t("done.unhold", { n: 1 }));
    else setOpen("hold");
  };
  const judge = (as: string) => {
    setVerdict(as);
    setOpen("verdict");
  };
  const save = async (format: "markdown" | "json" | "pdf") => {
    const ending = { markdown: "md", json: "json", pdf: "pdf" }[format];
    try {
      await saveAs(`incident-${row.short.replace(/[^\w-]/g, "")}.${ending}`, `${path}/export`, { format });
      done(t("done.export", { short: safe(row.short) }));
    } catch (error) {
      failed(t("fail.export"), error, () => void save(format));
    }
  };
  const title = t("title");
  const workable = may && row.status !== "closed";
  const bindings: Binding[] = [
    { id: "detail.back", keys: "Escape", label: t("act.back"), group: title, run: back },
    {
      id: "incidents.take",
      keys: "a",
      label: t("act.take.long"),
      group: title,
      off: !may || row.owner === me,
      run: take,
    },
    {
      id: "incidents.forward",
      keys: "n",
      label: t("act.forward"),
      group: title,
      off: !may || held || !next,
      run: () => next && moveTo(next),
    },
    { id: "incidents.hold", keys: "h", label: t("act.hold"), group: title, off: !workable, run: hold },
    { id: "incidents.give", keys: "w", label: t("act.give"), group: title, off: !may, run: () => setOpen("give") },
    { id: "incidents.tp", keys: "t", label: t("act.tp"), group: title, off: !may, run: () => judge("true_positive") },
    { id: "incidents.fp", keys: "f", label: t("act.fp"), group: title, off: !may, run: () => judge("false_positive") },
    { id: "incidents.merge", keys: "m", label: t("act.merge"), group: title, off: !may, run: () => setOpen("merge") },
    { id: "incidents.split", keys: "s", label: t("act.split"), group: title, off: !may, run: () => setOpen("split") },
    { id: "incidents.run", keys: "r", label: t("act.run"), group: title, off: !mayRun, run: () => setOpen("run") },
    {
      id: "incidents.comment",
      keys: "c",
      label: t("act.comment"),
      group: title,
      off: !may,
      run: () => {
        setQuery({ tab: undefined });
        setTimeout(() => comment.current?.focus(), 0);
      },
    },
    {
      id: "incidents.task",
      keys: "+",
      label: t("act.task"),
      group: title,
      off: !may,
      run: () => task.current?.focus(),
    },
    { id: "incidents.export", keys: "e", label: t("act.export"), group: title, run: () => void save("pdf") },
    {
      id: "incidents.copy",
      keys: "y",
      label: t("act.copy"),
      group: title,
      run: () => void copySafe(JSON.stringify(row, null, 2)),
    },
  ];
  useKeys(bindings);
  return (
    <article className="incident" data-keys="detail" aria-label={`${title} ${row.short}`}>
      <header className="incident-head">
        <div className="row wrap">
          <Button kind="quiet" keys="Esc" onClick={back}>
            ‹ {title}
          </Button>
          <span className="mono muted">{row.short}</span>
          <h2 ref={heading} tabIndex={-1} className="incident-title">
            <Safe text={row.title} block className="incidents-words" />
          </h2>
          <Severity name={row.severity} />
        </div>
        <div className="row wrap incident-facts">
          <span>
            {row.owner ? (
              <Safe text={row.owner} className="incidents-words" />
            ) : (
              <span className="muted">{t("nobody")}</span>
            )}
          </span>
          {answered(row) ? null : (
            <span>
              {t("detail.due")} <Sla due={Date.parse(row.due_at)} />
            </span>
          )}
          {row.verdict?.as && row.verdict.as !== "none" ? <Badge kind="accent">{word(row.verdict.as)}</Badge> : null}
          <Times row={row} />
        </div>
        <div className="row wrap">
          {row.owner === me ? null : (
            <Button kind={row.owner ? "plain" : "primary"} keys="a" disabled={!may} onClick={take}>
              {t("act.take")}
            </Button>
          )}
          <Button keys="h" disabled={!workable} pressed={held} onClick={hold}>
            {held ? t("act.unhold") : t("act.hold")}
          </Button>
          <Button keys="t" disabled={!may} onClick={() => judge("true_positive")}>
            {t("act.tp")}
          </Button>
          <Button keys="f" disabled={!may} onClick={() => judge("false_positive")}>
            {t("act.fp")}
          </Button>
          <Button keys="r" disabled={!mayRun} onClick={() => setOpen("run")}>
            {t("act.run")}
          </Button>
          <Button keys="m" disabled={!may} onClick={() => setOpen("merge")}>
            {t("act.merge")}
          </Button>
          <Menu
            trigger={<Button>{t("act.export")} ▾</Button>}
            entries={[
              { id: "pdf", label: t("export.pdf"), keys: "e", run: () => void save("pdf") },
              { id: "markdown", label: t("export.markdown"), run: () => void save("markdown") },
              { id: "json", label: t("export.json"), run: () => void save("json") },
            ]}
          />
          <Menu
            trigger={<Button>{t("act.more")} ▾</Button>}
            entries={[
              { id: "give", label: t("act.give"), keys: "w", off: !may, run: () => setOpen("give") },
              { id: "split", label: t("act.split"), keys: "s", off: !may, run: () => setOpen("split") },
              { id: "benign", line: true, label: t("act.benign"), off: !may, run: () => judge("benign") },
              { id: "duplicate", label: t("act.duplicate"), off: !may, run: () => judge("duplicate") },
              {
                id: "copy",
                line: true,
                label: t("act.copy"),
                keys: "y",
                run: () => void copySafe(JSON.stringify(row, null, 2)),
              },
            ]}
          />
        </div>
        {row.joined ? (
          <p className="conflict" role="status">
            {t("detail.joined")} <Go path={`/incidents/${encodeURIComponent(row.joined)}`}>{t("detail.joined.go")}</Go>
          </p>
        ) : null}
        {change.conflict ? (
          <div className="conflict row wrap" role="alert">
            <span className="grow incidents-words">
              <b>{t("detail.conflict")}.</b> <Safe text={change.conflict} block /> {t("detail.look")}
            </span>
            <Button onClick={change.seen}>{t("detail.seen")}</Button>
          </div>
        ) : null}
        <PhaseBar row={row} may={may && !change.busy} onMove={moveTo} />
      </header>
      <div className="incident-body">
        <div className="incident-main">
          <Tabs
            label={t("detail.of")}
            value={query.tab ?? "timeline"}
            onChange={(tab) => setQuery({ tab })}
            tabs={[
              {
                id: "timeline",
                label: t("time.title"),
                body: <Timeline row={row} path={path} may={may} field={comment} />,
              },
              {
                id: "alerts",
                label: t("tab.alerts"),
                count: row.alert_count,
                body: (
                  <Alerts row={row} may={may} picked={picked} onPick={setPicked} onSplit={() => setOpen("split")} />
                ),
              },
              { id: "evidence", label: t("tab.evidence"), body: <Evidence row={row} path={path} /> },
              { id: "linked", label: t("tab.linked"), body: <Linked row={row} path={path} /> },
              { id: "plans", label: t("tab.plans"), count: row.plans.length, body: <Acts row={row} /> },
              { id: "changes", label: t("tab.changes"), body: <Changes row={row} may={may || Boolean(row.joined)} /> },
            ]}
          />
        </div>
        <aside className="incident-side">
          <Tasks row={row} path={path} may={may} me={me} change={change} field={task} />
          <Response row={row} />
        </aside>
      </div>
      {open === "hold" || open === "give" || open === "verdict" || open === "close" || open === "back" ? (
        <Dialogs open={open} row={row} me={me} verdict={verdict} target={target} change={change} onClose={close} />
      ) : null}
      {open === "merge" ? <Merge row={row} onClose={close} /> : null}
      {open === "split" ? (
        <Split
          row={row}
          alerts={[...picked]}
          onClose={close}
          onDone={() => {
            setPicked(new Set());
            close();
          }}
        />
      ) : null}
      {open === "run" ? <RunDialog row={row} onClose={close} /> : null}
    </article>
  );
}

/** How long the steps took, counted from when it was opened. */
function Times({ row }: { row: Incident }) {
  const now = useNow(10_000);
  const from = Date.parse(row.created_at);
  const after = (at: string | undefined) => (at ? duration(Date.parse(at) - from) : "");
  const { clock } = row;
  return (
    <>
      <span className="muted">
        {t("detail.detected", { time: duration(Math.max(0, from - Date.parse(row.first_at))) })}
      </span>
      {clock.acknowledged_at ? (
        <span className="muted">{t("detail.answered", { time: after(clock.acknowledged_at) })}</span>
      ) : null}
      {clock.contained_at ? (
        <span className="muted">{t("detail.contained", { time: after(clock.contained_at) })}</span>
      ) : null}
      {clock.closed_at ? null : <span className="muted">{t("detail.running", { time: duration(now - from) })}</span>}
      {clock.reopened ? <span className="muted">{t("detail.reopened", { n: clock.reopened })}</span> : null}
    </>
  );
}
