// Passkeys in the console, with the virtual authenticator of the browser's debugger: added, asked for after the password, signing in alone, proving who is there, removed.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { audit, open } from "./browser.mjs";
import { apiOf, startWorld } from "./world.mjs";

let world;
let api;
let b;
before(async () => {
  world = await startWorld({ users: 1, server: ["--ask-again", "6s"] });
  api = await apiOf(world);
  const named = { ...world, url: world.url.replace("127.0.0.1", "localhost") }; // a passkey needs a host name
  b = await open(named);
  b.url = named.url;
});
after(async () => {
  await b?.close();
  await api?.close();
  await world?.stop();
});

test("a passkey is offered under a name, not under an IP address", { timeout: 60_000 }, async () => {
  const atAddress = await open(world);
  try {
    for (const [at, url, offered] of [[b, b.url, 1], [atAddress, world.url, 0]]) {
      await at.page.goto(`${url}/`);
      await at.page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
      assert.equal(await at.page.getByRole("button", { name: "Use a passkey" }).count(), offered, url);
      assert.deepEqual(at.wrong, []);
    }
  } finally {
    await atAddress.close();
  }
});

test("a passkey is added, signs in, proves who is there and is removed", { timeout: 180_000 }, async () => {
  const { page, context, wrong, url } = b;
  const serious = [];
  const look = async (label) => serious.push(...(await audit(page, label)));
  const old = () => api.until("the proof to be old", async () => (await context.request.post(`${url}/v8/token/AuthCode`)).status() === 403);
  const debug = await context.newCDPSession(page);
  await debug.send("WebAuthn.enable");
  const { authenticatorId } = await debug.send("WebAuthn.addVirtualAuthenticator", { options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
  try {
    // In the first run it can be chosen instead of an authenticator app.
    await page.goto(`${url}/`);
    await page.getByLabel("User name").fill(world.user);
    await page.getByLabel("Password").fill(world.password);
    await look("sign in");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("radio", { name: "Passkeys" }).check();
    await look("first run");
    await page.getByRole("button", { name: "Add a passkey" }).click();
    const dialog = page.getByRole("dialog", { name: "Add a passkey" });
    await dialog.getByLabel("Name").fill("Test key");
    await look("add");
    await old();
    await dialog.getByRole("button", { name: "Go on" }).click();
    const proof = page.getByRole("dialog", { name: "Is it still you?" });
    const codes = page.getByRole("list", { name: "Recovery codes" });
    await proof.getByLabel("Password").fill(world.password);
    await proof.getByRole("button", { name: "Go on" }).click();
    await codes.waitFor();
    assert.equal(await codes.getByRole("listitem").count(), 10);
    await look("recovery codes");
    const recovery = await codes.getByRole("listitem").first().innerText();
    await page.getByRole("button", { name: "I have kept them" }).click();
    assert.equal((await debug.send("WebAuthn.getCredentials", { authenticatorId })).credentials.length, 1);

    // The password alone does not do; the passkey does after it.
    const signOut = async () => {
      await page.getByRole("button", { name: /^Account of/ }).click();
      await page.getByRole("menuitem", { name: "Sign out" }).click();
      await page.getByLabel("User name").waitFor();
    };
    await page.getByRole("button", { name: "Leave for now" }).click();
    await page.getByRole("button", { name: /^Account of/ }).waitFor();
    await signOut();
    await page.getByLabel("User name").fill(world.user);
    await page.getByLabel("Password").fill(world.password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("heading", { name: "Use your passkey" }).waitFor();
    await look("second factor");
    wrong.splice(0, wrong.length, ...wrong.filter((w) => !/status of 401/.test(w))); // the refusal of the password alone
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await page.getByRole("button", { name: /^Account of/ }).waitFor();

    // It signs in alone, too, and a recovery code does with the password.
    await signOut();
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await page.getByRole("button", { name: /^Account of/ }).waitFor();
    await signOut();
    await page.getByLabel("User name").fill(world.user);
    await page.getByLabel("Password").fill(world.password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByLabel("Recovery code").fill(recovery);
    wrong.splice(0, wrong.length, ...wrong.filter((w) => !/status of 401/.test(w)));
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByRole("button", { name: /^Account of/ }).waitFor();

    // Under an IP address, where passkeys can't be used, nobody is told to use one.
    const atAddress = await open(world);
    try {
      await atAddress.page.goto(`${world.url}/`);
      await atAddress.page.getByLabel("User name").fill(world.user);
      await atAddress.page.getByLabel("Password").fill(world.password);
      await atAddress.page.getByRole("button", { name: "Sign in", exact: true }).click();
      await atAddress.page.getByRole("heading", { name: "Enter a recovery code" }).waitFor();
      await atAddress.page.getByText("open the server by its name").waitFor();
      assert.equal(await atAddress.page.getByRole("button", { name: "Use a passkey" }).count(), 0);
      serious.push(...(await audit(atAddress.page, "second factor under an address")));
    } finally {
      await atAddress.close();
    }

    // What asks again who is there asks for it.
    await page.goto(`${url}/#/settings`);
    const keys = page.getByRole("list", { name: "Passkeys" });
    await keys.getByText("Test key").waitFor();
    assert.match(await keys.innerText(), /For localhost, since/);
    await look("settings");
    await keys.getByRole("button", { name: "Remove Test key" }).click();
    await old();
    await page.getByRole("alertdialog").or(page.getByRole("dialog")).getByRole("button", { name: "Remove" }).last().click();
    await proof.waitFor();
    assert.equal(await proof.getByLabel("Password").count(), 0);
    await look("proof");
    wrong.splice(0, wrong.length, ...wrong.filter((w) => !/status of 403/.test(w))); // that it was asked
    await proof.getByRole("button", { name: "Use a passkey" }).click();
    await keys.waitFor({ state: "detached" });

    // From now on the password does alone, and the key, which the browser has still, does nothing.
    await signOut();
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await page.getByText("not known here or was refused").waitFor();
    wrong.splice(0, wrong.length, ...wrong.filter((w) => !/status of 401/.test(w)));
    await page.getByLabel("User name").fill(world.user);
    await page.getByLabel("Password").fill(world.password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("button", { name: /^Account of/ }).waitFor();
    assert.deepEqual(wrong, []);
    assert.deepEqual(serious, []);
  } catch (cause) {
    if (process.env.HOLDFAST_SHOTS) await page.screenshot({ path: join(process.env.HOLDFAST_SHOTS, "failed-passkey.png") });
    throw cause;
  }
});
