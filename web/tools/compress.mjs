// Writes name.gz beside every built file that gains from it: the binary serves
// these bytes as they are, so they are squeezed once, as far as gzip goes.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const dist = fileURLToPath(new URL("../dist", import.meta.url));
for (const name of readdirSync(dist, { recursive: true })) {
  const path = join(dist, name);
  if (!statSync(path).isFile() || !/\.(js|css|html|svg|json|wasm|txt)$/.test(name)) continue;
  const raw = readFileSync(path);
  const squeezed = gzipSync(raw, { level: 9 });
  if (squeezed.length < raw.length) writeFileSync(`${path}.gz`, squeezed);
}
// The folder is kept in version control by its marker, which a build removes.
writeFileSync(join(dist, ".keep"), "");
