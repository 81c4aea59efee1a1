/** Times for people: how long ago in lists, the exact instant with its zone in details. */
import { useEffect, useState } from "react";
import { currentLanguage } from "./i18n";
import { preferences, usePreferences } from "./preferences";

/** How far the server's clock is ahead of ours, in ms; api/ measures it. */
let ahead = 0;
export const setAhead = (ms: number): void => {
  ahead = ms;
};
export const clockAhead = (): number => ahead;

/** Now as the server has it: ages and countdowns are measured against its clock. */
export const serverNow = (): number => Date.now() + ahead;

const formats = new Map<string, Intl.DateTimeFormat>();
function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const utc = preferences.get().zone === "utc";
  const key = `${currentLanguage()} ${name} ${utc}`;
  let made = formats.get(key);
  if (!made) {
    made = new Intl.DateTimeFormat(currentLanguage(), utc ? { ...options, timeZone: "UTC" } : options);
    formats.set(key, made);
  }
  return made;
}

const parse = (at: string | number | Date): Date => (at instanceof Date ? at : new Date(at));
const valid = (date: Date): boolean => !Number.isNaN(date.getTime()) && date.getUTCFullYear() > 1;

/** 12 Nov 2026, 19:58:04.120 UTC */
export function absolute(at: string | number | Date | undefined): string {
  if (at === undefined) return "";
  const date = parse(at);
  if (!valid(date)) return "";
  return format("absolute", {
    year: "numeric",
    month: "short",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
    hour12: false,
    timeZoneName: "short",
  }).format(date);
}

/** 19:58:04 */
export function clockTime(at: string | number | Date): string {
  const date = parse(at);
  return valid(date)
    ? format("clock", { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }).format(date)
    : "";
}

/** 12 Nov 2026 */
export function day(at: string | number | Date): string {
  const date = parse(at);
  return valid(date) ? format("day", { year: "numeric", month: "short", day: "2-digit" }).format(date) : "";
}

const STEPS: [limit: number, divisor: number, unit: string][] = [
  [60, 1, "second"],
  [3600, 60, "minute"],
  [86_400, 3600, "hour"],
  [86_400 * 60, 86_400, "day"],
  [86_400 * 730, 86_400 * 30, "month"],
];

const durations = new Map<string, Intl.NumberFormat>();
function unit(value: number, name: string): string {
  const key = `${currentLanguage()} ${name}`;
  let made = durations.get(key);
  if (!made) {
    made = new Intl.NumberFormat(currentLanguage(), { style: "unit", unit: name, unitDisplay: "narrow" });
    durations.set(key, made);
  }
  return made.format(value);
}

/** The largest unit of a span: 14m, 3h, 2d. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  for (const [limit, divisor, name] of STEPS) if (seconds < limit) return unit(Math.floor(seconds / divisor), name);
  return unit(Math.floor(seconds / (86_400 * 365)), "year");
}

/** A span in two units: 4m 12s, 1h 02m. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return "";
  if (ms < 1000) return unit(Math.max(0, Math.round(ms)), "millisecond");
  const seconds = Math.round(ms / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), "day"],
    [Math.floor(seconds / 3600) % 24, "hour"],
    [Math.floor(seconds / 60) % 60, "minute"],
    [seconds % 60, "second"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  return parts
    .slice(first, first + 2)
    .filter(([value], at) => at === 0 || value > 0)
    .map(([value, name]) => unit(value, name))
    .join(" ");
}

/** How long ago in one unit: 14m. What lies ahead reads as "in". */
export function ago(at: string | number | Date, now = serverNow()): string {
  const date = parse(at);
  if (!valid(date)) return "";
  return span(Math.abs(now - date.getTime()));
}

/** Now, again every so many ms: what counts up or down renders by it. */
export function useNow(every = 1000): number {
  const [now, set] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => set(serverNow()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

/** Renders again when the zone changes. */
export const useZone = (): "local" | "utc" => usePreferences().zone;
