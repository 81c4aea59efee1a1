/** A place in the top bar a room may write a line into: counts, mostly. */
import type { ReactNode } from "react";
import { createPortal } from "react-dom";
import { Store, useStore } from "../lib/store";

export const topSlot = new Store<HTMLElement | null>(null);

export function TopLine({ children }: { children: ReactNode }) {
  const slot = useStore(topSlot);
  return slot ? createPortal(children, slot) : null;
}
