/** The most frequent values of a field among what was found; each narrows the question. */
import { useOne } from "../../api/query";
import { number } from "../../lib/i18n";
import { useKept } from "../../lib/preferences";
import { brief } from "../../lib/safe";
import { t } from "../../locale/rooms/hunt";
import { Safe } from "../../widgets/safe";
import { errorText } from "../../widgets/views";
import type { Pivot } from "./event";
import type { HuntField } from "./query";

export function Top({
  question,
  fields,
  onPivot,
}: {
  question: Record<string, string | undefined>;
  fields: readonly HuntField[];
  onPivot: Pivot;
}) {
  const [field, setField] = useKept("hunt.top", "src");
  const got = useOne<{ items: { value: string; n: number }[] }>("/events/top", { ...question, field, n: 12 });
  const names = fields.map((one) => one.name).filter((name) => !["since", "until", "id", "class"].includes(name));
  return (
    <section className="hunt-top" aria-label={t("top.title")}>
      <select
        className="input"
        aria-label={t("top.field")}
        value={field}
        onChange={(event) => setField(event.target.value)}
      >
        {(names.includes(field) ? names : [field, ...names]).map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      {got.error ? <span className="field-error">{errorText(got.error).detail}</span> : null}
      {got.data?.items.length === 0 ? <span className="muted">{t("top.none")}</span> : null}
      {got.data?.items.map((one) => (
        <button
          key={one.value}
          type="button"
          className="chip hunt-top-value"
          aria-label={`${t("pivot.add")}: ${brief(one.value, 60)}`}
          onClick={() => onPivot(field, one.value, "add")}
        >
          <Safe text={one.value} />
          <span className="muted">{number(one.n)}</span>
        </button>
      ))}
    </section>
  );
}
