// Runs biome from its binary package: the wrapper package names binaries for
// platforms that not every registry carries, which makes `npm ci` fail.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const binary = fileURLToPath(
  new URL(`../node_modules/@biomejs/cli-${process.platform}-${process.arch}/biome`, import.meta.url),
);
if (!existsSync(binary)) {
  process.stderr.write(
    `biome: there is no binary for ${process.platform} ${process.arch} here; npm ci brings those of Linux\n`,
  );
  process.exit(1);
}
process.exit(spawnSync(binary, process.argv.slice(2), { stdio: "inherit" }).status ?? 1);
