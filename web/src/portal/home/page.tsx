import { Badge, Button, Checkbox, makeStyles, Title2, tokens } from "@fluentui/react-components";
import { CalendarClock20Regular, ChatMultipleRegular, ChevronRight20Regular, DocumentRegular, GlobeRegular, MailRegular, PeopleTeamRegular, PersonProhibitedRegular, PersonRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useState, type ReactElement } from "react";
import { client, of } from "../../api/client";
import type { Session } from "../../api/session";
import { Address } from "../../ui/address";
import { Busy } from "../../ui/busy";
import { useFormat } from "../../ui/format";
import { Empty, Loading, Problem } from "../../ui/page";
import { useText } from "../../ui/text/portal";
import { findAddress, go } from "../address";
import { objects, type Person } from "../objects";

const FindBox = lazy(async () => ({ default: (await import("../find/box")).FindBox }));
const When = lazy(async () => ({ default: (await import("../../explorer/when")).When }));

const useStyles = makeStyles({
  page: { maxWidth: "640px", margin: "0 auto", padding: "20px 16px 40px", boxSizing: "border-box", display: "flex", flexDirection: "column", gap: "16px" },
  title: { margin: 0 },
  about: { margin: 0, color: tokens.colorNeutralForeground2 },
  person: { display: "flex", alignItems: "center", gap: "12px" },
  who: { flexGrow: 1, minWidth: 0, overflowWrap: "anywhere" },
  name: { fontWeight: tokens.fontWeightSemibold, fontSize: tokens.fontSizeBase400, lineHeight: tokens.lineHeightBase400 },
  address: { color: tokens.colorNeutralForeground2 },
  icon: { fontSize: "32px", lineHeight: 1, color: tokens.colorBrandForeground1, display: "flex" },
  kinds: { display: "grid", gap: "12px", gridTemplateColumns: "1fr", "@media (min-width: 560px)": { gridTemplateColumns: "1fr 1fr" } },
  kind: {
    display: "flex", alignItems: "center", gap: "12px", minHeight: "76px", padding: "12px 16px", font: "inherit", textAlign: "left", cursor: "pointer", color: tokens.colorNeutralForeground1, backgroundColor: tokens.colorNeutralBackground1,
    border: `1px solid ${tokens.colorNeutralStroke1}`, borderRadius: tokens.borderRadiusLarge, ":hover": { backgroundColor: tokens.colorNeutralBackground1Hover, color: tokens.colorNeutralForeground1Hover },
    ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` }, ":disabled": { cursor: "default", color: tokens.colorNeutralForegroundDisabled },
  },
  kindText: { flexGrow: 1 },
  when: { border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, padding: "12px 16px" },
  whenHead: { display: "flex", alignItems: "center", gap: "8px" },
  whenText: { flexGrow: 1, minWidth: 0 },
  button: { flexShrink: 0 }, // an icon neither
  find: { minHeight: "40px" },
  or: { margin: 0, fontSize: tokens.fontSizeBase400, lineHeight: tokens.lineHeightBase400, fontWeight: tokens.fontWeightSemibold },
  calendar: { maxWidth: "340px", marginTop: "8px" },
});

// Home chooses whose data, as of when, and which kind. id names another person than oneself.
export default function Home({ session, id }: { session: Session; id: string }) {
  const s = useStyles();
  const { t } = useText();
  const self = session.portal?.self === true;
  const operator = session.portal?.operator === true;
  const { data, error, isPending, refetch } = useQuery({ queryKey: ["portal-person", id], queryFn: async ({ signal }) => (await objects(id ? { search: id, limit: 1 } : { limit: 1 }, signal)).results[0] ?? null });
  useEffect(() => {
    document.title = `${t.portal.title} – Holdfast`;
  }, [t]);
  // Who has nothing of his own begins with whose data it is to be.
  const choose = !self && operator && !id;
  useEffect(() => {
    if (choose) location.replace("#/people");
  }, [choose]);
  const person = data && (id || data.self) ? data : undefined;
  return (
    <div className={s.page}>
      <Title2 as="h1" className={s.title}>
        {t.portal.title}
      </Title2>
      <p className={s.about}>{t.portal.about}</p>
      <Problem error={error} onRetry={() => void refetch()} />
      {isPending && <Loading />}
      {data !== undefined && !person && !choose && (
        <Empty icon={<PersonProhibitedRegular />} title={id ? t.portal.noSuchPerson : t.portal.nothing} action={operator ? <a href="#/people">{t.portal.choosePerson}</a> : null}>
          {id ? null : t.portal.nothingAbout}
        </Empty>
      )}
      {person && <Choose key={person.id} person={person} operator={operator} />}
    </div>
  );
}

type Kind = "Vex" | "Veod" | "Vesp" | "Vet" | "Chats";

function Choose({ person, operator }: { person: Person; operator: boolean }) {
  const s = useStyles();
  const { t } = useText();
  const f = useFormat();
  const [time, setTime] = useState("");
  const [calendar, setCalendar] = useState(false);
  const [deleted, setDeleted] = useState(false);
  const [busy, setBusy] = useState("");
  const [error, setError] = useState<unknown>();
  const open = async (type: Kind) => {
    setBusy(type);
    setError(undefined);
    try {
      const opened = await of(client.POST("/v8/Organization/OperatorExplore", { body: { type, scope: { type: person.site ? "Site" : person.team ? "Team" : "User", id: person.id }, showDeleted: deleted, ...(time ? { dateTime: time } : {}) } }));
      go(`/look/${opened.id}`);
    } catch (cause) {
      setError(cause);
      setBusy("");
    }
  };
  const kinds: { type: Kind; icon: ReactElement; name: string; there: boolean }[] = person.site ? [
    { type: "Vesp", icon: <GlobeRegular />, name: t.portal.site, there: true },
  ] : person.team ? [
    { type: "Vet", icon: <PeopleTeamRegular />, name: t.portal.team, there: true },
  ] : [
    { type: "Vex", icon: <MailRegular />, name: t.kind.mail, there: person.mailbox },
    { type: "Veod", icon: <DocumentRegular />, name: t.kind.files, there: person.drive },
    ...(person.personalSite ? [{ type: "Vesp" as const, icon: <GlobeRegular />, name: t.portal.personalSite, there: true }] : []),
    ...(person.chats ? [{ type: "Chats" as const, icon: <ChatMultipleRegular />, name: t.portal.chats, there: true }] : []),
  ];
  const nobodys = person.site || person.team;
  return (
    <>
      <section className={s.person} aria-label={t.portal.whose}>
        <span className={s.icon} aria-hidden>
          {person.site ? <GlobeRegular /> : person.team ? <PeopleTeamRegular /> : <PersonRegular />}
        </span>
        <div className={s.who}>
          <div className={s.name}>
            {person.name} {person.deleted && <Badge appearance="tint" color="warning">{t.portal.gone}</Badge>}
          </div>
          <div className={s.address}><Address>{person.email}</Address></div>
        </div>
        {operator && (
          <Button as="a" href="#/people" className={s.button} aria-label={`${t.portal.another}: ${t.portal.choosePerson}`}>
            {t.portal.another}
          </Button>
        )}
      </section>
      <div className={s.find}>
        <Suspense>
          <FindBox onFind={(words) => go(findAddress(words, operator ? person.id : ""))} />
        </Suspense>
      </div>
      <h2 className={s.or}>{t.portal.orLook}</h2>
      <section className={s.when} aria-label={t.explore.when}>
        <div className={s.whenHead}>
          <CalendarClock20Regular className={s.button} aria-hidden />
          <span className={s.whenText}>{time ? t.explore.asOf(f.dateTime(time)) : t.portal.newest}</span>
          <Button className={s.button} aria-expanded={calendar} onClick={() => setCalendar(!calendar)}>
            {calendar ? t.common.close : t.portal.earlier}
          </Button>
        </div>
        {calendar && (
          <div className={s.calendar}>
            <Suspense fallback={<Loading />}>
              <When organization={person.organizationId} {...(nobodys ? { type: person.site ? ("Vesp" as const) : ("Vet" as const) } : { user: person.id })} value={time} onChange={setTime} />
            </Suspense>
          </div>
        )}
        <Checkbox label={t.portal.showDeleted} checked={deleted} onChange={(_, d) => setDeleted(d.checked === true)} />
      </section>
      <Problem error={error} />
      <section className={s.kinds} aria-label={t.explore.what}>
        {kinds.map((k) => (
          <button key={k.type} type="button" className={s.kind} disabled={!k.there || busy !== ""} onClick={() => void open(k.type)}>
            <span className={s.icon} aria-hidden>
              {busy === k.type ? <Busy size="small" /> : k.icon}
            </span>
            <span className={s.kindText}>
              <span className={s.name}>{k.name}</span>
              {!k.there && <div>{t.portal.noBackup}</div>}
            </span>
            {k.there && <ChevronRight20Regular aria-hidden />}
          </button>
        ))}
      </section>
    </>
  );
}
