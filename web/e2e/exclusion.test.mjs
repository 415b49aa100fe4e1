// What holds for all jobs: folders that none backs up, and what retention spares, of all organizations and of one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { consoleStage } from "./stage.mjs";

const on = consoleStage({ name: "exclusion", users: 1 });

test("exclusions are chosen for all jobs and by organization, and taken back", { timeout: 120_000 }, async () => {
  const { page } = on.b;
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Exclusions" }).click();
  const folders = page.getByRole("group", { name: "Folders of mailboxes that no job backs up" });
  await folders.getByRole("checkbox", { name: "Junk Email" }).check();
  await folders.getByRole("checkbox", { name: "Drafts" }).check();
  const forms = page.locator("main form");
  await forms.first().getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved. It takes effect with the next run of each job.").waitFor();
  const stored = await on.api.call("GET", "/v8/ExclusionSettings");
  assert.deepEqual([stored.junkEmail, stored.drafts, stored.deletedItems, stored.outbox], [true, true, false, false]);
  await on.look("exclusions");

  // Of all organizations the calendar, of this one the contacts, then as of all again.
  await page.getByRole("group", { name: "In all organizations" }).getByRole("checkbox", { name: "Calendars" }).check();
  await forms.nth(1).getByRole("button", { name: "Save" }).click();
  const row = page.getByRole("table", { name: "By organization" }).getByRole("row").nth(1);
  await row.getByText("Calendars", { exact: true }).waitFor();
  await row.getByRole("button", { name: /^Change/ }).click();
  const panel = page.getByRole("dialog");
  await panel.getByRole("checkbox", { name: "Contacts" }).check();
  await panel.getByRole("checkbox", { name: "Calendars" }).uncheck();
  await on.look("exclusions of an organization");
  await panel.getByRole("button", { name: "Save" }).click();
  await row.getByText("Contacts", { exact: true }).waitFor();
  const path = `/v8/Organizations/${on.api.organization.id}/RetentionExclusion`;
  assert.deepEqual(await on.api.call("GET", path), { contacts: true, calendar: false });
  await row.getByRole("button", { name: /^As in all organizations/ }).click();
  await row.getByText("Calendars", { exact: true }).waitFor();
  assert.deepEqual(await on.api.call("GET", path), { contacts: false, calendar: true });

  // The script is the same on the command line.
  await page.getByRole("main").getByRole("button", { name: "Script" }).click();
  await page.getByRole("dialog").getByText("holdfast exclusion folders --junk-email --deleted-items").waitFor();
  await page.keyboard.press("Escape");
  on.well();
});
