import type { ConsoleCode, Sentences } from "..";

// What the server says of acts in the audit chain, of the chain and of the search index, in German.

const roles: Record<string, string> = {
  Owner: "Eigentümer", BackupAdministrator: "Sicherungsadministrator", StorageAdministrator: "Speicheradministrator", Auditor: "Prüfer", RestoreOperator: "Wiederherstellungsoperator", EndUser: "Endbenutzer",
};
const days: Record<string, string> = {
  Everyday: "jeden Tag", Workdays: "Montag bis Freitag", Weekends: "Samstag und Sonntag", Monday: "montags", Tuesday: "dienstags", Wednesday: "mittwochs", Thursday: "donnerstags", Friday: "freitags", Saturday: "samstags", Sunday: "sonntags",
};
const modes: Record<string, string> = { "": "Vorhandenes bleibt", skip: "Vorhandenes bleibt", "keep both": "Vorhandenes bleibt daneben", overwrite: "Vorhandenes wird ersetzt" };
const acts: Record<string, string> = { read: "Inhalte sehen", download: "herunterladen", restore: "wiederherstellen, wo es war", restoreElsewhere: "anderswo wiederherstellen" };
const actsOf = (list: string) => list.split(" ").filter(Boolean).map((a) => acts[a] ?? a).join(", ") || "nichts";
const because = (reason: string) => (reason ? `, ${reason}` : "");
const counted = (n: string, one: string, more: string) => `${n} ${n === "1" ? one : more}`;
const untold = "Ob die neuesten Einträge abgeschnitten wurden oder jemand, der die Datenbank schreiben darf, die Kette neu geschrieben hat";

