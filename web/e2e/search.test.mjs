// Search over everything, the basket over users and kinds, its dry run and its restore, as an administrator uses them.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { consoleStage } from "./stage.mjs";
import { messages, mutate } from "./world.mjs";

const on = consoleStage({ name: "search", users: 4, backedUp: 3, prepare: ({ api }) => api.indexed() });

const box = () => on.b.page.getByRole("searchbox", { name: "Search everything" });
const find = async (words) => {
  await box().fill(words);
  await box().press("Enter");
};
const grid = () => on.b.page.getByRole("grid", { name: "Results" });

test("everything is found by words, with who, where and from when to when", { timeout: 120_000 }, async () => {
  const { page } = on.b;
  await page.getByRole("link", { name: "Search" }).click();
  await page.getByText("Search over every mailbox").waitFor();
  await on.look("search: empty");
  const all = await on.api.call("POST", "/holdfast/v1/Search", { query: "", limit: 500 });
  const mail = all.results.find((r) => r.kind === "mail" && /^\w{6,}/.test(r.name));
  const word = mail.name.match(/^\w+/)[0];
  const want = await on.api.call("POST", "/holdfast/v1/Search", { query: `subject:${word}` });
  assert.ok(want.total.exact && want.total.value > 0);
  await find(`subject:${word}`);
  await grid().waitFor();
  assert.equal(await grid().getAttribute("aria-rowcount"), String(want.total.value));
  const row = grid().getByRole("row").filter({ hasText: mail.name }).filter({ hasText: mail.container.name }).first();
  await row.click();
  const preview = page.getByRole("region", { name: "Preview" });
  await preview.getByRole("heading", { name: mail.name }).waitFor();
  // The folder is told as people know it, below the mailbox, and each heading stands where its column does.
  assert.ok(mail.folder.startsWith("Top of Information Store/"), mail.folder);
  await preview.getByText(mail.folder.replace("Top of Information Store/", ""), { exact: true }).first().waitFor();
  assert.equal(await preview.getByText("Top of Information Store").count(), 0);
  const [heads, cells] = await grid().evaluate((g) => [g.previousElementSibling, g.querySelector("[role=row]")].map((line) => [...line.children].slice(1).map((cell) => Math.round(cell.getBoundingClientRect().left))));
  assert.ok(heads.length > 4);
  assert.deepEqual(heads, cells);
  await preview.locator("iframe").waitFor(); // the contents came from a restore point that has it
  await on.look("search: results");

  // The whole of it: every item of every user, drives too.
  await find("");
  await page.waitForFunction((n) => document.querySelector('[role="grid"]')?.getAttribute("aria-rowcount") === n, String(all.total.value));
  await page.getByRole("combobox", { name: "Kind" }).selectOption("file");
  const files = await on.api.call("POST", "/holdfast/v1/Search", { query: "", kinds: ["file"] });
  await page.waitForFunction((n) => document.querySelector('[role="grid"]')?.getAttribute("aria-rowcount") === n, String(files.total.value));
  assert.ok(files.total.value < all.total.value);
  // The browser's own button leads back to the search before.
  await page.goBack();
  await page.waitForFunction((n) => document.querySelector('[role="grid"]')?.getAttribute("aria-rowcount") === n, String(all.total.value));
});

test("all that is found goes out as CSV and as lines of JSON", { timeout: 60_000 }, async () => {
  const { page } = on.b;
  await find("kind:file");
  await grid().waitFor();
  const count = Number(await grid().getAttribute("aria-rowcount"));
  for (const [item, name, rows] of [["As CSV", /\.csv$/, (text) => text.trim().split("\r\n").length - 1], ["As lines of JSON", /\.jsonl$/, (text) => text.trim().split("\n").map((line) => JSON.parse(line)).length]]) {
    const arriving = page.waitForEvent("download");
    await on.command("Export").click();
    await page.getByRole("menuitem", { name: new RegExp(item) }).click();
    const file = await arriving;
    assert.match(file.suggestedFilename(), name);
    assert.equal(rows(await readFile(await file.path(), "utf8")), count);
  }
});

test("an error of the grammar is shown where it is", { timeout: 60_000 }, async () => {
  const { page } = on.b;
  const was = on.b.wrong.length;
  await find("größe subjcet:plan");
  await page.getByRole("alert").getByText("did you mean subject?").waitFor();
  assert.equal(await page.locator("mark").textContent(), "subjcet:plan");
  const selected = await box().evaluate((el) => el.value.slice(el.selectionStart, el.selectionEnd));
  assert.equal(selected, "subjcet:plan");
  await on.look("search: error");
  // The answer 400 is an error on the console by the browser's own doing.
  assert.deepEqual(on.b.wrong.splice(was).filter((w) => !w.includes("status of 400")), []);
});

