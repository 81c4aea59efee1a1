/** Tabs; `[` and `]` go to the one before and after while the region has the focus. */
import type { KeyboardEvent, ReactNode } from "react";
import { useId, useRef } from "react";
import { useKeys } from "../lib/keys";
import { t } from "../locale/en";

export interface Tab {
  id: string;
  label: ReactNode;
  count?: number;
  body: ReactNode;
}

export function Tabs({
  tabs,
  value,
  onChange,
  label,
}: {
  tabs: Tab[];
  value: string;
  onChange: (id: string) => void;
  label?: string;
}) {
  const base = useId();
  const list = useRef<HTMLDivElement>(null);
  const at = Math.max(
    0,
    tabs.findIndex((tab) => tab.id === value),
  );
  const chosen = tabs[at];
  const step = (by: number) => {
    const next = tabs[(at + by + tabs.length) % tabs.length];
    if (next) onChange(next.id);
    return next;
  };
  useKeys([
    { id: "tab.before", keys: "[", label: `${t("tabs.label")} ←`, run: () => void step(-1) },
    { id: "tab.after", keys: "]", label: `${t("tabs.label")} →`, run: () => void step(1) },
  ]);
  const onKey = (event: KeyboardEvent) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const next = step(by);
    if (next) list.current?.querySelector<HTMLElement>(`[data-tab="${CSS.escape(next.id)}"]`)?.focus();
  };
  return (
    <div className="tabs">
      <div className="tabs-list" role="tablist" aria-label={label ?? t("tabs.label")} ref={list} onKeyDown={onKey}>
        {tabs.map((tab, index) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${base}-${tab.id}`}
            data-tab={tab.id}
            aria-selected={index === at}
            aria-controls={`${base}-panel`}
            tabIndex={index === at ? 0 : -1}
            className="tab"
            onClick={() => onChange(tab.id)}
          >
            {tab.label}
            {tab.count === undefined ? null : <span className="tab-count">{tab.count}</span>}
          </button>
        ))}
      </div>
      <div
        className="tabs-panel"
        role="tabpanel"
        id={`${base}-panel`}
        aria-labelledby={chosen ? `${base}-${chosen.id}` : undefined}
      >
        {chosen?.body}
      </div>
    </div>
  );
}
