// A folder of a million mails scrolls from end to end. The server's part is played here: a million rows that cost nothing.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { open, signIn } from "./browser.mjs";
import { startWorld } from "./world.mjs";

const total = 1_000_000;
const session = "11111111-2222-4333-8444-555555555555";

let world;
let b;
before(async () => {
  world = await startWorld({ users: 1 });
  b = await open(world);
});
after(async () => {
  await b?.close();
  await world?.stop();
});

test("a list of a million mails scrolls from end to end", { timeout: 120_000 }, async () => {
  const { page, context, wrong } = b;
  const asked = [];
  await context.route(/\/RestoreSessions\//, (route) => {
    const url = new URL(route.request().url());
    const offset = Number(url.searchParams.get("offset") ?? 0);
    const limit = Number(url.searchParams.get("limit") ?? 30);
    const results = (items) => route.fulfill({ json: { offset, limit, results: items } });
    if (url.pathname.endsWith("/Events")) return results([]);
    if (url.pathname.endsWith("/mailboxes")) return results([{ id: "m", name: "Ada Lovelace", email: "ada@contoso.example" }]);
    if (url.pathname.endsWith("/Items")) {
      const parent = url.searchParams.get("parentId");
      const some = (total, results) => route.fulfill({ json: { offset, limit, total, results } });
      if (url.searchParams.get("kinds") === "folder") return parent === "root" ? some(1, [{ id: "inbox", kind: "folder", name: "Inbox" }]) : some(0, []);
      if (parent !== "inbox") return some(0, []);
      const count = Math.max(0, Math.min(limit, total - offset));
      if (count > 1) asked.push(offset);
      return some(total, Array.from({ length: count }, (_, i) => ({ id: `i${offset + i}`, kind: "mail", name: `mail ${offset + i}`, from: "Bob", time: "2026-01-01T00:00:00Z" })));
    }
    if (url.pathname.endsWith("/Preview")) return route.fulfill({ json: { kind: "none", name: "x", truncated: false, removed: [], why: "nothing", _links: {} } });
    return route.fulfill({ json: { id: session, type: "Vex", state: "Working", result: "None", creationTime: "2026-01-01T00:00:00Z", organization: "contoso.example" } });
  });
  await signIn(page, world);
  await page.getByRole("navigation").first().waitFor();
  await page.goto(`${world.url}/#/explore/${session}`);
  await page.getByRole("treeitem", { name: "Ada Lovelace" }).click();
  await page.getByRole("treeitem", { name: "Inbox" }).click();
  const grid = page.getByRole("grid");
  const row = (n) => grid.getByText(`mail ${n}`, { exact: true });
  await row(0).waitFor();
  assert.equal(await grid.getAttribute("aria-rowcount"), String(total));

  // By the keyboard to the end and back.
  await row(0).click();
  await page.keyboard.press("End");
  await row(total - 1).waitFor();
  assert.ok(await row(total - 1).isVisible());
  await page.keyboard.press("ArrowUp");
  await page.getByRole("region", { name: "Preview" }).getByRole("heading", { name: `mail ${total - 2}`, exact: true }).waitFor();
  await page.keyboard.press("Home");
  await row(0).waitFor();

  // By the scroll bar to the middle: the same share of all rows.
  await grid.evaluate((el) => {
    el.scrollTop = (el.scrollHeight - el.clientHeight) / 2;
  });
  const first = async () => Number((await grid.getByText(/^mail \d+$/).first().textContent()).slice(5));
  await row(total / 2).waitFor();
  const middle = await first();
  assert.ok(Math.abs(middle - total / 2) < 100, `row ${middle} in the middle`);

  // By the wheel row by row, not in leaps.
  await grid.hover();
  await page.mouse.wheel(0, 340);
  await page.waitForFunction((n) => [...document.querySelectorAll('[role="gridcell"]')].some((c) => c.textContent === `mail ${n}`), total / 2 + 20);
  const moved = (await first()) - middle;
  assert.ok(moved >= 8 && moved <= 12, `the wheel moved by ${moved} rows, not 10`);

  // All of it without keeping it: some rows in the page, some pages asked for.
  assert.ok((await grid.getByRole("row").count()) < 80, "few rows are in the document");
  assert.ok(asked.length < 20, `pages asked for: ${asked}`);

  await page.keyboard.press("Control+a");
  await page.getByRole("status").filter({ hasText: "1,000,000 selected" }).waitFor();
  assert.deepEqual(wrong, []);
});
