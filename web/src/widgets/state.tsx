/** The state of a thing as a word; only what is wrong or waits has a colour. */
import { word } from "../locale/words";
import { Badge } from "./badge";

const BAD = new Set(["failed", "refused", "dead", "denied", "lapsed", "stopped", "broken", "error", "crashed"]);
const WARN = new Set([
  "waiting",
  "halted",
  "late",
  "reverting",
  "stuck",
  "retrying",
  "degraded",
  "starting",
  "backoff",
]);
const OK = new Set(["serving", "ok", "ready", "reading", "following", "running_well", "up", "loaded"]);

export function State({ name, health }: { name: string; health?: boolean }) {
  const kind = BAD.has(name) ? "bad" : WARN.has(name) ? "warn" : health && OK.has(name) ? "ok" : "plain";
  return <Badge kind={kind}>{word(name)}</Badge>;
}
