// Adds up what a browser loads first, compressed as the server compresses it, and fails when that is more than was promised, or when one application
// carries the words of the other.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const dist = process.argv[2] ?? "dist";
const manifest = JSON.parse(readFileSync(join(dist, "manifest.json"), "utf8"));

// firsts are what a first page loads by itself right after the entry: for who is signed in and for who is not. own are words that the application alone has, in each language.
const applications = [
  { entry: "console.html", firsts: ["src/console/home/page.tsx", "src/ui/signin.tsx"], limit: 260_000, own: ["The chain is sound", "Die Kette ist heil"] },
  { entry: "portal.html", firsts: ["src/portal/frame.tsx", "src/portal/welcome.tsx"], limit: 200_000, own: ["Sign in with Microsoft", "Mit Microsoft anmelden"] },
];

// filesOf are the files that load with some chunks; later also those that they load when they are needed.
function filesOf(keys, later) {
  const files = new Set();
  const seen = new Set();
  const walk = (key) => {
    if (seen.has(key)) return;
    seen.add(key);
    const chunk = manifest[key];
    if (!chunk) throw new Error(`the build has no ${key}`);
    files.add(chunk.file);
    for (const css of chunk.css ?? []) files.add(css);
    for (const next of [...(chunk.imports ?? []), ...(later ? (chunk.dynamicImports ?? []) : [])]) walk(next);
  };
  keys.forEach(walk);
  return files;
}

let failed = false;
for (const { entry, firsts, limit } of applications) {
  for (const first of firsts) {
    const files = filesOf([entry, first], false).add(entry);
    const size = [...files].reduce((sum, file) => sum + gzipSync(readFileSync(join(dist, file)), { level: 9 }).length, 0);
    const verdict = size > limit ? "TOO LARGE" : "fits";
    console.log(`${entry}, then ${first}: first load ${(size / 1000).toFixed(1)} kB compressed in ${files.size} files, at most ${limit / 1000} kB: ${verdict}`);
    if (size > limit) failed = true;
  }
  const all = [...filesOf([entry], true)].map((file) => readFileSync(join(dist, file), "utf8"));
  for (const other of applications)
    for (const words of other.own)
      if (all.some((text) => text.includes(words)) !== (other.entry === entry)) {
        console.log(`${entry} ${other.entry === entry ? "lacks its own words" : `carries words of ${other.entry}`}: ${words}`);
        failed = true;
      }
}
process.exit(failed ? 1 : 0);
