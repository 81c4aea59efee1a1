/** Views: filters somebody wants to find again. Some are built in, others are saved, for oneself or for all. */
import { useViews } from "../../api/views";
import type { Query } from "../../lib/route";
import { t } from "../../locale/rooms/incidents";
import { Saved } from "../../widgets/saved";

const BUILT_IN: { label: () => string; query: Query }[] = [
  { label: () => t("view.default"), query: {} },
  { label: () => t("view.mine.open"), query: { who: "mine" } },
  { label: () => t("view.unowned"), query: { who: "none" } },
  { label: () => t("view.all"), query: { status: "all" } },
];

export function Views({ query, onOpen }: { query: Query; onOpen: (query: Query) => void }) {
  return (
    <Saved
      query={query}
      onOpen={onOpen}
      views={useViews("incidents")}
      builtIn={BUILT_IN}
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
