// Holds the built console against its budgets (gzip -9, in KB of 1,000 bytes),
// and fails where one is exceeded. --table prints every figure.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const dist = fileURLToPath(new URL("../dist", import.meta.url));
const assets = join(dist, "assets");
const zipped = new Map(); // file name -> bytes
const size = (name) => {
  if (!zipped.has(name)) zipped.set(name, gzipSync(readFileSync(join(assets, name)), { level: 9 }).length);
  return zipped.get(name);
};
const files = readdirSync(assets).filter((name) => /\.(js|css)$/.test(name));
const html = readFileSync(join(dist, "index.html"), "utf8");

const faults = [];
const rows = [];
const judge = (what, names, limit) => {
  const bytes = names.reduce((sum, name) => sum + size(name), 0);
  const kb = bytes / 1000;
  rows.push({ what, kb: kb.toFixed(1), limit, files: names.length });
  if (kb > limit) faults.push(`${what}: ${kb.toFixed(1)} KB is more than ${limit} KB (${names.join(", ")})`);
};

const entry = files.filter((name) => name.endsWith(".js") && html.includes(`/assets/${name}`));
judge("entry", entry, 200);
judge(
  "all styles",
  files.filter((name) => name.endsWith(".css") && !name.startsWith("frame")),
  20,
);
const limits = { "vendor-map": 55, "vendor-chart": 25 };
for (const name of files.filter((file) => file.endsWith(".js") && !entry.includes(file)).sort()) {
  const label = name.replace(/-[^-]{8}\.js$/, "").replace(/-[\w-]{8}\.js$/, "");
  judge(label, [name], limits[label] ?? 40);
}
if (/<script(?![^>]*\bsrc=)/.test(html) || /<style|\sstyle=/.test(html)) faults.push("index.html: something is inline");

if (process.argv.includes("--table")) {
  for (const row of rows)
    process.stdout.write(`${row.kb.padStart(7)} KB of ${String(row.limit).padStart(3)}  ${row.what}\n`);
}
if (faults.length > 0) {
  process.stderr.write(`The console is larger than its budgets:\n${faults.map((fault) => `  ${fault}\n`).join("")}`);
  process.exit(1);
}
