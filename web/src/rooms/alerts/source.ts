/** The one queue of this tab: it lives on while other rooms are open, so that coming back finds it as it was. */
import { call } from "../../api/client";
import { asProblem } from "../../api/problem";
import type { Alert, Page } from "../../api/types";
import { toQuery } from "./filter";
import type { PageOf } from "./pages";
import { Queue } from "./queue";
import { type AlertRow, slim } from "./row";

/** Only what the columns need; a server that does not know the mask sends all of it. */
const FIELDS =
  "id,short,time,created_at,severity,status,score,rule_id,title,src,sensor,session,attacker,incident,detector,verdict,handled,proven,count,attacks,evidence";
let masked = true;

async function page(
  after: string,
  limit: number,
  signal: AbortSignal,
  onNext: (after: string) => void,
): Promise<PageOf<AlertRow>> {
  const ask = (fields?: string) =>
    call<Page<Alert>>("GET", "/alerts", { query: { ...toQuery(queue.filter), limit, after, fields }, signal, onNext });
  let got: Page<Alert>;
  if (masked) {
    try {
      got = await ask(FIELDS);
    } catch (error) {
      const { status, errors } = asProblem(error);
      if (status !== 422 && status !== 400) throw error;
      if (errors.length > 0 && !errors.some((item) => item.location.includes("fields"))) throw error;
      masked = false;
      got = await ask();
    }
  } else got = await ask();
  return { items: got.items.map(slim), next: got.next };
}

export const queue = new Queue(page);

/** Where the reader was, by what was filtered. */
export const places = new Map<string, { offset: number; current: string | null }>();