export const audit: Pick<Sentences<ConsoleCode>, Extract<ConsoleCode, `${"audit" | "session" | "schedule" | "period" | "chain" | "index" | "limit"}.${string}`>> = {
  "session.everywhere": (w) => `${w.service} aller Organisationen`,
  "session.everywhere in": (w) => `${w.service} aller Organisationen im Repository ${w.title}`,
  "session.organization": (w) => `${w.service} der Organisation ${w.domain}`,
  "session.organization in": (w) => `${w.service} der Organisation ${w.domain} im Repository ${w.title}`,
  "session.job": (w) => `${w.service} des Sicherungsauftrags ${w.title}`,
  "audit.newest": (w) => `${w.session}, neuester Stand`,
  "audit.newest for": (w) => `${w.session}, neuester Stand${because(w.reason)}`,
  "audit.state": (w) => `${w.session}, Stand ${w.time}`,
  "audit.state for": (w) => `${w.session}, Stand ${w.time}${because(w.reason)}`,
  "audit.item": (w) => `1 Element: ${w.container}`,
  "audit.items": (w) => `${counted(w.n, "Element", "Elemente")}: ${w.container}`,
  "audit.restore": (w) => `${w.what}, nach ${w.address}, ${modes[w.mode] ?? w.mode}, Anwendung ${w.application}`,
  "audit.restore for": (w) => `${w.what}, nach ${w.address}, ${modes[w.mode] ?? w.mode}, Anwendung ${w.application}, Grund: ${w.reason}`,
  "audit.compared": (w) => `${w.container} verglichen mit Wiederherstellungspunkt ${w.id}`,
  "audit.compared live": (w) => `${w.container} verglichen mit Microsoft 365`,
  "audit.preview": (w) => `Vorschau von ${w.item}: ${w.container}`,
  "audit.list": (w) => `Werte der Liste ${w.item}: ${w.container}`,
  "audit.run": (w) => `${w.title}, nicht voll`,
  "audit.full run": (w) => `${w.title}, voll`,
  "audit.run by schedule": (w) => `${w.title}, nach Zeitplan`,
  "audit.job": (w) => `${w.title} von ${w.name}, ${w.scope === "EntireOrganization" ? "ganze Organisation" : "Ausgewähltes"}, ${w.schedule}`,
  "schedule.none": () => "ohne Zeitplan",
  "schedule.daily": (w) => `${days[w.days] ?? w.days} um ${w.clock.slice(0, 5)}`,
  "schedule.continuously": () => "fortlaufend",
  "schedule.every": (w) => `alle ${w.every}`,
  "audit.organization": (w) => `${w.name}, Anwendung ${w.application}`,
  "audit.organization kept": (w) => `${w.name}, Anwendung ${w.application}, dieselben Anmeldedaten`,
  "audit.organization changed": (w) => `${w.name}, Anwendung ${w.application}, neue Anmeldedaten`,
  "audit.certificate": (w) => `${w.name}, Anwendung ${w.application}, Zertifikat ${w.thumbprint}`,
  "audit.registered": (w) => `${w.name} im Mandanten ${w.tenant}, durch ${w.person}`,
  "audit.recovery": () => "ein Wiederherstellungscode wurde verbraucht",
  "audit.reuse": (w) => `ein verbrauchtes Token (${w.token}) wurde wieder benutzt; seine Anmeldung endet`,
  "audit.copied": (w) => `${w.name}: Der Zähler ging von ${w.n} auf ${w.m}`,
  "audit.role": (w) => `${w.name}: ${counted(w.n, "Operator", "Operatoren")}, alle Objekte, ${w.m} ausgenommen, erlaubt: ${actsOf(w.acts)}`,
  "audit.role some": (w) => `${w.name}: ${counted(w.n, "Operator", "Operatoren")}, ${counted(w.k, "Objekt", "Objekte")}, ${w.m} ausgenommen, erlaubt: ${actsOf(w.acts)}`,
  "audit.portal open": (w) => `offen, Anwendung ${w.client}, Adresse ${w.url}`,
  "audit.portal closed": (w) => `geschlossen, Anwendung ${w.client}, Adresse ${w.url}`,
  "audit.expired": (w) => `vom ${w.time}; das Repository ${w.title} behält ${w.period}`,
  "audit.key": (w) => `${w.name}, ${roles[w.role] ?? w.role}, bis ${w.time}`,
  "audit.user": (w) => `${w.name}, ${roles[w.role] ?? w.role}`,
  "audit.retention": (w) => `${w.name}, behält ${w.period}`,
  "audit.retention changed": (w) => `${w.name}, behält ${w.period}, vorher ${w.earlier}`,
  "period.forever": () => "für immer",
  "period.days": (w) => counted(w.n, "Tag", "Tage"),
  "period.months": (w) => counted(w.n, "Monat", "Monate"),
  "period.years": (w) => counted(w.n, "Jahr", "Jahre"),
  "chain.untold": () => `${untold}, lässt sich nicht sagen, da kein früher notiertes Ende angegeben wurde: Bewahren Sie Nummer und Hash des letzten Eintrags anderswo auf.`,
  "chain.untold after": (w) => `${untold}, lässt sich für die Zeit nach Eintrag ${w.n} nicht sagen: Bewahren Sie Nummer und Hash des letzten Eintrags anderswo auf.`,
  "chain.missing": (w) => `Eintrag ${w.n} fehlt: Eintrag ${w.m} folgt auf Eintrag ${w.k}`,
  "chain.order": (w) => `Eintrag ${w.n} folgt nicht auf Eintrag ${w.m}`,
  "chain.changed": (w) => `Eintrag ${w.n} ist nicht, was geschrieben wurde`,
  "chain.other": (w) => `Eintrag ${w.n} ist nicht der notierte`,
  "chain.short": (w) => `die Kette endet mit Eintrag ${w.n}, aber Eintrag ${w.m} wurde notiert`,
  "limit.uploads": () => "150 MB Hochgeladenes je Postfach in 5 Minuten",
  "limit.requests": () => "10.000 Aufrufe je Postfach in 10 Minuten",
  "limit.units": () => "1.250 Ressourceneinheiten von SharePoint und OneDrive in einer Minute",
  "limit.chat": () => "1 Aufruf je Chat in der Sekunde",
  "index.some": (w) => `${w.n} Postfächer oder OneDrives konnten nicht indiziert werden`,
  "index.points": (w) => `Die Wiederherstellungspunkte konnten nicht aufgelistet werden: ${w.why}`,
  "index.containers": (w) => `Die gesicherten Objekte konnten nicht aufgelistet werden: ${w.why}`,
  "index.point": (w) => `Wiederherstellungspunkt ${w.id} konnte nicht gelesen werden: ${w.why}`,
  "index.state": (w) => `Stand ${w.n} von ${w.item} konnte nicht gelesen werden: ${w.why}`,
  "index.damaged": (w) => `Der Suchindex dieser Organisation war beschädigt und entsteht neu; versuchen Sie es später noch einmal: ${w.why}`,
  "index.folder": (w) => `Der Ordner des Suchindex ließ sich nicht anlegen: ${w.why}`,
  "index.open": (w) => `Der Suchindex ließ sich nicht öffnen: ${w.why}`,
  "index.garbled": () => "ein Teil des Suchindex ist beschädigt",
  "index.remade": () => "der Suchindex entstand inzwischen neu",
};
