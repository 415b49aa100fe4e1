// Compares two builds, file by file and byte by byte.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";

const [committed, built] = process.argv.slice(2);
const list = (dir) => {
  const out = [];
  const walk = (at) => {
    for (const name of readdirSync(at).sort()) {
      const path = join(at, name);
      if (statSync(path).isDirectory()) walk(path);
      else out.push(relative(dir, path));
    }
  };
  walk(dir);
  return out;
};
const [a, b] = [list(committed), list(built)];
const wrong = [
  ...a.filter((f) => !b.includes(f)).map((f) => `${f}: is committed, but not built any more`),
  ...b.filter((f) => !a.includes(f)).map((f) => `${f}: is built, but not committed`),
  ...a.filter((f) => b.includes(f) && !readFileSync(join(committed, f)).equals(readFileSync(join(built, f)))).map((f) => `${f}: differs`),
];
if (wrong.length > 0) {
  console.error(`web/dist is not what its source builds; run "make web" and commit it:\n  ${wrong.join("\n  ")}`);
  process.exit(1);
}
console.log(`web/dist is what its source builds (${a.length} files)`);
