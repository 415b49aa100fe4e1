// From an empty server to the first restored mail, as an administrator does it.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { audit, open, signIn } from "./browser.mjs";
import { messages as messagesOf, startWorld } from "./world.mjs";

let world;
let b;
before(async () => {
  world = await startWorld();
  b = await open(world);
});
after(async () => {
  await b?.close();
  await world?.stop();
});

// A picture says more than a missing element.
afterEach(async (t) => {
  if (process.env.HOLDFAST_SHOTS && !t.passed) await b?.page.screenshot({ path: join(process.env.HOLDFAST_SHOTS, "failed.png") });
});

// code is what an authenticator app shows (RFC 6238) for a secret in base32.
function code(secret, time) {
  const bits = [...secret.replace(/=+$/, "").toUpperCase()].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(time / 30_000)));
  const mac = createHmac("sha1", key).update(counter).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

test("the wizard leads to the first restored mail", { timeout: 300_000 }, async () => {
  const { page, wrong } = b;
  const messages = (user) => messagesOf(world, user);
  const serious = [];
  const look = async (label) => serious.push(...(await audit(page, label)));
  const started = performance.now();

  await page.goto(`${world.url}/`);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await look("sign in");
  await signIn(page, world);
  await page.getByRole("heading", { name: "Setup", level: 1 }).waitFor();
  await look("setup");

  // The second factor: the secret goes into an app, here into code(), and the recovery codes are shown once.
  await page.getByRole("button", { name: "Set up an authenticator app" }).click();
  await page.getByRole("img", { name: /QR code/ }).waitFor();
  const secret = await page.getByRole("textbox", { name: "Secret" }).inputValue();
  await page.getByRole("textbox", { name: /^Code/ }).fill(code(secret, Date.now()));
  await look("setup: second factor");
  await page.getByRole("button", { name: "Verify" }).click();
  const recovery = page.getByRole("list", { name: "Recovery codes" }).getByRole("listitem");
  await recovery.first().waitFor();
  assert.ok((await recovery.count()) >= 8);
  await page.getByRole("button", { name: "I have kept them" }).click();

  await page.getByLabel("Folder on the server").fill(join(world.dir, "repository"));
  await look("setup: repository");
  await page.getByRole("button", { name: "Create repository" }).click();

  // It can be left and resumed: what is done is known.
  await page.getByRole("radio", { name: "There is an application already" }).waitFor();
  await page.getByRole("button", { name: "Leave for now" }).click();
  await page.getByRole("button", { name: "Continue the setup" }).click();

  await page.getByRole("radio", { name: "There is an application already" }).check();
  await page.getByRole("textbox", { name: "Organization" }).fill(world.tenant.domain);
  await page.getByLabel("Application (client) id").fill(world.tenant.applicationId);
  await page.getByLabel("With a client secret").check();
  await page.getByRole("textbox", { name: "With a client secret" }).fill(world.tenant.applicationSecret);
  await look("setup: organization");
  await page.getByRole("button", { name: "Check and connect" }).click();
  await page.getByText("Everything that is needed is granted.").waitFor();
  await look("setup: permissions");
  await page.getByRole("button", { name: "Next" }).click();

  await look("setup: job");
  await page.getByRole("button", { name: "Create job" }).click();
  await page.getByText("Last run:").waitFor({ timeout: 120_000 });
  await page.getByRole("button", { name: "Next" }).click();

  await page.getByLabel(/^Passphrase(?! again)/).fill("kit and place bring all back");
  await page.getByLabel(/^Passphrase again/).fill("kit and place bring all back");
  await look("setup: kit");
  const arriving = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download the kit" }).click();
  const kit = await (await arriving).path();
  assert.match(await readFile(kit, "latin1"), /^-----BEGIN AGE ENCRYPTED FILE-----\n/);
  assert.ok((await stat(kit)).size > 200);

  // Somebody deletes a mail, for good.
  const user = world.tenant.users[0];
  const had = await messages(user.upn);
  const lost = had.find((m) => m.subject) ?? had[0];
  assert.ok(lost, "the simulated mailbox has mails");
  const deleted = await fetch(`${world.control}/mutate`, { method: "POST", body: JSON.stringify({ op: "deleteMessage", user: user.upn, id: lost.id }) });
  assert.equal(deleted.status, 200, await deleted.text());
  assert.equal((await messages(user.upn)).length, had.length - 1);

  await page.getByRole("button", { name: "Explore the backup" }).click();
  await page.getByRole("heading", { name: "Explore and restore" }).waitFor();
  await look("explore");
  await page.getByRole("button", { name: "Explore", exact: true }).click();
  await page.getByRole("treeitem").first().waitFor();
  await page.getByTitle(user.upn).click();
  await page.getByRole("searchbox", { name: /Search in/ }).fill(`subject:"${lost.subject}"`);
  await page.keyboard.press("Enter");
  const row = page.getByRole("row").filter({ hasText: lost.subject }).first();
  await row.click();
  await page.getByRole("region", { name: "Preview" }).getByRole("heading", { name: lost.subject }).waitFor();
  await look("explorer");
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByRole("dialog").getByText("Where it was").waitFor();
  await look("restore dialog");
  await page.getByRole("dialog").getByRole("button", { name: "Restore", exact: true }).click();
  const results = page.getByRole("dialog", { name: "Results" });
  await results.getByRole("row").filter({ hasText: "Success" }).first().waitFor({ timeout: 60_000 });
  await look("results");

  const now = await messages(user.upn);
  assert.equal(now.length, had.length, "the mail is back");
  assert.ok(now.some((m) => m.subject === lost.subject), "it is the one that was lost");
  const seconds = (performance.now() - started) / 1000;
  console.log(`# from the sign-in to the restored mail: ${seconds.toFixed(1)} s`);
  assert.ok(seconds < 300, `it took ${seconds} s`);
  // The second sign-in asks for the code of a later step: each code is good once.
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).first().click();
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.deepEqual(wrong, []);
  assert.deepEqual(serious, []);
  await signIn(page, world);
  await page.getByRole("heading", { name: "Enter the code" }).waitFor();
  await look("sign in: code");
  await page.getByRole("textbox", { name: /^Code/ }).fill(code(secret, Date.now() + 30_000));
  await page.getByRole("button", { name: "Verify" }).click();
  await page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
  await page.getByRole("img", { name: /1 day backed up/ }).first().waitFor();
  await look("home");
  assert.deepEqual(serious, []);
  // What is refused is an error on the console by the browser's own doing: the answer that asks for the code, and nothing else.
  assert.deepEqual(wrong.filter((w) => !w.includes("status of 401")), []);
});
