/** Words of the API in the reader's language: states, verdicts, severities. What is unknown is shown as it came. */
import { catalogue } from "../lib/i18n";
import { safe } from "../lib/safe";

const w = catalogue("words", {
  new: "new",
  acknowledged: "acknowledged",
  escalated: "escalated",
  suppressed: "suppressed",
  closed: "closed",
  in_progress: "in progress",
  on_hold: "on hold",
  resolved: "resolved",
  true_positive: "true positive",
  false_positive: "false positive",
  benign: "benign",
  duplicate: "duplicate",
  none: "none",
  dry_run: "dry run",
  apply: "apply",
  no_data: "no data",
});

/** The word for a value of the API. */
export const word = (value: string): string => safe(w(value as Parameters<typeof w>[0])).replaceAll("_", " ");
