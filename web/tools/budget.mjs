// Adds up what a browser loads first, compressed as the server compresses it, and fails when that is more than was promised.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const dist = process.argv[2] ?? "dist";
const manifest = JSON.parse(readFileSync(join(dist, "manifest.json"), "utf8"));

// after is what the first page loads by itself right after the entry.
const budgets = [
  { entry: "console.html", after: ["src/console/home/page.tsx"], limit: 260_000 },
  { entry: "portal.html", after: ["src/portal/frame.tsx"], limit: 200_000 },
];

let failed = false;
for (const { entry, after, limit } of budgets) {
  const files = new Set();
  const seen = new Set();
  const walk = (key) => {
    if (seen.has(key)) return;
    seen.add(key);
    const chunk = manifest[key];
    if (!chunk) throw new Error(`the build has no ${key}`);
    files.add(chunk.file);
    for (const css of chunk.css ?? []) files.add(css);
    for (const next of chunk.imports ?? []) walk(next);
  };
  for (const key of [entry, ...after]) walk(key);
  files.add(entry);
  const size = [...files].reduce((sum, file) => sum + gzipSync(readFileSync(join(dist, file)), { level: 9 }).length, 0);
  const verdict = size > limit ? "TOO LARGE" : "fits";
  console.log(`${entry}: first load ${(size / 1000).toFixed(1)} kB compressed in ${files.size} files, at most ${limit / 1000} kB: ${verdict}`);
  if (size > limit) failed = true;
}
process.exit(failed ? 1 : 0);
