/** A dialog over the page; the focus goes in and comes back to where it was. */
import { Dialog as Base } from "@base-ui/react/dialog";
import { type ReactNode, type RefObject, useRef, useState } from "react";
import { useHold } from "../lib/keys";
import { t } from "../locale/en";
import { Button } from "./button";
import { errorText } from "./views";

export interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  children: ReactNode;
  /** Buttons; the first is the one to take back with. */
  foot?: ReactNode;
  size?: "small" | "medium" | "large";
  /** Where the focus begins. */
  first?: RefObject<HTMLElement | null>;
  /** No click beside it and no Esc closes it. */
  firm?: boolean;
}

const FIELDS = "input:not([type=checkbox]), textarea, select";

export function Dialog({ open, onClose, title, children, foot, size = "medium", first, firm }: DialogProps) {
  const body = useRef<HTMLDivElement>(null);
  useHold(open);
  // The field one types into first; without one, the button that does it, not the one that closes.
  const begin = () => {
    const field = first?.current ?? body.current?.querySelector<HTMLElement>(FIELDS);
    if (field) return field;
    const buttons = body.current?.parentElement?.querySelectorAll<HTMLElement>(".dialog-foot button");
    return buttons?.[buttons.length - 1] ?? true;
  };
  return (
    <Base.Root open={open} onOpenChange={(now) => (now || firm ? undefined : onClose())} disablePointerDismissal={firm}>
      <Base.Portal>
        <Base.Backdrop className="dialog-shade" />
        <Base.Viewport className="dialog-place">
          <Base.Popup className={`dialog dialog-${size}`} initialFocus={begin}>
            <header className="dialog-head">
              <Base.Title className="dialog-title">{title}</Base.Title>
              {firm ? null : (
                <button type="button" className="toast-close" aria-label={t("close")} onClick={onClose}>
                  ×
                </button>
              )}
            </header>
            <div className="dialog-body" ref={body}>
              {children}
            </div>
            {foot ? <footer className="dialog-foot">{foot}</footer> : null}
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  );
}

export interface ConfirmProps {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  /** What will happen, in full. */
  children: ReactNode;
  /** How it is taken back; every act that asks says so. */
  rollback: ReactNode;
  /** What the button says: a verb. */
  verb: string;
  danger?: boolean;
  run: () => Promise<unknown>;
}

/** Asks before an act that is not simply undone. Closes when it worked; says why when it did not. */
export function Confirm({ open, onClose, title, children, rollback, verb, danger, run }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const act = async () => {
    setBusy(true);
    setError(null);
    try {
      await run();
      onClose();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={title}
      size="small"
      foot={
        <>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button kind={danger ? "danger" : "primary"} busy={busy} disabled={busy} onClick={() => void act()}>
            {verb}
          </Button>
        </>
      }
    >
      <div className="col">
        {children}
        <p className="rollback">
          <b>{t("dialog.rollback")}:</b> {rollback}
        </p>
        {error ? (
          <p className="field-error" role="alert">
            {errorText(error).detail}
          </p>
        ) : null}
      </div>
    </Dialog>
  );
}
