/** Copying. The clipboard gets the safe form: raw bytes can act when they are pasted into a terminal. */
import { safe } from "../lib/safe";
import { t } from "../locale/en";
import { note } from "./toast";

/** Copies the safe form of a text. */
export const copySafe = (text: unknown): Promise<boolean> => put(safe(text));
/** Copies bytes as they came; only behind a choice that says so. */
export const copyRaw = (text: string): Promise<boolean> => put(text);

async function put(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    note(t("copied"));
    return true;
  } catch {
    note(t("copy.failed"));
    return false;
  }
}

export function CopyButton({ text, what }: { text: unknown; what: string }) {
  return (
    <button
      type="button"
      className="copy"
      aria-label={t("copy.what", { what })}
      title={t("copy.what", { what })}
      onClick={() => void copySafe(text)}
    >
      <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
        <path d="M5.5 2.5h8v8h-8z M10.5 10.5v3h-8v-8h3" fill="none" stroke="currentColor" strokeWidth="1.3" />
      </svg>
    </button>
  );
}
