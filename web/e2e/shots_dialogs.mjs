// Pictures of what opens over the pages, in every theme: questions, editors, results, logs, what failed: node e2e/shots_dialogs.mjs DIR [theme…]. They are not committed.
import { signInAs, studio } from "./camera.mjs";
import { backUp, fault, messages, mutate, startWorld } from "./world.mjs";

const { chosen, take, end, problems } = await studio("over-");
for (const theme of chosen) {
  const world = await startWorld({ users: 5, server: ["--ask-again", "1h"] });
  try {
    const api = await backUp(world, { users: 3, sites: true });
    const { call, idle, organization, job } = api;
    const [user] = world.tenant.users;
    await call("POST", "/holdfast/v1/users", { name: "carol", password: "a password of many words", role: "RestoreOperator" });
    await call("POST", "/holdfast/v1/api-keys", { name: "monitoring", role: "Auditor", expires: new Date(Date.now() + 90 * 86_400_000).toISOString() });
    await call("POST", `/v8/Organizations/${organization.id}/RbacRoles`, { name: "Helpdesk", description: "First line of help", roleType: "EntireOrganization", operators: [{ type: "User", user: { id: user.id, name: user.upn, displayName: "", type: "User" } }] });
    // A mail is lost, a run has warnings, another fails.
    const lost = (await messages(world, user.upn)).find((m) => /^\w[\w ]{4,}$/.test(m.subject ?? ""));
    await mutate(world, { op: "deleteMessage", user: user.upn, id: lost.id });
    await fetch(`${world.control}/churn`, { method: "POST", body: JSON.stringify({ seed: 7, driveChanges: 20 }) });
    await fault(world, { name: "itemError", probability: 0.3 });
    await call("POST", `/v8/Jobs/${job.id}/start`, { full: true });
    await idle();
    await fault(world, { name: "accessDenied", path: "GET " });
    await call("POST", `/v8/Jobs/${job.id}/start`);
    await idle();
    await fault(world);
    await api.indexed();
    const mail = await call("POST", `/v8/Organizations/${organization.id}/explore`, { type: "Vex" });
    const { results: found } = await call("POST", "/holdfast/v1/Search", { query: "kind:mail", limit: 50 });
    const { id: basket } = await call("POST", "/holdfast/v1/Baskets", { name: "For the board" });
    for (const hit of found.filter((h) => !h.deleted).slice(0, 4)) await call("POST", `/holdfast/v1/Baskets/${basket}/Items`, { restoreSessionId: mail.id, containerId: hit.container.id, items: [hit.id] });

    await take(world, theme, async ({ page, say, shot, part, settle }) => {
      const at = async (path) => {
        await page.goto("about:blank"); // what comes is a new document, in which nothing of the page before is left
        await page.goto(`${world.url}/#/${path}`);
        await page.getByRole("heading", { level: 1 }).first().waitFor();
        await settle();
      };
      const command = (en, de) => page.getByRole("toolbar").getByRole("button", { name: say(en, de), exact: true });
      const over = page.getByRole("dialog").or(page.getByRole("alertdialog"));
      const close = async () => {
        await page.keyboard.press("Escape");
        await over.first().waitFor({ state: "detached" });
      };
      // opened photographs what a command opens.
      const opened = async (name, en, de, { wait = 500, then, keep = false } = {}) => {
        await command(en, de).click();
        await over.first().waitFor();
        await settle(wait);
        await then?.(over.last());
        await shot(name);
        if (!keep) await over.last().getByRole("button", { name: say("Cancel", "Abbrechen") }).or(over.last().getByRole("button", { name: say("Close", "Schließen") })).first().click();
        if (!keep) await over.first().waitFor({ state: "detached" });
      };
      const pick = (n = 1) => page.getByRole("checkbox").nth(n).check();
      await page.goto(`${world.url}/`);
      await signInAs(page, world, say);
      await page.getByRole("navigation").first().waitFor();

      await part("home", async () => {
        await at("");
        await settle(1500);
        await shot("home-troubles");
      });
      await part("jobs", async () => {
        await at("jobs");
        await pick();
        await shot("jobs-chosen");
        await opened("job-full", "Full run", "Voller Lauf");
        await opened("job-remove", "Remove", "Entfernen");
        await opened("job-new", "New job", "Neuer Auftrag", {
          then: async (d) => {
            await d.getByRole("radio", { name: say("What is chosen here", "Was hier gewählt wird") }).check();
            const list = d.getByRole("region", { name: say("Protect", "Schützen"), exact: true }).or(d.getByRole("group", { name: say("Protect", "Schützen"), exact: true })).first();
            for (const [type, words] of [[say("Users", "Benutzer"), user.upn], [say("Sites", "Websites"), "falc"]]) {
              await list.getByRole("combobox").selectOption({ label: type });
              await list.getByRole("searchbox").fill(words);
              await list.getByRole("button", { name: say(/^Add (?!everything)/, /^(?!Alles).* hinzufügen$/) }).first().click();
            }
            await settle(900);
          },
        });
        await command("Disable", "Deaktivieren").click();
        await command("Enable", "Aktivieren").waitFor();
        await shot("jobs-disabled");
        await command("Enable", "Aktivieren").click();
        await command("Disable", "Deaktivieren").waitFor();
        await fault(world, { name: "throttle429", retryAfter: "3", path: "GET " });
        await command("Start", "Starten").click();
        await page.getByRole("main").getByRole("progressbar").first().waitFor();
        await settle(4000);
        await shot("jobs-running", { keys: false });
        await page.goto(`${world.url}/#/`);
        await settle(1500);
        await shot("home-running", { keys: false });
        await fault(world);
        await call("POST", `/v8/Jobs/${job.id}/stop`);
        await idle();
      });
      await part("sessions", async () => {
        await at("sessions");
        await shot("sessions");
        const { results } = await call("GET", `/v8/JobSessions?jobId=${job.id}&limit=10`);
        for (const status of new Set(results.map((r) => r.status))) {
          await at(`sessions?session=${results.find((r) => r.status === status).id}`);
          await over.first().waitFor();
          await settle(900);
          await shot(`session-${status.toLowerCase()}`);
          await close();
        }
      });
      await part("organizations", async () => {
        await at("organizations");
        await opened("organization-add", "Add organization", "Organisation hinzufügen", { then: (d) => d.getByRole("radio", { name: say("There is an application already", "Es gibt schon eine Anwendung") }).check() });
        await pick();
        await opened("organization-remove", "Remove", "Entfernen", {
          then: async (d) => {
            await d.getByRole("button", { name: say("Remove", "Entfernen") }).click();
            await d.getByRole("alert").waitFor(); // its job is there
          },
        });
        await at(`organizations/${organization.id}`);
        await page.getByRole("table").nth(3).waitFor({ timeout: 60_000 });
        await settle(900);
        await shot("organization-check");
        await opened("organization-renew", "Renew the certificate", "Zertifikat erneuern");
        await page.getByRole("toolbar").getByRole("button").nth(2).click();
        await over.first().waitFor();
        await settle();
        await shot("organization-secret");
        await close();
      });
      await part("repositories", async () => {
        await at("repositories");
        await pick();
        await opened("repository-kit", "Recovery kit", "Notfallpaket");
        await opened("repository-edit", "Edit", "Bearbeiten");
        await opened("repository-retention", "Apply retention now", "Aufbewahrung jetzt anwenden");
        await opened("repository-remove", "Remove", "Entfernen", {
          then: async (d) => {
            await d.getByRole("button", { name: say("Remove", "Entfernen") }).click();
            await d.getByRole("alert").waitFor(); // a job writes into it
          },
        });
        await command("Synchronize", "Abgleichen").click();
        await settle(1500);
        await shot("repository-synchronized");
      });
      await part("proxies", async () => {
        await at("proxies");
        await pick();
        await opened("proxy-edit", "Edit", "Bearbeiten");
      });
      await part("users", async () => {
        await at("users");
        await opened("user-add", "Add user", "Neuer Benutzer");
        await page.getByRole("checkbox", { name: /carol/ }).check();
        await shot("users-chosen");
        await opened("user-role", "Change role", "Rolle ändern");
        await opened("user-password", "Set password", "Kennwort setzen", {
          then: async (d) => {
            await d.getByLabel(say("New password", "Neues Kennwort")).fill("short");
            await d.getByRole("button", { name: say("Set password", "Kennwort setzen") }).click();
            await d.getByRole("alert").waitFor();
          },
        });
        await opened("user-remove", "Remove", "Entfernen");
      });
      await part("roles", async () => {
        await at("roles");
        await opened("role-new", "New role", "Neue Rolle", { then: (d) => d.getByRole("radio").nth(1).check() });
        await pick();
        await opened("role-remove", "Remove", "Entfernen");
      });
      await part("portal", async () => {
        await at("portal");
        await page.getByRole("switch").check();
        await page.getByRole("radio").nth(1).check();
        await shot("portal-settings");
      });
      await part("keys", async () => {
        await at("api-keys");
        await opened("key-add", "New key", "Neuer Schlüssel", { then: (d) => d.getByLabel("Name").fill("reports"), keep: true });
        await over.last().getByRole("button", { name: say("Create key", "Schlüssel anlegen") }).click();
        await page.getByLabel(say("Key", "Schlüssel"), { exact: true }).waitFor();
        await settle();
        await shot("key-made");
        await close();
        await pick();
        await opened("key-revoke", "Revoke", "Widerrufen");
      });
      await part("audit", async () => {
        await at("audit");
        await command("Verify the chain", "Kette prüfen").click();
        await page.getByText(say("The chain is sound", "Die Kette ist heil")).waitFor();
        await page.getByRole("search").getByRole("textbox").nth(1).fill("job");
        await page.getByRole("search").getByRole("button").first().click();
        await settle();
        await shot("audit-verified");
      });
      await part("settings", async () => {
        await at("settings");
        for (const [n, value] of ["wrong", "a password of many words", "a password of few"].entries()) await page.locator("input[type=password]").nth(n).fill(value);
        await shot("settings-password");
      });
      await part("explorer", async () => {
        await at(`explore/${mail.id}`);
        await page.getByTitle(user.upn).first().click();
        await settle(900);
        await page.getByRole("searchbox", { name: say(/Search in/, /suchen|durchsuchen/) }).fill(`subject:"${lost.subject}"`);
        await page.keyboard.press("Enter");
        await page.getByText(say("Nothing found.", "Nichts gefunden.")).waitFor();
        await shot("explorer-nothing");
        await command("Only what was deleted", "Nur Gelöschtes").click();
        const row = page.getByRole("grid").getByRole("row").first();
        await row.waitFor();
        await row.click();
        await settle(900);
        await shot("explorer-deleted");
        await command("Restore", "Wiederherstellen").click();
        await over.first().waitFor();
        await over.getByRole("button", { name: say("Dry run", "Probelauf") }).click();
        await over.getByText(say("Nothing was changed.", "Nichts wurde geändert")).waitFor({ timeout: 60_000 });
        await settle();
        await shot("dry-run");
        await over.getByRole("radio").nth(1).check();
        await settle();
        await shot("restore-elsewhere");
        await over.getByRole("radio").nth(0).check();
        await over.getByRole("button", { name: say("Restore", "Wiederherstellen"), exact: true }).click();
        await page.getByRole("dialog", { name: say("Results", "Ergebnisse") }).getByRole("table").first().waitFor({ timeout: 60_000 });
        await settle(2500);
        await shot("restore-results");
        await close();
        await at("sessions?tab=restore");
        await shot("restores");
      });
      await part("compare", async () => {
        await at(`explore/${mail.id}`);
        await page.getByTitle(user.upn).first().click();
        await settle(900);
        await opened("compare-mail", "Compare", "Vergleichen", {
          then: async (d) => {
            await d.getByRole("button", { name: say("Compare", "Vergleichen"), exact: true }).click();
            await d.getByRole("table").or(d.getByText(say("Nothing differs.", "Nichts weicht ab"))).first().waitFor({ timeout: 60_000 });
            await settle();
          },
        });
      });
      await part("basket", async () => {
        await at("basket");
        await pick(0);
        await shot("basket-chosen");
        await opened("basket-new", "New basket", "Neuer Korb");
        await opened("basket-delete", "Delete basket", "Korb löschen");
        await command("Restore", "Wiederherstellen").click();
        await over.getByRole("button", { name: say("Restore", "Wiederherstellen"), exact: true }).click();
        await page.getByRole("dialog").getByRole("table").first().waitFor({ timeout: 60_000 });
        await settle(2000);
        await shot("basket-results");
        await close();
      });
      await part("search", async () => {
        await at("search?q=kind%3Amail");
        await page.getByRole("grid").getByRole("row").first().waitFor();
        await page.getByRole("grid").getByRole("checkbox").first().check();
        await settle();
        await shot("search-chosen");
        await opened("search-save", "Save search", "Speichern");
        await at("search?q=zzzzzz");
        await page.getByText(say("Nothing found.", "Nichts gefunden.")).first().waitFor();
        await shot("search-nothing");
      });
      await part("script", async () => {
        await at("repositories");
        await page.getByRole("main").getByRole("button", { name: say("Script", "Skript"), exact: true }).click();
        await over.first().waitFor();
        await settle();
        await shot("script");
        await over.getByRole("tab", { name: "curl" }).click();
        await settle();
        await shot("script-curl");
        await close();
      });
      await part("menu", async () => {
        await at("");
        await page.getByRole("banner").getByRole("button").nth(1).click();
        await page.getByRole("menu").waitFor();
        await settle();
        await shot("menu-theme", { keys: false });
        await page.keyboard.press("Escape");
        await page.getByRole("banner").getByRole("button").last().click();
        await page.getByRole("menu").waitFor();
        await settle();
        await shot("menu-account", { keys: false });
        await page.keyboard.press("Escape");
      });
    });
    await api.close();
  } finally {
    await world.stop();
  }

  // Who sits there is asked again. A passkey needs a host name.
  const asking = await startWorld({ users: 1, server: ["--ask-again", "1s"] });
  try {
    await take({ ...asking, url: asking.url.replace("127.0.0.1", "localhost") }, theme, async ({ page, say, shot, settle }) => {
      const url = asking.url.replace("127.0.0.1", "localhost");
      await page.goto(`${url}/`);
      await page.getByRole("button").first().waitFor();
      await settle();
      await shot("signin-passkey");
      await signInAs(page, asking, say);
      await page.getByRole("navigation").first().waitFor();
      await page.goto(`${url}/#/settings`);
      await page.getByRole("button", { name: say("Add a passkey", "Passkey hinzufügen") }).click();
      await page.getByRole("dialog").waitFor();
      await settle();
      await shot("passkey-add");
      await page.keyboard.press("Escape");
      await page.goto(`${url}/#/api-keys`);
      await page.getByRole("toolbar").getByRole("button").first().click();
      await page.getByRole("dialog").getByLabel("Name").fill("monitoring");
      await settle(1500);
      await page.getByRole("button", { name: say("Create key", "Schlüssel anlegen") }).click();
      await page.getByRole("dialog", { name: say("Is it still you?", "Sind Sie es noch?") }).waitFor();
      await settle();
      await shot("proof", { keys: false });
    });
  } finally {
    await asking.stop();
  }
}
// What is refused here on purpose is on the browser's console, by its own doing.
for (const p of problems.filter((x) => /console error: Failed to load resource: the server responded with a status of 4\d\d/.test(x))) problems.splice(problems.indexOf(p), 1);
await end();
