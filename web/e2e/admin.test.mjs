// Restore roles, the Restore Portal's settings, API keys and the audit's filters, as an owner uses them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { consoleStage } from "./stage.mjs";

const on = consoleStage({
  name: "admin", users: 3, backedUp: 1,
  prepare: ({ api }) => api.call("POST", "/holdfast/v1/users", { name: "carol", password: "a password of many words", role: "RestoreOperator" }),
});

const go = (name) => on.b.page.getByRole("navigation", { name: "Main" }).getByRole("link", { name, exact: true }).click();

test("a restore role is made with objects and exclusions, changed and removed", { timeout: 120_000 }, async () => {
  const { page } = on.b;
  const [ada, bob, eve] = on.world.tenant.users;
  await go("Restore roles");
  await page.getByText("No restore roles").waitFor();
  await on.look("roles: empty");
  await on.command("New role").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Name" }).fill("Helpdesk");
  const pick = async (field, words, name) => {
    await dialog.getByRole("searchbox", { name: new RegExp(`^${field}: `) }).fill(words);
    await dialog.getByRole("button", { name: `Add ${name}` }).first().click();
  };
  await pick("Operators", "car", "carol"); // a user of Holdfast
  await dialog.getByRole("radio", { name: "Chosen users, groups, sites and teams" }).check();
  const nameOf = async (u) => (await on.api.call("GET", `/v8/Organizations/${on.api.organization.id}/Users?userName=${encodeURIComponent(u.upn)}`)).results[0].displayName;
  const names = { ada: await nameOf(ada), bob: await nameOf(bob), eve: await nameOf(eve) };
  await pick("For these", ada.upn, names.ada);
  await pick("For these", bob.upn, names.bob);
  const place = async (field, words, name) => {
    await dialog.getByRole("searchbox", { name: new RegExp(`^${field}: `) }).fill(words);
    await dialog.getByRole("listitem").filter({ hasText: name }).getByRole("button").click();
  };
  await place("For these", "Apollo", "Team Apollo");
  await place("For these", "sites/Falcon", "Site Falcon");
  await pick("Never for these", eve.upn, names.eve);
  await dialog.getByRole("checkbox", { name: "Download" }).uncheck();
  await on.look("roles: editor");
  await dialog.getByRole("button", { name: "Create role" }).click();
  await dialog.waitFor({ state: "detached" });
  const [role] = await on.api.call("GET", "/v8/RbacRoles");
  const entries = async (what) => {
    const answer = await on.api.call("GET", `/v8/RbacRoles/${role.id}/${what}`);
    return (Array.isArray(answer) ? answer : answer.results).map((e) => e.site?.title ?? e.team?.displayName ?? ((e.user ?? e.group).displayName || (e.user ?? e.group).name)).sort();
  };
  assert.equal(role.name, "Helpdesk");
  assert.deepEqual(await entries("operators"), ["carol"]);
  assert.deepEqual(await entries("selectedItems"), [names.ada, names.bob, "Apollo", "Falcon"].sort());
  assert.deepEqual(await entries("excludedItems"), [names.eve]);
  assert.deepEqual((await on.api.call("GET", `/holdfast/v1/RbacRoles/${role.id}/acts`)).acts, ["read", "restore", "restoreElsewhere"]);

  // Changed: what is there is shown, and stays unless it is taken out.
  await page.getByRole("checkbox", { name: "Select Helpdesk" }).check();
  await on.command("Edit").click();
  await dialog.getByRole("group", { name: "Never for these" }).or(dialog.getByLabel("Never for these", { exact: true })).getByText(names.eve).waitFor();
  await dialog.getByRole("radio", { name: "Everybody in the organization" }).check();
  await dialog.getByRole("textbox", { name: "Description" }).fill("first line");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  const [changed] = await on.api.call("GET", "/v8/RbacRoles");
  assert.deepEqual([changed.roleType, changed.description], ["EntireOrganization", "first line"]);
  assert.deepEqual(await entries("operators"), ["carol"]);
  assert.deepEqual(await entries("excludedItems"), [names.eve]);
  assert.deepEqual((await on.api.call("GET", `/holdfast/v1/RbacRoles/${role.id}/acts`)).acts, ["read", "restore", "restoreElsewhere"]);
  await page.getByRole("cell", { name: "first line" }).waitFor();
  await on.look("roles: list");

  await on.command("Remove").click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
  await page.getByText("No restore roles").waitFor();
  assert.deepEqual(await on.api.call("GET", "/v8/RbacRoles"), []);
});

