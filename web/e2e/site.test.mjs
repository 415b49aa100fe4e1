// SharePoint sites in the console: tree, lists by their columns, files, pages, permissions, downloads, compare, restore; and calendars, contacts and tasks of a mailbox.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { consoleStage } from "./stage.mjs";

const on = consoleStage({ name: "site", users: 1, sites: true });

const tree = () => on.b.page.getByRole("navigation", { name: "Mailboxes, drives, sites, teams and folders" });
const node = (name) => tree().getByRole("treeitem", { name }).first();
const preview = () => on.b.page.getByRole("region", { name: "Preview" });
const rows = () => on.b.page.getByRole("grid").getByRole("row");
const search = async (words) => {
  await on.b.page.getByRole("searchbox", { name: /Search in/ }).fill(words);
  await on.b.page.keyboard.press("Enter");
};
const explore = async (kind) => {
  await on.b.page.goto(`${on.world.url}/#/explore`);
  await on.b.page.getByRole("radio", { name: kind }).check();
  await on.b.page.getByRole("button", { name: "Explore", exact: true }).click();
};
const saved = async (button) => {
  const [got] = await Promise.all([on.b.page.waitForEvent("download"), button.click()]);
  return { name: got.suggestedFilename(), body: await readFile(await got.path(), "utf8") };
};

test("a site is a tree of sites below it, lists, libraries and pages", { timeout: 120_000 }, async () => {
  await explore("SharePoint sites");
  await on.b.page.getByText("Choose something on the left.").waitFor();
  assert.equal(await preview().getByText(/^Choose/).count(), 0, "two panes ask to choose something");
  await node("Falcon").click();
  await node("Planning").waitFor(); // the site below it stands in it, not beside it
  for (const [name, top] of [["Communication site", 1], ["Falcon", 1], ["Planning", 0]]) assert.equal(await tree().getByRole("treeitem", { level: 1, name, exact: true }).count(), top, name);
  await node("Communication site").click();
  await preview().getByRole("region", { name: "Permissions" }).getByText("Communication site Owners").waitFor();
  await on.look("sites: a site");
});

test("a list shows its own columns, an item all of its values and who may see it", { timeout: 120_000 }, async () => {
  const { page } = on.b;
  await node("Incidents").click();
  await rows().first().waitFor();
  const heads = await page.getByRole("grid").evaluate((grid) => [...grid.previousElementSibling.children].map((c) => c.textContent));
  assert.ok(heads.includes("Title") && heads.length > 3, `columns: ${heads}`);
  const csv = await saved(preview().getByRole("button", { name: "Download as CSV" }));
  assert.equal(csv.name, "Incidents.csv");
  const json = JSON.parse((await saved(preview().getByRole("button", { name: "Download as JSON" }))).body);
  const total = Number(await page.getByRole("grid").getAttribute("aria-rowcount"));
  assert.ok(total > 0 && json.length === total, `${json.length} of ${total} items are in the file`);
  assert.ok(csv.body.split("\r\n").length >= total + 1);
  const attached = json.find((r) => r.attachments?.length > 0);
  assert.ok(attached, "no item of the list has an attachment");
  await search(`"${attached.name}"`);
  await rows().first().click();
  await preview().getByRole("heading", { name: attached.name }).waitFor();
  await preview().locator("dl").getByText("Title").waitFor();
  const file = await saved(preview().getByRole("link", { name: attached.attachments[0] }).first());
  assert.equal(file.name, attached.attachments[0]);
  await on.look("sites: an item of a list");
});

test("a library shows files with their versions, a page is clean HTML", { timeout: 120_000 }, async () => {
  const { page } = on.b;
  await search("");
  await node("Documents").click();
  await rows().filter({ hasText: ".txt" }).first().click();
  await preview().locator("iframe").waitFor();
  await preview().getByRole("table", { name: "Permissions" }).waitFor();
  await node("Contracts").click();
  await rows().filter({ hasText: /\.(txt|pdf|docx|xlsx|pptx|png)/ }).first().click();
  await preview().getByRole("region", { name: "Values" }).getByText("Status").waitFor(); // what the file has in the library's columns
  await on.look("sites: a file with values");
  await node("Site Pages").click();
  await rows().filter({ hasText: "Home" }).click();
  await preview().frameLocator("iframe").getByText("Welcome to Communication site").waitFor();
  await on.look("sites: a page");
  const zip = await (async () => {
    await page.getByRole("grid").focus();
    await page.keyboard.press("Control+a");
    return saved(on.command("Download"));
  })();
  assert.ok(zip.name.endsWith(".zip") && zip.body.startsWith("PK"), zip.name);
});

