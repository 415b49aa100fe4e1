// An empty server leads to the setup, but never away from a page that was chosen meanwhile.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { open, signIn } from "./browser.mjs";
import { startWorld } from "./world.mjs";

let world;
let b;
before(async () => {
  world = await startWorld({ users: 1 });
  b = await open(world);
});
after(async () => {
  await b?.close();
  await world?.stop();
});

const gate = () => {
  let release;
  const opened = new Promise((resolve) => (release = resolve));
  return { opened, release };
};

test("who goes elsewhere is not brought to the setup", { timeout: 60_000 }, async () => {
  const { page, context, wrong } = b;
  await signIn(page, world);
  await page.waitForURL("**/#/setup"); // an empty server leads there
  const overview = gate();
  const script = gate();
  let held = false;
  await context.route(/\/Overview$/, async (route) => {
    await overview.opened;
    await route.continue();
  });
  await context.route(/\/assets\/.*\.js$/, async (route) => {
    if (held) await script.opened;
    await route.continue();
  });
  // A new document: in the old one home knows already that the server is empty, and leads away at once.
  await page.goto(`${world.url}/?again#/`);
  const navigation = page.getByRole("navigation");
  await navigation.getByRole("link", { name: "Home" }).waitFor();
  await page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
  // The other page is still being loaded when home hears that the server is empty.
  held = true;
  await navigation.getByRole("link", { name: "Backup jobs" }).click();
  await page.waitForURL(/#\/jobs$/);
  const heard = page.waitForResponse(/\/Overview$/);
  overview.release();
  await (await heard).finished();
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve)))));
  script.release();
  await page.getByRole("heading", { name: "Backup jobs", level: 1 }).waitFor();
  assert.ok(page.url().endsWith("#/jobs"), page.url());
  assert.deepEqual(wrong, []);
});
