/** A menu behind a button. */
import { Menu as Base } from "@base-ui/react/menu";
import type { ReactElement, ReactNode } from "react";
import { Kbd } from "./kbd";

export interface MenuEntry {
  id: string;
  label: ReactNode;
  keys?: string;
  run?: () => void;
  href?: string;
  off?: boolean;
  danger?: boolean;
  /** A line above it. */
  line?: boolean;
  /** A mark before it: one of several is chosen. */
  checked?: boolean;
}

export function Menu({ trigger, entries, head }: { trigger: ReactElement; entries: MenuEntry[]; head?: ReactNode }) {
  return (
    <Base.Root modal={false}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={4} align="end" className="menu-place">
          <Base.Popup className="menu">
            {head ? <div className="menu-head">{head}</div> : null}
            {entries.map((entry) => (
              <div key={entry.id} role="none">
                {entry.line ? <Base.Separator className="menu-line" /> : null}
                <Base.Item
                  className={entry.danger ? "menu-item menu-danger" : "menu-item"}
                  disabled={entry.off}
                  onClick={() => entry.run?.()}
                >
                  <span className="menu-check" aria-hidden="true">
                    {entry.checked ? "✓" : ""}
                  </span>
                  <span className="grow">{entry.label}</span>
                  {entry.keys ? <Kbd keys={entry.keys} /> : null}
                </Base.Item>
              </div>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
