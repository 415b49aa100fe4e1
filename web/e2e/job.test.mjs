// What a job protects, chosen in the console: users, groups, sites, the organization, what is left out, what that is now, and jobs that are changed without a loss.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { audit, open, signIn } from "./browser.mjs";
import { consoleStage } from "./stage.mjs";

const on = consoleStage({ name: "job", users: 3, backedUp: 1, sites: true });

const dialog = () => on.b.page.getByRole("dialog");
const list = (name) => dialog().getByRole("group", { name, exact: true });
const now = () => dialog().getByRole("region", { name: "What that is now" });
const jobNamed = async (name) => (await on.api.call("GET", "/v8/Jobs")).results.find((j) => j.name === name);
const itemsOf = async (name, kind = "SelectedItems") => (await on.api.call("GET", `/v8/Jobs/${(await jobNamed(name)).id}/${kind}`)).results;
const add = async (to, kind, text, name) => {
  await list(to).getByRole("combobox").selectOption(kind);
  await list(to).getByRole("searchbox").fill(text);
  await list(to).getByRole("button", { name: `Add ${name}`, exact: true }).click();
};
const shot = async (name) => process.env.HOLDFAST_SHOTS && (await on.b.page.screenshot({ path: join(process.env.HOLDFAST_SHOTS, `job-${name}.png`) }));

test("a job of users, a group and a site is made, with the data of each", { timeout: 120_000 }, async () => {
  const { page } = on.b;
  const [, second, third] = (await on.api.call("GET", `/v8/Organizations/${on.api.organization.id}/Users?limit=50`)).results.filter((u) => on.world.tenant.users.some((w) => w.id === u.id));
  const groups = (await on.api.call("GET", `/v8/Organizations/${on.api.organization.id}/Groups`)).results;
  const group = groups.find((g) => g.type === "Security") ?? groups[0];
  const site = (await on.api.call("GET", `/v8/Organizations/${on.api.organization.id}/Sites`)).results.find((s) => s.title === "Falcon");
  await page.goto(`${on.world.url}/#/jobs`);
  await on.command("New job").click();
  await dialog().getByRole("textbox", { name: "Name" }).fill("Mixed");
  await now().getByText(/\d+ mailboxes/).waitFor(); // the whole organization, at first
  await now().getByText("left to other jobs").first().waitFor();
  await now().getByText("Job Board protects").waitFor();
  await shot("entire");
  await on.look("job: entire organization");
  await dialog().getByRole("radio", { name: "What is chosen here" }).check();
  await now().getByText("Choose what is protected").waitFor();
  await dialog().getByRole("button", { name: "Create job" }).click();
  await dialog().getByText("Nothing is chosen to be protected").waitFor();

  await add("Protect", "Users", second.displayName, second.displayName);
  await now().getByText("1 mailbox").waitFor();
  const data = (name) => dialog().getByRole("group", { name: `Data of ${name}` });
  await data(second.displayName).getByRole("checkbox", { name: "OneDrive" }).uncheck();
  await data(second.displayName).getByRole("checkbox", { name: "Tasks" }).uncheck();
  await data(second.displayName).getByRole("checkbox", { name: "Mail" }).uncheck();
  await dialog().getByText("Nothing of it is chosen").waitFor();
  await data(second.displayName).getByRole("checkbox", { name: "Mail" }).check();
  await add("Protect", "Groups", group.displayName, group.displayName);
  await add("Protect", "Sites", "falc", site.title);
  await add("Leave out", "Users", third.displayName, third.displayName);
  await now().getByText(/site/).waitFor();
  await shot("mixed");
  await on.look("job: chosen objects");
  await dialog().getByText("Do this from a script").click();
  await dialog().getByText("The command line has no command for this yet").waitFor();
  await dialog().getByRole("tab", { name: "curl" }).click();
  await dialog().getByLabel("Make this job").getByText("/v8/Jobs").waitFor();
  await dialog().getByRole("checkbox", { name: "Run it at once" }).uncheck();
  await dialog().getByRole("button", { name: "Create job" }).click();
  await dialog().waitFor({ state: "detached" });

  const items = await itemsOf("Mixed");
  const of = (type) => items.find((i) => i.type === type);
  assert.equal(items.length, 3);
  assert.equal(of("User").user.id, second.id);
  assert.deepEqual([of("User").mailbox, of("User").oneDrive, of("User").leaveOut], [true, false, ["tasks"]]);
  assert.deepEqual([of("Group").group.id, of("Group").members, of("Group").memberMailbox], [group.id, true, true]);
  assert.equal(of("Site").site.url, site.url);
  assert.deepEqual((await itemsOf("Mixed", "ExcludedItems")).map((i) => i.user.id), [third.id]);
});

