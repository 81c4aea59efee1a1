/** A name with its value, each with its own copy; and fields to type in, with their words and faults. */
import type { InputHTMLAttributes, ReactNode, SelectHTMLAttributes, TextareaHTMLAttributes } from "react";
import { useId } from "react";
import { defang } from "../lib/defang";
import { brief, safe } from "../lib/safe";
import { t } from "../locale/en";
import { Button } from "./button";
import { copyRaw, copySafe } from "./copy";
import { Menu } from "./menu";
import { Safe } from "./safe";

/** Rows of names and values. */
export function Fields({ children, label }: { children: ReactNode; label?: string }) {
  return (
    <dl className="fields" aria-label={label}>
      {children}
    </dl>
  );
}

/**
 * One name and value. text is what is copied (and shown, when there are no
 * children); raw adds the choice to copy bytes as they came; address adds the
 * defanged form.
 */
export function Field({
  name,
  text,
  raw,
  address,
  children,
  block,
}: {
  name: string;
  text: unknown;
  raw?: string;
  address?: boolean;
  children?: ReactNode;
  block?: boolean;
}) {
  const value = text === undefined || text === null ? "" : String(text);
  return (
    <div className="field">
      <dt className="field-name">{safe(name)}</dt>
      <dd className="field-value">
        <span className="grow cut">{children ?? <Safe text={value} block={block} />}</span>
        {value === "" ? null : (
          <Menu
            trigger={
              <button type="button" className="copy" aria-label={t("copy.what", { what: brief(name, 60) })}>
                <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
                  <path d="M5.5 2.5h8v8h-8z M10.5 10.5v3h-8v-8h3" fill="none" stroke="currentColor" strokeWidth="1.3" />
                </svg>
              </button>
            }
            entries={[
              { id: "safe", label: t("copy.safe"), run: () => void copySafe(value) },
              { id: "name", label: t("copy.name"), run: () => void copySafe(name) },
              ...(address
                ? [{ id: "defang", label: t("copy.defanged"), run: () => void copySafe(defang(value)) }]
                : []),
              { id: "raw", label: t("copy.raw"), danger: true, line: true, run: () => void copyRaw(raw ?? value) },
            ]}
          />
        )}
      </dd>
    </div>
  );
}

interface Common {
  label: ReactNode;
  hint?: ReactNode;
  error?: ReactNode;
}

function Frame({ label, hint, error, id, children }: Common & { id: string; children: ReactNode }) {
  return (
    <div className="input-frame">
      <label htmlFor={id} className="input-label">
        {label}
      </label>
      {children}
      {hint ? (
        <p className="meta" id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
      {error ? (
        <p className="field-error" id={`${id}-error`} role="alert">
          {error}
        </p>
      ) : null}
    </div>
  );
}
const described = (id: string, { hint, error }: Common) =>
  [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ") || undefined;

export function Input({
  label,
  hint,
  error,
  ...rest
}: Common & InputHTMLAttributes<HTMLInputElement> & { ref?: React.Ref<HTMLInputElement> }) {
  const own = useId();
  const id = rest.id ?? own;
  return (
    <Frame label={label} hint={hint} error={error} id={id}>
      <input
        {...rest}
        id={id}
        className="input"
        aria-invalid={error ? true : undefined}
        aria-describedby={described(id, { label, hint, error })}
      />
    </Frame>
  );
}

export function TextArea({
  label,
  hint,
  error,
  ...rest
}: Common & TextareaHTMLAttributes<HTMLTextAreaElement> & { ref?: React.Ref<HTMLTextAreaElement> }) {
  const own = useId();
  const id = rest.id ?? own;
  return (
    <Frame label={label} hint={hint} error={error} id={id}>
      <textarea
        rows={3}
        {...rest}
        id={id}
        className="input input-area"
        aria-invalid={error ? true : undefined}
        aria-describedby={described(id, { label, hint, error })}
      />
    </Frame>
  );
}

export function Select({
  label,
  hint,
  error,
  options,
  ...rest
}: Common & SelectHTMLAttributes<HTMLSelectElement> & { options: { value: string; label: string }[] }) {
  const own = useId();
  const id = rest.id ?? own;
  return (
    <Frame label={label} hint={hint} error={error} id={id}>
      <select
        {...rest}
        id={id}
        className="input"
        aria-invalid={error ? true : undefined}
        aria-describedby={described(id, { label, hint, error })}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </Frame>
  );
}

/** A box to tick with its words. */
export function Check({ label, ...rest }: { label: ReactNode } & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <label className="check">
      <input type="checkbox" {...rest} />
      <span>{label}</span>
    </label>
  );
}

/** A panel of a form's buttons, the main one last. */
export function Acts({ children }: { children: ReactNode }) {
  return <div className="acts">{children}</div>;
}

export { Button };
