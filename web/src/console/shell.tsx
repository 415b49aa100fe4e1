import { Button, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import {
  ArchiveRegular, BuildingRegular, ClipboardTaskListLtrRegular, DatabaseRegular, HistoryRegular, HomeRegular, KeyRegular, NavigationRegular, PeopleRegular, ServerRegular, SettingsRegular,
  PersonCircleRegular, ShieldTaskRegular, FolderSearchRegular, SearchRegular, CartRegular, PersonKeyRegular, DoorRegular, SubtractCircleRegular,
} from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState, type ReactElement } from "react";
import { ApiError, whenProofNeeded, whenSignedOut } from "../api/client";
import { sessionQuery } from "../api/queries";
import { session } from "../api/session";
import { Opens, ThemeMenu } from "../ui/opens";
import { Loading, Problem } from "../ui/page";
import { useText } from "../ui/text/console";
import { useThemes } from "../ui/theme";

// Who is signed in needs no form to do so.
const SignIn = lazy(async () => ({ default: (await import("../ui/signin")).SignIn }));

const Proof = lazy(() => import("./proof"));

const Account = lazy(async () => ({ default: (await import("../ui/menus")).Account }));

const useStyles = makeStyles({
  shell: { display: "grid", gridTemplateRows: "48px 1fr", gridTemplateColumns: "auto 1fr", height: "100%", backgroundColor: tokens.colorNeutralBackground2 },
  top: { gridColumn: "1 / 3", display: "flex", alignItems: "center", gap: "4px", padding: "0 12px 0 4px", backgroundColor: tokens.colorBrandBackground, color: tokens.colorNeutralForegroundOnBrand },
  topContrast: { backgroundColor: tokens.colorNeutralBackground1, color: tokens.colorNeutralForeground1, borderBottom: `1px solid ${tokens.colorNeutralStroke1}` },
  brand: { fontSize: tokens.fontSizeBase400, fontWeight: tokens.fontWeightSemibold, color: "inherit", textDecoration: "none", padding: "0 8px", flexGrow: 1 },
  topButton: { color: "inherit", ":hover": { color: "inherit", backgroundColor: tokens.colorBrandBackgroundHover }, ":hover:active": { color: "inherit", backgroundColor: tokens.colorBrandBackgroundPressed } },
  nav: { width: "228px", overflowY: "auto", padding: "8px 0", backgroundColor: tokens.colorNeutralBackground3, "@media (max-width: 640px)": { position: "fixed", zIndex: 10, top: "48px", bottom: 0, boxShadow: tokens.shadow28 } },
  narrow: { width: "48px", "@media (max-width: 640px)": { display: "none" } },
  list: { listStyle: "none", margin: 0, padding: 0 },
  item: {
    display: "flex", alignItems: "center", gap: "12px", height: "40px", padding: "0 12px 0 14px", textDecoration: "none", color: tokens.colorNeutralForeground1, borderLeft: "3px solid transparent", whiteSpace: "nowrap",
    "@media (forced-colors: active)": { borderLeftColor: "Canvas" }, // there nothing is transparent
    ":hover": { backgroundColor: tokens.colorNeutralBackground3Hover, color: tokens.colorNeutralForeground1Hover }, ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: "-2px" },
  },
  here: { borderLeftColor: tokens.colorCompoundBrandStroke, fontWeight: tokens.fontWeightSemibold, backgroundColor: tokens.colorNeutralBackground3Selected, color: tokens.colorNeutralForeground1Selected, "@media (forced-colors: active)": { borderLeftColor: "Highlight" } },
  icon: { fontSize: "20px", lineHeight: 1, display: "flex" },
  rule: { height: "1px", margin: "8px 12px", backgroundColor: tokens.colorNeutralStroke2, border: "none" },
  main: { overflow: "auto", outline: "none", backgroundColor: tokens.colorNeutralBackground1, minWidth: 0 },
  skip: { position: "absolute", left: "-10000px", ":focus": { left: "8px", top: "8px", zIndex: 100, padding: "8px", backgroundColor: tokens.colorNeutralBackground1, color: tokens.colorNeutralForeground1 } },
});

interface Item {
  to: string;
  label: string;
  icon: ReactElement;
  rule?: boolean;
  act?: string; // what one must be allowed to find anything there
}

export function Shell() {
  const client = useQueryClient();
  const { data, error, isPending, refetch } = useQuery(sessionQuery);
  useEffect(() => whenSignedOut(() => {
    void client.resetQueries({ queryKey: sessionQuery.queryKey });
    client.removeQueries({ predicate: (q) => q.queryKey[0] !== "session" }); // what the session could see goes with it
  }), [client]);
  if (isPending) return <Loading />;
  if (error && !(error instanceof ApiError && error.status === 401)) return <Problem error={error} onRetry={() => void refetch()} />;
  if (!data || error) return <Suspense fallback={<Loading />}><SignIn onDone={(s) => client.setQueryData(sessionQuery.queryKey, s)} /></Suspense>;
  return <Frame name={data.user.name} acts={data.user.acts} />;
}

// Asked is a proof that is wanted, and who waits for it.
interface Asked {
  ways: string[];
  instead: string[];
  end: (proved: boolean) => void;
}

