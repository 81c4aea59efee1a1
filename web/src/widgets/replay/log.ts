/**
 * What was on a terminal as text to keep: commands for the terminal are left
 * out, and whatever could still act on who reads it is made visible.
 */
import { safe } from "../../lib/safe";
import type { Cast } from "./cast";

// ESC [ ... final; ESC ] ... BEL or ST; ESC P/X/^/_ ... ST; ESC with intermediates; 8-bit CSI.
const COMMANDS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[PX^_][^\u001b]*(?:\u001b\\)?|\u001b[ -/]*[0-~]|\u009b[0-?]*[ -/]*[@-~]|[\u0007\u000e\u000f\u0000]/g;

/** Output as lines. A backspace takes a character away; a return without feed begins the line again. */
export function readable(output: string): string[] {
  const lines: string[] = [];
  for (const raw of output.replace(COMMANDS, "").replace(/\r+\n/g, "\n").split("\n")) {
    let line = "";
    for (const part of raw.split("\r")) {
      // What comes after a return overwrites from the left.
      const typed = erase(part);
      line = typed.length >= line.length ? typed : typed + line.slice(typed.length);
    }
    lines.push(safe(line));
  }
  return lines;
}

function erase(part: string): string {
  if (!part.includes("\b")) return part;
  const kept: string[] = [];
  for (const char of part) {
    if (char === "\b") kept.pop();
    else kept.push(char);
  }
  return kept.join("");
}

/** The whole recording as a text file. */
export function writeLog(cast: Cast, heading: readonly string[]): string {
  const output = cast.pieces
    .filter(([, kind]) => kind === "o")
    .map(([, , data]) => data)
    .join("");
  return [...heading.map((line) => `# ${safe(line)}`), "", ...readable(output), ""].join("\n");
}
