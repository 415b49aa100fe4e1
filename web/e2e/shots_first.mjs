// Pictures of an empty server in every theme: signing in, the second factor, the whole setup, every page that has nothing yet, and what is said when the server can't be
// reached: node e2e/shots_first.mjs DIR [theme…]. They are not committed.
import { createHmac } from "node:crypto";
import { join } from "node:path";
import { signInAs, studio } from "./camera.mjs";
import { apiOf, startWorld } from "./world.mjs";

// code is what an authenticator app shows (RFC 6238) for a secret in base32.
function code(secret, time) {
  const bits = [...secret.replace(/=+$/, "").toUpperCase()].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(time / 30_000)));
  const mac = createHmac("sha1", Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

const empty = ["jobs", "sessions", "sessions?tab=restore", "explore", "search", "basket", "organizations", "repositories", "proxies", "users", "roles", "portal", "api-keys", "nowhere"];

const { chosen, take, end, problems } = await studio("first-");
for (const theme of chosen) {
  const world = await startWorld({ users: 3 });
  const api = await apiOf(world);
  try {
    await take(world, theme, async ({ page, say, shot, settle }) => {
      const at = async (path) => {
        await page.goto(`${world.url}/#/${path}`);
        await settle();
      };
      await page.goto(`${world.url}/`);
      await signInAs(page, world, say, "a wrong password");
      await page.getByRole("alert").or(page.getByRole("group").filter({ hasText: say("wrong", "falsch") })).first().waitFor();
      await shot("signin-wrong");
      await signInAs(page, world, say);
      await page.getByRole("heading", { level: 1, name: say("Setup", "Einrichtung") }).waitFor();
      await settle();
      await shot("setup");
      await page.getByRole("radio", { name: "Passkeys" }).check();
      await settle();
      await shot("setup-passkey");
      await page.getByRole("radio", { name: say("Authenticator app", "Authenticator-App") }).check();
      await page.getByRole("button", { name: say("Leave for now", "Vorerst verlassen") }).click();
      await settle();
      await shot("home");
      for (const path of empty) {
        await at(path);
        await shot(`empty-${path.replace(/\W/g, "-")}`);
      }
      await at("explore/11111111-2222-4333-8444-555555555555");
      await settle(1500);
      await shot("explore-unknown");

      await at("setup");
      await page.getByRole("button", { name: say("Set up an authenticator app", "Authenticator-App einrichten") }).click();
      const secret = await page.getByRole("textbox", { name: say("Secret", "Geheimnis") }).inputValue();
      await shot("setup-totp");
      await page.getByRole("textbox", { name: /^Code/ }).fill(code(secret, Date.now()));
      await page.getByRole("button", { name: say("Verify", "Prüfen") }).click();
      await page.getByRole("list", { name: say("Recovery codes", "Wiederherstellungscodes") }).waitFor();
      await settle();
      await shot("setup-codes");
      await page.getByRole("button", { name: say("I have kept them", "Ich habe sie aufbewahrt") }).click();
      await page.getByLabel(say("Folder on the server", "Ordner auf dem Server")).fill("not/a/whole/path");
      await page.getByRole("button", { name: say("Create repository", "Repository anlegen") }).click();
      await page.getByRole("alert").first().waitFor();
      await shot("setup-repository");
      await page.getByLabel(say("Folder on the server", "Ordner auf dem Server")).fill(join(world.dir, "repository"));
      await page.getByRole("button", { name: say("Create repository", "Repository anlegen") }).click();
      await page.getByRole("radio", { name: say("An administrator signs in once", "Ein Administrator meldet sich einmal an") }).first().waitFor();
      await settle();
      await shot("setup-organization");
      await page.getByRole("textbox", { name: say("Organization", "Organisation") }).fill(world.tenant.domain);
      await page.getByRole("button", { name: say("Get a code", "Code holen") }).click();
      await page.getByRole("progressbar").waitFor();
      await shot("setup-device");
      const device = await page.locator("output").textContent();
      await fetch(`${world.control}/devices`, { method: "POST", body: JSON.stringify({ code: device, answer: "decline" }) });
      await page.getByText(say("The sign-in was declined", "Die Anmeldung wurde abgelehnt")).waitFor({ timeout: 30_000 });
      await shot("setup-declined");
      await page.getByRole("radio", { name: say("There is an application already", "Es gibt schon eine Anwendung") }).check();
      await settle();
      await shot("setup-application");
      await page.getByRole("textbox", { name: say("Organization", "Organisation") }).fill(world.tenant.domain);
      await page.getByLabel(say("Application (client) id", "Anwendungs-ID (Client)")).fill(world.tenant.applicationId);
      await page.getByRole("radio", { name: say("With a client secret", "Mit einem geheimen Clientschlüssel") }).check();
      const given = page.getByRole("textbox", { name: say("With a client secret", "Mit einem geheimen Clientschlüssel") });
      await given.fill("this is not it");
      const connect = page.getByRole("button", { name: say("Check and connect", "Prüfen und verbinden") });
      await connect.click();
      await page.getByRole("alert").first().waitFor();
      await shot("setup-refused");
      await given.fill(world.tenant.applicationSecret);
      await connect.click();
      await page.getByRole("table", { name: say("Permissions of the application", "Berechtigungen der Anwendung") }).waitFor();
      await settle();
      await shot("setup-permissions");
      await page.getByRole("button", { name: say("Next", "Weiter"), exact: true }).click();
      await settle();
      await shot("setup-job");
      await page.getByRole("button", { name: say("Create job", "Auftrag anlegen") }).click();
      const progress = page.getByRole("main").getByRole("progressbar");
      const last = page.getByText(say("Last run:", "Letzter Lauf:"));
      await progress.or(last).first().waitFor();
      await shot("setup-running", { keys: false });
      await last.waitFor({ timeout: 120_000 });
      await settle();
      await shot("setup-ran");
      await page.getByRole("button", { name: say("Next", "Weiter"), exact: true }).click();
      await page.getByLabel(/^Passphrase(?! again| noch)/).fill("kit and place bring all back");
      await page.getByLabel(/^Passphrase (again|noch)/).fill("kit and place bring");
      await settle();
      await shot("setup-kit");
      await page.getByLabel(/^Passphrase (again|noch)/).fill("kit and place bring all back");
      const arriving = page.waitForEvent("download");
      await page.getByRole("button", { name: say("Download the kit", "Paket herunterladen") }).click();
      await arriving;
      await settle();
      await shot("setup-restore");
      await at("");
      await settle(1500);
      await shot("home-first");

      // The second sign-in asks for the code.
      await page.getByRole("banner").getByRole("button").last().click();
      await page.getByRole("menuitem").last().click();
      await page.getByLabel(say("User name", "Benutzername")).waitFor();
      await signInAs(page, world, say);
      const asked = page.getByRole("textbox", { name: /^Code/ });
      await asked.waitFor();
      await shot("signin-code");
      await asked.fill("000000");
      await page.getByRole("button", { name: say("Verify", "Prüfen") }).click();
      await page.getByRole("alert").first().waitFor();
      await shot("signin-code-wrong");
      await asked.fill(code(secret, Date.now() + 30_000));
      await page.getByRole("button", { name: say("Verify", "Prüfen") }).click();
      await page.getByRole("navigation").first().waitFor();
      await at("settings");
      await shot("settings-factor");

      // Without the server: what was on a page stays, and a page that was not opened says why it is empty.
      await page.route("**/*", (route) => (/\/(v8|holdfast)\//.test(route.request().url()) ? route.abort() : route.continue()));
      await at("jobs");
      await settle(6000);
      await shot("offline", { keys: false });
    });
  } finally {
    await api.close();
    await world.stop();
  }
}
// What is refused here on purpose is on the browser's console, by its own doing.
const refused = problems.filter((p) => /console error: Failed to load resource: (the server responded with a status of 40[0-9]|net::ERR_FAILED)/.test(p));
for (const p of refused) problems.splice(problems.indexOf(p), 1);
await end();
