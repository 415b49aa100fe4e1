// A folder of a million mails on a real server, in Chromium: what the list shows after every kind of movement is what the server has there. The part
// "browser" of test/bench makes server and mails, starts this, and reads the figures that it prints.
import assert from "node:assert/strict";
import { audit, open, signIn } from "./browser.mjs";

const { HOLDFAST_URL: url, HOLDFAST_PASSWORD: password, HOLDFAST_SESSION: session, HOLDFAST_MAILBOX: mailbox, HOLDFAST_FOLDER: folder } = process.env;
const world = { url, user: "admin", password, dial: "127.0.0.1:9" };
const b = await open(world, { scrollbars: true });
const { page, context, wrong } = b;
page.setDefaultTimeout(120_000); // the first look at a folder puts all of it into order
const tell = (line) => console.error(`million: ${line}`);

const ask = async (path) => {
  const answer = await context.request.get(`${url}${path}`, { timeout: 120_000 });
  assert.equal(answer.status(), 200, `${path}: ${await answer.text()}`);
  return answer.json();
};
const items = `/v8/RestoreSessions/${session}/organization/mailboxes/${mailbox}/items?parentId=${encodeURIComponent(folder)}`;
const grid = page.getByRole("grid");

// seen gives the rows that are in sight, from top to bottom, and how many there are in the document.
const seen = () => grid.evaluate((el) => {
  const box = el.getBoundingClientRect();
  const rows = [...el.querySelectorAll('[role="row"]')];
  return {
    document: rows.length,
    scroll: el.scrollTop,
    top: box.top,
    bottom: box.top + el.clientHeight,
    rows: rows.map((r) => {
      const at = r.getBoundingClientRect();
      return { index: Number(r.getAttribute("aria-rowindex")) - 1, top: at.top, bottom: at.bottom, cells: [...r.querySelectorAll('[role="gridcell"]')].slice(1).map((c) => c.textContent) };
    }).filter((r) => r.bottom > box.top + 0.5 && r.top < box.top + el.clientHeight - 0.5).sort((x, y) => x.top - y.top),
  };
});

