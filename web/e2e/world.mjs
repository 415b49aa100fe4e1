// A simulated organization and a server, each a process of its own, as a user starts them.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "playwright-core";

const holdfast = process.env.HOLDFAST ?? "holdfast";

// run starts a command and waits until its output has what is wanted.
function run(args, wanted) {
  const child = spawn(holdfast, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  let ended;
  const gone = new Promise((resolve) => (ended = resolve));
  child.on("close", ended);
  const found = new Promise((resolve, reject) => {
    const look = (part) => {
      said += part;
      const all = wanted.map((w) => w.exec(said));
      if (all.every(Boolean)) resolve(all.map((m) => m[1]));
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    child.on("error", reject);
    gone.then((code) => reject(new Error(`holdfast ${args[0]} ended with ${code}:\n${said}`)));
  });
  const stop = async () => {
    if (child.exitCode === null) child.kill("SIGTERM");
    await gone;
  };
  return { found, stop, said: () => said };
}

export async function startWorld({ users = 3, sim = [], server = [] } = {}) {
  const dir = await mkdtemp(join(tmpdir(), "holdfast-e2e-"));
  const stops = [];
  const stop = async () => {
    for (const one of stops.reverse()) await one();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const tenantDir = join(dir, "sim");
    const s = run(["sim", "--dir", tenantDir, "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--users", String(users), "--limits", "off", ...sim], [/by server name, on (\S+)/, /control +(http:\S+)\/stats/, /tenant +(\S+)/]);
    stops.push(s.stop);
    const [dial, control] = await s.found;
    const password = "correct horse battery staple";
    await writeFile(join(dir, "password"), password);
    const serve = (address) => run(
      ["server", "--data", join(dir, "data"), "--rest", address, "--m365-dial", dial, "--m365-ca", join(tenantDir, "ca.pem"), "--m365-limits", "off", "--admin-password-file", join(dir, "password"), ...server],
      [/REST API +(https:\S+)/, /certificate +(\S+)/],
    );
    let r = serve("127.0.0.1:0");
    stops.push(() => r.stop());
    const [url, certificate] = await r.found;
    // restart stops the server, does what is to be done meanwhile, and starts it again at the same address.
    const restart = async (meanwhile) => {
      await r.stop();
      await meanwhile();
      r = serve(new URL(url).host);
      await r.found;
    };
    const tenant = JSON.parse(await readFile(join(tenantDir, "tenant.json"), "utf8"));
    return { dir, url, certificate, control, dial, tenant, user: "admin", password, stop, restart, said: () => r.said() };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

// apiOf calls operations of a world's server as its administrator. The server's certificate is its own, so the calls go through Playwright's requests.
export async function apiOf(world) {
  const context = await request.newContext({ baseURL: world.url, ignoreHTTPSErrors: true });
  const signedIn = await context.post("/v8/token", { data: { grant_type: "password", username: world.user, password: world.password } });
  const { access_token: token } = await signedIn.json();
  const call = async (method, path, data) => {
    const answer = await context.fetch(path, { method, data, headers: { authorization: `Bearer ${token}` } });
    const text = await answer.text();
    if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${text}`);
    return text ? JSON.parse(text) : undefined;
  };
  // until asks again until what it asks for is there.
  const until = async (what, ask, seconds = 60) => {
    for (const end = Date.now() + seconds * 1000; ; ) {
      const got = await ask();
      if (got) return got;
      if (Date.now() > end) throw new Error(`${what} did not come within ${seconds} s`);
      await new Promise((r) => setTimeout(r, 200));
    }
  };
  const idle = () => until("the end of the job", async () => (await call("GET", "/holdfast/v1/JobProgress")).length === 0, 120);
  const indexed = () => until("the search index", async () => {
    const all = await call("GET", "/holdfast/v1/Search/Status");
    return all.length > 0 && all.every((s) => !s.working && s.notIndexed.length === 0 && s.documents > 0);
  });
  return { call, until, idle, indexed, close: () => context.dispose() };
}

// backUp makes a repository, an organization and a job for some users (all: undefined) and runs it. sites, teams: SharePoint sites, teams with their chats too, which take an application that signs in by certificate.
export async function backUp(world, { users, sites = false, teams = false, name = "Board" } = {}) {
  const api = await apiOf(world);
  const proxies = await api.call("GET", "/v8/Proxies");
  const repository = await api.call("POST", "/v8/BackupRepositories", { name: "main", path: join(world.dir, "repository"), proxyId: proxies.results[0].id, retentionType: "SnapshotBased", retentionPeriodType: "Yearly", yearlyRetentionPeriod: "Years3" });
  const settings = { useApplicationOnlyAuth: true, officeOrganizationName: world.tenant.domain, applicationId: world.tenant.applicationId, ...(sites || teams ? { applicationCertificate: world.tenant.certificatePfx, applicationCertificatePassword: world.tenant.certificatePassword } : { applicationSecret: world.tenant.applicationSecret }) };
  const organization = await api.call("POST", "/v8/Organizations", { type: "Office365", region: "Worldwide", isExchangeOnline: true, isSharePointOnline: true, ...(teams ? { isTeamsOnline: true, isTeamsChatsOnline: true, isChatsOnline: true } : {}), exchangeOnlineSettings: settings, sharePointOnlineSettings: settings });
  const selected = world.tenant.users.slice(0, users).map((u) => ({ type: "User", user: { id: u.id, name: u.upn }, mailbox: true, oneDrive: true }));
  if (sites || teams) selected.push({ type: "PartialOrganization", mailbox: false, oneDrive: false, sites, ...(teams ? { teams: true, teamsChats: true, chats: true } : {}) });
  const schedulePolicy = { scheduleEnabled: true, type: "Daily", dailyType: "Everyday", dailyTime: "22:00:00", retryEnabled: true, retryNumber: 3, retryWaitInterval: 10 };
  const job = await api.call("POST", "/v8/Jobs", { name, organizationId: organization.id, repositoryId: repository.id, backupType: "SelectedItems", selectedItems: selected, schedulePolicy, runNow: true });
  await api.idle();
  return { ...api, organization, repository, job };
}

// mutate changes the simulated organization behind everybody's back.
export async function mutate(world, change) {
  const answer = await fetch(`${world.control}/mutate`, { method: "POST", body: JSON.stringify(change) });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`mutate: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

// tell has the simulated organization do something by an address of its control port.
export async function tell(world, path, body) {
  const answer = await fetch(`${world.control}/${path}`, { method: "POST", body: JSON.stringify(body) });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

// oracle is what the simulated organization says that something of it holds.
async function oracle(world, path) {
  const answer = await fetch(`${world.control}/oracle/${path}`);
  if (answer.status !== 200) throw new Error(`oracle: ${answer.status} ${await answer.text()}`);
  return (await answer.text()).split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

// messages are those of a mailbox.
export const messages = async (world, user) => (await oracle(world, `mailboxes/${user}`)).filter((row) => row.message).map((row) => row.message);

// files are those of a OneDrive.
export const files = async (world, user) => (await oracle(world, `drives/${user}`)).filter((row) => !row.folder);

// posts are those of a team's channel that say something.
export const posts = async (world, team, channel) => (await oracle(world, `teams?team=${encodeURIComponent(team)}`)).filter((row) => row.kind === "post" && row.channel === channel && !row.deleted && !row.event);

// chatNamed is the id of the chat with a topic.
export async function chatNamed(world, topic) {
  const all = await (await fetch(`${world.control}/chats`)).json();
  return all.find((c) => c.topic === topic).id;
}

// said is what people said in a chat.
export const said = async (world, chat) => (await oracle(world, `chats?chat=${encodeURIComponent(chat)}`)).filter((row) => row.kind === "post" && !row.deleted && !row.event);

// openPortal opens the Restore Portal of a world whose organization is backed up.
export async function openPortal(world, api) {
  const registered = await fetch(`${world.control}/application`, { method: "POST", body: JSON.stringify({ redirectUris: [`${world.url}/holdfast/v1/portal/callback`] }) });
  if (registered.status !== 200) throw new Error(`register the redirect URI: ${registered.status}`);
  await api.call("PUT", "/holdfast/v1/RestorePortalSettings", { isEnabled: true, applicationId: world.tenant.portalApplicationId, restorePortalUri: world.url });
}

// fault breaks the simulated organization in ways that the simulator names; none mends it.
export async function fault(world, ...faults) {
  const answer = await fetch(`${world.control}/faults`, { method: "POST", body: JSON.stringify({ faults }) });
  if (answer.status !== 200) throw new Error(`faults: ${answer.status} ${await answer.text()}`);
}
