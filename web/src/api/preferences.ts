/** Carries preferences to the person's profile and back. The browser's copy counts until the profile is there. */
import { prefer, preferences, readPreferences } from "../lib/preferences";
import { callWithTag } from "./client";
import { asProblem } from "./problem";

let tag = "";
let loaded = false;
let timer: ReturnType<typeof setTimeout> | null = null;
let last = "";

export async function loadPreferences(): Promise<void> {
  try {
    const got = await callWithTag<Record<string, unknown>>("GET", "/me/preferences", { quiet: true });
    tag = got.tag;
    if (got.value && Object.keys(got.value).length > 0) prefer(readPreferences(got.value));
    last = JSON.stringify(preferences.get());
    loaded = true;
  } catch {
    // No profile, or none for a key: what the browser keeps is enough.
  }
}

async function save(retry = true): Promise<void> {
  timer = null;
  const now = JSON.stringify(preferences.get());
  if (!loaded || now === last) return;
  try {
    const got = await callWithTag("PUT", "/me/preferences", {
      body: preferences.get(),
      match: tag || undefined,
      quiet: true,
    });
    tag = got.tag;
    last = now;
  } catch (error) {
    // Another tab was faster: the newest choice of a person is the one that counts.
    if (asProblem(error).conflict && retry) {
      const got = await callWithTag("GET", "/me/preferences", { quiet: true }).catch(() => null);
      if (got) {
        tag = got.tag;
        await save(false);
      }
    }
  }
}

preferences.watch(() => {
  if (!loaded) return;
  if (timer) clearTimeout(timer);
  timer = setTimeout(() => void save(), 1500);
});
