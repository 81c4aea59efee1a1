/** Words of the matrix. */
import { catalogue } from "../../lib/i18n";

export const t = catalogue("attack", {
  bar: "What is shown",
  "span.24h": "24 h",
  "span.7d": "7 days",
  "span.30d": "30 days",
  seen: "Only what was seen",
  parts: "Sub-techniques",
  layer: "Navigator layer",
  "layer.title": "A layer for the ATT&CK Navigator",
  "count.seen": "{seen} of {all} techniques seen",
  "current.open": "Open alerts",
  "current.alerts": { one: "{n} alert", other: "{n} alerts" },
  "current.events": { one: "{n} event behind it", other: "{n} events behind them" },
  "current.none": "No alert of the span shows it.",
  "empty.title": "No technique seen in this span",
  "empty.text":
    "Cells fill as alerts name techniques. Look further back, or show all techniques the rules know by switching off Only what was seen.",
  "empty.all": "Show all techniques",
  other: "Other",
});
