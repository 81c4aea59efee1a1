/** Takes what the API hands out as a file, and gives it to the browser to keep. */
import { type CallOptions, download } from "./client";

/** Gives bytes to the browser as a file of this name; the name is ours, never an attacker's. */
export function keep(name: string, content: Blob | string, type = "text/plain"): void {
  const link = document.createElement("a");
  const address = URL.createObjectURL(typeof content === "string" ? new Blob([content], { type }) : content);
  link.href = address;
  link.download = name.replace(/[^\w.-]/g, "_");
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Fetches a path without /api/v1 as a file. A part that is not the whole is refused by the browser. */
export async function save(name: string, path: string, query?: CallOptions["query"]): Promise<void> {
  const response = await download(path, query);
  keep(name, await response.blob());
}
