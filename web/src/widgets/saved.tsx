/** A menu of views: some are built in, others are saved, for oneself or for all. The room brings them and the words. */
import { type ReactNode, useState } from "react";
import { parseQuery, type Query, writeQuery } from "../lib/route";
import { safe } from "../lib/safe";
import { t } from "../locale/en";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { Check, Input } from "./field";
import { Menu, type MenuEntry } from "./menu";
import { done, failed } from "./toast";
import { errorText } from "./views";

interface View {
  id: string;
  name: string;
  query: string;
  shared?: boolean;
  mine: boolean;
}

export interface SavedProps {
  query: Query;
  onOpen: (query: Query) => void;
  views: {
    rows: readonly View[];
    save: (view: { name: string; query: string; shared?: boolean }) => Promise<void>;
    remove: (view: View) => Promise<void>;
  };
  builtIn?: readonly { label: () => string; query: Query }[];
  /** Entries before the one that saves. */
  more?: MenuEntry[];
  head?: ReactNode;
  mayShare?: boolean;
  words: {
    title: string;
    save: string;
    saving: string;
    name: string;
    shared: string;
    done: (name: string) => string;
    remove: (name: string) => string;
    removed: (name: string) => string;
  };
}

export function Saved({ query, onOpen, views, builtIn = [], more = [], head, mayShare = true, words }: SavedProps) {
  const [saving, setSaving] = useState(false);
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const [error, setError] = useState("");
  const here = writeQuery(query);
  const remove = async (view: View) => {
    try {
      await views.remove(view);
      done(words.removed(safe(view.name)), () => {
        views.save(view).catch((problem: unknown) => failed(words.save, problem));
      });
    } catch (problem) {
      failed(words.remove(safe(view.name)), problem);
    }
  };
  const save = async () => {
    try {
      await views.save({ name, query: here, shared });
      done(words.done(safe(name)));
      setSaving(false);
      setName("");
      setError("");
    } catch (problem) {
      setError(errorText(problem).detail);
    }
  };
  return (
    <>
      <Menu
        trigger={
          <button type="button" className="chip">
            {words.title} ▾
          </button>
        }
        head={head}
        entries={[
          ...builtIn.map((view) => ({
            id: view.label(),
            label: view.label(),
            checked: writeQuery(view.query) === here,
            run: () => onOpen(view.query),
          })),
          ...views.rows.map((view, at) => ({
            id: view.id,
            line: at === 0 && builtIn.length > 0,
            label: safe(view.name),
            checked: view.query === here,
            run: () => onOpen(parseQuery(view.query)),
          })),
          ...more,
          { id: "save", line: more.length === 0, label: words.save, run: () => setSaving(true) },
          ...views.rows
            .filter((view) => view.mine && view.query === here)
            .map((view) => ({
              id: `remove ${view.id}`,
              danger: true,
              label: words.remove(safe(view.name)),
              run: () => void remove(view),
            })),
        ]}
      />
      <Dialog
        open={saving}
        size="small"
        title={words.saving}
        onClose={() => setSaving(false)}
        foot={
          <>
            <Button onClick={() => setSaving(false)}>{t("cancel")}</Button>
            <Button kind="primary" disabled={name.trim() === ""} onClick={() => void save()}>
              {t("save")}
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
            label={words.name}
            value={name}
            maxLength={200}
            error={error}
            onChange={(event) => setName(event.target.value)}
          />
          {mayShare ? (
            <Check label={words.shared} checked={shared} onChange={(event) => setShared(event.target.checked)} />
          ) : null}
        </form>
      </Dialog>
    </>
  );
}
