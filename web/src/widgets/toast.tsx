/**
 * Short messages at the edge: what was done, with Undo for ten seconds; what
 * failed, with Retry. They never take the focus, and are a polite live region.
 */
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { Store, useStore } from "../lib/store";
import { t } from "../locale/en";
import { Button } from "./button";
import { errorText } from "./views";

export interface Toast {
  id: number;
  kind: "done" | "failed" | "note";
  text: string;
  detail?: string;
  undo?: () => void;
  retry?: () => void;
  until: number;
}

const toasts = new Store<Toast[]>([]);
let next = 1;
const UNDO = 10_000;
const FAILED = 15_000;
const NOTE = 5_000;

function show(toast: Omit<Toast, "id" | "until">, stay: number): number {
  const id = next++;
  toasts.set((before) => [
    ...before.filter((other) => other.kind === "failed" || other.undo !== undefined).slice(-2),
    { ...toast, id, until: Date.now() + stay },
  ]);
  return id;
}

export const dismiss = (id: number): void => toasts.set((before) => before.filter((toast) => toast.id !== id));

/** It was done; with undo for ten seconds where there is a way back. `z` takes the latest. */
export const done = (text: string, undo?: () => void): number => show({ kind: "done", text, undo }, undo ? UNDO : NOTE);
/** It failed; says why, and offers to try again. */
export const failed = (text: string, error: unknown, retry?: () => void): number =>
  show({ kind: "failed", text, detail: errorText(error).detail, retry }, FAILED);
/** Something worth knowing. */
export const note = (text: string): number => show({ kind: "note", text }, NOTE);

/** Takes back the latest thing that can be taken back; false when there is none. */
export function undoLatest(): boolean {
  const latest = [...toasts.get()].reverse().find((toast) => toast.undo && toast.until > Date.now());
  if (!latest?.undo) return false;
  dismiss(latest.id);
  latest.undo();
  return true;
}

export function Toasts() {
  const all = useStore(toasts);
  const [over, setOver] = useState(false);
  useEffect(() => {
    if (all.length === 0 || over) return;
    const first = Math.min(...all.map((toast) => toast.until));
    const timer = setTimeout(
      () => toasts.set((before) => before.filter((toast) => toast.until > Date.now())),
      Math.max(50, first - Date.now()),
    );
    return () => clearTimeout(timer);
  }, [all, over]);
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    element.removeAttribute("data-top");
    const row = document.querySelector(".grid-current")?.getBoundingClientRect();
    if (all.length > 0 && row && row.bottom > element.getBoundingClientRect().top) element.setAttribute("data-top", "");
  }, [all]);
  return (
    <div
      ref={box}
      className="toasts"
      role="status"
      aria-live="polite"
      onPointerEnter={() => setOver(true)}
      onPointerLeave={() => setOver(false)}
    >
      {all.map((toast) => (
        <div key={toast.id} className={`toast toast-${toast.kind}`}>
          <div className="grow">
            <div>{toast.text}</div>
            {toast.detail ? <div className="meta">{toast.detail}</div> : null}
          </div>
          {toast.undo ? (
            <Button
              keys="z"
              onClick={() => {
                dismiss(toast.id);
                toast.undo?.();
              }}
            >
              {t("undo")}
            </Button>
          ) : null}
          {toast.retry ? (
            <Button
              onClick={() => {
                dismiss(toast.id);
                toast.retry?.();
              }}
            >
              {t("retry")}
            </Button>
          ) : null}
          <button type="button" className="toast-close" aria-label={t("close")} onClick={() => dismiss(toast.id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
