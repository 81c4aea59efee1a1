/** The stop switch: whether all acting is stopped, by whom and why. */
import { useStore } from "../lib/store";
import { useFreshness } from "./live";
import { useOne } from "./query";
import { session } from "./session";
import type { HaltState } from "./work";

export function useHalt(): HaltState | undefined {
  useFreshness(["runs"], ["/halt"], 2000);
  // Nobody is asked to sign in by a banner.
  const inside = useStore(session).state === "in";
  return useOne<HaltState>(inside ? "/halt" : null, undefined, 15_000).data;
}
