// Teams and chats in the Restore Portal, on a phone: an operator brings a post back, somebody finds the chats that are his.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { audit, open } from "./browser.mjs";
import { backUp, openPortal, posts, startWorld, tell } from "./world.mjs";

let world, api, b;
const serious = [];
before(async () => {
  world = await startWorld({ users: 2 });
  api = await backUp(world, { users: 2, teams: true });
  await openPortal(world, api);
});
after(async () => {
  await b?.close();
  await api?.close();
  await world?.stop();
});

const signIn = async (user) => {
  await b?.close();
  b = await open(world, { viewport: { width: 390, height: 844 } });
  await b.page.goto(`${world.url}/portal`);
  await b.page.getByRole("link", { name: "Sign in with Microsoft" }).click();
  await b.page.getByLabel("User").fill(user.upn);
  await b.page.getByLabel("Password").fill(user.password);
  await b.page.getByRole("button", { name: "Sign in" }).click();
  await b.page.getByText(user.upn).first().waitFor();
  return b.page;
};
const look = async (label) => serious.push(...(await audit(b.page, label)));
const rows = () => b.page.getByRole("grid").getByRole("row");

test("an operator of a whole organization finds a team and restores a post of it", { timeout: 240_000 }, async () => {
  const [operator] = world.tenant.users;
  await api.call("POST", `/v8/Organizations/${api.organization.id}/RbacRoles`, { name: "helpdesk", roleType: "EntireOrganization", operators: [{ type: "User", user: { id: operator.id, displayName: operator.upn, name: operator.upn, type: "User" } }] });
  const was = await posts(world, "Apollo", "General");
  const [post] = was.filter((p) => p.subject && !p.replyTo).sort((x, y) => y.created.localeCompare(x.created)); // at the top of the list
  await tell(world, "teams/empty", { team: "Apollo", channel: "General" });
  const page = await signIn(operator);
  await page.getByRole("link", { name: /Choose a person, site or team/ }).click();
  await page.getByRole("list", { name: "People, sites and teams" }).getByRole("listitem").filter({ hasText: "Apollo" }).getByRole("link").click();
  await page.getByRole("button", { name: "Channels, posts and files" }).waitFor();
  await look("a team");
  await page.getByRole("button", { name: "Channels, posts and files" }).click();
  await page.getByRole("button", { name: "General" }).click();
  await rows().filter({ hasText: post.subject }).first().waitFor();
  await look("a channel");
  await rows().filter({ hasText: post.subject }).first().click();
  await page.frameLocator("iframe").getByText(post.subject).first().waitFor();
  await look("a post");
  await page.getByRole("button", { name: "Restore", exact: true }).and(page.locator(":not([aria-disabled=true])")).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Reason").fill("Ticket 4714");
  await look("restore a post");
  await dialog.getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByRole("dialog", { name: "Results" }).getByText(/restored: [1-9]/).waitFor({ timeout: 120_000 });
  await page.getByRole("dialog", { name: "Results" }).getByRole("button", { name: "Close" }).first().click();
  const back = (await posts(world, "Apollo", "General")).find((p) => p.created === post.created);
  assert.deepEqual([back?.author, back?.subject], [post.author, post.subject]);
  await page.goto(`${world.url}/portal#/restores`);
  await page.getByRole("list", { name: "My restores" }).getByRole("listitem").filter({ hasText: "Ticket 4714" }).waitFor();
  assert.deepEqual(b.wrong, []);
});

test("who manages nobody sees no team, and of the chats his own: looks into one and saves it, and restores none", { timeout: 240_000 }, async () => {
  const [first, other] = world.tenant.users;
  const page = await signIn(other);
  assert.equal(await page.getByRole("link", { name: /Choose a person/ }).count(), 0);
  const objects = (await (await b.context.request.get(`${world.url}/holdfast/v1/portal/objects`)).json()).results;
  assert.deepEqual(objects.map((o) => [o.email, o.team, o.chats]), [[other.upn, false, true]]);
  await page.getByRole("button", { name: "Chats" }).click();
  const list = page.getByRole("list", { name: /Mailboxes/ }).getByRole("button");
  await list.first().waitFor();
  await look("chats");
  const nameOf = (user) => user.upn.split("@")[0].split(".").map((part) => part[0].toUpperCase() + part.slice(1)).join(" ");
  await list.filter({ hasText: [nameOf(first), nameOf(other)].sort().join(", ") }).first().click();
  await rows().first().waitFor();
  await look("a chat");
  await rows().first().click();
  await page.locator("iframe").waitFor();
  await look("a message");
  assert.equal(await page.getByRole("button", { name: "Restore", exact: true }).getAttribute("aria-disabled"), "true");
  await page.getByRole("button", { name: "Download" }).click();
  const [got] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: "As a web page" }).click()]);
  assert.ok(got.suggestedFilename().endsWith(".html") && (await readFile(await got.path(), "utf8")).includes("<article"));
  assert.deepEqual(b.wrong, []);
  assert.deepEqual(serious, []);
});