test("every example of the help can be searched", { timeout: 60_000 }, async () => {
  const { page } = on.b;
  await page.getByRole("button", { name: "How to search" }).click();
  const help = page.getByRole("region", { name: "How to search" });
  await help.getByRole("button").first().waitFor();
  await on.look("search: help");
  const examples = await help.getByRole("button").allTextContents();
  assert.ok(examples.length >= 15);
  for (const query of examples) await on.api.call("POST", "/holdfast/v1/Search", { query });
  await help.getByRole("button", { name: '"budget plan"', exact: true }).click();
  assert.equal(await box().inputValue(), '"budget plan"');
  await page.getByRole("button", { name: "How to search" }).click();
});

test("a search is saved, made again and forgotten", { timeout: 60_000 }, async () => {
  const { page } = on.b;
  await find("kind:mail size:>1KB");
  await grid().waitFor();
  const rows = await grid().getAttribute("aria-rowcount");
  await on.command("Save search").click();
  await page.getByRole("dialog").getByRole("textbox", { name: "Name" }).fill("Long mails");
  await on.look("search: save");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  const kept = await on.api.call("GET", "/holdfast/v1/searches");
  assert.deepEqual(kept.results.map((r) => [r.name, r.query]), [["Long mails", "kind:mail size:>1KB"]]);
  await find("nothing-that-anybody-wrote");
  await page.getByText("Nothing found.").waitFor();
  await on.command("Saved searches").click();
  await on.look("search: saved");
  await page.getByRole("dialog").getByRole("button", { name: "Long mails", exact: true }).click();
  await grid().waitFor();
  assert.equal(await grid().getAttribute("aria-rowcount"), rows);
  await on.command("Saved searches").click();
  await page.getByRole("button", { name: "Delete the saved search Long mails" }).click();
  await page.getByText("No saved searches").waitFor();
  assert.deepEqual((await on.api.call("GET", "/holdfast/v1/searches")).results, []);
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
});

test("a mail that somebody deleted is found and given back", { timeout: 120_000 }, async () => {
  const { page } = on.b;
  const user = on.world.tenant.users[0];
  const had = await messages(on.world, user.upn);
  const lost = had.find((m) => /^\w{5,}/.test(m.subject ?? ""));
  await mutate(on.world, { op: "deleteMessage", user: user.upn, id: lost.id });
  await find(`subject:"${lost.subject}" mailbox:${user.upn}`);
  await grid().getByRole("row").first().click();
  await on.command("Restore").click();
  await page.getByRole("dialog").getByText("Where it was").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByRole("dialog", { name: "Results" }).getByRole("row").filter({ hasText: "Success" }).first().waitFor({ timeout: 60_000 });
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).first().click();
  assert.equal((await messages(on.world, user.upn)).filter((m) => m.subject === lost.subject).length, had.filter((m) => m.subject === lost.subject).length);
});

