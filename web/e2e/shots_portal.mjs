// Pictures of the portal's pages in every theme, on a phone and at two widths of a desktop: node e2e/shots_portal.mjs DIR [theme…]. They are not committed.
import { studio } from "./camera.mjs";
import { backUp, openPortal, startWorld } from "./world.mjs";

const { chosen, take, end } = await studio("portal-");
const world = await startWorld({ users: 8 });

// walk goes through the portal as an operator, who sees every page, and takes a picture of each.
async function walk({ page, say, shot, settle }) {
  const portal = `${world.url}/portal`;
  await page.goto(`${portal}?error=expired`);
  await page.getByRole("link", { name: say("Sign in with Microsoft", "Mit Microsoft anmelden") }).waitFor();
  await shot("welcome");
  await page.getByRole("link", { name: say("Sign in with Microsoft", "Mit Microsoft anmelden") }).click();
  const [operator] = world.tenant.users;
  await page.getByLabel("User").fill(operator.upn);
  await page.getByLabel("Password").fill(operator.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText(operator.upn).waitFor();
  await shot("home");
  await page.getByRole("button", { name: say("Earlier…", "Früher …") }).click();
  await page.getByRole("table").waitFor();
  await settle();
  await shot("calendar");
  await page.goto(`${portal}#/people`);
  await page.getByRole("list").getByRole("link").nth(2).waitFor();
  await shot("people");
  await page.goto(`${portal}#/find?q=kind:mail`);
  await page.getByRole("grid").getByRole("row").first().waitFor();
  await settle();
  await shot("find");
  await page.getByRole("grid").getByRole("row").first().click();
  await page.getByRole("article").locator("iframe").waitFor();
  await settle();
  await shot("find-hit");
  await page.goto(`${portal}#/find?q=zzzz`);
  await settle();
  await shot("find-nothing");
  await page.goto(`${portal}#/`);
  const kind = (name) => page.getByRole("button", { name });
  await kind(say("OneDrive files", "OneDrive-Dateien")).click();
  await page.getByRole("searchbox").waitFor();
  await settle();
  await shot("files");
  await page.goto(`${portal}#/`);
  await kind(say("Mail", "E-Mail")).click();
  await page.getByText("Inbox").first().waitFor();
  await settle();
  await shot("mail");
  await page.getByText("Inbox").first().click();
  await page.getByRole("grid").getByRole("row").first().waitFor();
  await settle();
  await shot("inbox");
  await page.getByRole("checkbox").nth(1).check({ force: true });
  await shot("chosen");
  await page.getByRole("checkbox").nth(1).uncheck({ force: true });
  await page.getByRole("grid").getByRole("row").nth(1).click();
  await page.getByRole("article").waitFor();
  await settle();
  await shot("preview");
  await page.getByRole("toolbar").getByRole("button").first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox").last().fill(say("Deleted by mistake", "Aus Versehen gelöscht"));
  await dialog.getByRole("button", { name: say("What would happen?", "Was würde geschehen?") }).click();
  await dialog.getByText(say("This takes about", "Das dauert etwa")).waitFor();
  await settle();
  await shot("restore");
  await dialog.getByRole("button", { name: say("Restore", "Wiederherstellen"), exact: true }).click();
  await page.getByRole("dialog").getByRole("list").or(page.getByRole("dialog").getByRole("table")).last().waitFor({ timeout: 60_000 });
  await settle();
  await shot("results");
  await page.keyboard.press("Escape");
  await page.getByRole("status").getByText(say("has ended", "ist zu Ende")).waitFor({ timeout: 60_000 });
  await shot("notice");
  await page.goto(`${portal}#/restores`);
  await page.getByRole("list").getByRole("listitem").first().waitFor();
  await shot("restores");
  await page.getByRole("banner").getByRole("button").last().click();
  await page.getByRole("menu").waitFor();
  await shot("account", { keys: false });
  await page.keyboard.press("Escape");
}

try {
  const api = await backUp(world);
  await openPortal(world, api);
  await api.indexed();
  const [operator, , , excluded] = world.tenant.users;
  const item = (u) => ({ type: "User", user: { id: u.id, displayName: u.upn, name: u.upn, type: "User" } });
  await api.call("POST", `/v8/Organizations/${api.organization.id}/RbacRoles`, { name: "helpdesk", roleType: "EntireOrganization", operators: [item(operator)], excludedItems: [item(excluded)] });
  for (const theme of chosen) {
    await take(world, theme, walk, { widths: [390], height: 844, label: `${theme} phone` });
    await take(world, theme, walk, { label: `${theme} desktop` });
  }
  await api.close();
} finally {
  await world.stop();
}
await end();
