/** Documents: kept, shared and asked for again by TanStack Query. Streams are in live.ts; never both for the same rows. */
import { QueryClient, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { call } from "./client";
import { asProblem, Problem } from "./problem";
import type { Page } from "./types";

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      gcTime: 300_000,
      refetchOnWindowFocus: true,
      networkMode: "always",
      // What the server refuses it refuses again; what it did not answer may come.
      retry: (count, error) => asProblem(error).unreachable && count < 3,
      retryDelay: (count, error) => Math.max(asProblem(error).retryAfter * 1000, Math.min(8000, 500 * 2 ** count)),
    },
    mutations: { networkMode: "always", retry: false },
  },
});

type Values = Record<string, string | number | boolean | undefined>;

/** One document by its path without /api/v1: useOne<Alert>("/alerts/A-1"). null as path asks for nothing. */
export function useOne<T>(path: string | null, query?: Values, every?: number) {
  return useQuery<T, Problem>({
    queryKey: [path, query ?? {}],
    enabled: path !== null,
    queryFn: ({ signal }) => call<T>("GET", path ?? "", { query, signal }),
    refetchInterval: every,
  });
}

/** A list by pages: rows of all pages so far, and more() for the next one. */
export function useList<T>(path: string | null, query: Values = {}, options: { limit?: number; every?: number } = {}) {
  const asked = useInfiniteQuery<Page<T>, Problem>({
    queryKey: [path, query, options.limit ?? 100],
    enabled: path !== null,
    initialPageParam: "",
    queryFn: ({ signal, pageParam }) =>
      call<Page<T>>("GET", path ?? "", {
        query: { limit: options.limit ?? 100, ...query, after: String(pageParam) },
        signal,
      }),
    getNextPageParam: (page) => page.next || undefined,
    refetchInterval: options.every,
  });
  const rows = useMemo(() => asked.data?.pages.flatMap((page) => page.items) ?? [], [asked.data]);
  return {
    rows,
    loading: asked.isPending && asked.fetchStatus !== "idle",
    error: asked.error,
    hasMore: asked.hasNextPage,
    loadingMore: asked.isFetchingNextPage,
    more: () => {
      if (asked.hasNextPage && !asked.isFetchingNextPage) void asked.fetchNextPage();
    },
    again: () => void asked.refetch(),
    total: asked.data?.pages[0]?.total,
  };
}

/** Rows that are read on for a filter of the page before somebody is asked. */
const READ_ON = 2000;

/**
 * For filters the server has no words for: while they leave less than a screen, the
 * list is read on, up to a bound; further() moves the bound.
 */
export function useReadOn<T>(list: ReturnType<typeof useList<T>>, left: number, on: boolean) {
  const [most, setMost] = useState(READ_ON);
  const { hasMore, loadingMore, more } = list;
  const loaded = list.rows.length;
  // After an error a person says whether it goes on: asking again at once would not end.
  const reading = on && hasMore && !list.error && left < 50 && loaded < most;
  useEffect(() => {
    if (reading && !loadingMore) more();
  });
  return {
    /** It goes on by itself. */
    reading,
    further: hasMore ? () => setMost(loaded + READ_ON) : undefined,
  };
}

/** Documents under these paths are no longer what they were. */
export function refresh(...begins: string[]): void {
  void queries.invalidateQueries({
    predicate: (query) => begins.some((begin) => String(query.queryKey[0] ?? "").startsWith(begin)),
  });
}

export { Problem };
