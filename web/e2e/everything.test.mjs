// One search over all that Microsoft 365 holds: a hit of each kind is shown with what it holds, and opened in the explorer of its kind.
import assert from "node:assert/strict";
import { test } from "node:test";
import { consoleStage } from "./stage.mjs";

const on = consoleStage({ name: "everything", users: 3, backedUp: 2, sites: true, teams: true, prepare: ({ api }) => api.indexed() });

// Each kind with the explorer's title, and whether its contents are a frame.
const kinds = [
  ["mail", "mailbox", /^Mail of/], ["event", "mailbox", /^Mail of/], ["contact", "mailbox", /^Mail of/], ["task", "mailbox", /^Mail of/], ["file", "drive", /^OneDrive files of/], ["file", "site", /^SharePoint sites of/],
  ["list item", "site", /^SharePoint sites of/], ["page", "site", /^SharePoint sites of/], ["post", "team", /^Teams of/], ["post", "chat", /^Chats of/],
];
// textOf takes what people wrote out of what is stored of a kind.
const textOf = {
  post: (m) => m.body.content,
  page: (p) => [...JSON.stringify(p).matchAll(/"innerHtml":"((?:[^"\\]|\\.)*)"/g)].map((m) => JSON.parse(`"${m[1]}"`)).join(" "),
  "list item": (i) => Object.entries(i.fields).filter(([name, value]) => typeof value === "string" && !/^@|^_|^Content|^Link|^Edit$|^id$|Created|Modified|Attachments/.test(name)).map(([, value]) => value).join(" "),
};
const find = (kind, query = "") => on.api.call("POST", "/holdfast/v1/Search", { query, kinds: [kind], limit: 500 });

test("words in posts, messages, pages and values of lists are found", { timeout: 120_000 }, async () => {
  for (const [kind, container] of [["post", "team"], ["post", "chat"], ["page", "site"], ["list item", "site"]]) {
    const hits = (await find(kind)).results.filter((r) => r.container.kind === container);
    assert.ok(hits.length > 0, `nothing of the kind ${kind} of a ${container}`);
    // A word that stands in the text and not in the name is taken from what is stored.
    const type = { site: "Vesp", team: "Vet", chat: "Chats" }[container];
    const session = await on.api.call("POST", `/v8/Organizations/${on.api.organization.id}/explore`, { type });
    let found = false;
    for (const hit of hits.slice(0, 20)) {
      const stored = await on.api.call("GET", `/holdfast/v1/RestoreSessions/${session.id}/Containers/${hit.container.id}/Items/${encodeURIComponent(hit.id)}/Content`);
      const text = textOf[kind](stored).replace(/<[^>]*>|&\w+;/g, " ");
      const word = text.match(/\p{L}{5,}/gu)?.find((w) => !hit.name.toLowerCase().includes(w.toLowerCase()));
      if (!word) continue;
      found = (await find(kind, `body:${word} mailbox:"${hit.container.name}"`)).results.some((r) => r.id === hit.id);
      assert.ok(found, `the ${kind} ${hit.name} of a ${container} is not found by its word ${word}`);
      break;
    }
    assert.ok(found, `no ${kind} of a ${container} has a word that its name has not`);
    await on.api.call("POST", `/v8/RestoreSessions/${session.id}/Stop`);
  }
});

test("a hit of each kind is shown and opened in its explorer", { timeout: 600_000 }, async () => {
  const { page } = on.b;
  for (const [kind, container, title] of kinds) {
    const hit = (await find(kind)).results.find((r) => r.container.kind === container && /^[\w ]{4,}/.test(r.name) && !r.deleted);
    assert.ok(hit, `nothing of the kind ${kind} of a ${container}`);
    await page.goto("about:blank");
    await page.goto(`${on.world.url}/#/search?q=${encodeURIComponent(`subject:"${hit.name.replaceAll('"', " ")}"`)}&kinds=${encodeURIComponent(kind)}`);
    const grid = page.getByRole("grid", { name: "Results" });
    await grid.getByRole("row").filter({ hasText: hit.container.name }).first().click();
    const preview = page.getByRole("region", { name: "Preview" });
    await preview.getByRole("heading", { level: 2 }).first().waitFor();
    await on.look(`search: ${kind} of a ${container}`);
    await on.command("Open in explorer").click();
    await page.getByRole("heading", { level: 1, name: title }).waitFor();
    await preview.getByRole("heading", { level: 2 }).filter({ hasText: hit.name.slice(0, 20) }).waitFor();
    await page.getByRole("grid").getByRole("row").first().waitFor();
    // Its list has the columns of its kind.
    if (kind === "contact") await page.getByRole("columnheader", { name: "E-mail" }).or(page.getByText("E-mail", { exact: true })).first().waitFor();
    assert.equal(await page.getByRole("alert").count(), 0, `opening a ${kind} of a ${container} says something`);
  }
});

test("nothing went wrong on the way", () => on.well());
