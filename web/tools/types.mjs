// Makes src/api/schema.d.ts from the API's own description. --check only says
// whether the committed file is up to date.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL("..", import.meta.url));
const target = join(web, "src/api/schema.d.ts");
const made = execFileSync(
  process.execPath,
  [join(web, "tools/types/node_modules/openapi-typescript/bin/cli.js"), join(web, "../docs/reference/openapi.json")],
  { encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "ignore"] },
);
const before = existsSync(target) ? readFileSync(target, "utf8") : "";
if (!process.argv.includes("--check")) {
  writeFileSync(target, made);
} else if (made !== before) {
  process.stderr.write(
    "src/api/schema.d.ts is not what docs/reference/openapi.json gives: run `npm run types` in web/\n",
  );
  process.exit(1);
}
