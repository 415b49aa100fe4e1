// A browser that notes everything that must not happen: errors on the console, requests to other hosts, dialogs.
import axe from "axe-core";
import { chromium } from "playwright-core";

export const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

const signInHost = "login.microsoftonline.com";

// The only requests to another host are the page's own navigations to the sign-in page.
const signsIn = (r, url) => url.host === signInHost && r.isNavigationRequest() && r.frame().parentFrame() === null;

// scrollbars: they are shown as on a desktop, so that a mouse can draw them. forced: the system's colours for high contrast are in force.
export async function open(world, { theme = "light", language = "en", viewport = { width: 1280, height: 860 }, scrollbars = false, forced = false } = {}) {
  // The simulator plays Microsoft's sign-in page under its real name.
  const args = [`--host-resolver-rules=MAP ${signInHost} ${world.dial}`];
  if (process.getuid?.() === 0) args.push("--no-sandbox");
  const browser = await chromium.launch({ executablePath, args, ...(scrollbars ? { ignoreDefaultArgs: ["--hide-scrollbars"] } : {}) });
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport, locale: language === "de" ? "de-DE" : "en-GB", acceptDownloads: true, reducedMotion: "reduce", ...(forced ? { forcedColors: "active" } : {}) });
  await context.addInitScript(([t, l]) => {
    if (window !== window.top || location.origin === "null") return; // a preview's frame and an empty page have no storage
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
    // A preview's frame runs no script that could answer axe; what it posts into one that still loads is a warning on the console.
    // Fluent's focus handling puts sentinels into the page that move the focus on at once; nobody stays on one.
    const result = await globalThis.axe.run({ include: [document], exclude: ["[data-tabster-dummy]"] }, { resultTypes: ["violations"], iframes: false });
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

// tabs goes through the page by the Tab key and gives what is wrong with that, in words: a focus that can't be seen, or one that gets stuck.
export async function tabs(page, label, most = 120) {
  const problems = new Set();
  await page.evaluate(() => (window.tabbed = []));
  for (let i = 0; i < most; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const el = document.activeElement;
      if (!el || el === document.body) return { body: true };
      if (el.tagName === "IFRAME" || el.hasAttribute("data-tabster-dummy")) return { pass: true };
      if (window.tabbed.at(-1) === el && /^(date|time|datetime-local)$/.test(el.type)) return { pass: true }; // day, month and year are one element
      const again = window.tabbed.indexOf(el);
      window.tabbed.push(el);
      const box = el.getBoundingClientRect();
      const styles = [getComputedStyle(el), getComputedStyle(el, "::after"), getComputedStyle(el, "::before"), ...(el.parentElement ? [getComputedStyle(el.parentElement), getComputedStyle(el.parentElement, "::after")] : []), ...[...el.parentElement?.children ?? [], ...el.children].flatMap((c) => [getComputedStyle(c), getComputedStyle(c, "::after")])];
      const marked = styles.some((s) => (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0) || parseFloat(s.borderBottomWidth) > 0 || s.boxShadow !== "none" || s.textDecorationStyle === "double");
      const label = el.getAttribute("aria-label") || el.textContent.trim().slice(0, 40) || el.getAttribute("type") || "";
      return { again, stuck: window.tabbed.at(-2) === el, seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight, marked, what: `${el.tagName.toLowerCase()}${el.getAttribute("role") ? `[${el.getAttribute("role")}]` : ""} ${label}` };
    });
    if (at.body || at.again === 0) break;
    if (at.pass) continue;
    if (at.stuck) {
      problems.add(`the focus is stuck on ${at.what}`);
      break;
    }
    if (!at.seen) problems.add(`out of sight with the focus: ${at.what}`);
    else if (!at.marked) problems.add(`nothing shows the focus on ${at.what}`);
  }
  return [...problems].map((p) => `${label}: ${p}`);
}
