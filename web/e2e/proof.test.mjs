// The console asks again who sits there before what destroys, hands out or says who may, and goes on with it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { audit, open, signIn } from "./browser.mjs";
import { apiOf, startWorld } from "./world.mjs";

let world;
let api;
let b;
const serious = [];
before(async () => {
  world = await startWorld({ users: 1, server: ["--ask-again", "4s"] });
  api = await apiOf(world);
  await api.call("POST", "/holdfast/v1/users", { name: "carol", password: "a password of many words", role: "Auditor" });
  b = await open(world);
  await signIn(b.page, world);
  await b.page.getByRole("navigation").first().waitFor();
});
after(async () => {
  await b?.close();
  await api?.close();
  await world?.stop();
});

const go = (name) => b.page.getByRole("navigation", { name: "Main" }).getByRole("link", { name, exact: true }).click();
const command = (name) => b.page.getByRole("toolbar").getByRole("button", { name, exact: true });
const old = () => api.until("the proof to be old", async () => (await b.context.request.post(`${world.url}/v8/token/AuthCode`)).status() === 403);
const keys = async () => (await api.call("GET", "/holdfast/v1/api-keys")).map((k) => k.name);
const proof = () => b.page.getByRole("dialog", { name: "Is it still you?" });

test("a key is made only after the password was given again", { timeout: 60_000 }, async () => {
  const { page } = b;
  await go("API keys");
  await command("New key").click();
  await page.getByRole("dialog").getByRole("textbox", { name: "Name" }).fill("monitoring");
  await old();
  await page.getByRole("button", { name: "Create key" }).click();
  await proof().waitFor();
  serious.push(...(await audit(page, "proof")));
  await page.keyboard.type("a wrong one"); // the focus is there
  await page.keyboard.press("Enter");
  await proof().getByText("the password is wrong").waitFor();
  assert.deepEqual(await keys(), []);

  // Who does not say who he is has done nothing, and may try again.
  await proof().getByRole("button", { name: "Cancel" }).click();
  await page.getByText("it is asked again who is there").waitFor();
  assert.deepEqual(await keys(), []);
  await page.getByRole("button", { name: "Create key" }).click();
  await proof().getByLabel("Password").fill(world.password);
  await proof().getByRole("button", { name: "Go on" }).click();
  assert.ok((await page.getByLabel("Key", { exact: true }).textContent()).length > 20);
  assert.deepEqual(await keys(), ["monitoring"]);
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
});

test("over a question that is open the password is asked too", { timeout: 60_000 }, async () => {
  const { page } = b;
  await go("Users and roles");
  await page.getByRole("checkbox", { name: "Select carol" }).check();
  await old();
  await command("Remove").click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
  await proof().getByLabel("Password").fill(world.password);
  await page.keyboard.press("Enter");
  const names = async () => (await api.call("GET", "/holdfast/v1/users")).map((u) => u.name);
  await api.until("the end of carol", async () => (await names()).join() === "admin");
  await page.getByRole("alertdialog").waitFor({ state: "detached" });
  await command("Add user").waitFor(); // nothing lies over the page any more
});

test("nothing went wrong on the way", () => {
  assert.deepEqual(b.wrong.filter((w) => !/status of (403|400)/.test(w)), []);
  assert.equal(b.wrong.filter((w) => /status of 403/.test(w)).length, 3, "each refused act was refused once");
  assert.deepEqual(serious, []);
});
