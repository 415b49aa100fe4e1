// The explorer over time: another restore point, what was deleted, all versions, and what differs from another point or from Microsoft 365 now.
import assert from "node:assert/strict";
import { test } from "node:test";
import { consoleStage } from "./stage.mjs";
import { fault, messages, mutate } from "./world.mjs";

let user;
let lost; // was in the first restore point only
let kept;
const plain = (m) => /^\w[\w ]{4,}$/.test(m.subject ?? "");
const on = consoleStage({
  name: "explorer", users: 2,
  prepare: async ({ world, api }) => {
    user = world.tenant.users[0];
    const seen = new Map();
    for (const m of await messages(world, user.upn)) seen.set(m.subject, (seen.get(m.subject) ?? 0) + 1);
    [lost, kept] = (await messages(world, user.upn)).filter((m) => plain(m) && seen.get(m.subject) === 1);
    await mutate(world, { op: "deleteMessage", user: user.upn, id: lost.id });
    const churned = await fetch(`${world.control}/churn`, { method: "POST", body: JSON.stringify({ seed: 7, driveChanges: 40 }) });
    assert.equal(churned.status, 200, await churned.text());
    await api.call("POST", `/v8/Jobs/${api.job.id}/start`);
    await api.idle();
  },
});

const search = async (words) => {
  await on.b.page.getByRole("searchbox", { name: /Search in/ }).fill(words);
  await on.b.page.keyboard.press("Enter");
};
const explore = async (kind) => {
  await on.b.page.goto(`${on.world.url}/#/explore`);
  await on.b.page.getByRole("radio", { name: kind }).check();
  await on.b.page.getByRole("button", { name: "Explore", exact: true }).click();
  await on.b.page.getByTitle(user.upn).click();
};

test("what was deleted only is listed and can be seen and restored", { timeout: 120_000 }, async () => {
  const { page } = on.b;
  await explore("Mail");
  await search(`subject:"${lost.subject}"`);
  await page.getByText("Nothing found.").waitFor(); // the newest restore point has it not
  await on.command("Only what was deleted").click();
  const row = page.getByRole("grid").getByRole("row").filter({ hasText: lost.subject });
  await row.first().waitFor();
  assert.equal(await page.getByRole("grid").getAttribute("aria-rowcount"), "1");
  await row.first().click();
  await page.getByRole("region", { name: "Preview" }).locator("iframe").waitFor();
  await on.look("explorer: deleted only");
  await on.command("Restore").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Dry run" }).click();
  await dialog.getByText("1 created, 0 replaced, 0 there already, 0 skipped").waitFor({ timeout: 60_000 });
  await dialog.getByRole("row").filter({ hasText: lost.subject }).waitFor();
  await on.look("explorer: dry run");
  assert.ok(!(await messages(on.world, user.upn)).some((m) => m.subject === lost.subject), "the dry run changed something");
  await dialog.getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByRole("dialog", { name: "Results" }).getByRole("row").filter({ hasText: "Success" }).first().waitFor({ timeout: 60_000 });
  assert.ok((await messages(on.world, user.upn)).some((m) => m.subject === lost.subject), "the mail is back");
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).first().click();
  await on.command("Only what was deleted").click();
  await page.waitForFunction(() => Number(document.querySelector('[role="grid"]')?.getAttribute("aria-rowcount") ?? 0) !== 1 || document.body.textContent.includes("Choose a folder"));
});

test("another time is opened at the same place", { timeout: 60_000 }, async () => {
  const { page } = on.b;
  await explore("Mail");
  await page.getByText("As of the newest").waitFor();
  await on.command("Other time").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: /2 restore points/ }).click();
  const times = dialog.getByRole("radio");
  await times.nth(2).check(); // newest first: the last is the first restore point
  await on.look("explorer: other time");
  await dialog.getByRole("button", { name: "Explore" }).click();
  await page.getByText(/^As of \d/).waitFor();
  await search(`subject:"${lost.subject}"`);
  await page.getByRole("grid").getByRole("row").filter({ hasText: lost.subject }).first().waitFor();
});

test("what differs from Microsoft 365 now is restored", { timeout: 120_000 }, async () => {
  const { page } = on.b;
  await mutate(on.world, { op: "deleteMessage", user: user.upn, id: kept.id });
  await explore("Mail");
  await on.command("Compare").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Compare", exact: true }).click();
  const row = dialog.getByRole("row").filter({ hasText: kept.subject });
  await row.getByText("only here").waitFor({ timeout: 60_000 });
  // The mail that came back is there and was not in the newest restore point.
  await dialog.getByRole("row").filter({ hasText: lost.subject }).getByText("only there").waitFor();
  await on.look("compare: live");
  await row.getByRole("checkbox").check();
  await dialog.getByRole("button", { name: "Restore 1" }).click();
  await dialog.getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByRole("dialog", { name: "Results" }).getByRole("row").filter({ hasText: "Success" }).first().waitFor({ timeout: 60_000 });
  assert.ok((await messages(on.world, user.upn)).some((m) => m.subject === kept.subject), "the mail is back");
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).first().click();
});

