// Sites in the Restore Portal, on a phone: an operator brings a document back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { audit, open } from "./browser.mjs";
import { backUp, openPortal, startWorld } from "./world.mjs";

let world, api, b;
before(async () => {
  world = await startWorld({ users: 2 });
  api = await backUp(world, { users: 2, sites: true });
  await openPortal(world, api);
});
after(async () => {
  await b?.close();
  await api?.close();
  await world?.stop();
});

test("an operator of a whole organization finds a site and restores a document of it; who manages nobody sees none", { timeout: 240_000 }, async () => {
  const [operator, other] = world.tenant.users;
  await api.call("POST", `/v8/Organizations/${api.organization.id}/RbacRoles`, { name: "helpdesk", roleType: "EntireOrganization", operators: [{ type: "User", user: { id: operator.id, displayName: operator.upn, name: operator.upn, type: "User" } }] });
  const serious = [];
  const signIn = async (user) => {
    b = await open(world, { viewport: { width: 390, height: 844 } });
    await b.page.goto(`${world.url}/portal`);
    await b.page.getByRole("link", { name: "Sign in with Microsoft" }).click();
    await b.page.getByLabel("User").fill(user.upn);
    await b.page.getByLabel("Password").fill(user.password);
    await b.page.getByRole("button", { name: "Sign in" }).click();
    await b.page.getByText(user.upn).first().waitFor();
    return b.page;
  };
  let page = await signIn(operator);
  await page.getByRole("link", { name: /Choose a person, site or team/ }).click();
  const list = page.getByRole("list", { name: "People, sites and teams" });
  await list.getByRole("listitem").filter({ hasText: "Communication site" }).getByRole("link").click();
  await page.getByRole("button", { name: "Lists, libraries and pages" }).waitFor();
  serious.push(...(await audit(page, "a site")));
  await page.getByRole("button", { name: "Lists, libraries and pages" }).click();
  await page.getByText("Documents", { exact: true }).first().click();
  const row = page.getByRole("grid").getByRole("row").filter({ hasText: ".txt" }).first();
  await row.waitFor();
  serious.push(...(await audit(page, "a library")));
  await row.click();
  await page.getByRole("button", { name: "Restore", exact: true }).and(page.locator(":not([aria-disabled=true])")).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Reason").fill("Ticket 4712");
  serious.push(...(await audit(page, "restore")));
  await dialog.getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByRole("dialog", { name: "Results" }).getByText(/there already|restored/).first().waitFor({ timeout: 60_000 });
  await page.getByRole("dialog", { name: "Results" }).getByRole("button", { name: "Close" }).first().click();
  await page.goto(`${world.url}/portal#/restores`);
  await page.getByRole("list", { name: "My restores" }).getByRole("listitem").filter({ hasText: "Ticket 4712" }).waitFor();
  assert.deepEqual(b.wrong, []);
  await b.close();

  page = await signIn(other);
  assert.equal(await page.getByRole("link", { name: /Choose a person, site or team/ }).count(), 0);
  assert.equal((await (await b.context.request.get(`${world.url}/holdfast/v1/portal/objects`)).json()).results.filter((o) => o.site).length, 0);
  assert.deepEqual(b.wrong, []);
  assert.deepEqual(serious, []);
});
