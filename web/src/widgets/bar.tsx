/** The bars over a list: chips to filter by, a field to search in, and room for more. */
import { type ReactNode, type Ref, useEffect, useRef, useState } from "react";
import { cx } from "../lib/cx";
import { useKeys } from "../lib/keys";
import { t } from "../locale/en";
import { Kbd } from "./kbd";

export function Toolbar({ children, label }: { children: ReactNode; label?: string }) {
  return (
    <div className="toolbar" role="toolbar" aria-label={label}>
      {children}
    </div>
  );
}

/** A choice that is on or off. */
export function Chip({
  on,
  children,
  onClick,
  label,
}: {
  on: boolean;
  children: ReactNode;
  onClick: () => void;
  label?: string;
}) {
  return (
    <button
      type="button"
      className={cx("chip", on && "chip-on")}
      aria-pressed={on}
      aria-label={label}
      onClick={onClick}
    >
      {children}
    </button>
  );
}

export interface FilterBarProps {
  value: string;
  /** Called a moment after the last key, and at once on Enter. */
  onChange: (value: string) => void;
  placeholder: string;
  children?: ReactNode;
  wait?: number;
  ref?: Ref<HTMLInputElement>;
}

/** A field to filter with: `/` goes there, Esc empties it and goes back. */
export function FilterBar({ value, onChange, placeholder, children, wait = 200, ref }: FilterBarProps) {
  const [typed, setTyped] = useState(value);
  const field = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const before = useRef<HTMLElement | null>(null);
  useEffect(() => setTyped(value), [value]);
  useKeys([
    {
      id: "filter",
      keys: "/",
      label: t("key.filter"),
      run: () => {
        before.current = document.activeElement as HTMLElement | null;
        field.current?.focus();
        field.current?.select();
      },
    },
  ]);
  const tell = (text: string, now: boolean) => {
    if (timer.current) clearTimeout(timer.current);
    timer.current = null;
    if (now) onChange(text);
    else timer.current = setTimeout(() => onChange(text), wait);
  };
  const back = () =>
    (before.current?.isConnected ? before.current : document.querySelector<HTMLElement>("[data-keys=list]"))?.focus();
  return (
    <div className="filterbar">
      <div className="filterbar-field">
        <input
          ref={(node) => {
            field.current = node;
            if (typeof ref === "function") ref(node);
            else if (ref) ref.current = node;
          }}
          type="search"
          className="input"
          value={typed}
          placeholder={placeholder}
          aria-label={placeholder}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => {
            setTyped(event.target.value);
            tell(event.target.value, false);
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter") {
              tell(typed, true);
              back();
            } else if (event.key === "Escape") {
              event.preventDefault();
              if (typed !== "") {
                setTyped("");
                tell("", true);
              } else back();
            }
          }}
        />
        <Kbd keys="/" />
      </div>
      {children}
    </div>
  );
}
