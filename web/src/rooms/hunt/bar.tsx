/** The bar one types a query in: names of fields and values are completed, and what is wrong is marked where it is. */
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { useOne } from "../../api/query";
import { cx } from "../../lib/cx";
import { number } from "../../lib/i18n";
import { useKeys } from "../../lib/keys";
import { safe } from "../../lib/safe";
import { t as shell } from "../../locale/en";
import { t } from "../../locale/rooms/hunt";
import { Button } from "../../widgets/button";
import { Kbd } from "../../widgets/kbd";
import { Safe } from "../../widgets/safe";
import { type Choice, choicesFor, type HuntField, partAt } from "./query";

export interface Fault {
  at: number;
  why: string;
}

export function QueryBar({
  value,
  onRun,
  fields,
  fault,
  from,
  to,
}: {
  value: string;
  onRun: (text: string) => void;
  fields: readonly HuntField[];
  fault: Fault | null;
  from: string;
  to?: string;
}) {
  const [typed, setTyped] = useState(value);
  const [caret, setCaret] = useState(0);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const field = useRef<HTMLInputElement>(null);
  const before = useRef<HTMLElement | null>(null);
  const base = useId();
  useEffect(() => setTyped(value), [value]);
  useKeys([
    {
      id: "filter",
      keys: "/",
      label: shell("key.filter"),
      run: () => {
        before.current = document.activeElement as HTMLElement | null;
        field.current?.focus();
        field.current?.select();
      },
    },
  ]);

  const part = partAt(typed, caret);
  const values = useFrequent(open && part.field !== undefined ? part.field : null, from, to);
  const choices = useMemo(
    () => (open ? choicesFor(partAt(typed, caret), fields, values) : []),
    [open, typed, caret, fields, values],
  );
  const shown = open && choices.length > 0;
  const run = (text: string) => {
    setOpen(false);
    setAt(-1);
    onRun(text.trim());
  };
  const take = (choice: Choice) => {
    const next = typed.slice(0, part.from) + choice.text + typed.slice(part.to).replace(/^\S*\s?/, "");
    const place = part.from + choice.text.length;
    setTyped(next);
    setCaret(place);
    setAt(-1);
    field.current?.focus();
    requestAnimationFrame(() => field.current?.setSelectionRange(place, place));
  };
  const keys = (event: KeyboardEvent) => {
    const chosen = choices[at];
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!shown) setOpen(true);
      else setAt((at + (event.key === "ArrowDown" ? 1 : -1) + choices.length + 1) % (choices.length + 1));
    } else if (event.key === "Tab" && shown && !event.shiftKey && (chosen || part.typed !== "")) {
      const first = chosen ?? choices[0];
      if (first && safe(first.text).trim() !== typed.slice(part.from, part.to)) {
        event.preventDefault();
        take(first);
      }
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (shown && chosen) take(chosen);
      else run(typed);
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (shown) setOpen(false);
      else if (before.current?.isConnected) before.current.focus();
      else document.querySelector<HTMLElement>("[data-keys=list]")?.focus();
    }
  };
  const wrong = fault !== null && typed.trim() === value.trim() ? fault : null;
  return (
    <form
      className="hunt-bar"
      onSubmit={(event) => {
        event.preventDefault();
        run(typed);
      }}
    >
      <div className="hunt-bar-field">
        <input
          ref={field}
          className="input"
          role="combobox"
          aria-expanded={shown}
          aria-controls={`${base}-list`}
          aria-autocomplete="list"
          aria-activedescendant={shown && at >= 0 && at < choices.length ? `${base}-${at}` : undefined}
          aria-label={t("hint")}
          aria-invalid={wrong ? true : undefined}
          aria-describedby={wrong ? `${base}-fault` : undefined}
          placeholder={t("hint")}
          spellCheck={false}
          autoComplete="off"
          maxLength={4000}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setCaret(event.target.selectionStart ?? event.target.value.length);
            setOpen(true);
            setAt(-1);
          }}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
          onFocus={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onKeyDown={keys}
        />
        <Kbd keys="/" />
        {shown ? (
          <div className="hunt-choices">
            <div role="listbox" id={`${base}-list`} aria-label={t("choices")}>
              {choices.map((choice, index) => (
                <div
                  key={choice.text}
                  id={`${base}-${index}`}
                  role="option"
                  aria-selected={index === at}
                  className={cx("hunt-choice", index === at && "hunt-choice-on")}
                  onPointerDown={(event) => {
                    event.preventDefault(); // the field keeps the focus
                    take(choice);
                  }}
                >
                  <Safe text={choice.label} />
                  <span className="muted cut">{choice.about}</span>
                  {choice.count === undefined ? null : <span className="muted">{number(choice.count)}</span>}
                </div>
              ))}
            </div>
            <p className="meta hunt-choices-foot">{t("choices.keys")}</p>
          </div>
        ) : null}
      </div>
      <Button kind="primary" type="submit">
        {t("run")}
      </Button>
      {wrong ? (
        <div className="hunt-fault" id={`${base}-fault`} role="alert">
          <code dir="ltr" className="hunt-fault-text">
            {safe(typed.slice(0, wrong.at))}
            <mark>{safe(wordAt(typed, wrong.at)) || "␣"}</mark>
            {safe(typed.slice(wrong.at + wordAt(typed, wrong.at).length))}
          </code>
          <span className="field-error">{t("fault.at", { why: safe(wrong.why) })}</span>
        </div>
      ) : null}
    </form>
  );
}

/** What stands at a place up to the next blank. */
const wordAt = (text: string, at: number): string => /^\S*/.exec(text.slice(at))?.[0] ?? "";

/** The frequent values of a field, once one asks for them. */
function useFrequent(field: string | null, from: string, to: string | undefined) {
  const asks = field !== null && !["since", "until", "from", "to", "after", "before", "id"].includes(field);
  const got = useOne<{ items: { value: string; n: number }[] }>(asks ? "/events/top" : null, {
    field: field ?? "",
    n: 20,
    from,
    to,
  });
  return useMemo(() => (asks ? (got.data?.items ?? []) : []), [asks, got.data]);
}
