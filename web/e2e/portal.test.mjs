// The Restore Portal on a phone, as the people of the simulated organization use it.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { audit, open } from "./browser.mjs";
import { backUp, fault, files, messages, mutate, openPortal, startWorld } from "./world.mjs";

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

// linesOf are the lines that an element's text takes when there is only so much room (pixels).
const linesOf = (element, room) =>
  element.evaluate((e, width) => {
    e.style.width = `${width}px`;
    const lines = [];
    let top;
    const texts = document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node; node = texts.nextNode())
      for (let i = 0; i < node.length; i++) {
        const range = document.createRange();
        range.setStart(node, i);
        range.setEnd(node, i + 1);
        const box = range.getBoundingClientRect();
        if (box.top !== top) lines.push("");
        top = box.top;
        lines[lines.length - 1] += node.data[i];
      }
    e.style.width = "";
    return lines;
  }, room);

async function signOut(page) {
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
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
  const had = await messages(world, user.upn);
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
  const lines = await linesOf(page.getByText(user.upn, { exact: true }), 130);
  assert.equal(lines.join(""), user.upn);
  assert.ok(lines.length > 1 && lines.slice(1).every((line, n) => line.startsWith(".") || lines[n].endsWith("@")), `an address breaks within a word: ${lines.join(" | ")}`);
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
  await results.getByRole("listitem").filter({ hasText: "Success" }).first().waitFor({ timeout: 60_000 });
  await look("results");
  assert.equal((await messages(world, user.upn)).filter((m) => m.subject === lost.subject).length, 1, "the mail is back");
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

test("who signs out leaves a restore running and hears of its end", { timeout: 180_000 }, async () => {
  const user = world.tenant.users[1];
  const had = await messages(world, user.upn);
  const lost = had.find((m) => had.filter((o) => o.subject === m.subject).length === 1);
  await mutate(world, { op: "deleteMessage", user: user.upn, id: lost.id });
  b = await open(world, { viewport: phone });
  const { page, wrong } = b;
  await signInAs(page, user);
  await page.getByRole("button", { name: "OneDrive files" }).click();
  await page.getByRole("searchbox", { name: /Search in/ }).waitFor();
  const looking = page.url();
  await page.getByRole("link", { name: "Holdfast" }).click();
  await page.getByRole("button", { name: "Mail" }).click();
  await page.getByRole("searchbox", { name: /Search in/ }).fill(`subject:"${lost.subject}"`);
  await page.keyboard.press("Enter");
  // By the keyboard alone: to the mail, back to the list, and to it again. The focus goes along.
  const grid = page.getByRole("grid");
  const preview = page.getByRole("region", { name: "Preview" });
  await page.getByRole("row").filter({ hasText: lost.subject }).first().waitFor();
  await grid.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("Enter");
  await preview.and(page.locator(":focus")).waitFor();
  await page.goBack();
  await grid.and(page.locator(":focus")).waitFor();
  await page.keyboard.press("Enter");
  await preview.getByRole("heading", { name: lost.subject }).waitFor();
  await page.getByRole("button", { name: "Restore", exact: true }).focus();
  await page.keyboard.press("Enter");
  // Microsoft refuses to take anything for now.
  await fault(world, { name: "throttle429", user: user.upn, path: "POST ", retryAfter: "1" });
  try {
    await page.getByRole("dialog").getByRole("button", { name: "Restore", exact: true }).click();
    await page.getByRole("dialog", { name: "Results" }).getByRole("button", { name: "Close" }).first().click();
    await page.getByRole("link", { name: "My restores, 1 running" }).waitFor();
    await signOut(page);
    await page.getByRole("alertdialog").getByText(/still running and will go on/).waitFor();
    assert.deepEqual(await audit(page, "leaving"), []);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("You are signed out.").waitFor();
    assert.equal((await messages(world, user.upn)).length, had.length - 1, "the restore had not ended");
  } finally {
    await fault(world);
  }
  await api.until("the restored mail", async () => (await messages(world, user.upn)).length === had.length);

  await signInAs(page, user);
  await page.getByRole("status", { name: "Notices" }).getByText(`The restore of “${lost.subject}” has ended`).waitFor();
  // What was only looked at has ended.
  await page.goto(looking);
  await page.getByText("This session was closed").waitFor();
  assert.deepEqual(wrong, []);
});

test("an operator restores for a colleague, and an excluded one is not there", { timeout: 180_000 }, async () => {
  const [colleague, operator, excluded, gone] = world.tenant.users;
  const item = (u) => ({ type: "User", user: { id: u.id, displayName: u.upn, name: u.upn, type: "User" } });
  await api.call("POST", `/v8/Organizations/${api.organization.id}/RbacRoles`, { name: "helpdesk", roleType: "EntireOrganization", operators: [item(operator)], excludedItems: [item(excluded)] }).then((role) =>
    api.call("PUT", `/holdfast/v1/RbacRoles/${role.id}/acts`, { acts: ["read", "restore"] }));
  await mutate(world, { op: "deleteUser", user: gone.upn });
  const everybody = (await api.call("GET", "/v8/ProtectedUsers?limit=100")).results;
  const idOf = (u) => everybody.find((p) => p.msid === u.id)?.id;
  assert.ok(idOf(excluded) && idOf(colleague), JSON.stringify(everybody));
  const had = await messages(world, colleague.upn);
  const lost = had.find((m) => had.filter((o) => o.subject === m.subject).length === 1);
  await mutate(world, { op: "deleteMessage", user: colleague.upn, id: lost.id });

  b = await open(world, { viewport: phone });
  const { page, wrong } = b;
  const serious = [];
  const look = async (label) => serious.push(...(await audit(page, label)));
  await signInAs(page, operator);
  await page.getByRole("link", { name: /Choose a person/ }).click();
  const people = page.getByRole("list", { name: "People" }).getByRole("listitem");
  await people.filter({ hasText: colleague.upn }).waitFor();
  assert.equal(await people.count(), 3);
  assert.equal(await people.filter({ hasText: excluded.upn }).count(), 0, "the excluded one is not in the list");
  assert.match(await people.first().innerText(), new RegExp(`${operator.upn}`), "himself first");
  assert.match(await people.filter({ hasText: gone.upn }).innerText(), /no longer in the directory/);
  await look("people");
  await page.getByRole("searchbox", { name: "Name or address" }).fill(excluded.upn);
  await page.getByText("Nothing found.").waitFor();
  await page.getByRole("searchbox", { name: "Name or address" }).fill(colleague.upn);
  await people.filter({ hasText: operator.upn }).waitFor({ state: "detached" });
  await people.filter({ hasText: colleague.upn }).getByRole("link").click();
  await page.getByText(colleague.upn).waitFor();
  await look("colleague");

  await page.getByRole("button", { name: "Mail" }).click();
  await page.getByRole("searchbox", { name: /Search in/ }).fill(`subject:"${lost.subject}"`);
  await page.keyboard.press("Enter");
  await page.getByRole("row").filter({ hasText: lost.subject }).first().click();
  await page.getByRole("heading", { name: lost.subject }).waitFor();
  // The role lets him restore, not download.
  assert.equal(await page.getByRole("button", { name: "Download" }).count(), 0);
  await page.getByRole("button", { name: "Restore", exact: true }).and(page.locator(":not([aria-disabled=true])")).waitFor();
  // Back is the browser's: to the list, and to where he began.
  await page.goBack();
  await page.getByRole("grid").getByRole("row").first().waitFor();
  await page.getByRole("checkbox", { name: `Select ${lost.subject}` }).check({ force: true });
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByRole("dialog").getByLabel("Reason").fill("Ticket 4711");
  await page.getByRole("dialog").getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByRole("dialog", { name: "Results" }).getByRole("list").getByText("Success").first().waitFor({ timeout: 60_000 });
  assert.equal((await messages(world, colleague.upn)).length, had.length, "the mail is back");
  assert.ok((await messages(world, colleague.upn)).some((m) => m.subject === lost.subject));
  await page.getByRole("dialog", { name: "Results" }).getByRole("button", { name: "Close" }).first().click();
  await page.getByRole("link", { name: "My restores" }).first().click();
  await page.getByRole("list", { name: "My restores" }).getByRole("listitem").filter({ hasText: "Ticket 4711" }).filter({ hasText: colleague.upn }).waitFor();

  // Whoever knows the excluded one's id reaches him neither by a page nor by the API.
  await page.goto(`${world.url}/portal#/of/${idOf(excluded)}`);
  await page.getByText("There is nobody like that whose data you may see.").waitFor();
  for (const [who, status] of [[excluded, 404], [colleague, 201]]) {
    const answer = await b.context.request.post(`${world.url}/v8/Organization/OperatorExplore`, { data: { type: "Vex", scope: { type: "User", id: idOf(who) } } });
    assert.equal(answer.status(), status, `${who.upn}: ${await answer.text()}`);
  }
  assert.deepEqual(wrong, []);
  assert.deepEqual(serious, []);
});

test("what the newest backup has no more is found and restored on a desktop", { timeout: 180_000 }, async () => {
  const [user] = world.tenant.users;
  const had = await messages(world, user.upn);
  const lost = had.find((m) => had.filter((o) => o.subject === m.subject).length === 1);
  await mutate(world, { op: "deleteMessage", user: user.upn, id: lost.id });
  await api.call("POST", `/v8/Jobs/${api.job.id}/start`, {});
  await api.idle();
  b = await open(world);
  const { page, wrong } = b;
  const serious = [];
  const look = async (label) => serious.push(...(await audit(page, label)));
  await signInAs(page, user);
  await page.getByRole("button", { name: "Earlier…" }).click();
  await page.getByRole("table", { name: "Days with restore points" }).getByRole("button").first().waitFor();
  await look("calendar");
  await page.getByLabel("Also what was deleted").check();
  await page.getByRole("button", { name: "Mail" }).click();
  await page.getByRole("button", { name: "Deleted" }).click();
  const row = page.getByRole("row").filter({ hasText: lost.subject }).filter({ hasText: "deleted" });
  await row.click();
  await page.getByRole("region", { name: "Preview" }).getByRole("heading", { name: lost.subject }).waitFor();
  await look("deleted only");
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByRole("dialog", { name: "Results" }).getByRole("row").filter({ hasText: "Success" }).first().waitFor({ timeout: 60_000 });
  assert.ok((await messages(world, user.upn)).some((m) => m.subject === lost.subject), "the mail is back");
  assert.deepEqual(wrong, []);
  assert.deepEqual(serious, []);
});

// find types words on the portal's first page.
async function find(page, words) {
  const box = page.getByRole("searchbox", { name: /A word of subject/ });
  await box.fill(words);
  await page.keyboard.press("Enter");
  await page.waitForURL(/#\/find\?/);
}

test("a word finds a lost mail whatever day it vanished, on a phone", { timeout: 180_000 }, async () => {
  const [user, other] = world.tenant.users;
  const had = await messages(world, user.upn);
  const theirs = await messages(world, other.upn);
  const lost = had.find((m) => /^\w+( \w+){1,4}$/.test(m.subject) && had.filter((o) => o.subject === m.subject).length === 1);
  const foreign = theirs.find((m) => /^\w+( \w+){1,4}$/.test(m.subject) && !had.some((o) => o.subject === m.subject));
  await mutate(world, { op: "deleteMessage", user: user.upn, id: lost.id });
  await api.call("POST", `/v8/Jobs/${api.job.id}/start`, {});
  await api.idle();
  await api.indexed();
  b = await open(world, { viewport: phone });
  const { page, wrong } = b;
  const serious = [];
  const look = async (label) => serious.push(...(await audit(page, label)));
  await signInAs(page, user);
  // As it stands in a mail program: the colon would begin a field, were it a search of the console.
  await find(page, `Re: ${lost.subject}`);
  const rows = page.getByRole("grid", { name: "What was found" }).getByRole("row");
  await rows.or(page.getByText("Nothing found.")).first().waitFor();
  assert.deepEqual(wrong, [], "it is taken for words");
  await page.getByRole("link", { name: "Holdfast" }).click();
  await find(page, lost.subject);
  const row = rows.filter({ hasText: lost.subject }).filter({ hasText: "(deleted since)" });
  await row.first().waitFor();
  assert.match(await row.first().innerText(), /\d{4}/, "it says in which restore points it is");
  await look("found");
  await row.first().click();
  const preview = page.getByRole("region", { name: "Preview" });
  await preview.getByRole("heading", { name: lost.subject }).waitFor();
  await preview.getByText("Restore points").waitFor();
  await preview.locator("iframe").waitFor();
  await look("hit");
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download" }).click();
  assert.match((await saved).suggestedFilename(), /\.eml$/);
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "What would happen?" }).click();
  await dialog.getByText("To be expected: restored: 1.").waitFor();
  await dialog.getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByRole("dialog", { name: "Results" }).getByRole("listitem").filter({ hasText: "Success" }).first().waitFor({ timeout: 60_000 });
  assert.equal((await messages(world, user.upn)).filter((m) => m.subject === lost.subject).length, 1, "the mail is back");
  await page.getByRole("dialog", { name: "Results" }).getByRole("button", { name: "Close" }).first().click();
  // Back is the list, with what was typed; the folder in which it was is one step away.
  await page.goBack();
  await rows.first().waitFor();
  assert.equal(await page.getByRole("searchbox").inputValue(), lost.subject);
  await row.first().click();
  await page.getByRole("button", { name: "In its folder" }).click();
  await page.getByRole("grid").getByRole("row").first().waitFor();
  await page.getByText(/^As of/).waitFor();
  await page.goBack();
  await page.goBack();
  // What a colleague has is not found.
  await page.goto(`${world.url}/portal#/find?q=${encodeURIComponent(`subject:"${foreign.subject}"`)}`);
  await page.getByText("Nothing found.").waitFor();
  await look("nothing found");
  assert.deepEqual(wrong, []);
  assert.deepEqual(serious, []);
});

