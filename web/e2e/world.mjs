// A simulated organization and a server, each a process of its own, as a user starts them.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

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
    const r = run(
      ["server", "--data", join(dir, "data"), "--rest", "127.0.0.1:0", "--m365-dial", dial, "--m365-ca", join(tenantDir, "ca.pem"), "--m365-limits", "off", "--admin-password-file", join(dir, "password"), ...server],
      [/REST API +(https:\S+)/, /certificate +(\S+)/],
    );
    stops.push(r.stop);
    const [url, certificate] = await r.found;
    const tenant = JSON.parse(await readFile(join(tenantDir, "tenant.json"), "utf8"));
    return { dir, url, certificate, control, tenant, user: "admin", password, stop, said: () => r.said() };
  } catch (cause) {
    await stop();
    throw cause;
  }
}
