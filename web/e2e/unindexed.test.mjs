// What a search says while the index lacks something: the index was deleted, and what it is made from can't be read for now.
import assert from "node:assert/strict";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { audit, open, signIn } from "./browser.mjs";
import { backUp, messages, openPortal, startWorld } from "./world.mjs";

const phone = { width: 390, height: 844 };

let world;
let api;
const place = () => [join(world.dir, "repository"), join(world.dir, "repository that is away")];
before(async () => {
  world = await startWorld({ users: 2 });
  api = await backUp(world);
  await openPortal(world, api);
  await api.indexed();
  const [here, away] = place();
  await world.restart(async () => {
    await rm(join(world.dir, "data", "search"), { recursive: true });
    await rename(here, away);
  });
  // The indexer has tried, and failed with each mailbox and OneDrive.
  await api.until("the try", async () => {
    const all = await api.call("GET", "/holdfast/v1/Search/Status");
    return all.length === 1 && !all[0].working && all[0].notIndexed.length === 4 && all[0].notIndexed.every((n) => n.problem);
  });
});
after(async () => {
  await api?.close();
  await world?.stop();
});

test("a search of the console and of the portal says what is not indexed yet, until it is", { timeout: 240_000 }, async () => {
  const [user] = world.tenant.users;
  const had = await messages(world, user.upn);
  const { subject } = had.find((m) => /^\w+( \w+){1,4}$/.test(m.subject) && had.filter((o) => o.subject === m.subject).length === 1);
  const console = await open(world);
  const portal = await open(world, { viewport: phone });
  try {
    const serious = [];
    const look = async (page, label) => serious.push(...(await audit(page, label)));

    // An administrator is told of each, since when, and why.
    await signIn(console.page, world);
    await console.page.getByRole("link", { name: "Search" }).click();
    const box = console.page.getByRole("searchbox", { name: "Search everything" });
    await box.fill(`subject:"${subject}"`);
    await box.press("Enter");
    const told = console.page.getByText(/^4 mailboxes, drives, sites, teams or chats have restore points that are not indexed yet/);
    await told.waitFor();
    const about = console.page.getByText(/\(mailbox, since .* \d{4}, [\d:]+\).*\(OneDrive, since .*\): .*repository is missing/);
    await about.waitFor();
    assert.equal((await about.innerText()).match(/repository is missing/g).length, 1, "what keeps all of them is said once");
    await console.page.getByText("Nothing found.").waitFor();
    await console.page.getByText("The index is not complete yet: search again later.").waitFor();
    await look(console.page, "console");

    // Somebody in the portal, that something may be missing.
    await portal.page.goto(`${world.url}/portal`);
    await portal.page.getByRole("link", { name: "Sign in with Microsoft" }).click();
    await portal.page.getByLabel("User").fill(user.upn);
    await portal.page.getByLabel("Password").fill(user.password);
    await portal.page.getByRole("button", { name: "Sign in" }).click();
    const words = portal.page.getByRole("searchbox", { name: /A word of subject/ });
    await words.fill(subject);
    await portal.page.keyboard.press("Enter");
    const missing = portal.page.getByText("Some of the newest backups can't be searched yet.");
    await missing.waitFor();
    await portal.page.getByText("Nothing found.").waitFor();
    await look(portal.page, "portal");
    const [here, away] = place();
    await rename(away, here);

    // It is there again: the notices go, and what was missing is found.
    await api.call("POST", `/v8/Jobs/${api.job.id}/start`, {}); // its end wakes the indexer
    await api.idle();
    await api.indexed();
    await console.page.reload();
    await console.page.getByRole("grid", { name: "Results" }).getByRole("row").filter({ hasText: subject }).first().waitFor();
    assert.equal(await told.count(), 0);
    await portal.page.reload();
    await portal.page.getByRole("grid", { name: "What was found" }).getByRole("row").filter({ hasText: subject }).first().waitFor();
    assert.equal(await missing.count(), 0);
    assert.deepEqual(console.wrong, []);
    assert.deepEqual(portal.wrong, []);
    assert.deepEqual(serious, []);
  } catch (cause) {
    if (process.env.HOLDFAST_SHOTS) for (const [name, b] of Object.entries({ console, portal })) await b.page.screenshot({ path: join(process.env.HOLDFAST_SHOTS, `failed-unindexed-${name}.png`) });
    throw cause;
  } finally {
    await console.close();
    await portal.close();
  }
});
