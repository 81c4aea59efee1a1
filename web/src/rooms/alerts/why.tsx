/** Why an alert has its score: each reason as a bar, what was decided before, and what a playbook would do. */

import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { useOne } from "../../api/query";
import type { Alert, Judgement, Page, Playbook, Run } from "../../api/types";
import { number, percent } from "../../lib/i18n";
import { Opening } from "../../lib/keys";
import { part } from "../../lib/route";
import { safe } from "../../lib/safe";
import { t } from "../../locale/rooms/alerts";
import { word } from "../../locale/words";
import { Badge } from "../../widgets/badge";
import { Button } from "../../widgets/button";
import { Safe } from "../../widgets/safe";
import { When } from "../../widgets/when";

const RunDialog = lazy(() => import("./run"));

export function Why({ alert, may }: { alert: Alert; may: boolean }) {
  return (
    <>
      <Reasons alert={alert} />
      <Techniques alert={alert} />
      <Alike alert={alert} />
      <Suggested alert={alert} may={may} />
    </>
  );
}

function Reasons({ alert }: { alert: Alert }) {
  const most = Math.max(1, ...alert.reasons.map((reason) => Math.abs(reason.weight)));
  const reasons = [...alert.reasons].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
  return (
    <section className="panel">
      <h3 title={t("why.text")}>{t("why.title", { score: number(Math.round(alert.score)) })}</h3>
      {reasons.length === 0 ? <p className="muted">{t("why.none")}</p> : null}
      <ul className="alerts-reasons">
        {reasons.map((reason) => (
          <li key={reason.feature} className="alerts-reason">
            <span className="alerts-reason-text">
              <Safe text={reason.text} block className="alerts-words" />
            </span>
            <span className="mono end">
              {number(reason.weight, { signDisplay: "exceptZero", maximumFractionDigits: 1 })}
            </span>
            <span
              className={reason.weight < 0 ? "alerts-weight alerts-weight-down" : "alerts-weight"}
              aria-hidden="true"
            >
              <span style={{ width: `${(Math.abs(reason.weight) / most) * 100}%` }} />
            </span>
          </li>
        ))}
      </ul>
      <p className="meta">{t("why.text")}</p>
    </section>
  );
}

function Techniques({ alert }: { alert: Alert }) {
  return (
    <section className="panel">
      <h3>{t("why.attack")}</h3>
      {alert.attacks.length === 0 ? <p className="muted">{t("why.attack.none")}</p> : null}
      <ul className="col">
        {alert.attacks.map((attack) => (
          <li key={attack.id} className="alerts-technique">
            <Link to="/alerts" search={{ q: `technique:${attack.id}` } as never} className="mono">
              {attack.id}
            </Link>
            {attack.why ? <Safe text={attack.why} block className="muted alerts-words" /> : null}
          </li>
        ))}
      </ul>
    </section>
  );
}

interface Past {
  quality: {
    n: number;
    true_positives: number;
    false_positives: number;
    benign: number;
    precision: { value: number; low: number; high: number };
  };
  newest: Judgement[];
}

function Alike({ alert }: { alert: Alert }) {
  const past = useOne<Past>(`/alerts/${part(alert.id)}/alike`);
  const quality = past.data?.quality;
  return (
    <section className="panel">
      <h3>{t("why.alike")}</h3>
      {quality === undefined || quality.n === 0 ? (
        <p className="muted">{t("why.alike.none")}</p>
      ) : (
        <>
          <p className="row wrap">
            <b>{t("why.alike.text", { n: quality.n })}</b>
            <span>{t("why.alike.tp", { n: quality.true_positives })}</span>
            <span>{t("why.alike.fp", { n: quality.false_positives })}</span>
            <span>{t("why.alike.benign", { n: quality.benign })}</span>
          </p>
          <p className="meta">
            {t("why.precision", {
              value: percent(quality.precision.value, 0),
              low: percent(quality.precision.low, 0),
              high: percent(quality.precision.high, 0),
            })}
          </p>
          <ul className="alerts-past">
            {past.data?.newest.slice(0, 5).map((judgement) => (
              <li key={judgement.id} className="row wrap">
                <Link to={`/alerts/${part(judgement.short)}` as string} className="mono">
                  {safe(judgement.short)}
                </Link>
                <span>{word(judgement.verdict.as)}</span>
                <span className="muted">
                  <Safe text={judgement.verdict.by} /> <When at={judgement.verdict.at} />
                </span>
                {judgement.verdict.comment ? <Safe text={judgement.verdict.comment} className="muted" /> : null}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

/** The playbooks whose condition names the rule or the category of the alert, and those that ran. */
export function suggestions(
  alert: Pick<Alert, "rule_id" | "category">,
  playbooks: readonly Playbook[],
  runs: readonly Run[],
): Playbook[] {
  const ran = new Set(runs.map((run) => run.playbook));
  const speaks = (book: Playbook) =>
    (book.when ?? "").includes(`"${alert.rule_id}"`) || (book.when ?? "").includes(`"${alert.category}"`);
  return playbooks.filter((book) => !book.disabled && (ran.has(book.id) || speaks(book)));
}

function Suggested({ alert, may }: { alert: Alert; may: boolean }) {
  const books = useOne<Page<Playbook>>("/playbooks", { limit: 200 });
  const runs = useOne<Page<Run>>(alert.incident ? "/runs" : null, { incident: alert.incident, limit: 50 });
  const [starting, setStarting] = useState<Playbook | null>(null);
  const fit = suggestions(alert, books.data?.items ?? [], runs.data?.items ?? []);
  return (
    <section className="panel">
      <h3>{t("why.playbook")}</h3>
      {fit.length === 0 ? <p className="muted">{t("why.playbook.none")}</p> : null}
      <ul className="col">
        {fit.slice(0, 4).map((book) => {
          const run = runs.data?.items.find((one) => one.playbook === book.id);
          return (
            <li key={book.id} className="alerts-book">
              <div className="grow">
                <div>{book.title}</div>
                {book.description ? <div className="meta">{book.description}</div> : null}
                {run ? (
                  <div className="row">
                    <Link to={`/response/${part(run.short)}` as string} className="mono">
                      {run.short}
                    </Link>
                    <Badge>{word(run.state)}</Badge>
                    <span className="meta">{t("why.playbook.ran")}</span>
                  </div>
                ) : null}
              </div>
              <Button disabled={!may || !alert.incident} onClick={() => setStarting(book)}>
                {t("why.playbook.start")}
              </Button>
            </li>
          );
        })}
      </ul>
      <Suspense fallback={<Opening />}>
        {starting ? (
          <RunDialog book={starting} incident={alert.incident ?? ""} onClose={() => setStarting(null)} />
        ) : null}
      </Suspense>
    </section>
  );
}
