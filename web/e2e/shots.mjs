// Pictures of every page of the console in every theme and at two widths, to be looked at: node e2e/shots.mjs DIR [theme…]. They are not committed.
// shots_first.mjs has the pages of an empty server, shots_dialogs.mjs what opens over pages, shots_portal.mjs the portal.
import { signInAs, studio } from "./camera.mjs";
import { backUp, startWorld } from "./world.mjs";

const { chosen, take, end, problems } = await studio();
const world = await startWorld({ users: 6 });
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
  for (const theme of chosen) await take(world, theme, async ({ page, say, shot, part, settle }) => {
    await page.goto(`${world.url}/`);
    await page.getByRole("button").first().waitFor();
    await shot("signin");
    await signInAs(page, world, say);
    await page.getByRole("navigation").first().waitFor();
    for (const [name, path] of pages) await part(name, async () => {
      await page.goto("about:blank");
      await page.goto(`${world.url}/#${path}`);
      await page.waitForTimeout(700);
      await page.getByRole("heading", { level: 1 }).first().waitFor();
      if (name === "mail" || name === "files") {
        await page.getByRole("treeitem").first().click();
        await page.waitForTimeout(700);
        if (name === "mail") {
          await page.getByTitle("Inbox", { exact: true }).click();
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
        await page.getByTitle("Inbox", { exact: true }).click();
        await page.waitForTimeout(900);
        await page.getByRole("grid").getByRole("row").nth(1).click();
        await page.waitForTimeout(900);
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
        await page.getByRole("table").nth(3).waitFor(); // the checks of its page
        await settle();
        await shot("organization");
      }
      if (name === "repositories") {
        await page.getByRole("toolbar").getByRole("button").first().click();
        await page.getByRole("dialog").waitFor();
        await page.waitForTimeout(400);
        await shot("repository-add");
        await page.keyboard.press("Escape");
      }
    });
    await page.goto(`${world.url}/#/`);
    await settle(900);
    await shot("home-phone", { only: [390] });
  });
  await end();
} finally {
  await world.stop();
}
