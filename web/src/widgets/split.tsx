/** A list with a detail beside it, whose width a person sets; on a narrow page the detail takes all of it. */
import { type KeyboardEvent, type PointerEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { t } from "../locale/en";
import { useWidth } from "./width";

const LEAST = 360;
const MOST = 720;

export function Split({
  list,
  detail,
  width = 440,
  onWidth,
}: {
  list: ReactNode;
  /** null: only the list. */
  detail: ReactNode | null;
  width?: number;
  onWidth?: (width: number) => void;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const page = useWidth(frame);
  const [own, setOwn] = useState<number | null>(null);
  const size = Math.min(MOST, Math.max(LEAST, own ?? width));
  const alone = page > 0 && page < 1052; // what is left of 1100 beside the rail
  const open = detail !== null;
  const was = useRef(open);
  // What is hidden cannot keep the focus: it goes to what takes its place.
  useEffect(() => {
    if (alone && open) frame.current?.querySelector<HTMLElement>(".split-detail")?.focus({ preventScroll: true });
    if (alone && was.current && !open)
      frame.current?.querySelector<HTMLElement>("[data-keys=list]")?.focus({ preventScroll: true });
    was.current = open;
  }, [alone, open]);
  const grip = (event: PointerEvent<HTMLDivElement>) => {
    event.preventDefault();
    const target = event.currentTarget;
    target.setPointerCapture(event.pointerId);
    const right = frame.current?.getBoundingClientRect().right ?? 0;
    const turned = document.dir === "rtl";
    let last = size;
    const move = (at: globalThis.PointerEvent) => {
      const left = frame.current?.getBoundingClientRect().left ?? 0;
      last = Math.min(MOST, Math.max(LEAST, turned ? at.clientX - left : right - at.clientX));
      setOwn(last);
    };
    const up = () => {
      target.removeEventListener("pointermove", move);
      target.removeEventListener("pointerup", up);
      onWidth?.(last);
    };
    target.addEventListener("pointermove", move);
    target.addEventListener("pointerup", up);
  };
  const keys = (event: KeyboardEvent) => {
    const by = event.key === "ArrowLeft" ? 16 : event.key === "ArrowRight" ? -16 : 0;
    if (by === 0) return;
    event.preventDefault();
    const next = Math.min(MOST, Math.max(LEAST, size + by));
    setOwn(next);
    onWidth?.(next);
  };
  return (
    <div className="split" ref={frame} data-alone={alone || undefined}>
      <div className="split-list" hidden={alone && detail !== null}>
        {list}
      </div>
      {detail === null ? null : (
        <>
          {alone ? null : (
            <div
              className="split-grip"
              role="separator"
              aria-orientation="vertical"
              aria-label={t("split.label")}
              aria-valuemin={LEAST}
              aria-valuemax={MOST}
              aria-valuenow={size}
              tabIndex={0}
              onPointerDown={grip}
              onKeyDown={keys}
            />
          )}
          <div className="split-detail" data-keys="detail" tabIndex={-1} style={alone ? undefined : { width: size }}>
            {detail}
          </div>
        </>
      )}
    </div>
  );
}
