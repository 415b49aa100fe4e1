// The Restore Portal on a phone, as the people of the simulated organization use it.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { audit, open } from "./browser.mjs";
import { backUp, mutate, openPortal, startWorld } from "./world.mjs";

const phone = { width: 390, height: 844 };

let world;
let api;
let b;
before(async () => {
  world = await startWorld({ users: 4 });
  api = await backUp(world);
});
after(async () => {
  await api?.close();
  await world?.stop();
});
afterEach(async (t) => {
  if (process.env.HOLDFAST_SHOTS && !t.passed) await b?.page.screenshot({ path: join(process.env.HOLDFAST_SHOTS, "failed.png") });
  await b?.close();
  b = undefined;
});

// signInAs goes through Microsoft's page, from the portal's first one.
async function signInAs(page, user, password = user.password) {
  await page.goto(`${world.url}/portal`);
  await page.getByRole("link", { name: "Sign in with Microsoft" }).click();
  await page.getByLabel("User").fill(user.upn);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

async function signOut(page) {
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
}

// messages are those that the simulated organization says a mailbox has.
async function messages(user) {
  const answer = await fetch(`${world.control}/oracle/mailboxes/${user.upn}`);
  assert.equal(answer.status, 200);
  return (await answer.text()).split("\n").filter(Boolean).map((line) => JSON.parse(line)).filter((row) => row.message).map((row) => row.message);
}

test("a portal that is closed says so", { timeout: 60_000 }, async () => {
  b = await open(world, { viewport: phone });
  const { page, wrong } = b;
  await page.goto(`${world.url}/portal`);
  await page.getByText("The portal is not open").waitFor();
  assert.equal(await page.getByRole("link", { name: "Sign in with Microsoft" }).count(), 0);
  const serious = await audit(page, "closed");
  // The address of the sign-in is not enough.
  await page.goto(`${world.url}/holdfast/v1/portal/sign-in`);
  await page.getByText("The portal is not open").waitFor();
  assert.deepEqual(wrong, []);
  assert.deepEqual(serious, []);
});

test("an end user restores his lost mail on a phone", { timeout: 180_000 }, async () => {
  await openPortal(world, api);
  const [user] = world.tenant.users;
  const had = await messages(user);
  const lost = had.find((m) => had.filter((o) => o.subject === m.subject).length === 1);
  await mutate(world, { op: "deleteMessage", user: user.upn, id: lost.id });
  b = await open(world, { viewport: phone });
  const { page, wrong } = b;
  const serious = [];
  const look = async (label) => serious.push(...(await audit(page, label)));

  await page.goto(`${world.url}/portal`);
  await page.getByRole("link", { name: "Sign in with Microsoft" }).waitFor();
  await look("welcome");
  await signInAs(page, user);
  await page.getByRole("heading", { name: "Restore", level: 1 }).waitFor();
  await page.getByText(user.upn).waitFor();
  assert.equal(await page.getByRole("link", { name: "Choose a person" }).count(), 0, "an end user chooses nobody");
  assert.ok(page.url().endsWith("/portal") || page.url().endsWith("/portal#/"), page.url());
  await look("home");

  await page.getByRole("button", { name: "Mail" }).click();
  await page.getByRole("list", { name: "Folders" }).waitFor();
  await look("folders");
  await page.getByRole("searchbox", { name: /Search in/ }).fill(`subject:"${lost.subject}"`);
  await page.keyboard.press("Enter");
  const row = page.getByRole("row").filter({ hasText: lost.subject }).first();
  await row.waitFor();
  await look("found");
  await row.click();
  await page.getByRole("heading", { name: lost.subject }).waitFor();
  await look("preview");
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Reason").fill("I deleted it by mistake");
  await dialog.getByRole("button", { name: "What would happen?" }).click();
  await dialog.getByText("To be expected: restored: 1.").waitFor();
  await look("restore");
  await dialog.getByRole("button", { name: "Restore", exact: true }).click();
  const results = page.getByRole("dialog", { name: "Results" });
  await results.getByRole("row").filter({ hasText: "Success" }).first().waitFor({ timeout: 60_000 });
  await look("results");
  assert.equal((await messages(user)).filter((m) => m.subject === lost.subject).length, 1, "the mail is back");
  await results.getByRole("button", { name: "Close" }).first().click();

  // The notice outlives a reload, and its end is remembered.
  const notice = page.getByRole("status", { name: "Notices" }).getByText(/has ended/);
  await notice.waitFor();
  await look("notice");
  await page.reload();
  await notice.waitFor();
  await page.getByRole("status", { name: "Notices" }).getByRole("link", { name: "My restores" }).click();
  const mine = page.getByRole("list", { name: "My restores" }).getByRole("listitem");
  await mine.first().waitFor();
  assert.equal(await mine.count(), 1);
  assert.match(await mine.first().innerText(), /I deleted it by mistake/);
  await look("restores");
  await page.getByRole("button", { name: "Dismiss" }).click();
  await notice.waitFor({ state: "detached" });
  await page.reload();
  await mine.first().waitFor();
  assert.equal(await notice.count(), 0);

  await signOut(page);
  await page.getByText("You are signed out.").waitFor();
  await look("signed out");
  assert.deepEqual(wrong, []);
  assert.deepEqual(serious, []);
});
