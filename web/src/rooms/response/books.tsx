/** Playbooks in force: what they wait for, their text, and what they would have done to what happened. */
import { useRef, useState } from "react";
import { call } from "../../api/client";
import { useList, useOne } from "../../api/query";
import type { Playbook } from "../../api/types";
import type { PlaybookText, TrialResult } from "../../api/work";
import { number } from "../../lib/i18n";
import { useKeys } from "../../lib/keys";
import { useQueryState } from "../../lib/route";
import { absolute, serverNow } from "../../lib/time";
import { t } from "../../locale/rooms/response";
import { word } from "../../locale/words";
import { Badge } from "../../widgets/badge";
import { Button } from "../../widgets/button";
import { CopyButton } from "../../widgets/copy";
import { Field, Fields, Select } from "../../widgets/field";
import { Go } from "../../widgets/go";
import { type Column, Grid, type GridHandle } from "../../widgets/grid";
import { Safe, SafeLines } from "../../widgets/safe";
import { Section, Table } from "../../widgets/section";
import { Split } from "../../widgets/split";
import { State } from "../../widgets/state";
import { Empty, ErrorView, errorText, Loading } from "../../widgets/views";

interface Fault {
  file: string;
  line: number;
  column?: number;
  text: string;
}

const COLUMNS: Column<Playbook>[] = [
  {
    id: "title",
    head: t("head.title"),
    width: 150,
    grow: 3,
    weight: 1,
    cell: (row) => (
      <>
        <Safe text={row.title} className={row.disabled ? "response-text muted" : "response-text"} />
        {row.disabled ? <Badge>{t("book.off")}</Badge> : null}
      </>
    ),
  },
  { id: "trigger", head: t("head.trigger"), width: 80, weight: 3, cell: (row) => word(row.schedule || row.trigger) },
  { id: "mode", head: t("head.mode"), width: 56, weight: 5, cell: (row) => word(row.mode) },
  { id: "steps", head: t("head.steps"), width: 40, weight: 6, align: "end", cell: (row) => number(row.steps) },
  { id: "runs", head: t("head.runs"), width: 40, weight: 2, align: "end", cell: (row) => number(row.runs) },
  { id: "origin", head: t("head.origin"), width: 60, weight: 4, cell: (row) => word(row.origin) },
];

export default function Books() {
  const [query, change] = useQueryState();
  const list = useList<Playbook>("/playbooks");
  const faults = useList<Fault>("/playbooks/faults");
  const grid = useRef<GridHandle>(null);
  const [current, setCurrent] = useState<string | null>(query.book ?? null);
  const at = list.rows.findIndex((row) => row.id === current);
  const move = (by: number) => {
    const next = list.rows[Math.max(0, Math.min(list.rows.length - 1, at + by))];
    if (!next) return;
    setCurrent(next.id);
    grid.current?.show(next.id);
    if (query.book) change({ book: next.id });
  };
  const close = () => {
    change({ book: undefined });
    grid.current?.focus();
  };
  const group = t("title");
  useKeys([
    { id: "list.next", keys: "j", label: t("act.next"), group, run: () => move(1) },
    { id: "list.before", keys: "k", label: t("act.before"), group, run: () => move(-1) },
    { id: "list.open", keys: "o", label: t("act.open"), group, run: () => current && change({ book: current }, true) },
    { id: "detail.back", keys: "Escape", label: t("act.back"), group, run: close },
  ]);
  return (
    <Split
      width={600}
      list={
        <>
          {faults.rows.length > 0 ? (
            <div className="conflict response-faults" role="alert">
              <b>{t("books.faults")}</b>
              {faults.rows.map((fault) => (
                <div key={`${fault.file} ${fault.line} ${fault.text}`}>
                  <Safe text={`${fault.file}:${fault.line}`} block />{" "}
                  <Safe text={fault.text} block className="response-text" />
                </div>
              ))}
            </div>
          ) : null}
          <Grid
            ref={grid}
            label={t("view.books")}
            rows={list.rows}
            id={(row) => row.id}
            columns={COLUMNS}
            current={current}
            onCurrent={(id) => {
              setCurrent(id);
              if (query.book) change({ book: id });
            }}
            onOpen={(row) => change({ book: row.id }, true)}
            hasMore={list.hasMore}
            onMore={list.more}
            empty={
              list.rows.length > 0 ? undefined : list.loading ? (
                <Loading />
              ) : list.error ? (
                <ErrorView error={list.error} onRetry={list.again} />
              ) : (
                <Empty title={t("books.empty")}>{t("books.empty.text")}</Empty>
              )
            }
          />
        </>
      }
      detail={query.book ? <Detail key={query.book} id={query.book} onClose={close} /> : null}
    />
  );
}

