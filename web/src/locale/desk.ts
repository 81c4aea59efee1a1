/** Words of the widgets that desks share. */
import { catalogue } from "../lib/i18n";

export const t = catalogue("desk", {
  "hex.more": { one: "Show more: {n} byte is left", other: "Show more: {n} bytes are left" },
  "once.title": "Shown this once",
  "once.text": "It is stored as a fingerprint only. Keep it where secrets are kept: nobody can show it again.",
  "once.copy": "Copy",
  "once.kept": "I have kept it",
  "once.done": "Done",
});