test("mails and files that are restored together have the choices of both", { timeout: 180_000 }, async () => {
  const [user] = world.tenant.users;
  const had = await messages(world, user.upn);
  const lost = had.find((m) => /^\w+( \w+){1,4}$/.test(m.subject) && had.filter((o) => o.subject === m.subject).length === 1);
  const before = await files(world, user.upn);
  await api.indexed();
  await mutate(world, { op: "deleteMessage", user: user.upn, id: lost.id });
  const churned = await fetch(`${world.control}/drives/${user.upn}/churn`, { method: "POST", body: JSON.stringify({ changes: 40, seed: 7 }) });
  assert.equal(churned.status, 200);
  const now = await files(world, user.upn);
  const nameOf = (row) => row.path.split("/").at(-1);
  const changed = before.find((row) => now.some((n) => n.id === row.id && n.path === row.path && n.quickXorHash !== row.quickXorHash && !n.malware) && before.filter((o) => nameOf(o) === nameOf(row)).length === 1);
  assert.ok(changed, "a file was edited where it is");
  b = await open(world, { viewport: phone });
  const { page, wrong } = b;
  const serious = [];
  const look = async (label) => serious.push(...(await audit(page, label)));
  await signInAs(page, user);
  await page.getByRole("searchbox", { name: /A word of subject/ }).waitFor();
  await page.goto(`${world.url}/portal#/find?q=${encodeURIComponent(`subject:"${lost.subject}" OR name:"${nameOf(changed)}"`)}`);
  const rows = page.getByRole("grid", { name: "What was found" }).getByRole("row");
  for (const name of [lost.subject, nameOf(changed)]) {
    await rows.filter({ hasText: name }).first().waitFor();
    await page.getByRole("checkbox", { name: `Select ${name}`, exact: true }).first().check({ force: true });
  }
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("1 mail and 1 file").waitFor();
  const [ofMails, ofFiles] = [dialog.getByRole("checkbox", { name: /Replace mails/ }), dialog.getByRole("checkbox", { name: /Replace files/ })];
  await ofFiles.waitFor();
  assert.equal(await ofMails.count(), 0, "a mail that is gone from where it was replaces nothing");
  for (const about of [/No mail is sent/, /kept beside the restored file/]) assert.equal(await dialog.getByText(about).count(), 1, `${about}`);
  await look("both");
  // Somewhere else there may be something of either kind.
  await dialog.getByRole("radio", { name: "Into another folder" }).check();
  await ofMails.check();
  assert.equal(await ofFiles.isChecked(), false, "each kind has a choice of its own");
  await dialog.getByRole("radio", { name: "Where it was" }).check();
  const expected = dialog.getByText(/^To be expected/);
  const ask = dialog.getByRole("button", { name: "What would happen?" });
  await ask.click();
  await expected.filter({ hasText: "To be expected: restored: 2." }).waitFor(); // the file beside the one that was changed
  await ofFiles.check();
  await expected.waitFor({ state: "detached" }); // it was for something else
  await ask.click();
  await expected.filter({ hasText: "To be expected: restored: 1 and replaced: 1." }).waitFor();
  await dialog.getByRole("button", { name: "Restore", exact: true }).click();
  const results = page.getByRole("dialog", { name: "Results" });
  for (const name of [lost.subject, nameOf(changed)]) await results.getByRole("listitem").filter({ hasText: "Success" }).filter({ hasText: name }).waitFor({ timeout: 60_000 });
  assert.equal((await messages(world, user.upn)).filter((m) => m.subject === lost.subject).length, 1, "the mail is back");
  const restored = (await files(world, user.upn)).find((row) => row.id === changed.id);
  assert.equal(restored?.quickXorHash, changed.quickXorHash, "the file is as it was");
  assert.equal((await files(world, user.upn)).length, now.length, "there is no second one");
  assert.deepEqual(wrong, []);
  assert.deepEqual(serious, []);
});

