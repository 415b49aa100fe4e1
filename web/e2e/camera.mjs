// What the scripts that take pictures share: the themes, and a camera that photographs all of a page and looks for what a machine can see.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { audit, open, tabs } from "./browser.mjs";

// Each theme is seen in one language, so that both are looked at. forced: the system's own high contrast, in which the browser paints over the page's colours.
const themes = {
  light: { theme: "light", language: "en" },
  dark: { theme: "dark", language: "de" },
  contrast: { theme: "contrast", language: "en" },
  forced: { theme: "system", language: "de", forced: true },
};

// A tall page is photographed whole, up to here.
const tallest = 2_400;

// studio reads DIR and the themes from the command line: take(theme, walk) opens a browser and lets walk photograph; end tells what was found.
export async function studio(prefix = "") {
  const dir = process.argv[2] ?? "shots";
  const chosen = process.argv.length > 3 ? process.argv.slice(3) : Object.keys(themes);
  await mkdir(dir, { recursive: true });
  const problems = [];

  // take goes through a world with a browser. screens: the widths of each picture. A part that fails is told and photographed, and the walk goes on with the next.
  const take = async (world, name, walk, { widths = [1440, 1280], height = 860, label = name } = {}) => {
    const { theme, language, forced = false } = themes[name];
    const b = await open(world, { theme, language, forced, viewport: { width: widths[0], height } });
    const { page } = b;
    page.on("crash", () => problems.push(`${label}: the page crashed`));
    const say = (en, de) => (language === "de" ? de : en);
    // fit makes the window as high as what is in it, as far as that scrolls. What is virtual, a tree or a frame scrolls for ever and counts not.
    const fit = async (width) => {
      await page.setViewportSize({ width, height });
      await page.waitForTimeout(200);
      const more = await page.evaluate(() => {
        const inside = [...document.querySelectorAll("[role=dialog] *, [role=alertdialog] *")];
        const all = inside.length > 0 ? inside : [...document.querySelectorAll("main, main *")];
        return Math.max(0, ...all.filter((el) => /auto|scroll/.test(getComputedStyle(el).overflowY) && !el.closest("[role=grid], [role=tree], nav, pre, textarea") && el.clientHeight > 100).map((el) => el.scrollHeight - el.clientHeight));
      });
      if (more > 0) {
        await page.setViewportSize({ width, height: Math.min(tallest, height + more) });
        await page.waitForTimeout(200);
      }
    };
    const shot = async (what, { keys = true, only = widths } = {}) => {
      for (const width of only) {
        await fit(width);
        await page.screenshot({ path: join(dir, `${prefix}${what}-${name}-${width}.png`) });
      }
      await page.setViewportSize({ width: only.at(-1), height });
      // Of forced colours axe knows nothing: it compares those that the page asks for.
      problems.push(...(await audit(page, `${what} ${label}`)).filter((p) => !forced || !p.includes("color-contrast")));
      if (name === "light" && keys) problems.push(...(await tabs(page, what)));
    };
    // part is a piece of the walk that others do not need.
    const part = async (at, does) => {
      try {
        await does();
      } catch (cause) {
        problems.push(`${label}, ${at}: ${cause.message.split("\n").slice(0, 4).join(" ")}`);
        await page.screenshot({ path: join(dir, `${prefix}failed-${at}-${name}.png`) }).catch(() => undefined);
        await page.goto("about:blank").catch(() => undefined);
      }
    };
    try {
      await walk({ b, page, say, shot, part, german: language === "de", settle: (ms = 600) => page.waitForTimeout(ms) });
    } catch (cause) {
      problems.push(`${label}: ${cause.message}`);
      await page.screenshot({ path: join(dir, `${prefix}failed-${name}.png`) }).catch(() => undefined);
    }
    problems.push(...b.wrong.map((w) => `${label}: ${w}`));
    await b.close();
  };

  const end = async () => {
    const said = [...new Set(problems)].join("\n") || "axe found nothing serious; no error on the console";
    await writeFile(join(dir, `${prefix}problems.txt`), `${said}\n`);
    console.log(said);
  };
  return { dir, chosen, take, end, problems };
}

// signInAs signs in with an account of the server in the language that say speaks.
export async function signInAs(page, world, say, password = world.password) {
  await page.getByLabel(say("User name", "Benutzername")).fill(world.user);
  await page.getByLabel(say("Password", "Kennwort")).fill(password);
  await page.getByRole("button", { name: say("Sign in", "Anmelden"), exact: true }).click();
}
