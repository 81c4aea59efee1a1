/** Puts the chosen theme, contrast and density on the document, and follows the system where it is asked to. */
import { preferences } from "../lib/preferences";

const light = () => globalThis.matchMedia?.("(prefers-color-scheme: light)");
const more = () => globalThis.matchMedia?.("(prefers-contrast: more)");
const watchers = new Set<() => void>();

function apply(): void {
  const chosen = preferences.get();
  const root = document.documentElement;
  const theme = chosen.theme === "system" ? (light().matches ? "light" : "dark") : chosen.theme;
  const contrast = chosen.contrast === "more" || more().matches ? "more" : "normal";
  const changed = root.dataset.theme !== theme || root.dataset.contrast !== contrast;
  root.dataset.theme = theme;
  root.dataset.contrast = contrast;
  root.dataset.density = chosen.density;
  if (changed) for (const watcher of watchers) watcher();
}

/** Called once, before the first paint. */
export function startTheme(): void {
  apply();
  preferences.watch(apply);
  light().addEventListener("change", apply);
  more().addEventListener("change", apply);
}

/** Calls back when colours are others: canvases take theirs again. */
export function watchTheme(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** The colour of a token now, for canvases: token("accent"). */
export const token = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