test("an operator finds what his people lost, and nothing of who is excluded", { timeout: 180_000 }, async () => {
  const [colleague, operator, excluded] = world.tenant.users; // by the role of a test above
  const everybody = (await api.call("GET", "/v8/ProtectedUsers?limit=100")).results;
  const idOf = (u) => everybody.find((p) => p.msid === u.id).id;
  const secret = (await messages(world, excluded.upn)).find((m) => /^\w+( \w+){1,4}$/.test(m.subject));
  const had = await messages(world, colleague.upn);
  const lost = had.filter((m) => /^\w+( \w+){1,4}$/.test(m.subject) && had.filter((o) => o.subject === m.subject).length === 1).slice(0, 2);
  assert.equal(lost.length, 2);
  // They are in different restore points: one is gone from the newest.
  await mutate(world, { op: "deleteMessage", user: colleague.upn, id: lost[0].id });
  await api.call("POST", `/v8/Jobs/${api.job.id}/start`, {});
  await api.idle();
  await api.indexed();
  await mutate(world, { op: "deleteMessage", user: colleague.upn, id: lost[1].id });
  b = await open(world, { viewport: phone });
  const { page, wrong } = b;
  const serious = [];
  const look = async (label) => serious.push(...(await audit(page, label)));
  await signInAs(page, operator);
  await find(page, secret.subject);
  await page.getByRole("checkbox", { name: /^Only what is / }).click();
  await page.getByText("In what everybody has whom you help.").waitFor();
  await page.getByRole("grid").or(page.getByText("Nothing found.")).first().waitFor();
  const hits = async (query, more = {}) => b.context.request.post(`${world.url}/holdfast/v1/Search`, { data: { query, limit: 500, ...more } });
  const owners = new Set((await (await hits("kind:mail")).json()).results.map((r) => r.container.address));
  assert.ok(owners.has(colleague.upn) && owners.has(operator.upn) && !owners.has(excluded.upn), [...owners].join());
  assert.equal((await hits("kind:mail", { userId: idOf(excluded) })).status(), 404);
  assert.equal((await hits("kind:mail", { userId: idOf(colleague) })).status(), 200);
  await page.goto(`${world.url}/portal#/find?q=kind:mail&of=${idOf(excluded)}`);
  await page.getByText(/No backup holds anything/).waitFor();
  wrong.splice(0, wrong.length, ...wrong.filter((w) => !/status of 404/.test(w))); // the refusal that was asked for
  // Two mails of one colleague at once; the role lets him restore, not download.
  await page.goto(`${world.url}/portal#/find?q=${encodeURIComponent(lost.map((m) => `subject:"${m.subject}"`).join(" OR "))}`);
  const rows = page.getByRole("grid", { name: "What was found" }).getByRole("row");
  for (const m of lost) {
    await rows.filter({ hasText: m.subject }).first().waitFor();
    await page.getByRole("checkbox", { name: `Select ${m.subject}`, exact: true }).first().check({ force: true });
  }
  await look("everybody's");
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("2 items").waitFor();
  await dialog.getByLabel("Reason").fill("Ticket 4712");
  await dialog.getByRole("button", { name: "Restore", exact: true }).click();
  const results = page.getByRole("dialog", { name: "Results" });
  await results.getByRole("listitem").filter({ hasText: "Success" }).nth(1).waitFor({ timeout: 60_000 }); // one of each place
  await results.getByRole("button", { name: "Close" }).first().click();
  await api.until("both mails", async () => (await messages(world, colleague.upn)).length === had.length);
  await page.goto(`${world.url}/portal#/find?q=${encodeURIComponent(`subject:"${lost[0].subject}"`)}`);
  await rows.filter({ hasText: lost[0].subject }).first().click();
  await page.getByRole("button", { name: "Restore", exact: true }).and(page.locator(":not([aria-disabled=true])")).waitFor();
  assert.equal(await page.getByRole("button", { name: "Download" }).count(), 0);
  assert.deepEqual(wrong, []);
  assert.deepEqual(serious, []);
});

