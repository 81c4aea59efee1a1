// Puts the terminal player beside the page of the replay frame: it is a program
// of its own, kept out of the console, and loaded by that page alone.
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const from = "node_modules/asciinema-player/dist/bundle";
mkdirSync(at("dist/replay"), { recursive: true });
copyFileSync(at(`${from}/asciinema-player.min.js`), at("dist/replay/player.js"));
copyFileSync(at(`${from}/asciinema-player.css`), at("dist/replay/player.css"));

// The frame's budget, in KB of 1,000 bytes, gzip -9.
const LIMIT = 75;
const folder = at("dist/replay");
const kb =
  readdirSync(folder)
    .filter((name) => !name.endsWith(".gz"))
    .reduce((sum, name) => sum + gzipSync(readFileSync(`${folder}/${name}`), { level: 9 }).length, 0) / 1000;
if (kb > LIMIT) {
  process.stderr.write(`The replay frame is ${kb.toFixed(1)} KB, more than ${LIMIT} KB\n`);
  process.exit(1);
}
process.stdout.write(`replay frame: ${kb.toFixed(1)} KB of ${LIMIT}\n`);
