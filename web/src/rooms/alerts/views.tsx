/** Views: filters somebody wants to find again. Some are built in, others are saved, for oneself or for all. */
import { saveAs } from "../../api/client";
import { useViews } from "../../api/views";
import type { Query } from "../../lib/route";
import { t } from "../../locale/rooms/alerts";
import { Saved } from "../../widgets/saved";

const BUILT_IN: { label: () => string; query: Query }[] = [
  { label: () => t("view.default"), query: {} },
  { label: () => t("view.critical"), query: { sev: "high", who: "any" } },
  { label: () => t("view.all"), query: { status: "all", who: "any" } },
];

export function Views({
  query,
  filter,
  onOpen,
}: {
  query: Query;
  filter: Record<string, string | undefined>;
  onOpen: (query: Query) => void;
}) {
  return (
    <Saved
      query={query}
      onOpen={onOpen}
      views={useViews("alerts")}
      builtIn={BUILT_IN}
      more={[
        {
          id: "export",
          line: true,
          label: t("act.export"),
          run: () => saveAs("/alerts/export", { ...filter, format: "csv" }),
        },
      ]}
      words={{
        title: t("view.saved"),
        save: t("view.save"),
        saving: t("view.saving"),
        name: t("view.name"),
        shared: t("view.shared"),
        done: (name) => t("view.saved.done", { name }),
        remove: (name) => t("view.remove", { name }),
        removed: (name) => t("view.removed", { name }),
      }}
    />
  );
}