test("a job that is changed keeps what was not touched", { timeout: 120_000 }, async () => {
  const { page } = on.b;
  const before = await itemsOf("Mixed");
  const edit = async (name) => {
    await page.getByRole("checkbox", { name: `Select ${name}`, exact: true }).check();
    await on.command("Edit").click();
    await list("Protect").getByRole("listitem").first().waitFor();
  };
  await edit("Mixed");
  assert.equal(await list("Protect").getByRole("list").first().getByRole("listitem").count(), 3);
  await dialog().getByRole("textbox", { name: "Name" }).fill("Mixed again");
  await dialog().getByRole("button", { name: "Save" }).click();
  await dialog().waitFor({ state: "detached" });
  const plain = (all) => all.map(({ _links, ...i }) => i);
  assert.deepEqual(plain(await itemsOf("Mixed again")), plain(before));
  await page.reload();
  await edit("Mixed again");
  await dialog().getByRole("button", { name: "Remove Falcon", exact: true }).click();
  await dialog().getByRole("button", { name: "Add everything in the organization" }).click();
  await dialog().getByRole("group", { name: "Data of Everything in the organization" }).getByRole("checkbox", { name: "Sites", exact: true }).uncheck();
  await now().getByText(/left out/).first().waitFor();
  await dialog().getByRole("button", { name: "Save" }).click();
  await dialog().waitFor({ state: "detached" });
  const items = await itemsOf("Mixed again");
  assert.deepEqual(items.map((i) => i.type).sort(), ["Group", "PartialOrganization", "User"]);
  const whole = items.find((i) => i.type === "PartialOrganization");
  assert.deepEqual([whole.mailbox, whole.oneDrive, whole.sites], [true, true, false]);
});

test("the keyboard makes a job of the whole organization", { timeout: 120_000 }, async () => {
  const { page } = on.b;
  await on.command("New job").focus();
  await page.keyboard.press("Enter");
  await dialog().getByRole("textbox", { name: "Name" }).focus();
  await page.keyboard.type("Rest");
  await list("Leave out").getByRole("searchbox").focus();
  await page.keyboard.type(on.world.tenant.users[2].upn.slice(0, 6));
  const found = list("Leave out").getByRole("button", { name: /^Add / }).first();
  await found.waitFor();
  await page.keyboard.press("Enter"); // in the search it makes no job
  await found.focus();
  await page.keyboard.press("Enter");
  await list("Leave out").getByRole("list").first().getByRole("listitem").first().waitFor();
  await dialog().getByRole("checkbox", { name: "Run it at once" }).focus();
  await page.keyboard.press("Space");
  await dialog().getByRole("button", { name: "Create job" }).focus();
  await page.keyboard.press("Enter");
  await dialog().waitFor({ state: "detached" });
  const job = await jobNamed("Rest");
  assert.equal(job.backupType, "EntireOrganization");
  assert.equal((await itemsOf("Rest", "ExcludedItems")).length, 1);
});

for (const [theme, language] of [["dark", "de"], ["contrast", "en"]])
  test(`the editor in ${theme}, ${language}`, { timeout: 120_000 }, async () => {
    const other = await open(on.world, { theme, language, viewport: { width: 900, height: 1100 } });
    try {
      const { page } = other;
      if (language === "en") await signIn(page, on.world);
      else {
        await page.goto(`${on.world.url}/`);
        await page.getByLabel("Benutzername").fill(on.world.user);
        await page.getByLabel("Kennwort").fill(on.world.password);
        await page.getByRole("button", { name: "Anmelden" }).click();
      }
      await page.getByRole("navigation").first().waitFor();
      await page.goto(`${on.world.url}/#/jobs`);
      await page.getByRole("checkbox", { name: /Mixed again/ }).check();
      // In high contrast the marked line is bright; the box on it is as dark as the words.
      const [box, words] = await page.getByRole("row").filter({ hasText: "Mixed again" }).evaluate((row) => [getComputedStyle(row.querySelector(".fui-Checkbox__indicator")).borderTopColor, getComputedStyle(row).color]);
      if (theme === "contrast") assert.equal(box, words);
      await page.getByRole("toolbar").getByRole("button", { name: language === "de" ? "Bearbeiten" : "Edit", exact: true }).click();
      const region = page.getByRole("dialog").getByRole("region", { name: language === "de" ? "Was das zurzeit ist" : "What that is now" });
      await region.getByRole("listitem").first().waitFor();
      await region.scrollIntoViewIfNeeded();
      if (process.env.HOLDFAST_SHOTS) await page.screenshot({ path: join(process.env.HOLDFAST_SHOTS, `job-${theme}.png`) });
      assert.deepEqual(await audit(page, theme), []);
      assert.deepEqual(other.wrong, []);
      if (theme === "contrast") on.well();
    } finally {
      await other.close();
    }
  });

test("where the system's own colours hold, what is drawn can still be told", { timeout: 120_000 }, async () => {
  const other = await open(on.world, { theme: "system", forced: true });
  try {
    const { page } = other;
    await signIn(page, on.world);
    const ground = () => page.evaluate(() => {
      const probe = document.body.appendChild(document.createElement("i"));
      probe.style.color = "Canvas";
      const { color } = getComputedStyle(probe);
      probe.remove();
      return color;
    });
    const cell = page.getByRole("region", { name: "Protection of the last four weeks" }).locator("dd svg rect").last();
    await cell.waitFor();
    assert.notEqual(await cell.evaluate((el) => getComputedStyle(el).fill), await ground());
    await page.goto(`${on.world.url}/#/jobs`);
    await page.getByRole("toolbar").getByRole("button", { name: "New job" }).click();
    await page.getByRole("dialog").getByRole("switch", { name: "Only at certain hours" }).check();
    const hour = page.getByRole("dialog").getByRole("button", { name: "Mon 0:00", exact: true });
    const look = () => hour.evaluate((el) => getComputedStyle(el).backgroundColor);
    const may = await look();
    await hour.focus();
    await page.keyboard.press("Space");
    assert.notEqual(await look(), may, "an hour in which the job may run looks as one in which it may not");
    assert.deepEqual(other.wrong, []);
  } finally {
    await other.close();
  }
});