test("a basket over users and kinds is planned and restored as one", { timeout: 180_000 }, async () => {
  const { page } = on.b;
  // Mails of two users and a file of a third, deleted by somebody.
  const hits = [];
  for (const [i, kind] of ["mail", "mail", "file"].entries()) {
    const user = on.world.tenant.users[i];
    const found = await on.api.call("POST", "/holdfast/v1/Search", { query: `mailbox:${user.upn}`, kinds: [kind], limit: 100 });
    const hit = found.results.find((r) => /^[\w ]{5,}/.test(r.name) && (kind === "file" || r.folder.endsWith("/Inbox")));
    hits.push({ ...hit, user });
    if (kind === "mail") {
      const there = (await messages(on.world, user.upn)).find((m) => m.subject === hit.name);
      await mutate(on.world, { op: "deleteMessage", user: user.upn, id: there.id });
    } else await mutate(on.world, { op: "deleteFile", user: user.upn, path: `${hit.folder.replace(/^root\/?/, "")}/${hit.name}` });
    await find(`subject:"${hit.name}" mailbox:${user.upn} kind:${kind}`);
    await grid().getByRole("row").filter({ hasText: hit.name }).first().click();
    await on.command("Into the basket").click();
    await page.getByText("1 in the basket").waitFor();
  }
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Basket" }).click();
  const table = page.getByRole("table", { name: "Basket" });
  await table.getByRole("row").nth(3).waitFor();
  await page.getByText("3 items of 3 users").waitFor();
  await on.look("basket");

  await on.command("Restore").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Dry run" }).click();
  await dialog.getByText("Nothing was changed.").waitFor({ timeout: 60_000 });
  await dialog.getByText("3 created, 0 replaced, 0 there already, 0 skipped").waitFor();
  await on.look("basket: dry run");
  const deleted = await messages(on.world, hits[0].user.upn);
  assert.ok(!deleted.some((m) => m.subject === hits[0].name), "the dry run changed something");
  await dialog.getByRole("textbox", { name: "Reason" }).fill("somebody deleted it");
  await dialog.getByRole("button", { name: "Restore", exact: true }).click();
  const results = page.getByRole("dialog", { name: "Results" });
  await results.getByText("3 restored or there already, 0 skipped, 0 failed.").waitFor({ timeout: 60_000 });
  for (const h of hits) await results.getByRole("row").filter({ hasText: h.name }).filter({ hasText: "Success" }).first().waitFor();
  await on.look("basket: results");
  for (const h of hits.slice(0, 2)) assert.ok((await messages(on.world, h.user.upn)).some((m) => m.subject === h.name), `${h.name} is back`);
  await results.getByRole("button", { name: "Close" }).first().click();

  // What is there again and equal is left alone: no second copies.
  await on.command("Restore").click();
  await dialog.getByRole("button", { name: "Dry run" }).click();
  await dialog.getByText("0 created, 0 replaced, 3 there already, 0 skipped").waitFor({ timeout: 60_000 });

  // To another user, into a folder.
  await dialog.getByLabel("To another user or folder").check();
  await dialog.getByRole("textbox", { name: "User" }).fill(on.world.tenant.users[3].upn);
  await dialog.getByRole("textbox", { name: "Folder" }).fill("From the basket");
  await dialog.getByRole("button", { name: "Dry run" }).click();
  await dialog.getByText("3 created").waitFor({ timeout: 60_000 });
  await dialog.getByRole("button", { name: "Restore", exact: true }).click();
  await results.getByText("3 restored or there already").waitFor({ timeout: 60_000 });
  assert.equal((await messages(on.world, on.world.tenant.users[3].upn)).filter((m) => hits.some((h) => h.name === m.subject)).length, 2);
  await results.getByRole("button", { name: "Close" }).first().click();

  // Downloaded, emptied, deleted.
  const arriving = page.waitForEvent("download");
  await on.command("Download").click();
  assert.match((await arriving).suggestedFilename(), /\.zip$/);
  await table.getByRole("checkbox").first().check();
  await on.command("Take out").click();
  await page.getByText("The basket is empty").waitFor();
  await on.command("Delete basket").click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete basket" }).click();
  await page.getByRole("combobox", { name: "Basket" }).waitFor({ state: "detached" });
  assert.deepEqual((await on.api.call("GET", "/holdfast/v1/Baskets")).results, []);
  await on.look("basket: empty");
});

test("what was found is opened in the explorer, and goes into the basket from there", { timeout: 60_000 }, async () => {
  const { page } = on.b;
  const found = await on.api.call("POST", "/holdfast/v1/Search", { query: "kind:file", limit: 50 });
  const hit = found.results.find((r) => r.folder.split("/").length > 1);
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Search" }).click();
  await find(`subject:"${hit.name}" kind:file mailbox:${hit.container.address}`);
  await grid().getByRole("row").filter({ hasText: hit.name }).first().click();
  await on.command("All versions").click();
  await page.getByRole("dialog").getByRole("table", { name: "Versions over all restore points" }).getByRole("row").nth(1).waitFor();
  await on.look("search: versions");
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  await on.command("Open in explorer").click();
  await page.getByRole("heading", { level: 1, name: /OneDrive files of/ }).waitFor();
  await page.getByRole("region", { name: "Preview" }).getByRole("heading", { name: hit.name, exact: true }).waitFor();
  await page.getByText(/^As of \d/).waitFor();
  await page.getByRole("grid", { name: hit.folder.split("/").at(-1), exact: true }).getByText(hit.name, { exact: true }).waitFor();
  await on.look("explorer: from a search");
  await on.command("Into the basket").click();
  await page.getByText("1 in the basket “Basket”.").waitFor();
  const [basket] = (await on.api.call("GET", "/holdfast/v1/Baskets")).results;
  const items = await on.api.call("GET", `/holdfast/v1/Baskets/${basket.id}/Items`);
  assert.deepEqual(items.results.map((r) => r.itemId), [hit.id]);
  await on.api.call("DELETE", `/holdfast/v1/Baskets/${basket.id}`);
});

test("nothing went wrong on the way", () => on.well());