test("the Restore Portal is opened and closed", { timeout: 60_000 }, async () => {
  const { page } = on.b;
  await go("Restore Portal");
  await page.getByText("closed", { exact: true }).waitFor();
  await on.look("portal settings: closed");
  await page.getByRole("switch", { name: "People may use the portal" }).check();
  await page.getByLabel("Application (client) id").fill(on.world.tenant.applicationId);
  assert.equal(await page.getByRole("textbox", { name: "Address" }).inputValue(), on.world.url);
  await page.getByText(`${on.world.url}/holdfast/v1/portal/callback`).waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("The settings are saved.").waitFor();
  await page.getByText("open", { exact: true }).waitFor();
  await on.look("portal settings: open");
  const set = await on.api.call("GET", "/v8/RestorePortalSettings");
  assert.deepEqual([set.isEnabled, set.applicationId, set.restorePortalUri], [true, on.world.tenant.applicationId, on.world.url]);
  await page.reload();
  await page.getByText("open", { exact: true }).waitFor();
  await page.getByRole("switch", { name: "People may use the portal" }).uncheck();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("closed", { exact: true }).waitFor();
  assert.equal((await on.api.call("GET", "/v8/RestorePortalSettings")).isEnabled, false);
});

test("an API key is made, shown once, and revoked", { timeout: 60_000 }, async () => {
  const { page } = on.b;
  await go("API keys");
  await on.command("New key").click();
  await page.getByRole("dialog").getByRole("textbox", { name: "Name" }).fill("monitoring");
  await page.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
  const secret = await page.getByLabel("Key", { exact: true }).textContent();
  assert.ok(secret.length > 20);
  const answer = await on.b.context.request.get(`${on.world.url}/v8/Jobs`, { headers: { authorization: `Bearer ${secret}` } });
  const headers = answer.status() === 200 ? { authorization: `Bearer ${secret}` } : { "X-Api-Key": secret };
  assert.equal((await on.b.context.request.get(`${on.world.url}/v8/Jobs`, { headers })).status(), 200, "the key signs in");
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  await page.getByRole("checkbox", { name: "Select monitoring" }).check();
  await on.command("Revoke").click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).click();
  await page.getByText("No API keys").waitFor();
  assert.deepEqual(await on.api.call("GET", "/holdfast/v1/api-keys").then((a) => (Array.isArray(a) ? a : a.results)), []);
});

test("the audit is narrowed by who, act, text and day", { timeout: 60_000 }, async () => {
  const { page } = on.b;
  await go("Audit");
  const table = page.getByRole("table", { name: "Audit" });
  await table.getByRole("row").nth(5).waitFor();
  const all = (await on.api.call("GET", "/holdfast/v1/Audit?limit=10000")).results;
  const role = all.filter((e) => e.act.startsWith("rbac_role") || e.act.startsWith("role"));
  const prefix = role[0]?.act.split(".")[0];
  assert.ok(role.length > 0 && role.length < all.length, all.map((e) => e.act).join());
  await page.getByRole("textbox", { name: "Act begins with" }).fill(prefix);
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await page.waitForFunction((n) => document.querySelectorAll("table tbody tr").length === n, all.filter((e) => e.act.startsWith(prefix)).length);
  await on.look("audit: filtered");
  await page.getByRole("textbox", { name: "Who" }).fill("nobody");
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await page.getByText("Nothing found.").waitFor();
  await page.getByRole("button", { name: "Show all" }).click();
  await table.getByRole("row").nth(5).waitFor();
  await page.getByLabel("Until").fill("2001-01-01");
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await page.getByText("Nothing found.").waitFor();
  await on.command("Verify the chain").click();
  await page.getByText("The chain is sound").waitFor();
});

test("an address that is no page's says so", { timeout: 60_000 }, async () => {
  const { page } = on.b;
  await page.goto(`${on.world.url}/#/nowhere`);
  await page.getByText("There is no page at this address.").waitFor();
  await on.look("nowhere");
  await page.getByRole("main").getByRole("link", { name: "Home" }).click();
  await page.getByRole("heading", { level: 1, name: "Home" }).waitFor();
});

test("nothing went wrong on the way", () => on.well());
