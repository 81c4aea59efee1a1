/** Queries somebody wants to ask again, for oneself or for all; and what was found, as a file. */
import { useMay } from "../../api/me";
import { save as saveFile } from "../../api/save";
import { useViews } from "../../api/views";
import type { Query } from "../../lib/route";
import { t } from "../../locale/rooms/hunt";
import { Menu } from "../../widgets/menu";
import { Saved as SavedMenu } from "../../widgets/saved";
import { done, failed, note } from "../../widgets/toast";

export function Saved({ query, onOpen }: { query: Query; onOpen: (query: Query) => void }) {
  const views = useViews("hunt");
  return (
    <SavedMenu
      query={query}
      onOpen={onOpen}
      views={views}
      head={views.rows.length === 0 ? <span className="muted">{t("saved.none")}</span> : undefined}
      mayShare={useMay("work")}
      words={{
        title: t("saved.title"),
        save: t("saved.save"),
        saving: t("saved.save"),
        name: t("saved.name"),
        shared: t("saved.shared"),
        done: (name) => t("saved.done", { name }),
        remove: (name) => t("saved.remove", { name }),
        removed: (name) => t("saved.removed", { name }),
      }}
    />
  );
}

/** The same rows as a file. Text in CSV is made harmless for spreadsheets by the server. */
export function Export({ query }: { query: Record<string, string | undefined> }) {
  const take = async (format: "csv" | "jsonl") => {
    note(t("export.busy"));
    try {
      await saveFile(`honeyguide-events.${format}`, "/events/export", { ...query, format });
      done(t("export.done"));
    } catch (problem) {
      failed(t("export.failed"), problem, () => void take(format));
    }
  };
  return (
    <Menu
      trigger={
        <button type="button" className="chip">
          {t("export.title")} ▾
        </button>
      }
      entries={[
        { id: "csv", label: t("export.csv"), run: () => void take("csv") },
        { id: "jsonl", label: t("export.jsonl"), run: () => void take("jsonl") },
      ]}
    />
  );
}
