/** How this installation stands against frameworks: measured now, gaps first, and reports to take away. */
import { useState } from "react";
import { useOne } from "../../api/query";
import { save } from "../../api/save";
import type { Assessment, ComplianceLine } from "../../api/types";
import { number } from "../../lib/i18n";
import { part, type Query } from "../../lib/route";
import { safe } from "../../lib/safe";
import { t } from "../../locale/rooms/reports";
import { Chip, Toolbar } from "../../widgets/bar";
import { Button } from "../../widgets/button";
import { Go } from "../../widgets/go";
import { done, failed } from "../../widgets/toast";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import type { Span } from "./span";

const STATUSES = ["met", "partly", "gap", "not measured", "outside"] as const;
type Status = (typeof STATUSES)[number];
const SHOWN = { all: STATUSES, gaps: ["gap", "partly"], open: ["not measured"] } as const;
type Shown = keyof typeof SHOWN;
const FORMATS = ["pdf", "html", "json", "oscal"] as const;

/** A status is a sign and a word, in a colour of its own. */
function Mark({ status }: { status: Status }) {
  return (
    <span className={`comply-mark comply-${status.replace(" ", "-")}`}>
      <span className="comply-sign" aria-hidden="true" />
      {t(`comply.${status}`)}
    </span>
  );
}

/** Where something can be looked at: an entry of the audit log, a route, a setting, a page of the documentation. */
function Evidence({ one }: { one: Assessment["rows"][number]["evidence"][number] }) {
  if (one.kind === "audit") return <Go path={`/audit/${part(one.ref)}`}>{t("comply.entry", { n: one.ref })}</Go>;
  return <span className="mono">{one.ref}</span>;
}

function Bar({ line }: { line: ComplianceLine }) {
  return (
    <span className="comply-bar" aria-hidden="true">
      {STATUSES.map((status) => (
        <span
          key={status}
          className={`comply-part comply-${status.replace(" ", "-")}`}
          style={{ flexGrow: line.counts[status] ?? 0 }}
        />
      ))}
    </span>
  );
}

export function Compliance({ span, query, change }: { span: Span; query: Query; change: (next: Query) => void }) {
  const list = useOne<{ items: ComplianceLine[] }>("/reports/compliance", { since: span.from });
  if (list.error) return <ErrorView error={list.error} onRetry={() => void list.refetch()} />;
  if (!list.data) return <Loading rows={8} label={t("comply.measuring")} />;
  const chosen = list.data.items.find((one) => one.id === query.framework) ?? list.data.items[0];
  return (
    <>
      <section className="reports-part" aria-label={t("view.compliance")}>
        <p className="muted">{t("comply.text")}</p>
        <ul className="comply-list">
          {list.data.items.map((line) => (
            <li key={line.id}>
              <button
                type="button"
                className="comply-card"
                aria-pressed={line.id === chosen?.id}
                onClick={() => change({ framework: line.id })}
              >
                <b>{line.short}</b>
                <Bar line={line} />
                <span className="comply-counts">
                  {STATUSES.map((status) => (
                    <span key={status}>
                      <b>{number(line.counts[status] ?? 0)}</b> {t(`comply.${status}`)}
                    </span>
                  ))}
                  <span className="muted">{t("comply.of", { n: line.controls })}</span>
                </span>
              </button>
            </li>
          ))}
        </ul>
      </section>
      {chosen ? <Framework key={chosen.id} line={chosen} span={span} query={query} change={change} /> : null}
    </>
  );
}

function Framework({
  line,
  span,
  query,
  change,
}: {
  line: ComplianceLine;
  span: Span;
  query: Query;
  change: (next: Query) => void;
}) {
  const got = useOne<Assessment>(`/reports/compliance/${line.id}/controls`, { since: span.from });
  const [busy, setBusy] = useState("");
  const shown: Shown = query.show === "all" || query.show === "open" ? query.show : "gaps";
  const take = async (format: (typeof FORMATS)[number]) => {
    setBusy(format);
    try {
      const name = `honeyguide-${line.id}.${format === "oscal" ? "oscal.json" : format}`;
      await save(name, `/reports/compliance/${line.id}`, { format, since: span.from });
      done(t("comply.taken"));
    } catch (problem) {
      failed(t("comply.failed"), problem, () => void take(format));
    } finally {
      setBusy("");
    }
  };
  const rows = (got.data?.rows ?? []).filter((row) => (SHOWN[shown] as readonly string[]).includes(row.status));
  return (
    <section className="reports-part" aria-label={line.name}>
      <div className="row wrap">
        <h2 className="grow">{line.name}</h2>
        {FORMATS.map((format) => (
          <Button
            key={format}
            busy={busy === format}
            disabled={busy !== ""}
            aria-label={`${t("comply.take")}: ${line.short}, ${t(`comply.${format}`)}`}
            onClick={() => void take(format)}
          >
            {t(`comply.${format}`)}
          </Button>
        ))}
      </div>
      <p className="muted">{line.about}</p>
      <Toolbar label={t("comply.show")}>
        {(Object.keys(SHOWN) as Shown[]).map((name) => (
          <Chip key={name} on={shown === name} onClick={() => change({ show: name })}>
            {t(`comply.show.${name}`)}{" "}
            {number(SHOWN[name].reduce((sum, status) => sum + (line.counts[status] ?? 0), 0))}
          </Chip>
        ))}
      </Toolbar>
      {got.error ? <ErrorView error={got.error} onRetry={() => void got.refetch()} /> : null}
      {!got.data && !got.error ? <Loading rows={10} label={t("comply.measuring")} /> : null}
      {got.data && rows.length === 0 ? <Empty>{t("comply.none")}</Empty> : null}
      {rows.length > 0 ? (
        <div className="reports-scroll">
          <table className="plain-table comply-table">
            <thead>
              <tr>
                <th scope="col">{t("comply.col.control")}</th>
                <th scope="col">{t("comply.col.asks")}</th>
                <th scope="col">{t("comply.col.status")}</th>
                <th scope="col">{t("comply.col.found")}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.id}>
                  <th scope="row" className="mono">
                    {row.id}
                  </th>
                  <td>
                    {row.title}
                    <span className="muted reports-about">{row.asks}</span>
                  </td>
                  <td>
                    <Mark status={row.status as Status} />
                  </td>
                  <td>
                    {row.answers.map((answer) => (
                      <div key={answer.check} className="comply-answer">
                        <Mark status={answer.status as Status} /> {answer.title}
                        {answer.says ? <span className="reports-about">{safe(answer.says)}</span> : null}
                        {answer.mend ? <span className="comply-mend reports-about">{answer.mend}</span> : null}
                      </div>
                    ))}
                    {row.own ? <span className="muted reports-about">{t("comply.own", { text: row.own })}</span> : null}
                    {row.evidence.length > 0 ? (
                      <span className="meta reports-about comply-evidence">
                        {t("comply.evidence")}
                        {row.evidence.map((one) => (
                          <Evidence key={`${one.kind} ${one.ref}`} one={one} />
                        ))}
                      </span>
                    ) : null}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </section>
  );
}
