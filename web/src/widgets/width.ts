/** The width of an element, as it changes. */
import { type RefObject, useLayoutEffect, useState } from "react";

export function useWidth(ref: RefObject<HTMLElement | null>): number {
  const [width, set] = useState(0);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    set(Math.round(element.getBoundingClientRect().width));
    const watcher = new ResizeObserver((entries) => {
      const box = entries[0]?.contentRect;
      if (box) set(Math.round(box.width));
    });
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [ref]);
  return width;
}
