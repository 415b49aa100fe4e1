import type { IncomingMessage, ServerResponse } from "node:http";
import https from "node:https";
import type { Plugin } from "vite";

// standIn plays the server's browser session in "npm run dev", where the cookie can't be the server's own (another origin, no TLS): it logs in for a
// bearer, keeps it in memory and adds it to calls that carry its cookie. It is never part of what is built.
export function standIn(target: string): Plugin {
  const bearers = new Map<string, { token: string; name: string }>();
  const cookieOf = (req: IncomingMessage) => /(?:^|; )holdfast-dev=([^;]+)/.exec(req.headers.cookie ?? "")?.[1];
  const answer = (res: ServerResponse, status: number, body?: unknown, headers: Record<string, string> = {}) => {
    res.writeHead(status, { "content-type": "application/json", ...headers });
    res.end(body === undefined ? undefined : JSON.stringify(body));
  };
  const session = (name: string) => ({ user: { name, role: "Owner", roles: ["Owner"], secondFactor: false }, expires: new Date(Date.now() + 8 * 3600_000).toISOString(), setup: false });
  const login = (body: string) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const call = https.request(`${target}/v8/token`, { method: "POST", rejectUnauthorized: false, headers: { "content-type": "application/x-www-form-urlencoded" } }, (res) => {
        let text = "";
        res.on("data", (part) => (text += part));
        res.on("end", () => resolve({ status: res.statusCode ?? 500, body: text }));
      });
      call.on("error", reject);
      call.end(body);
    });
  return {
    name: "holdfast-dev-session",
    apply: "serve",
    configureServer(server) {
      server.middlewares.use(async (req, res, next) => {
        const path = (req.url ?? "").split("?")[0];
        if (path === "/" || path === "/portal") {
          req.url = path === "/" ? "/console.html" : "/portal.html";
          return next();
        }
        const known = bearers.get(cookieOf(req) ?? "");
        if (path !== "/holdfast/v1/session") {
          if (known && !req.headers.authorization) req.headers.authorization = `Bearer ${known.token}`;
          return next();
        }
        try {
          if (req.method === "GET") return known ? answer(res, 200, session(known.name)) : answer(res, 401, { message: "sign in first" });
          if (req.method === "DELETE") {
            bearers.delete(cookieOf(req) ?? "");
            return answer(res, 204, undefined, { "set-cookie": "holdfast-dev=; Max-Age=0; Path=/" });
          }
          let text = "";
          for await (const part of req) text += part;
          const { username, password } = JSON.parse(text);
          const got = await login(new URLSearchParams({ grant_type: "password", username, password }).toString());
          const parsed = JSON.parse(got.body);
          if (got.status !== 200) return answer(res, 401, { message: parsed.message ?? "the name or the password is wrong" });
          const id = crypto.randomUUID();
          bearers.set(id, { token: parsed.access_token, name: username });
          return answer(res, 200, session(username), { "set-cookie": `holdfast-dev=${id}; HttpOnly; SameSite=Strict; Path=/` });
        } catch (error) {
          return answer(res, 502, { message: String(error) });
        }
      });
    },
  };
}
