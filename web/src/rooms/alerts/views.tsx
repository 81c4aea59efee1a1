/** Views: filters somebody wants to find again. Some are built in, others are saved, for oneself or for all. */
import { useState } from "react";
import { call, saveAs } from "../../api/client";
import { refresh, useList } from "../../api/query";
import { parseQuery, part, type Query, writeQuery } from "../../lib/route";
import { safe } from "../../lib/safe";
import { t as shell } from "../../locale/en";
import { t } from "../../locale/rooms/alerts";
import { Button } from "../../widgets/button";
import { Dialog } from "../../widgets/dialog";
import { Check, Input } from "../../widgets/field";
import { Menu } from "../../widgets/menu";
import { done, failed } from "../../widgets/toast";
import { errorText } from "../../widgets/views";

interface Saved {
  id: string;
  name: string;
  query: string;
  shared?: boolean;
  mine: boolean;
}

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
  const saved = useList<Saved>("/views", { room: "alerts" });
  const [saving, setSaving] = useState(false);
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const [error, setError] = useState("");
  const remove = async (view: Saved) => {
    try {
      await call("DELETE", `/views/${part(view.id)}`);
      done(t("view.removed", { name: safe(view.name) }));
      refresh("/views");
    } catch (problem) {
      failed(t("view.remove", { name: safe(view.name) }), problem);
    }
  };
  const save = async () => {
    try {
      await call("POST", "/views", { body: { name, room: "alerts", query: writeQuery(query), shared } });
      done(t("view.saved.done", { name: safe(name) }));
      refresh("/views");
      setSaving(false);
      setName("");
      setError("");
    } catch (problem) {
      setError(errorText(problem).detail);
    }
  };
  const here = writeQuery(query);
  return (
    <>
      <Menu
        trigger={
          <button type="button" className="chip">
            {t("view.saved")} ▾
          </button>
        }
        entries={[
          ...BUILT_IN.map((view) => ({
            id: view.label(),
            label: view.label(),
            checked: writeQuery(view.query) === here,
            run: () => onOpen(view.query),
          })),
          ...saved.rows.map((view, at) => ({
            id: view.id,
            line: at === 0,
            label: safe(view.name),
            checked: view.query === here,
            run: () => onOpen(parseQuery(view.query)),
          })),
          {
            id: "export",
            line: true,
            label: t("act.export"),
            run: () => saveAs("/alerts/export", { ...filter, format: "csv" }),
          },
          { id: "save", label: t("view.save"), run: () => setSaving(true) },
          ...saved.rows
            .filter((view) => view.mine && view.query === here)
            .map((view) => ({
              id: `remove ${view.id}`,
              danger: true,
              label: t("view.remove", { name: safe(view.name) }),
              run: () => void remove(view),
            })),
        ]}
      />
      <Dialog
        open={saving}
        size="small"
        title={t("view.saving")}
        onClose={() => setSaving(false)}
        foot={
          <>
            <Button onClick={() => setSaving(false)}>{shell("cancel")}</Button>
            <Button kind="primary" disabled={name.trim() === ""} onClick={() => void save()}>
              {shell("save")}
            </Button>
          </>
        }
      >
        <form
          className="col"
          onSubmit={(event) => {
            event.preventDefault();
            void save();
          }}
        >
          <Input
            label={t("view.name")}
            value={name}
            maxLength={200}
            error={error}
            onChange={(event) => setName(event.target.value)}
          />
          <Check label={t("view.shared")} checked={shared} onChange={(event) => setShared(event.target.checked)} />
        </form>
      </Dialog>
    </>
  );
}
