// All pictures of the front end, one script after the other: npm run pictures -- DIR [theme…]. One that fails keeps the others from nothing.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

let failed = false;
for (const script of ["shots", "shots_first", "shots_dialogs", "shots_portal"]) {
  const { status } = spawnSync(process.execPath, [fileURLToPath(new URL(`${script}.mjs`, import.meta.url)), ...process.argv.slice(2)], { stdio: "inherit" });
  if (status !== 0) failed = true;
}
process.exit(failed ? 1 : 0);