test("an item of a list that was lost is compared, planned and restored", { timeout: 180_000 }, async () => {
  const { page, wrong } = on.b;
  await node("Categories").click();
  await rows().filter({ hasText: "Network" }).waitFor();
  await on.command("Compare").click();
  let dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Compare", exact: true }).click();
  await dialog.getByText("Nothing differs.").waitFor({ timeout: 60_000 });
  await dialog.getByRole("button", { name: "Close" }).first().click();
  await rows().filter({ hasText: "Network" }).click();
  await on.command("Restore").click();
  dialog = page.getByRole("dialog");
  await dialog.getByRole("radio", { name: "Another site" }).check();
  await dialog.getByLabel("Address of the site").fill(`https://${on.world.tenant.domain.split(".")[0]}.sharepoint.com/sites/Falcon`);
  await dialog.getByRole("radio", { name: "All that the restore point has" }).check();
  await dialog.getByRole("checkbox", { name: "Restore permissions too" }).check();
  await dialog.getByRole("button", { name: "Dry run" }).click();
  await dialog.getByText(/\d+ created, \d+ replaced, \d+ there already, 0 skipped/).waitFor({ timeout: 60_000 });
  await on.look("sites: restore");
  await dialog.getByRole("radio", { name: "Where it was" }).check();
  await dialog.getByRole("radio", { name: /Leave it alone/ }).check();
  await dialog.getByRole("button", { name: "Restore", exact: true }).click();
  const results = page.getByRole("dialog", { name: "Results" });
  await results.getByText(/there already: 1/).waitFor({ timeout: 60_000 });
  await results.getByRole("button", { name: "Close" }).first().click();
  await on.command("Into the basket").click();
  await page.getByText(/1 in the basket/).waitFor();
  assert.deepEqual(wrong, []);
});

test("an event, a contact and a task are shown as what they are", { timeout: 120_000 }, async () => {
  const { page } = on.b;
  await explore("Mail");
  await node("Calendar").click(); // the only mailbox is open
  const { call } = on.api;
  const session = /explore\/([^?]+)/.exec(page.url())[1];
  const box = (await call("GET", `/holdfast/v1/RestoreSessions/${session}/Containers`)).results[0].id;
  const all = (await call("GET", `/holdfast/v1/RestoreSessions/${session}/Containers/${box}/Items?kinds=event,contact,task&query=*&limit=300`)).results;
  for (const item of all) item.shown = await call("GET", `/holdfast/v1/RestoreSessions/${session}/Containers/${box}/Items/${encodeURIComponent(item.id)}/Preview`);
  const show = async (wanted) => {
    const item = all.find((i) => wanted(i.shown));
    assert.ok(item, `nothing of that kind: ${wanted}`);
    await page.goto(`${on.world.url}/#/explore/${session}?container=${box}&item=${encodeURIComponent(item.id)}`);
    await page.reload();
    await preview().getByRole("heading", { name: item.name }).waitFor();
    return item.shown;
  };
  const event = (await show((s) => s.event?.recurrence?.type === "weekly" && s.event.attendees && !s.event.allDay)).event;
  await preview().getByText(/^every (week|\d+ weeks) on \w+day/).waitFor();
  await preview().getByText(event.zone ?? event.zoneName).first().waitFor();
  await preview().getByText(event.attendees[0].name).first().waitFor();
  assert.equal(await preview().getByText("Received", { exact: true }).count(), 0);
  await on.look("mailbox: an event");
  await show((s) => s.contact?.photo);
  await preview().getByRole("img", { name: /Photo of/ }).waitFor();
  assert.ok(await preview().getByRole("img", { name: /Photo of/ }).evaluate((img) => img.complete && img.naturalWidth > 0), "the photo is not shown");
  await on.look("mailbox: a contact");
  const task = (await show((s) => s.task?.steps)).task;
  const steps = preview().getByRole("listitem");
  await steps.first().waitFor();
  assert.equal(await steps.count(), task.steps.length);
  assert.equal(await preview().getByRole("img", { name: "done", exact: true }).count(), task.steps.filter((s) => s.done).length);
  await on.look("mailbox: a task");
  on.well();
});
