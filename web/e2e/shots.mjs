// Pictures of every page in every theme, to be looked at: node e2e/shots.mjs DIR [theme…]. They are not committed.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { audit, open, signIn } from "./browser.mjs";
import { startWorld } from "./world.mjs";

const dir = process.argv[2] ?? "shots";
const themes = process.argv.slice(3).length > 0 ? process.argv.slice(3) : ["light", "dark", "contrast"];
await mkdir(dir, { recursive: true });
const world = await startWorld({ users: 6 });
const problems = [];
try {
  const first = await open(world);
  const api = first.context.request;
  const token = (await (await api.post(`${world.url}/v8/token`, { data: { grant_type: "password", username: world.user, password: world.password } })).json()).access_token;
  const call = async (method, path, data) => {
    const answer = await api.fetch(`${world.url}${path}`, { method, data, headers: { authorization: `Bearer ${token}` } });
    if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`);
    const text = await answer.text();
    return text ? JSON.parse(text) : undefined;
  };
  const proxies = await call("GET", "/v8/Proxies");
  const repository = await call("POST", "/v8/BackupRepositories", { name: "main", path: join(world.dir, "repository"), proxyId: proxies.results[0].id, retentionType: "SnapshotBased", retentionPeriodType: "Yearly", yearlyRetentionPeriod: "Years3" });
  const settings = { useApplicationOnlyAuth: true, officeOrganizationName: world.tenant.domain, applicationId: world.tenant.applicationId, applicationSecret: world.tenant.applicationSecret };
  const organization = await call("POST", "/v8/Organizations", { type: "Office365", region: "Worldwide", isExchangeOnline: true, isSharePointOnline: true, exchangeOnlineSettings: settings, sharePointOnlineSettings: settings });
  const user = (u) => ({ type: "User", user: { id: u.id, name: u.upn }, mailbox: true, oneDrive: true });
  const policy = { scheduleEnabled: true, type: "Daily", dailyType: "Everyday", dailyTime: "22:00:00", retryEnabled: true, retryNumber: 3, retryWaitInterval: 10 };
  const job = await call("POST", "/v8/Jobs", { name: "Board", organizationId: organization.id, repositoryId: repository.id, backupType: "SelectedItems", selectedItems: world.tenant.users.slice(0, 4).map(user), schedulePolicy: policy, runNow: true });
  const idle = async () => {
    for (;;) {
      const all = await call("GET", "/holdfast/v1/JobProgress");
      if (all.length === 0) return;
      await new Promise((r) => setTimeout(r, 500));
    }
  };
  await idle();
  const opened = await call("POST", `/v8/Organizations/${organization.id}/explore`, { type: "Vex" });
  const files = await call("POST", `/v8/Organizations/${organization.id}/explore`, { type: "Veod" });
  await first.close();

  const pages = [
    ["home", "/"], ["setup", "/setup"], ["jobs", "/jobs"], ["sessions", "/sessions"], ["restores", "/sessions?tab=restore"], ["explore", "/explore"], ["mail", `/explore/${opened.id}`], ["files", `/explore/${files.id}`],
    ["organizations", "/organizations"], ["repositories", "/repositories"], ["proxies", "/proxies"], ["users", "/users"], ["api-keys", "/api-keys"], ["audit", "/audit"], ["settings", "/settings"],
  ];
  for (const theme of themes) {
    const b = await open(world, { theme, language: theme === "dark" ? "de" : "en" });
    const { page } = b;
    const shot = async (name) => {
      await page.waitForTimeout(250);
      await page.screenshot({ path: join(dir, `${name}-${theme}.png`) });
      problems.push(...(await audit(page, `${name} ${theme}`)));
    };
    let at = "sign in";
    page.on("crash", () => problems.push(`${theme}: the page crashed`));
    try {
    await page.goto(`${world.url}/`);
    await page.getByRole("button").first().waitFor();
    await shot("signin");
    if (theme === "dark") {
      await page.getByLabel("Benutzername").fill(world.user);
      await page.getByLabel("Kennwort").fill(world.password);
      await page.getByRole("button", { name: "Anmelden" }).click();
    } else await signIn(page, world);
    await page.getByRole("navigation").first().waitFor();
    for (const [name, path] of pages) {
      at = name;
      await page.goto(`${world.url}/#${path}`);
      await page.waitForTimeout(700);
      await page.getByRole("heading", { level: 1 }).first().waitFor();
      if (name === "mail" || name === "files") {
        await page.getByRole("treeitem").first().click();
        await page.waitForTimeout(700);
        if (name === "mail") {
          await page.getByRole("treeitem", { name: "Inbox" }).click();
          await page.waitForTimeout(900);
        }
        const row = page.getByRole("grid").getByRole("row").first();
        if (await row.isVisible()) await row.click();
        await page.waitForTimeout(500);
      }
      await shot(name);
      if (name === "jobs") {
        await page.getByRole("checkbox").nth(1).check();
        await page.getByRole("toolbar").getByRole("button").nth(4).click();
        await page.getByRole("dialog").waitFor();
        await page.waitForTimeout(600);
        await shot("job-editor");
        await page.getByRole("dialog").getByRole("switch").first().check();
        await page.waitForTimeout(300);
        await page.getByRole("grid").scrollIntoViewIfNeeded();
        await shot("job-hours");
        await page.keyboard.press("Escape");
        await page.getByRole("toolbar").getByRole("button").last().click();
        await page.getByRole("dialog").waitFor();
        await page.waitForTimeout(500);
        await shot("script");
        await page.keyboard.press("Escape");
      }
      if (name === "sessions") {
        await page.getByRole("table").getByRole("link").first().click();
        await page.getByRole("dialog").waitFor();
        await page.waitForTimeout(800);
        await shot("session");
        await page.keyboard.press("Escape");
      }
      if (name === "mail") {
        await page.getByRole("toolbar").getByRole("button").first().click();
        await page.getByRole("dialog").waitFor();
        await page.waitForTimeout(400);
        await shot("restore");
        await page.keyboard.press("Escape");
      }
      if (name === "organizations") {
        await page.getByRole("table").getByRole("button").last().click();
        await page.getByRole("dialog").waitFor();
        await page.waitForTimeout(1200);
        await shot("organization");
        await page.keyboard.press("Escape");
      }
      if (name === "repositories") {
        await page.getByRole("toolbar").getByRole("button").first().click();
        await page.getByRole("dialog").waitFor();
        await page.waitForTimeout(400);
        await shot("repository-add");
        await page.keyboard.press("Escape");
      }
    }
    await page.getByRole("banner").getByRole("button").nth(1).click();
    await page.getByRole("menu").waitFor();
    await shot("menu");
    await page.keyboard.press("Escape");
    await page.setViewportSize({ width: 390, height: 800 });
    await page.goto(`${world.url}/#/`);
    await page.reload();
    await page.waitForTimeout(900);
    await shot("home-phone");
    } catch (cause) {
      problems.push(`${theme}, ${at}: ${cause.message}`);
      await page.screenshot({ path: join(dir, `failed-${theme}.png`) });
    }
    problems.push(...b.wrong.map((w) => `${theme}: ${w}`));
    await b.close();
  }
} finally {
  await world.stop();
}
await writeFile(join(dir, "problems.txt"), problems.join("\n") + "\n");
console.log([...new Set(problems)].join("\n") || "axe found nothing serious; no error on the console");
