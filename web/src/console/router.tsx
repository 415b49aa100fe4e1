import { createHashHistory, createRootRoute, createRoute, createRouter, lazyRouteComponent, RouterProvider } from "@tanstack/react-router";
import { Loading, Problem } from "../ui/page";
import { Shell } from "./shell";

// Addresses are behind the #, so that the server has one page and every path below it is the API's.
const root = createRootRoute({ component: Shell });

const page = <P extends string>(path: P, load: () => Promise<{ default: React.ComponentType }>) =>
  createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load) });

const text = (value: unknown) => (typeof value === "string" || typeof value === "number" ? String(value) : undefined);

// words keeps those of names that an address has.
const words = <N extends string>(...names: N[]) => (search: Record<string, unknown>) => {
  const out: { [K in N]?: string } = {};
  for (const name of names) {
    const value = text(search[name]);
    if (value !== undefined) out[name] = value;
  }
  return out;
};

const explore = createRoute({
  getParentRoute: () => root,
  path: "/explore/$session",
  validateSearch: (search: Record<string, unknown>): { at?: number; container?: string; item?: string; deleted?: string } => ({ ...(typeof search.at === "number" ? { at: search.at } : {}), ...words("container", "item", "deleted")(search) }),
  component: lazyRouteComponent(() => import("./explore/route")),
});

const sessions = createRoute({
  getParentRoute: () => root,
  path: "/sessions",
  validateSearch: words("session", "job", "tab"),
  component: lazyRouteComponent(() => import("./session/page")),
});

const search = createRoute({
  getParentRoute: () => root,
  path: "/search",
  validateSearch: words("q", "org", "kinds", "at", "deleted", "sort"),
  component: lazyRouteComponent(() => import("./search/page")),
});

const basket = createRoute({
  getParentRoute: () => root,
  path: "/basket",
  validateSearch: words("basket", "restore"),
  component: lazyRouteComponent(() => import("./basket/page")),
});

const tree = root.addChildren([
  page("/", () => import("./home/page")),
  page("/setup", () => import("./setup/page")),
  page("/jobs", () => import("./job/page")),
  sessions,
  search,
  basket,
  page("/explore", () => import("./explore/open")),
  explore,
  page("/organizations", () => import("./organization/page")),
  page("/organizations/$organization", () => import("./organization/check")),
  page("/repositories", () => import("./repository/page")),
  page("/proxies", () => import("./proxy/page")),
  page("/users", () => import("./user/page")),
  page("/roles", () => import("./role/page")),
  page("/exclusions", () => import("./exclusion/page")),
  page("/portal", () => import("./portal/page")),
  page("/api-keys", () => import("./apikey/page")),
  page("/audit", () => import("./audit/page")),
  page("/settings", () => import("./settings/page")),
]);

const router = createRouter({
  routeTree: tree,
  history: createHashHistory(),
  defaultPendingComponent: Loading,
  defaultNotFoundComponent: lazyRouteComponent(() => import("./nowhere")),
  defaultErrorComponent: ({ error }) => <Problem error={error} />,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

export function Console() {
  return <RouterProvider router={router} />;
}
