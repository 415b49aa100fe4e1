// What every page offers for a script can be run: the program knows each command with its flags, and each call is in the table of routes.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { promisify } from "node:util";
import { consoleStage } from "./stage.mjs";

const run = promisify(execFile);
const holdfast = process.env.HOLDFAST ?? "holdfast";

let pages;
const on = consoleStage({
  name: "script", users: 2,
  prepare: async ({ world, api }) => {
    const organization = api.organization.id;
    const mail = await api.call("POST", `/v8/Organizations/${organization}/explore`, { type: "Vex" });
    const files = await api.call("POST", `/v8/Organizations/${organization}/explore`, { type: "Veod" });
    await api.call("POST", "/holdfast/v1/Baskets", { name: "b" });
    await api.call("POST", `/v8/Organizations/${organization}/RbacRoles`, { name: "help desk", roleType: "EntireOrganization", operators: [{ type: "User", user: { id: "", name: world.tenant.users[0].upn, displayName: "", type: "User" } }] });
    pages = ["/", "/jobs", "/sessions", "/explore", "/search", "/basket", "/organizations", "/repositories", "/proxies", "/users", "/roles", "/portal", "/api-keys", "/audit", "/settings", `/explore/${mail.id}`, `/explore/${files.id}`];
  },
});

// words splits a line as a POSIX shell does, as far as the pages write it: single and double quotation marks, \' between them, \ before a new line.
function words(line) {
  const out = [];
  let word;
  let quoted = "";
  const add = (c) => (word = (word ?? "") + c);
  for (let i = 0; i < line.length; i++) {
    const c = line[i];
    if (quoted) {
      if (c === quoted) quoted = "";
      else add(c);
    } else if (c === "'" || c === '"') {
      quoted = c;
      add("");
    } else if (c === "\\") {
      i++;
      if (line[i] !== "\n") add(line[i]);
    } else if (/\s/.test(c)) {
      if (word !== undefined) out.push(word);
      word = undefined;
    } else add(c);
  }
  if (word !== undefined) out.push(word);
  return out;
}

test("a line is split as a shell does", () => {
  assert.deepEqual(words(`holdfast x 'a "b"' 'it'\\''s' "c d" \\\n --f=1 ''`), ["holdfast", "x", 'a "b"', "it's", "c d", "--f=1", ""]);
});

// parses says what is wrong with a command; undefined when the program takes it.
async function parses(line) {
  const args = words(line).slice(1);
  let help;
  try {
    help = (await run(holdfast, [...args, "--help"])).stdout; // every flag is read before help is shown
  } catch (cause) {
    return cause.stderr || String(cause);
  }
  const usage = /^Usage:\n {2}holdfast (.+)$/m.exec(help)?.[1];
  if (!usage || usage.includes("[command]") || help.includes("\nAvailable Commands:") || help.includes(" [command] --help")) return `is no command: ${usage}`;
  const shape = usage.replace(/ ?\[flags\]$/, "").replace(/ --[\w-]+ [A-Z]+/g, "").split(" ");
  const takesValue = new Set([...help.matchAll(/^ {2,6}(?:(-\w), )?(--[\w-]+) [a-z]\w*/gm)].flatMap((m) => [m[1], m[2]]).filter(Boolean));
  const given = [];
  for (let i = 0; i < args.length; i++) {
    if (args[i].startsWith("-")) i += takesValue.has(args[i]) ? 1 : 0;
    else given.push(args[i]);
  }
  const name = shape.filter((w) => /^[a-z][a-z-]*$/.test(w));
  if (given.slice(0, name.length).join(" ") !== name.join(" ")) return `is "${name.join(" ")}"`;
  const wanted = shape.slice(name.length).filter((w) => /^\[?[A-Z]/.test(w));
  const least = wanted.filter((w) => !w.startsWith("[")).length;
  const most = wanted.some((w) => w.includes("…")) ? Infinity : wanted.length;
  const count = given.length - name.length;
  return count < least || count > most ? `takes ${least} to ${most} arguments, not ${count}` : undefined;
}

test("commands that are wrong are noticed", async () => {
  assert.equal(await parses("holdfast role show 'help desk'"), undefined);
  for (const wrong of ["holdfast role", "holdfast roll list", "holdfast role show", "holdfast role show a b", "holdfast role list --colour red", "holdfast role show --colour"]) assert.ok(await parses(wrong), wrong);
});

// The description of the API has exactly the operations of the table of routes: a test of the server demands it.
async function routes() {
  const out = [];
  let path;
  for (const line of (await readFile(new URL("../../api/openapi.yaml", import.meta.url), "utf8")).split("\n")) {
    if (/^\S/.test(line) && !line.startsWith("paths:")) path = undefined;
    const at = /^ {2}(\/\S*):$/.exec(line);
    if (at) path = at[1];
    const method = /^ {4}(get|put|post|delete|patch):$/.exec(line);
    if (path && method) out.push({ method: method[1].toUpperCase(), path: new RegExp(`^${path.replace(/[.+?^$()|[\]\\]/g, "\\$&").replace(/\{\w+\}/g, "[^/?]+")}(\\?.*)?$`, "i") });
  }
  return out;
}

test("every page's commands and calls can be run", { timeout: 180_000 }, async () => {
  const { page } = on.b;
  const table = await routes();
  assert.ok(table.length > 500);
  const problems = [];
  const commands = new Set();
  const calls = new Set();
  for (const [n, at] of pages.entries()) {
    await page.goto(`${on.world.url}/?${n}#${at}`); // a new document, in which nothing of the page before is left
    if (at.startsWith("/explore/")) await page.getByRole("treeitem").first().click();
    await page.getByRole("main").getByRole("button", { name: "Script", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Do this from a script" });
    await dialog.locator("section").first().waitFor();
    for (const text of await dialog.locator("section pre").allTextContents()) commands.add(text);
    await dialog.getByRole("tab", { name: "curl" }).click();
    await dialog.locator("section pre").first().waitFor();
    for (const text of await dialog.locator("section pre").allTextContents()) calls.add(text);
    await dialog.getByRole("button", { name: "Close" }).click();
    await dialog.waitFor({ state: "detached" });
  }
  assert.ok(commands.size > 40, `${commands.size} commands`);
  assert.ok(calls.size > 60, `${calls.size} calls`);
  for (const command of commands) {
    assert.ok(command.startsWith("holdfast "), command);
    const wrong = await parses(command);
    if (wrong) problems.push(`${command}\n    ${wrong}`);
  }
  for (const call of calls) {
    const args = words(call);
    const method = args.includes("-X") ? args[args.indexOf("-X") + 1] : "GET";
    const { pathname, search, origin } = new URL(args.at(-1));
    if (origin !== on.world.url) problems.push(`${call}\n    goes to ${origin}`);
    if (!table.some((r) => r.method === method && r.path.test(pathname + search))) problems.push(`${call}\n    ${method} ${pathname} is no route`);
    const body = args.includes("-d") ? args[args.indexOf("-d") + 1] : undefined;
    if (body !== undefined) JSON.parse(body);
  }
  assert.deepEqual(problems, []);
  assert.deepEqual(on.b.wrong, []);
  console.log(`# ${pages.length} pages, ${commands.size} commands, ${calls.size} calls`);
});