test("a wrong password and a change of mind leave nobody signed in", { timeout: 60_000 }, async () => {
  b = await open(world, { viewport: phone });
  const { page, wrong } = b;
  const [user] = world.tenant.users;
  await signInAs(page, user, "not the password");
  await page.getByText(/AADSTS50126/).waitFor();
  assert.equal(new URL(page.url()).host, "login.microsoftonline.com");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText(/Nobody was signed in/).waitFor();
  assert.equal(page.url(), `${world.url}/portal`);
  await page.getByRole("link", { name: "Sign in with Microsoft" }).waitFor();
  assert.deepEqual(await audit(page, "denied"), []);
  // An account of the server gets in by its own way, and has nothing of its own here.
  await page.getByRole("button", { name: "Sign in with an account of this server" }).click();
  await page.getByLabel("User name").fill(world.user);
  await page.getByLabel("Password").fill(world.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Choose a person" }).waitFor();
  assert.deepEqual(wrong, []);
});

test("the harness notices what must not happen", { timeout: 60_000 }, async () => {
  b = await open(world, { viewport: phone });
  const { page, context, wrong } = b;
  const planted = `<!doctype html><html lang="en"><title>planted</title><main><h1>planted</h1><button></button><img src="https://elsewhere.example/x.png">
    <iframe title="frame" src="https://login.microsoftonline.com/frame"></iframe><script>console.error("planted"); throw new Error("thrown");</script></main></html>`;
  await context.route(`${world.url}/planted`, (route) => route.fulfill({ contentType: "text/html", body: planted }));
  await page.goto(`${world.url}/planted`);
  const serious = (await audit(page, "planted")).join();
  for (const part of ["console error: planted", "page error: Error: thrown", "request to elsewhere.example", "request to login.microsoftonline.com"]) assert.ok(wrong.some((w) => w.includes(part)), `${part} is not among ${wrong}`);
  for (const rule of ["button-name", "image-alt"]) assert.ok(serious.includes(rule), serious);
});

test("looking at a page whose preview still loads posts nothing into it", { timeout: 60_000 }, async () => {
  b = await open(world, { viewport: phone });
  const { page, context, wrong } = b;
  const arrived = new Promise((resolve) => void context.route(`${world.url}/preview`, resolve)); // and is not answered
  await context.route(`${world.url}/page`, (route) => route.fulfill({ contentType: "text/html", body: `<!doctype html><html lang="en"><title>page</title><main><h1>page</h1><iframe sandbox title="preview" src="/preview"></iframe></main></html>` }));
  await page.goto(`${world.url}/page`, { waitUntil: "domcontentloaded" });
  const route = await arrived;
  assert.deepEqual(await audit(page, "loading"), []);
  await page.evaluate(() => document.title); // what the console says comes before this answer
  assert.deepEqual(wrong, []);
  await route.abort();
});
