/** Queries somebody wants to ask again, for oneself or for all; and what was found, as a file. */
import { useState } from "react";
import { call } from "../../api/client";
import { useMay } from "../../api/me";
import { refresh, useList } from "../../api/query";
import { save as saveFile } from "../../api/save";
import { parseQuery, part, type Query, writeQuery } from "../../lib/route";
import { safe } from "../../lib/safe";
import { t as shell } from "../../locale/en";
import { t } from "../../locale/rooms/hunt";
import { Button } from "../../widgets/button";
import { Dialog } from "../../widgets/dialog";
import { Check, Input } from "../../widgets/field";
import { Menu } from "../../widgets/menu";
import { done, failed, note } from "../../widgets/toast";
import { errorText } from "../../widgets/views";

interface SavedQuery {
  id: string;
  name: string;
  query: string;
  mine: boolean;
}

export function Saved({ query, onOpen }: { query: Query; onOpen: (query: Query) => void }) {
  const saved = useList<SavedQuery>("/views", { room: "hunt" });
  const mayShare = useMay("work");
  const [saving, setSaving] = useState(false);
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const [error, setError] = useState("");
  const here = writeQuery(query);
  const save = async () => {
    try {
      await call("POST", "/views", { body: { name, room: "hunt", query: here, shared } });
      done(t("saved.done", { name: safe(name) }));
      refresh("/views");
      setSaving(false);
      setName("");
      setError("");
    } catch (problem) {
      setError(errorText(problem).detail);
    }
  };
  const remove = async (view: SavedQuery) => {
    try {
      await call("DELETE", `/views/${part(view.id)}`);
      refresh("/views");
      done(t("saved.removed", { name: safe(view.name) }), () => {
        call("POST", "/views", { body: { name: view.name, room: "hunt", query: view.query } })
          .then(() => refresh("/views"))
          .catch((problem: unknown) => failed(t("saved.save"), problem));
      });
    } catch (problem) {
      failed(t("saved.remove", { name: safe(view.name) }), problem);
    }
  };
  return (
    <>
      <Menu
        trigger={
          <button type="button" className="chip">
            {t("saved.title")} ▾
          </button>
        }
        head={saved.rows.length === 0 ? <span className="muted">{t("saved.none")}</span> : undefined}
        entries={[
          ...saved.rows.map((view) => ({
            id: view.id,
            label: safe(view.name),
            checked: view.query === here,
            run: () => onOpen(parseQuery(view.query)),
          })),
          { id: "save", line: true, label: t("saved.save"), run: () => setSaving(true) },
          ...saved.rows
            .filter((view) => view.mine && view.query === here)
            .map((view) => ({
              id: `remove ${view.id}`,
              danger: true,
              label: t("saved.remove", { name: safe(view.name) }),
              run: () => void remove(view),
            })),
        ]}
      />
      <Dialog
        open={saving}
        size="small"
        title={t("saved.save")}
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
            label={t("saved.name")}
            value={name}
            maxLength={200}
            error={error}
            onChange={(event) => setName(event.target.value)}
          />
          {mayShare ? (
            <Check label={t("saved.shared")} checked={shared} onChange={(event) => setShared(event.target.checked)} />
          ) : null}
        </form>
      </Dialog>
    </>
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
