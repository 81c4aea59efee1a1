/** What was done to an alert: who, when and why, newest first. */
import { useList } from "../../api/query";
import type { Alert, Judgement } from "../../api/types";
import { t } from "../../locale/rooms/alerts";
import { word } from "../../locale/words";
import { Safe } from "../../widgets/safe";
import { When } from "../../widgets/when";

interface Entry {
  at: string;
  text: string;
  who: string;
  note?: string;
}

export function Log({ alert }: { alert: Alert }) {
  const verdicts = useList<Judgement>("/verdicts", { alert: alert.id });
  const entries: Entry[] = [{ at: alert.created_at, text: "log.raised", who: alert.detector }];
  const lines: { at: string; words: string; note?: string }[] = entries.map((entry) => ({
    at: entry.at,
    words: t("log.raised", { who: entry.who }),
  }));
  if (alert.handled?.at)
    lines.push({
      at: alert.handled.at,
      words: t("log.state", { state: word(alert.status), who: alert.handled.by }),
      note: alert.handled.note,
    });
  for (const one of verdicts.rows) {
    lines.push({
      at: one.verdict.at,
      words: t("log.verdict", { verdict: word(one.verdict.as), who: one.verdict.by }),
      note: one.verdict.comment || one.verdict.reason,
    });
  }
  if (alert.count > 1) lines.push({ at: alert.last_at, words: t("log.seen") });
  lines.sort((a, b) => (a.at < b.at ? 1 : -1));
  return (
    <section className="panel">
      <ol className="alerts-log">
        {lines.map((line) => (
          <li key={`${line.at} ${line.words}`} className="alerts-log-line">
            <When at={line.at} exact />
            <Safe text={line.words} block className="alerts-words" />
            {line.note ? <Safe text={line.note} block className="muted" /> : null}
          </li>
        ))}
      </ol>
    </section>
  );
}
