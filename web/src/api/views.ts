/** Views of a room: filters somebody wants to find again, for oneself or for all. */
import { part } from "../lib/route";
import { call } from "./client";
import { refresh, useList } from "./query";

export interface SavedView {
  id: string;
  name: string;
  /** As the URL has it. */
  query: string;
  shared?: boolean;
  mine: boolean;
}

export interface SavedViews {
  rows: readonly SavedView[];
  save: (view: Pick<SavedView, "name" | "query" | "shared">) => Promise<void>;
  remove: (view: SavedView) => Promise<void>;
}

export function useViews(room: string): SavedViews {
  const saved = useList<SavedView>("/views", { room });
  return {
    rows: saved.rows,
    save: async ({ name, query, shared }) => {
      await call("POST", "/views", { body: { name, room, query, shared } });
      refresh("/views");
    },
    remove: async (view) => {
      await call("DELETE", `/views/${part(view.id)}`);
      refresh("/views");
    },
  };
}