// filled waits until every row in sight has its words; the answer is how long that took, from before move on.
const filled = async (move) => {
  const before = await page.evaluate(() => performance.now());
  await move();
  return page.evaluate((start) => new Promise((resolve) => {
    let still = 0;
    let where = -1;
    const look = () => {
      const el = document.querySelector('[role="grid"]');
      const box = el.getBoundingClientRect();
      const rows = [...el.querySelectorAll('[role="row"]')].filter((r) => r.getBoundingClientRect().bottom > box.top + 0.5 && r.getBoundingClientRect().top < box.top + el.clientHeight - 0.5);
      const there = rows.length > 0 && rows.every((r) => r.textContent);
      const first = Number(rows[0]?.getAttribute("aria-rowindex"));
      // They stay: what was there before the list has heard of the movement does not count.
      if (there && first === where) still++;
      else still = 0;
      if (still === 1) resolve.at = performance.now();
      where = first;
      if (still > 15) resolve(resolve.at - start);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }), before);
};

let most = 0; // rows in the document
// right compares what is in sight with what the server has at those places, and wants no gap, nothing twice and no empty space.
async function right(what) {
  const now = await seen();
  most = Math.max(most, now.document);
  assert.ok(now.rows.length > 5, `${what}: ${now.rows.length} rows in sight`);
  const first = now.rows[0].index;
  now.rows.forEach((r, i) => {
    assert.equal(r.index, first + i, `${what}: rows ${now.rows.map((x) => x.index)}`);
    if (i > 0) assert.ok(Math.abs(r.top - now.rows[i - 1].bottom) < 0.6, `${what}: a gap above row ${r.index}`);
  });
  assert.ok(now.rows[0].top <= now.top + 0.6, `${what}: empty above row ${first}`);
  assert.ok(now.rows.at(-1).bottom >= now.bottom - 0.6, `${what}: empty below row ${now.rows.at(-1).index}`);
  const { results } = await ask(`${items}&offset=${first}&limit=${now.rows.length}`);
  const wanted = await page.evaluate((all) => {
    const when = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
    return all.map((m) => [/^(.+?)\s*<[^<>]*>$/.exec(m.from)?.[1] ?? m.from, m.subject || "(no subject)", when.format(new Date(m.received))]);
  }, results);
  assert.deepEqual(now.rows.map((r) => r.cells), wanted, `${what}: rows from ${first} on`);
  return { first, last: now.rows.at(-1).index, scroll: now.scroll };
}

const cdp = await context.newCDPSession(page);
const heap = async () => {
  await cdp.send("HeapProfiler.collectGarbage");
  return (await cdp.send("Runtime.getHeapUsage")).usedSize / 2 ** 20;
};

try {
  await signIn(page, world);
  await page.getByRole("navigation").first().waitFor();
  await page.goto(`${url}/#/explore/${session}`);
  await page.getByRole("navigation", { name: /Mailboxes/ }).getByRole("treeitem").first().click();
  const began = Date.now();
  await page.getByRole("treeitem", { name: "Inbox" }).click();
  await grid.getByRole("gridcell").nth(2).getByText(/\S/).waitFor();
  const first = Date.now() - began;
  tell(`the folder is open after ${first} ms`);
  await page.waitForFunction(() => Number(document.querySelector('[role="grid"]').getAttribute("aria-rowcount")) > 0);
  const total = Number(await grid.getAttribute("aria-rowcount"));
  const end = await ask(`${items}&offset=${total - 1}&limit=10`);
  assert.equal(end.results.length, 1, `${total} rows, and the server has others`);
  await filled(async () => {});
  await right("at the top");
  const heapBefore = await heap();

  // The scroll bar is set to places far from each other, as by a click into it.
  const jumps = [];
  for (const share of [0.5, 0.1, 0.9, 0.25, 0.75, 0.333, 0.666, 0.001, 0.999, 0.05, 0.95, 0.42]) {
    jumps.push(await filled(() => grid.evaluate((el, s) => { el.scrollTop = s * (el.scrollHeight - el.clientHeight); }, share)));
    const at = await right(`jump to ${share}`);
    assert.ok(Math.abs(at.first / total - share) < 0.002, `a jump to ${share} shows row ${at.first}`);
  }
  tell(`jumps took ${jumps.map(Math.round).join(", ")} ms`);

  // Its thumb is taken by the mouse, drawn to several places without letting go, and to the very end.
  await filled(() => grid.evaluate((el) => { el.scrollTop = 0; }));
  const box = await grid.boundingBox();
  const x = box.x + box.width - 6;
  const grip = async () => {
    for (const k of [4, 10, 18, 24, 30]) {
      await page.mouse.move(x, box.y + k);
      await page.mouse.down();
      await page.mouse.move(x, box.y + k + 120, { steps: 6 });
      const moved = await grid.evaluate((el) => el.scrollTop / (el.scrollHeight - el.clientHeight));
      if (Math.abs(moved - 120 / box.height) < 0.08) return k;
      await page.mouse.up();
      await filled(() => grid.evaluate((el) => { el.scrollTop = 0; }));
    }
    throw new Error("the scroll bar has no thumb to draw");
  };
  const k = await grip();
  const drags = [];
  for (const share of [0.3, 0.8, 0.15, 0.6]) {
    drags.push(await filled(() => page.mouse.move(x, box.y + k + share * box.height, { steps: 12 })));
    const at = await right(`drawn to ${share}`);
    assert.ok(Math.abs(at.first / total - share) < 0.1, `drawn to ${share} it shows row ${at.first} of ${total}`);
  }
  drags.push(await filled(() => page.mouse.move(x, box.y + box.height + 60, { steps: 12 })));
  await page.mouse.up();
  await filled(async () => {});
  assert.equal((await right("drawn to the end")).last, total - 1, "the last row is reached by the scroll bar");
  tell(`draws took ${drags.map(Math.round).join(", ")} ms`);

  // Page by page and by the wheel nothing is left out.
  await filled(() => grid.evaluate((el) => { el.scrollTop = 0.37 * (el.scrollHeight - el.clientHeight); }));
  await grid.focus();
  let before = await right("before the pages");
  const steps = [];
  const follow = async (what, move, back) => {
    for (let i = 0; i < 15; i++) {
      steps.push(await filled(move));
      const at = await right(`${what} ${i + 1}`);
      assert.ok(back ? at.first < before.first && at.last >= before.first - 1 : at.last > before.last && at.first <= before.last + 1, `${what}: after rows ${before.first} to ${before.last} come ${at.first} to ${at.last}`);
      before = at;
    }
  };
  await grid.getByRole("row").nth(8).click();
  before = await right("a row is chosen");
  await page.keyboard.press("PageDown"); // to the lower edge first
  await filled(async () => {});
  before = await right("page 0");
  await follow("page down", () => page.keyboard.press("PageDown"), false);
  await grid.hover();
  await follow("wheel down", () => page.mouse.wheel(0, 400), false);
  await follow("wheel up", () => page.mouse.wheel(0, -400), true);

  // By the keyboard from end to end.
  await grid.focus();
  jumps.push(await filled(() => page.keyboard.press("End")));
  assert.equal((await right("End")).last, total - 1);
  await filled(() => page.keyboard.press("ArrowUp"));
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  for (let i = 0; i < 5; i++) await filled(() => page.mouse.wheel(0, -300));
  for (let i = 0; i < 8; i++) await filled(() => page.mouse.wheel(0, 300));
  assert.equal((await right("by the wheel to the end")).last, total - 1);
  await grid.focus();
  jumps.push(await filled(() => page.keyboard.press("Home")));
  assert.equal((await right("Home")).first, 0);

  const heapAfter = await heap();
  assert.deepEqual(wrong, []);
  assert.deepEqual(await audit(page, "a million"), []);
  console.log(JSON.stringify({ total, first, jumps, drags, steps, most, heapBefore, heapAfter }));
} finally {
  await b.close();
}
