// Chats in the console: those of an organization with who takes part, messages, a page of them, restore of what is missing.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { consoleStage } from "./stage.mjs";
import { chatNamed, said, tell } from "./world.mjs";

const on = consoleStage({ name: "chat", users: 3, teams: true });

const tree = () => on.b.page.getByRole("navigation", { name: "Mailboxes, drives, sites, teams and folders" });
const node = (name) => tree().getByText(name, { exact: true }).first();
const preview = () => on.b.page.getByRole("region", { name: "Preview" });
const rows = () => on.b.page.getByRole("grid").getByRole("row");

test("chats are listed by topic or members, each tells what it is, who takes part and what was said", { timeout: 120_000 }, async () => {
  const { page } = on.b;
  const lunch = await chatNamed(on.world, "Lunch");
  await page.goto(`${on.world.url}/#/explore`);
  await page.getByRole("radio", { name: "Chats" }).check();
  await page.getByRole("button", { name: "Explore", exact: true }).click();
  await node("Lunch").click();
  await preview().getByText("Group chat").waitFor();
  await preview().getByRole("table", { name: "Members" }).getByText(on.world.tenant.users[0].upn).waitFor();
  await on.look("chats: a chat");
  const there = await said(on.world, lunch);
  await rows().first().waitFor();
  await rows().first().click();
  await preview().frameLocator("iframe").locator("article").first().waitFor();
  await on.look("chats: a message");
  await on.command("Download").click();
  const [got] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: "As a web page" }).click()]);
  assert.ok((await readFile(await got.path(), "utf8")).includes("<article"));
  assert.equal(Number(await page.getByRole("grid").getAttribute("aria-rowcount")) >= there.length, true);
});

test("what a chat lost comes back with author and time, after a dry run; the chat of a meeting says that it can't", { timeout: 240_000 }, async () => {
  const { page } = on.b;
  const lunch = await chatNamed(on.world, "Lunch");
  const before = await said(on.world, lunch);
  assert.ok(before.length > 0);
  await tell(on.world, "chats/empty", { chat: lunch });
  assert.equal((await said(on.world, lunch)).length, 0);
  await node("Lunch").click();
  await on.command("Restore everything").click();
  let dialog = page.getByRole("dialog");
  await dialog.getByRole("radio", { name: "Into a new group of the same people" }).check();
  await dialog.getByLabel("Topic of the new chat").fill("Lunch, as it was");
  await dialog.getByRole("radio", { name: "Into the chat itself (what is missing there)" }).check();
  await dialog.getByRole("button", { name: "Dry run" }).click();
  await dialog.getByText(/[1-9]\d* created, 0 replaced/).waitFor({ timeout: 60_000 });
  await on.look("chats: restore");
  await dialog.getByRole("button", { name: "Restore", exact: true }).click();
  const results = page.getByRole("dialog", { name: "Results" });
  await results.getByText(/restored: [1-9]/).waitFor({ timeout: 180_000 });
  await results.getByRole("button", { name: "Close" }).first().click();
  const key = (p) => `${p.author} ${p.created}`;
  const back = new Set((await said(on.world, lunch)).map(key));
  assert.ok(before.filter((p) => back.has(key(p))).length > 0, "nothing came back as it was");
  await tree().getByText(/^Meeting about/).first().click();
  await on.command("Restore everything").click();
  dialog = page.getByRole("dialog");
  await dialog.getByText(/Microsoft takes nothing of the past into the chat of a meeting/).waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  on.well();
});
