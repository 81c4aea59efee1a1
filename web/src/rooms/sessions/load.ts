/** All that belongs to one session, and where it lies on its recording. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { call, download } from "../../api/client";
import { type Problem, useOne } from "../../api/query";
import type { Alert, Event, Honeytoken, Page, Sample, Session } from "../../api/types";
import { beginning } from "../../widgets/replay/align";
import { type Cast, readCast } from "../../widgets/replay/cast";
import { commandsOf, marksOf } from "../../widgets/replay/markers";

/** How an attacker typed. */
export interface Typing {
  reads: number;
  keys: number;
  median_gap_ms: number;
  edits: number;
  pastes: number;
  verdict: string;
  reason: string;
}

/** Pages of a thousand events that are read of one session at most. */
const PAGES = 5;

async function eventsOf(id: string, signal: AbortSignal): Promise<{ events: Event[]; left: boolean }> {
  const events: Event[] = [];
  let after = "";
  for (let page = 0; page < PAGES; page++) {
    const got = await call<Page<Event>>("GET", "/events", { query: { session: id, limit: 1000, after }, signal });
    events.push(...got.items);
    after = got.next;
    if (!after) break;
  }
  return { events: events.reverse(), left: after !== "" };
}

export function useSession(id: string) {
  const path = `/sessions/${encodeURIComponent(id)}`;
  const session = useOne<Session>(path);
  const going = session.data ? !session.data.ended_at || session.data.ended_at.startsWith("0001") : false;
  const named = Boolean(session.data?.recording);
  const recording = useQuery<Cast | null, Problem>({
    queryKey: [`${path}/recording`],
    enabled: named,
    queryFn: async ({ signal }) => readCast(await (await download(`${path}/recording`, {}, signal)).text()) ?? null,
    staleTime: going ? 10_000 : Number.POSITIVE_INFINITY,
  });
  // The oldest recordings go when room is short; the session stays.
  const recorded = named && recording.error?.status !== 404;
  const events = useQuery<{ events: Event[]; left: boolean }, Problem>({
    queryKey: ["/events", { session: id, all: true }],
    queryFn: ({ signal }) => eventsOf(id, signal),
    refetchInterval: going ? 5000 : false,
  });
  const alerts = useOne<Page<Alert>>("/alerts", {
    session: id,
    limit: 1000,
    status: "new,acknowledged,escalated,suppressed,closed",
  });
  const typing = useOne<Typing>(recorded ? `${path}/typing` : null);
  const samples = useOne<Page<Sample>>(session.data?.samples?.length ? "/samples" : null, { session: id, limit: 100 });
  const tokens = useOne<Page<Honeytoken>>(session.data?.tokens?.length ? "/tokens" : null, { limit: 1000 });

  const story = useMemo(() => {
    const list = (events.data?.events ?? []) as Parameters<typeof marksOf>[0];
    const found = (alerts.data?.items ?? []) as Parameters<typeof marksOf>[1];
    const cast = recording.data ?? undefined;
    const started = Date.parse(session.data?.started_at ?? "") / 1000;
    const times = list.filter((event) => event.activity === "command").map((event) => Date.parse(event.time) / 1000);
    const began = cast ? beginning(cast, times, started) : started;
    return { began, commands: commandsOf(list, found, began), marks: marksOf(list, found, began) };
  }, [events.data, alerts.data, recording.data, session.data]);

  return { session, recorded, recording, events, alerts, typing, samples, tokens, ...story };
}
