/**
 * Where we are. What can be told to somebody else by a link lives in the URL:
 * filter, sort, grouping, the open item. Values are plain strings.
 */
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

export type Query = Record<string, string>;

/** The part of the path after the room: /sessions/S-77ab gives "S-77ab". */
export function useItem(): string | undefined {
  const params = useParams({ strict: false }) as { item?: string };
  return params.item;
}

/** The query of the URL and a way to change it; undefined takes a value out. */
export function useQueryState(): [Query, (change: Record<string, string | undefined>, keep?: boolean) => void] {
  const query = useSearch({ strict: false }) as Query;
  const navigate = useNavigate();
  const change = useCallback(
    (next: Record<string, string | undefined>, keep = false) => {
      void navigate({
        to: ".",
        replace: !keep,
        resetScroll: false,
        search: ((before: Query) => clean({ ...before, ...next })) as never,
      });
    },
    [navigate],
  );
  return [query, change];
}

/** Goes to a place of the console: go("/alerts/A-20418", {status: "new"}). */
export function useGo(): (path: string, query?: Record<string, string | undefined>, replace?: boolean) => void {
  const navigate = useNavigate();
  return useCallback(
    (path, query, replace = false) => {
      void navigate({ to: path, search: clean(query ?? {}) as never, replace });
    },
    [navigate],
  );
}

/** A part of a path: whatever it holds, it stays one part. */
export const part = (text: string): string => encodeURIComponent(text.toWellFormed());

export const clean = (query: Record<string, string | undefined>): Query =>
  Object.fromEntries(
    Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== ""),
  );

/** Reads a query as plain strings; the router would read "123" as a number. */
export const parseQuery = (text: string): Query => Object.fromEntries(new URLSearchParams(text));
export const writeQuery = (query: Record<string, unknown>): string => {
  const text = new URLSearchParams(
    Object.entries(query)
      .filter(([, value]) => value !== undefined && value !== "")
      .map(([name, value]) => [name, String(value)]),
  ).toString();
  return text ? `?${text}` : "";
};