test("a restore point is compared with another one", { timeout: 60_000 }, async () => {
  const { page } = on.b;
  await explore("OneDrive files");
  await on.command("Compare").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("radio", { name: "With another restore point" }).check();
  await dialog.getByRole("button", { name: /2 restore points/ }).click();
  await dialog.getByRole("radiogroup", { name: "As of when" }).getByRole("radio").nth(2).check();
  await dialog.getByRole("button", { name: "Compare", exact: true }).click();
  const points = (await on.api.call("GET", "/v8/RestorePoints")).results;
  const view = page.url().match(/explore\/([0-9a-f-]{36})/)[1];
  const drives = await on.api.call("GET", `/holdfast/v1/RestoreSessions/${view}/Containers`);
  const mine = drives.results.find((c) => c.address === user.upn);
  const want = await on.api.call("POST", "/holdfast/v1/Compare", { restoreSessionId: view, containerId: mine.id, restorePointId: points.at(-1).id });
  assert.ok(want.total > 0, "the churn changed nothing");
  await dialog.getByText(`${want.removed} only here, ${want.changed} differ, ${want.added} only there`).waitFor();
  await on.look("compare: points");
  await dialog.getByRole("button", { name: "Close" }).first().click();
});

test("a file shows all its versions over all restore points, each to be seen, saved and restored", { timeout: 90_000 }, async () => {
  const { page } = on.b;
  // A file that both restore points have, each in another version.
  const opened = await on.api.call("POST", `/v8/Organizations/${on.api.organization.id}/explore`, { type: "Veod" });
  const drive = (await on.api.call("GET", `/holdfast/v1/RestoreSessions/${opened.id}/Containers`)).results.find((c) => c.address === user.upn);
  const at = `/holdfast/v1/RestoreSessions/${opened.id}/Containers/${drive.id}/Items`;
  const files = (await on.api.call("GET", `${at}?query=${encodeURIComponent("*.txt")}&kinds=file&limit=500`)).results;
  let twice;
  for (const file of files) {
    const versions = await on.api.call("GET", `${at}/${encodeURIComponent(file.id)}/Versions`);
    if (versions.results.length === 2) {
      twice = { file, versions: versions.results };
      break;
    }
  }
  assert.ok(twice, "the churn made no second version of any file");
  await page.goto(`${on.world.url}/#/explore/${opened.id}?container=${drive.id}&item=${encodeURIComponent(twice.file.id)}`);
  await page.getByRole("region", { name: "Preview" }).getByRole("heading", { name: twice.file.name, exact: true }).waitFor();
  await on.command("All versions").click();
  const dialog = page.getByRole("dialog");
  const rows = dialog.getByRole("table", { name: "Versions over all restore points" }).getByRole("row");
  await rows.nth(2).waitFor();
  assert.equal(await rows.count(), 3); // with the head
  await dialog.getByRole("button", { name: /^Look at the version/ }).last().click();
  await dialog.getByRole("region", { name: "Preview" }).locator("iframe").waitFor();
  await on.look("history");
  const arriving = page.waitForEvent("download");
  await dialog.getByRole("button", { name: /^Download the version/ }).last().click();
  assert.equal((await arriving).suggestedFilename(), twice.file.name);
  await dialog.getByRole("button", { name: /^Restore the version/ }).last().click();
  // A dry run that takes long says so and can be stopped; it is asked again, and answered.
  await fault(on.world, { name: "throttle429", path: "GET ", times: 1, retryAfter: "8" });
  await dialog.getByRole("button", { name: "Dry run" }).click();
  const stop = dialog.getByRole("button", { name: "Stop comparing" });
  await stop.waitFor();
  await on.look("dry run that takes long");
  await stop.click();
  await stop.waitFor({ state: "detached" });
  assert.equal(await dialog.getByText("Nothing was changed.").count(), 0);
  await fault(on.world);
  await dialog.getByRole("button", { name: "Dry run" }).click();
  await dialog.getByText("Nothing was changed.").waitFor({ timeout: 60_000 });
  await dialog.getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByRole("dialog", { name: "Results" }).getByRole("row").filter({ hasText: "Success" }).first().waitFor({ timeout: 60_000 });
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).first().click();
});

test("nothing went wrong on the way", () => on.well());
