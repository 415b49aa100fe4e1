// Pictures of every page in every theme and at two widths, to be looked at: node e2e/shots.mjs DIR [theme…]. They are not committed.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { audit, open, signIn, tabs } from "./browser.mjs";
import { backUp, startWorld } from "./world.mjs";

const dir = process.argv[2] ?? "shots";
const themes = process.argv.slice(3).length > 0 ? process.argv.slice(3) : ["light", "dark", "contrast"];
await mkdir(dir, { recursive: true });
const world = await startWorld({ users: 6 });
const problems = [];
try {
  const api = await backUp(world, { users: 4, sites: true });
  const { call, organization } = api;
  const opened = await call("POST", `/v8/Organizations/${organization.id}/explore`, { type: "Vex" });
  const files = await call("POST", `/v8/Organizations/${organization.id}/explore`, { type: "Veod", showDeleted: true });
  const sites = await call("POST", `/v8/Organizations/${organization.id}/explore`, { type: "Vesp" });
  const user = (u) => ({ type: "User", user: { id: u.id, name: u.upn, displayName: "", type: "User" } });
  await call("POST", `/v8/Organizations/${organization.id}/RbacRoles`, { name: "Helpdesk", description: "First line of help", roleType: "EntireOrganization", operators: [user(world.tenant.users[0])], excludedItems: [user(world.tenant.users[1])] });
  await call("POST", "/holdfast/v1/searches", { name: "Long mails", query: "kind:mail size:>1KB" });
  await api.indexed();
  const { results: found } = await call("POST", "/holdfast/v1/Search", { query: "", limit: 200 });
  const { id: basket } = await call("POST", "/holdfast/v1/Baskets", { name: "For the board" });
  for (const hit of [...found.filter((h) => h.kind === "mail").slice(0, 4), ...found.filter((h) => h.kind === "file" && h.container.kind !== "site").slice(0, 3)]) {
    const session = hit.kind === "mail" ? opened : files;
    await call("POST", `/holdfast/v1/Baskets/${basket}/Items`, { restoreSessionId: session.id, containerId: hit.container.id, items: [hit.id] });
  }
  const word = /^\w+/.exec(found.find((h) => h.kind === "mail" && /^\w{6,}/.test(h.name)).name)[0];
  await api.close();

  const pages = [
    ["home", "/"], ["setup", "/setup"], ["jobs", "/jobs"], ["sessions", "/sessions"], ["restores", "/sessions?tab=restore"], ["explore", "/explore"], ["mail", `/explore/${opened.id}`], ["files", `/explore/${files.id}`], ["sites", `/explore/${sites.id}`],
    ["organizations", "/organizations"], ["repositories", "/repositories"], ["proxies", "/proxies"], ["search", "/search"], ["search-results", `/search?q=${word}`], ["search-error", "/search?q=subjcet%3Aplan"], ["basket", "/basket"], ["users", "/users"], ["roles", "/roles"], ["portal-settings", "/portal"], ["api-keys", "/api-keys"], ["audit", "/audit"], ["settings", "/settings"],
  ];
  for (const theme of themes) {
    const b = await open(world, { theme, language: theme === "dark" ? "de" : "en" });
    const { page } = b;
    const shot = async (name) => {
      for (const width of name.endsWith("-phone") ? [390] : [1440, 1280]) {
        await page.setViewportSize({ width, height: width === 390 ? 800 : 860 });
        await page.waitForTimeout(250);
        await page.screenshot({ path: join(dir, `${name}-${theme}-${width}.png`) });
      }
      problems.push(...(await audit(page, `${name} ${theme}`)));
      if (theme === "light" && name !== "menu") problems.push(...(await tabs(page, name)));
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
      if (name === "sites") {
        const node = (label) => page.getByRole("treeitem", { name: label }).first();
        const first = async (label) => {
          const row = page.getByRole("grid").getByRole("row").first();
          if (await row.isVisible()) await row.click();
          await page.waitForTimeout(700);
          await shot(label);
        };
        await node("Communication site").click();
        await page.waitForTimeout(900);
        await shot("site");
        await node("Incidents").click();
        await page.waitForTimeout(900);
        await shot("site-list");
        await first("site-item");
        await node("Documents").click();
        await page.waitForTimeout(700);
        await first("site-library");
        await node("Site Pages").click();
        await page.waitForTimeout(700);
        await first("site-page");
      }
      if (name === "mail") {
        for (const folder of ["Calendar", "Contacts", "Tasks"]) {
          const node = page.getByRole("treeitem", { name: folder, exact: true }).first();
          if (!(await node.isVisible())) continue;
          await node.click();
          await page.waitForTimeout(700);
          await shot(`mail-${folder.toLowerCase()}`);
          const row = page.getByRole("grid").getByRole("row").first();
          if (await row.isVisible()) await row.click();
          await page.waitForTimeout(600);
          await shot(`mail-${folder.toLowerCase()}-item`);
        }
        await page.getByRole("treeitem", { name: "Inbox" }).click();
        await page.waitForTimeout(700);
      }
      if (name === "search-results") {
        await page.getByRole("grid").getByRole("row").first().click();
        await page.waitForTimeout(900);
      }
      await shot(name);
      const bar = page.getByRole("toolbar").getByRole("button");
      const panel = async (label, wait = 600) => {
        await page.getByRole("dialog").waitFor();
        await page.waitForTimeout(wait);
        await shot(label);
        await page.keyboard.press("Escape");
        await page.getByRole("dialog").waitFor({ state: "detached" });
      };
      if (name === "search") {
        await page.getByRole("search").getByRole("button").last().click();
        await page.waitForTimeout(400);
        await shot("search-help");
        await bar.nth(5).click();
        await panel("search-saved");
      }
      if (name === "basket") {
        await bar.first().click();
        await page.getByRole("dialog").getByRole("region").getByRole("button").click();
        await page.waitForTimeout(2500);
        await panel("basket-restore");
      }
      if (name === "roles") {
        await page.getByRole("checkbox").nth(1).check();
        await bar.nth(1).click();
        await panel("role-editor", 900);
      }
      if (name === "files") {
        await bar.nth(5).click();
        await panel("other-time");
        await bar.nth(6).click();
        await page.getByRole("dialog").getByRole("button", { name: /Compare|Vergleichen/, exact: true }).click();
        await panel("compare", 2500);
        await bar.nth(7).click();
        await panel("history", 1200);
      }
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
        await page.getByRole("main").getByRole("button", { name: /^S[ck]ript$/ }).click();
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
        await page.getByRole("table").nth(1).waitFor(); // the checks of its page
        await shot("organization");
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
