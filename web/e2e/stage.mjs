// The console over a backed-up organization with its administrator signed in, for the tests of one file: up before them, down after them.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before } from "node:test";
import { audit, open, signIn } from "./browser.mjs";
import { backUp, startWorld } from "./world.mjs";

// consoleStage gives the stage, whose world, api and b (a browser) are there once the tests run. backedUp: how many of the users (all). sites, teams: SharePoint sites, teams with their chats too. prepare comes
// after the backup and before the browser.
export function consoleStage({ name, users, backedUp, sites, teams, prepare }) {
  const serious = [];
  const on = {
    world: undefined,
    api: undefined,
    b: undefined,
    look: async (label) => serious.push(...(await audit(on.b.page, label))),
    command: (label) => on.b.page.getByRole("toolbar").getByRole("button", { name: label, exact: true }),
    // well is for the last test: nothing went wrong in all of them.
    well: () => {
      assert.deepEqual(on.b.wrong, []);
      assert.deepEqual(serious, []);
    },
  };
  before(async () => {
    on.world = await startWorld({ users });
    on.api = await backUp(on.world, { users: backedUp, sites, teams });
    await prepare?.(on);
    on.b = await open(on.world);
    await signIn(on.b.page, on.world);
    await on.b.page.getByRole("navigation").first().waitFor();
  });
  after(async () => {
    await on.b?.close();
    await on.api?.close();
    await on.world?.stop();
  });
  // A picture says more than a missing element.
  afterEach(async (t) => {
    if (process.env.HOLDFAST_SHOTS && !t.passed) await on.b?.page.screenshot({ path: join(process.env.HOLDFAST_SHOTS, `failed-${name}.png`) });
  });
  return on;
}
