/**
 * Asks before an act, with the reason for it. Says what will happen and how it
 * is taken back; when somebody else was first it says so and keeps what was typed.
 */
import { type ReactNode, useRef, useState } from "react";
import { t as shell } from "../locale/en";
import { t } from "../locale/work";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { TextArea } from "./field";
import { errorText } from "./views";
import "./work.css";

export interface AskProps {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  /** What will happen, in full. */
  children?: ReactNode;
  /** How it is taken back. */
  rollback?: ReactNode;
  verb: string;
  danger?: boolean;
  /** No field for a reason. */
  bare?: boolean;
  label?: string;
  hint?: string;
  required?: boolean;
  given?: string;
  off?: boolean;
  size?: "small" | "medium" | "large";
  run: (reason: string) => Promise<unknown>;
}

export function Ask({
  open,
  onClose,
  title,
  children,
  rollback,
  verb,
  danger,
  bare,
  label,
  hint,
  required,
  given = "",
  off,
  size = "small",
  run,
}: AskProps) {
  const [reason, setReason] = useState(given);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const first = useRef<HTMLElement | null>(null);
  const ready = !busy && !off && (!required || reason.trim() !== "");
  const act = async () => {
    if (!ready) return;
    setBusy(true);
    setError(null);
    try {
      await run(reason.trim());
      onClose();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  const status = (error as { status?: number } | null)?.status;
  const late = status === 409 || status === 412;
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={title}
      size={size}
      first={first}
      foot={
        <>
          <Button onClick={onClose}>{shell("cancel")}</Button>
          <Button
            kind={danger ? "danger" : "primary"}
            keys={bare ? undefined : "Ctrl ⏎"}
            busy={busy}
            disabled={!ready}
            onClick={() => void act()}
          >
            {verb}
          </Button>
        </>
      }
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: Ctrl+Enter sends from every field inside */}
      <div
        className="col"
        ref={(node) => {
          // Typing begins at the first field; where there is none, the act has the focus.
          if (node) first.current ??= node.querySelector<HTMLElement>("input, select, textarea") ?? null;
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            void act();
          }
        }}
      >
        {children}
        {bare ? null : (
          <TextArea
            label={label ?? (required ? t("ask.reason") : t("ask.optional"))}
            hint={hint ?? t("ask.hint")}
            rows={2}
            maxLength={1000}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        )}
        {rollback ? (
          <p className="rollback">
            <b>{shell("dialog.rollback")}:</b> {rollback}
          </p>
        ) : null}
        {error ? (
          late ? (
            <div className="conflict" role="alert">
              <b>{t("ask.first")}.</b> {errorText(error).detail}
              <p className="muted">{t("ask.kept")}</p>
            </div>
          ) : (
            <p className="field-error" role="alert">
              {errorText(error).detail}
            </p>
          )
        ) : null}
      </div>
    </Dialog>
  );
}
