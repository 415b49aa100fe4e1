// A browser that notes everything that must not happen: errors on the console, requests to other hosts, dialogs.
import axe from "axe-core";
import { chromium } from "playwright-core";

export const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

const signInHost = "login.microsoftonline.com";

// The only requests to another host are the page's own navigations to the sign-in page.
const signsIn = (r, url) => url.host === signInHost && r.isNavigationRequest() && r.frame().parentFrame() === null;

export async function open(world, { theme = "light", language = "en", viewport = { width: 1280, height: 860 } } = {}) {
  // The simulator plays Microsoft's sign-in page under its real name.
  const args = [`--host-resolver-rules=MAP ${signInHost} ${world.dial}`];
  if (process.getuid?.() === 0) args.push("--no-sandbox");
  const browser = await chromium.launch({ executablePath, args });
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport, locale: language === "de" ? "de-DE" : "en-GB", acceptDownloads: true, reducedMotion: "reduce" });
  await context.addInitScript(([t, l]) => {
    if (window !== window.top) return; // a preview's frame has no storage
    localStorage.setItem("holdfast.theme", t);
    localStorage.setItem("holdfast.language", l);
  }, [theme, language]);
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const wrong = [];
  const home = new URL(world.url).host;
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && wrong.push(`console ${m.type()}: ${m.text()}`));
  page.on("pageerror", (e) => wrong.push(`page error: ${e.stack ?? e}`));
  page.on("request", (r) => {
    const url = new URL(r.url());
    if (url.protocol !== "blob:" && url.protocol !== "data:" && url.host !== home && !signsIn(r, url)) wrong.push(`request to ${url.host}: ${r.url()}`);
  });
  return { browser, context, page, wrong, close: () => browser.close() };
}

// audit gives what axe finds that is serious or critical, in words.
export async function audit(page, label) {
  await page.evaluate(axe.source); // by the debugger: the page's policy lets no stranger's script in
  const found = await page.evaluate(async () => {
    // Fluent's focus handling puts sentinels into the page that move the focus on at once; nobody stays on one.
    const result = await globalThis.axe.run({ include: [document], exclude: ["[data-tabster-dummy]"] }, { resultTypes: ["violations"] });
    return result.violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id}: ${v.help} (${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")})`);
  });
  return found.map((f) => `${label}: ${f}`);
}

export async function signIn(page, world) {
  await page.goto(`${world.url}/`);
  await page.getByLabel("User name").fill(world.user);
  await page.getByLabel("Password").fill(world.password);
  await page.getByRole("button", { name: "Sign in" }).click();
}