function Detail({ id, onClose }: { id: string; onClose: () => void }) {
  const [version, setVersion] = useState("");
  const asked = useOne<PlaybookText>(`/playbooks/${encodeURIComponent(id)}`, { version });
  const book = asked.data;
  if (asked.isPending) return <Loading />;
  if (!book) return <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />;
  return (
    <article aria-label={book.id}>
      <header className="response-head">
        <div className="row">
          <h2 className="grow">
            <Safe text={book.title} block className="response-title" />
          </h2>
          <Button kind="quiet" keys="Esc" aria-label={t("act.back")} onClick={onClose}>
            ×
          </Button>
        </div>
        {book.description ? <Safe text={book.description} block className="response-text muted" /> : null}
        <p className="row wrap">
          {book.disabled ? <Badge>{t("book.off")}</Badge> : null}
          {book.outdated ? <Badge kind="warn">{t("book.outdated")}</Badge> : null}
          {book.replaces ? <Badge>{t("book.replaces")}</Badge> : null}
          {book.next_at ? <span className="muted">{t("book.next", { time: absolute(book.next_at) })}</span> : null}
          <Go path="/response" query={{ view: "runs", playbook: book.id }}>
            {t("head.runs")} {number(book.runs)}
          </Go>
        </p>
        <Fields>
          {book.when ? <Field name={t("book.when")} text={book.when} block /> : null}
          <Field name={t("book.file")} text={book.file} block />
        </Fields>
      </header>
      <Test id={book.id} />
      <Section
        title={t("book.text")}
        actions={
          <>
            {book.versions.length > 1 ? (
              <select
                className="input"
                aria-label={t("book.versions")}
                value={version}
                onChange={(event) => setVersion(event.target.value)}
              >
                <option value="">{t("book.version.now")}</option>
                {book.versions.slice(1).map((one) => (
                  <option key={one.version} value={one.version}>
                    {one.version} {absolute(one.loaded_at)}
                  </option>
                ))}
              </select>
            ) : null}
            <CopyButton text={book.text} what={t("book.text")} />
          </>
        }
      >
        <SafeLines text={book.text} />
      </Section>
    </article>
  );
}

const DAYS = ["7", "30", "90"] as const;

/** What it would have done to the stored incidents. */
function Test({ id }: { id: string }) {
  const [days, setDays] = useState<string>("30");
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<TrialResult | null>(null);
  const [error, setError] = useState<unknown>(null);
  const run = async () => {
    setBusy(true);
    setError(null);
    try {
      setResult(
        await call<TrialResult>("POST", "/playbooks/test", {
          body: { playbook: id, from: new Date(serverNow() - Number(days) * 86_400_000).toISOString() },
        }),
      );
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  const book = result?.playbooks.find((one) => one.playbook === id);
  return (
    <Section title={t("book.test")}>
      <p className="muted">{t("book.test.text")}</p>
      <div className="row wrap response-test">
        <Select
          label={<span className="sr">{t("book.test.days")}</span>}
          value={days}
          onChange={(event) => setDays(event.target.value)}
          options={DAYS.map((value) => ({ value, label: t(`book.test.${value}`) }))}
        />
        <Button kind="primary" busy={busy} disabled={busy} onClick={() => void run()}>
          {t("book.test.verb")}
        </Button>
      </div>
      {error ? (
        <p className="field-error" role="alert">
          {errorText(error).detail}
        </p>
      ) : null}
      {result && book ? (
        <div className="col" role="status">
          <p>
            {t("book.test.result", {
              n: book.runs,
              incidents: result.incidents,
              day: number(book.per_day, { maximumFractionDigits: 1 }),
            })}{" "}
            {result.cut ? t("book.test.cut") : null}
          </p>
          {book.note ? <Safe text={book.note} block className="response-text muted" /> : null}
          {book.runs === 0 ? <p className="muted">{t("book.test.none")}</p> : null}
          {book.steps.length > 0 ? (
            <Table
              label={t("book.test")}
              heads={[
                { id: "step", label: t("book.test.step"), wide: true },
                { id: "targets", label: t("book.test.targets"), end: true },
                { id: "acts", label: t("book.test.acts"), end: true },
                { id: "skipped", label: t("book.test.skipped"), end: true },
                { id: "refused", label: t("book.test.refused"), end: true },
                { id: "failed", label: t("book.test.failed"), end: true },
              ]}
            >
              {book.steps.map((step) => (
                <tr key={step.step}>
                  <td>
                    <Safe text={step.step} /> <span className="mono muted">{step.action}</span>
                  </td>
                  <td className="end">{number(step.targets)}</td>
                  <td className="end">{number(step.acts)}</td>
                  <td className="end">{number(step.skipped)}</td>
                  <td className="end">{number(step.refused)}</td>
                  <td className="end">{number(step.failed)}</td>
                </tr>
              ))}
            </Table>
          ) : null}
          {book.examples.length > 0 ? (
            <>
              <h4>{t("book.test.examples")}</h4>
              <ul className="response-effects response-words">
                {book.examples.map((one) => (
                  <li key={`${one.incident} ${one.step} ${one.target}`}>
                    <Go path={`/incidents/${encodeURIComponent(one.incident)}`} className="mono">
                      {one.incident.length > 10 ? one.incident.slice(-6) : one.incident}
                    </Go>{" "}
                    <State name={one.state} /> <Safe text={one.effect || one.reason || ""} block />
                  </li>
                ))}
              </ul>
            </>
          ) : null}
        </div>
      ) : null}
    </Section>
  );
}
