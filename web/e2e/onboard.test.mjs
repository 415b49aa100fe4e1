// An organization is added by an administrator's sign-in with a code; what can go wrong says so and can be tried again. Then it is checked, and its certificate renewed.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { join } from "node:path";
import { audit, open, signIn } from "./browser.mjs";
import { apiOf, startWorld } from "./world.mjs";

let world;
let api;
let b;
const serious = [];
const look = async (label) => serious.push(...(await audit(b.page, label)));

before(async () => {
  world = await startWorld({ users: 1 });
  api = await apiOf(world);
  b = await open(world);
  await signIn(b.page, world);
  await b.page.getByRole("navigation").first().waitFor();
});
after(async () => {
  await b?.close();
  await api?.close();
  await world?.stop();
});
afterEach(async (t) => {
  if (process.env.HOLDFAST_SHOTS && !t.passed) await b?.page.screenshot({ path: join(process.env.HOLDFAST_SHOTS, "failed-onboard.png") });
});

// answer is what a person does with the code that the page shows.
const answer = async (what, more = {}) => {
  const code = await b.page.getByLabel("Code for the sign-in").textContent();
  assert.match(code, /^[A-Z0-9]{8,}$/);
  const said = await fetch(`${world.control}/devices`, { method: "POST", body: JSON.stringify({ code, answer: what, ...more }) });
  assert.equal(said.status, 200, await said.text());
};
const begin = async (label) => {
  await b.page.getByRole("button", { name: label }).click();
  await b.page.getByRole("progressbar", { name: "Waiting for the sign-in" }).waitFor();
};
const again = "Get a new code";

test("what goes wrong with a code is told, each in its way, and tried again", { timeout: 180_000 }, async () => {
  const { page } = b;
  await page.goto(`${world.url}/#/organizations`);
  await page.getByRole("button", { name: "Add organization" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("radio", { name: /An administrator signs in/ }).waitFor();
  assert.equal(await dialog.getByRole("button", { name: "Get a code" }).getAttribute("aria-disabled"), "true"); // whose organization is not said yet
  await dialog.getByRole("textbox", { name: "Organization" }).fill(world.tenant.domain);
  await begin("Get a code");
  await dialog.getByRole("link", { name: /microsoft\.com\/devicelogin/ }).waitFor();
  await look("onboarding: a code");
  await answer("expire");
  await dialog.getByText("The code has expired", { exact: true }).waitFor({ timeout: 30_000 });
  await begin(again);
  await answer("decline");
  await dialog.getByText("The sign-in was declined", { exact: true }).waitFor({ timeout: 30_000 });
  await look("onboarding: declined");
  await begin(again);
  await answer("accept", { tenant: "11111111-2222-4333-8444-555555555555" });
  await dialog.getByText("Somebody signed in to another organization").waitFor({ timeout: 60_000 });
  assert.deepEqual((await api.call("GET", "/v8/Organizations")).results ?? [], []);
  // The three refusals are on the browser's console, and nothing else is.
  assert.deepEqual(b.wrong.splice(0).map((w) => /status of 400/.test(w)), [true, true, true]);
});

test("a sign-in adds the organization", { timeout: 180_000 }, async () => {
  const { page } = b;
  await begin(again);
  await answer("accept");
  await page.getByRole("dialog").waitFor({ state: "detached", timeout: 120_000 });
  await page.getByRole("cell", { name: world.tenant.domain }).first().waitFor();
});

test("the organization is checked right by right, and its certificate renewed", { timeout: 180_000 }, async () => {
  const { page } = b;
  await page.getByRole("table").getByRole("cell").getByRole("button").first().click(); // the name
  const rights = page.getByRole("table", { name: "Permissions" });
  await rights.getByText("Sites.FullControl.All (SharePoint)").waitFor({ timeout: 60_000 });
  assert.equal(await rights.getByText("Error").count(), 0);
  await page.getByRole("table", { name: "Workloads" }).getByText("SharePoint sites").waitFor();
  await page.getByRole("table", { name: "Clock" }).waitFor();
  const before = await page.getByRole("table", { name: "Certificate" }).textContent();
  await look("organization: check");
  await page.getByRole("toolbar").getByRole("button", { name: "Renew the certificate" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Renew the certificate" }).click();
  await page.getByText(/The organization uses the certificate/).waitFor({ timeout: 120_000 });
  await look("organization: renewed");
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).last().click();
  await page.waitForFunction((was) => { const now = document.querySelector('table[aria-label="Certificate"]')?.textContent; return now !== undefined && now !== was; }, before);
  assert.deepEqual(serious, []);
  assert.deepEqual(b.wrong, []);
});
