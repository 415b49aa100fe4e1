// Teams in the console: tree of teams and channels, posts with their replies, files, tabs, members; downloads, search, compare, restore.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { consoleStage } from "./stage.mjs";
import { posts, tell } from "./world.mjs";

const on = consoleStage({ name: "team", users: 3, teams: true });

const tree = () => on.b.page.getByRole("navigation", { name: "Mailboxes, drives, sites, teams and folders" });
const node = (name) => tree().getByText(name, { exact: true }).first(); // an open item has what is in it, too
const preview = () => on.b.page.getByRole("region", { name: "Preview" });
const rows = () => on.b.page.getByRole("grid").getByRole("row");
const search = async (words) => {
  await on.b.page.getByRole("searchbox", { name: /Search in/ }).fill(words);
  await on.b.page.keyboard.press("Enter");
};
const saved = async (click) => {
  const [got] = await Promise.all([on.b.page.waitForEvent("download"), click()]);
  return { name: got.suggestedFilename(), body: await readFile(await got.path(), "utf8") };
};
// words are how a post begins.
const words = (p) => p.body.replace(/<[^>]*>/g, " ").trim().split(/\s+/).slice(0, 3).join(" ");
const download = async (how) => {
  await on.command("Download").click();
  return saved(() => on.b.page.getByRole("menuitem", { name: how }).click());
};

test("a team is a tree of its channels, which tells what it is and who is in it", { timeout: 120_000 }, async () => {
  const { page } = on.b;
  await page.goto(`${on.world.url}/#/explore`);
  await page.getByRole("radio", { name: "Teams" }).check();
  await page.getByRole("button", { name: "Explore", exact: true }).click();
  await node("Apollo").click();
  await preview().getByText("All about Apollo").waitFor();
  const members = preview().getByRole("table", { name: "Members" });
  await members.getByText("Owner", { exact: true }).first().waitFor();
  await members.getByText(on.world.tenant.users[0].upn).waitFor();
  for (const [name, kind] of [["Planning", "Standard channel"], ["Releases", "Shared channel"], ["Ünïcödé and more", "Private channel"]]) {
    await node(name).click();
    await preview().getByText(kind, { exact: true }).waitFor();
  }
  await on.look("teams: a channel");
});

test("a channel lists its posts, each of which is shown with its replies, cleaned", { timeout: 120_000 }, async () => {
  const { page } = on.b;
  await node("General").click();
  await rows().first().waitFor();
  const there = await posts(on.world, "Apollo", "General");
  const said = there.filter((p) => !p.replyTo);
  const answered = there.find((p) => p.replyTo && said.some((q) => q.created === p.replyTo && q.subject));
  const post = said.find((q) => q.created === answered.replyTo);
  await rows().filter({ hasText: post.subject }).first().click();
  await preview().getByRole("heading", { name: post.subject }).waitFor();
  const thread = preview().frameLocator("iframe");
  await thread.locator("article.reply").getByText(words(answered)).waitFor();
  assert.equal(await thread.locator("article").count(), 1 + there.filter((p) => p.replyTo === post.created).length);
  assert.equal(await thread.locator("script").count(), 0);
  await on.look("teams: a post");
  const html = await download("As a web page");
  assert.ok(html.name.endsWith(".html") && html.body.includes(post.subject) && html.body.includes(words(answered)), html.name);
  const stored = JSON.parse((await download("As it is stored")).body);
  assert.equal(stored.subject, post.subject);
  await on.command("Into the basket").click();
  await page.getByText(/1 in the basket/).waitFor();
  // A reply is found by a search in its channel, and shown in its thread.
  await search(`"${words(answered)}"`);
  await rows().filter({ hasText: `↳ ${words(answered)}` }).first().click();
  await preview().getByText("a reply, shown in its thread").waitFor();
  await preview().frameLocator("iframe").locator("article.here").getByText(words(answered)).waitFor();
  await search("");
});

