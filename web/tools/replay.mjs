// Puts the terminal player beside the page of the replay frame: it is a program
// of its own, kept out of the console, and loaded by that page alone.
import { copyFileSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const from = "node_modules/asciinema-player/dist/bundle";
mkdirSync(at("dist/replay"), { recursive: true });
copyFileSync(at(`${from}/asciinema-player.min.js`), at("dist/replay/player.js"));
copyFileSync(at(`${from}/asciinema-player.css`), at("dist/replay/player.css"));