function Frame({ name, acts }: { name: string; acts: string[] | undefined }) {
  const s = useStyles();
  const { t } = useText();
  const themes = useThemes();
  const here = useRouterState({ select: (r) => r.location.pathname });
  const [narrow, setNarrow] = useState(() => matchMedia("(max-width: 900px)").matches);
  const navigate = useNavigate();
  const [asked, setAsked] = useState<Asked>();
  // Who was asked goes on where he was: what lies below stays hidden from assistive technology until the focus is in it again.
  const from = useRef<Element | null>(null);
  useEffect(() => {
    if (!asked && from.current instanceof HTMLElement) from.current.focus();
  }, [asked]);
  useEffect(() => {
    let waiting: Promise<boolean> | undefined; // two acts at once ask once
    whenProofNeeded((ways, instead) => {
      if (!ways.includes("password") && !ways.includes("passkey")) return Promise.resolve(false);
      waiting ??= new Promise<boolean>((resolve) => {
        from.current = document.activeElement;
        setAsked({ ways, instead, end: resolve });
      }).finally(() => {
        waiting = undefined;
        setAsked(undefined);
      });
      return waiting;
    });
    return () => whenProofNeeded(undefined);
  }, []);
  // Another page: the focus goes to its beginning, for those who hear it, and so that no panel of the old page keeps the new one hidden from them.
  const shown = useRef(here);
  useEffect(() => {
    if (shown.current !== here) document.getElementById("main")?.focus();
    shown.current = here;
  }, [here]);
  const items: Item[] = [
    { to: "/", label: t.pages.home, icon: <HomeRegular /> },
    { to: "/jobs", label: t.pages.jobs, icon: <ClipboardTaskListLtrRegular /> },
    { to: "/sessions", label: t.pages.sessions, icon: <HistoryRegular /> },
    { to: "/explore", label: t.nav.explore, icon: <FolderSearchRegular /> },
    { to: "/search", label: t.pages.search, icon: <SearchRegular />, act: "explore backups" },
    { to: "/basket", label: t.pages.basket, icon: <CartRegular />, act: "explore backups" },
    { to: "/organizations", label: t.pages.organizations, icon: <BuildingRegular />, rule: true },
    { to: "/repositories", label: t.pages.repositories, icon: <DatabaseRegular /> },
    { to: "/proxies", label: t.pages.proxies, icon: <ServerRegular /> },
    { to: "/exclusions", label: t.pages.exclusions, icon: <SubtractCircleRegular />, act: "see exclusions" },
    { to: "/users", label: t.pages.users, icon: <PeopleRegular />, rule: true, act: "see users" },
    { to: "/roles", label: t.pages.roles, icon: <PersonKeyRegular />, act: "see restore roles" },
    { to: "/portal", label: t.pages.portal, icon: <DoorRegular />, act: "change the portal's settings" },
    { to: "/api-keys", label: t.pages.keys, icon: <KeyRegular />, act: "manage the own API keys" },
    { to: "/audit", label: t.pages.audit, icon: <ShieldTaskRegular />, act: "read the audit chain" },
    { to: "/settings", label: t.nav.settings, icon: <SettingsRegular /> },
    { to: "/setup", label: t.pages.setup, icon: <ArchiveRegular />, rule: true, act: "add an organization" },
  ];
  const signOut = async () => {
    await session.end().catch(() => undefined); // the cookie's end is the server's; here everything is forgotten anyway
    // A new page: nothing of what the session could see stays in memory.
    location.hash = "#/";
    location.reload();
  };
  return (
    <div className={s.shell}>
      <a href="#main" className={s.skip} onClick={(e) => { e.preventDefault(); document.getElementById("main")?.focus(); }}>
        {t.nav.skip}
      </a>
      <header className={mergeClasses(s.top, themes.shown === "contrast" && s.topContrast)}>
        <Button appearance="transparent" className={s.topButton} icon={<NavigationRegular />} aria-label={t.pages.toggle} aria-expanded={!narrow} onClick={() => setNarrow(!narrow)} />
        <Link to="/" className={s.brand}>
          Holdfast
        </Link>
        <ThemeMenu className={s.topButton} />
        <Opens icon={<PersonCircleRegular />} label={t.nav.account(name)} className={s.topButton}>
          {(at) => <Account {...at} name={name} onSettings={() => void navigate({ to: "/settings" })} onSignOut={() => void signOut()} />}
        </Opens>
      </header>
      <nav className={mergeClasses(s.nav, narrow && s.narrow)} aria-label={t.pages.label}>
        <ul className={s.list}>
          {items.filter((i) => !i.act || !acts || acts.includes(i.act)).map((i) => {
            const active = i.to === "/" ? here === "/" : here.startsWith(i.to);
            const link = (
              <Link to={i.to} className={mergeClasses(s.item, active && s.here)} aria-current={active ? "page" : undefined} aria-label={narrow ? i.label : undefined} title={narrow ? i.label : undefined}>
                <span className={s.icon} aria-hidden>
                  {i.icon}
                </span>
                {!narrow && i.label}
              </Link>
            );
            return (
              <li key={i.to}>
                {i.rule && <hr className={s.rule} />}
                {link}
              </li>
            );
          })}
        </ul>
      </nav>
      <main id="main" className={s.main} tabIndex={-1}>
        <Outlet />
      </main>
      {asked && (
        <Suspense fallback={null}>
          <Proof name={name} ways={asked.ways} instead={asked.instead} onEnd={asked.end} />
        </Suspense>
      )}
    </div>
  );
}
