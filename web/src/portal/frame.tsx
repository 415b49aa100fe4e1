import { Button, CounterBadge, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { HistoryRegular, PersonCircleRegular, PersonProhibitedRegular } from "@fluentui/react-icons";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import type { Session } from "../api/session";
import { Opens, ThemeMenu } from "../ui/opens";
import { Empty, Loading } from "../ui/page";
import { useText } from "../ui/text/portal";
import { useThemes } from "../ui/theme";
import { go, useAddress } from "./address";
import Home from "./home/page";
import { mayRestore, Notices, useRestores } from "./notices";

const Account = lazy(async () => ({ default: (await import("../ui/menus")).Account }));
const Confirm = lazy(async () => ({ default: (await import("../ui/panel")).Confirm }));
const Explorer = lazy(async () => ({ default: (await import("../explorer/page")).Explorer }));
const Find = lazy(() => import("./find/page"));
const People = lazy(() => import("./people/page"));
const Restores = lazy(() => import("./restores/page"));

const useStyles = makeStyles({
  shell: { display: "grid", gridTemplateRows: "48px auto 1fr", gridTemplateColumns: "minmax(0, 1fr)", height: "100%", backgroundColor: tokens.colorNeutralBackground2 },
  top: { display: "flex", alignItems: "center", gap: "4px", padding: "0 8px 0 4px", backgroundColor: tokens.colorBrandBackground, color: tokens.colorNeutralForegroundOnBrand },
  topContrast: { backgroundColor: tokens.colorNeutralBackground1, color: tokens.colorNeutralForeground1, borderBottom: `1px solid ${tokens.colorNeutralStroke1}` },
  brand: { fontSize: tokens.fontSizeBase400, fontWeight: tokens.fontWeightSemibold, color: "inherit", textDecoration: "none", padding: "0 8px", flexGrow: 1, ":hover": { color: "inherit" }, ":focus-visible": { outline: "2px solid currentColor" } },
  topButton: { color: "inherit", minWidth: "40px", ":hover": { color: "inherit", backgroundColor: tokens.colorBrandBackgroundHover }, ":hover:active": { color: "inherit", backgroundColor: tokens.colorBrandBackgroundPressed } },
  label: { "@media (max-width: 640px)": { display: "none" } },
  main: { overflow: "auto", outline: "none", backgroundColor: tokens.colorNeutralBackground1, minWidth: 0, minHeight: 0 },
  skip: { position: "absolute", left: "-10000px", ":focus": { left: "8px", top: "8px", zIndex: 100, padding: "8px", backgroundColor: tokens.colorNeutralBackground1, color: tokens.colorNeutralForeground1 } },
});

// beginOf is where the explorer begins for who comes from a search.
function beginOf(query: URLSearchParams) {
  const container = query.get("container");
  const item = query.get("item");
  return container ? { begin: { container, ...(item ? { item } : {}) } } : {};
}

// Frame is around every page of the portal behind the sign-in.
export default function Frame({ session, onLeave }: { session: Session; onLeave: () => void }) {
  const s = useStyles();
  const { t } = useText();
  const themes = useThemes();
  const { parts, query } = useAddress();
  const [leaving, setLeaving] = useState(false);
  const [page = "", id = ""] = parts;
  const running = (useRestores(session).data ?? []).filter((r) => r.state === "Running").length;
  // Another page: the focus goes to its beginning, for those who hear it.
  const here = `${page}/${id}`;
  const shown = useRef(here);
  useEffect(() => {
    if (shown.current !== here) document.getElementById("main")?.focus();
    shown.current = here;
  }, [here]);
  const restores = running > 0 ? t.portal.restoresRunning(running) : t.portal.restores;
  return (
    <div className={s.shell}>
      <a href="#main" className={s.skip} onClick={(e) => { e.preventDefault(); document.getElementById("main")?.focus(); }}>
        {t.nav.skip}
      </a>
      <header className={mergeClasses(s.top, themes.shown === "contrast" && s.topContrast)}>
        <a href="#/" className={s.brand}>
          Holdfast
        </a>
        <Button as="a" href="#/restores" appearance="transparent" className={s.topButton} icon={<HistoryRegular />} aria-label={restores} title={restores} aria-current={page === "restores" ? "page" : undefined}>
          <span className={s.label}>{t.portal.restores}</span>
          {running > 0 && <CounterBadge count={running} size="small" color="danger" />}
        </Button>
        <ThemeMenu className={s.topButton} />
        <Opens icon={<PersonCircleRegular />} label={t.nav.account(session.user.name)} className={s.topButton}>
          {(at) => <Account {...at} name={session.user.name} onSignOut={() => (running > 0 ? setLeaving(true) : onLeave())} />}
        </Opens>
      </header>
      <Notices session={session} here={page} />
      <main id="main" className={s.main} tabIndex={-1}>
        <Suspense fallback={<Loading />}>
          {!mayRestore(session) ? (
            <Empty icon={<PersonProhibitedRegular />} title={t.portal.nothing}>
              {t.portal.nothingAbout}
            </Empty>
          ) : page === "restores" ? (
            <Restores />
          ) : page === "people" ? (
            <People />
          ) : page === "find" ? (
            <Find session={session} words={query.get("q") ?? ""} person={query.get("of") ?? ""} at={query.has("at")} />
          ) : page === "look" && id ? (
            <Explorer session={id} at={Number(query.get("at")) || 0} onAt={(at) => go(`/look/${id}?at=${at}`)} {...beginOf(query)} again="#/" scripts={false} />
          ) : (
            <Home session={session} id={page === "of" ? id : ""} />
          )}
        </Suspense>
      </main>
      {leaving && (
        <Suspense>
          <Confirm title={t.nav.signOut} action={t.nav.signOut} onClose={() => setLeaving(false)} run={async () => onLeave()}>
            {t.portal.leaving(running)}
          </Confirm>
        </Suspense>
      )}
    </div>
  );
}