test("a channel's files and tabs are in it", { timeout: 120_000 }, async () => {
  await node("Tabs").click();
  await rows().filter({ hasText: "Handbook" }).click();
  await preview().getByText("https://example.com/handbook/0").waitFor();
  await on.look("teams: a tab");
  await tree().getByRole("treeitem", { name: "Files", exact: true, level: 3 }).first().waitFor(); // the channel's, which are none
  await tree().getByRole("treeitem", { name: "Files", exact: true, level: 2 }).click(); // it is not open yet
  await rows().first().waitFor();
  const name = await rows().first().getByRole("gridcell").nth(1).textContent();
  await rows().first().click();
  await preview().getByRole("heading", { name }).waitFor();
  const file = await download("As it is stored");
  assert.equal(file.name, name.replace(/%/g, "_25")); // of the server's percent sign for what a file's name can't have Chromium makes an underscore
  await on.look("teams: files");
});

test("posts that are lost come back to their channel, and a dry run says so before", { timeout: 240_000 }, async () => {
  const { page } = on.b;
  const before = await posts(on.world, "Apollo", "Planning");
  assert.ok(before.length > 1);
  await tell(on.world, "teams/churn", { team: "Apollo", changes: 6, seed: 7 });
  await node("Apollo").click();
  await on.command("Compare").click();
  let dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Compare", exact: true }).click();
  await dialog.getByText(/, [1-9]\d* only there/).waitFor({ timeout: 60_000 });
  await on.look("teams: differences");
  await dialog.getByRole("button", { name: "Close" }).first().click();
  await tell(on.world, "teams/empty", { team: "Apollo", channel: "Planning" });
  assert.equal((await posts(on.world, "Apollo", "Planning")).length, 0);
  await node("Apollo").click(); // opens what the first click closed
  await node("Planning").click();
  await rows().first().waitFor();
  const post = before.find((p) => !p.replyTo);
  await rows().filter({ hasText: post.subject || words(post) }).first().click();
  await preview().frameLocator("iframe").getByText(words(post)).first().waitFor();
  await on.command("Restore").click();
  dialog = page.getByRole("dialog");
  await dialog.getByRole("radio", { name: "Another team" }).check();
  await dialog.getByRole("combobox", { name: "Team" }).selectOption({ label: "Borealis" });
  await dialog.getByRole("button", { name: "Dry run" }).click();
  await dialog.getByText(/[1-9]\d* created, 0 replaced, 0 there already/).waitFor({ timeout: 60_000 });
  await on.look("teams: restore");
  await dialog.getByRole("radio", { name: "Where it was" }).check();
  await dialog.getByRole("radio", { name: /Leave it alone/ }).check();
  await dialog.getByLabel("Reason").fill("Ticket 4713");
  await dialog.getByRole("button", { name: "Restore", exact: true }).click();
  const results = page.getByRole("dialog", { name: "Results" });
  await results.getByText(/restored: [1-9]/).waitFor({ timeout: 120_000 });
  await results.getByRole("button", { name: "Close" }).first().click();
  const after = await posts(on.world, "Apollo", "Planning");
  const back = after.find((p) => p.created === post.created);
  assert.deepEqual([back?.author, back?.subject], [post.author, post.subject]);
  assert.deepEqual(after.filter((p) => p.replyTo === post.created).length, before.filter((p) => p.replyTo === post.created).length);
});

test("a post is found over all restore points and opens in its channel", { timeout: 180_000 }, async () => {
  const { page } = on.b;
  await on.api.indexed();
  const post = (await posts(on.world, "Apollo", "General")).find((p) => p.subject && !p.replyTo);
  await page.goto(`${on.world.url}/#/search?kinds=post&q=${encodeURIComponent(`"${post.subject}"`)}`);
  await rows().filter({ hasText: post.subject }).first().click();
  await preview().frameLocator("iframe").getByText(post.subject).first().waitFor();
  await on.look("teams: a hit");
  await page.getByRole("button", { name: "Open in explorer" }).click();
  await page.getByRole("grid", { name: "General" }).waitFor();
  await preview().getByRole("heading", { name: post.subject }).waitFor();
  on.well();
});
