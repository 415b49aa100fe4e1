// German: the same as ../en/portal.ts.
import type { text as en } from "../en/portal";

export const text: typeof en = {
  portal: {
    title: "Wiederherstellen", about: "Finden Sie, was Ihnen fehlt, und holen Sie es zurück.", signIn: "Mit Microsoft anmelden", localAbout: "Kein Konto bei Microsoft?", local: "Mit einem Konto dieses Servers anmelden",
    closed: "Das Portal ist nicht geöffnet", closedAbout: "Bitten Sie Ihren Administrator, es zu öffnen oder für Sie wiederherzustellen.",
    signedOut: "Sie sind abgemeldet. Was Sie hier offen hatten, ist geschlossen; laufende Wiederherstellungen gehen weiter. Bei Microsoft sind Sie in diesem Browser vielleicht noch angemeldet.",
    errors: {
      denied: "Niemand wurde angemeldet: Die Anmeldung wurde abgebrochen oder von Microsoft abgelehnt.", expired: "Diese Anmeldung gilt nicht mehr: Sie dauerte zu lange, wurde schon benutzt oder begann in einem anderen Browser. Bitte beginnen Sie neu.",
      unknown_organization: "Ihre Organisation wird hier nicht geschützt. Melden Sie sich mit dem Konto der Organisation an, deren Sicherung dies ist.", not_enabled: "Das Portal ist nicht geöffnet.",
      failed: "Die Anmeldung ist nicht gelungen. Bitte versuchen Sie es noch einmal; geschieht es wieder, sagen Sie es Ihrem Administrator, der den Grund im Protokoll des Servers findet.", ended: "Ihre Sitzung ist zu Ende. Bitte melden Sie sich wieder an; laufende Wiederherstellungen gehen weiter.",
    },
    find: "Mit einem Wort suchen", findWords: "Wort aus Betreff, Absender, Text", findButton: "Suchen", findBegin: "Schreiben Sie ein Wort, an das Sie sich erinnern. Es wird gefunden, egal an welchem Tag es verschwand.", findTips: "Versuchen Sie ein anderes Wort, oder ein kürzeres mit Stern: Rechn*.", hits: "Was gefunden wurde",
    onlyOf: (name) => `Nur was ${name} gehört`, inEverybody: "In allem von denen, denen Sie helfen.", inItsFolder: "In seinem Ordner", notYetFound: "Einige der neuesten Sicherungen sind noch nicht durchsuchbar. Was nur darin liegt, fehlt hier.", orLook: "Oder ansehen, wie es war",
    restores: "Meine Wiederherstellungen", restoresRunning: (n) => `Meine Wiederherstellungen, ${n} laufen`, leaving: (n) => `${n === 1 ? "Eine Wiederherstellung läuft" : `${n} Wiederherstellungen laufen`} noch und geht weiter. Was Sie hier offen haben, wird geschlossen. Die Ergebnisse sehen Sie, wenn Sie sich wieder anmelden.`,
    personalSite: "Persönliche Website", site: "Listen, Bibliotheken und Seiten", team: "Kanäle, Beiträge und Dateien", chats: "Chats", whose: "Wessen Daten", choosePerson: "Person, Website oder Team wählen", another: "Ändern", findPerson: "Name oder Adresse", people: "Personen, Websites und Teams", you: "Sie", gone: "nicht mehr im Verzeichnis", found: (n) => `${n} gefunden`, noSuchPerson: "Es gibt niemanden, keine Website und kein Team dieser Art, deren Daten Sie sehen dürfen.",
    nothing: "Von Ihnen gibt es keine Sicherung", nothingAbout: "Weder Ihr Postfach noch Ihr OneDrive ist in einer Sicherung, die Sie sehen dürfen. Fragen Sie Ihren Administrator.", newest: "Wie es bei der neuesten Sicherung war", earlier: "Früher …", showDeleted: "Auch, was davor gelöscht wurde", noBackup: "Keine Sicherung",
    notices: "Meldungen", ended: (name) => `Die Wiederherstellung von „${name}“ ist zu Ende`, endedMany: (n) => `${n} Wiederherstellungen sind zu Ende`, dismiss: "Ausblenden",
    noRestores: "Sie haben noch nichts wiederhergestellt", begin: "Finden, was fehlt", from: "Von", to: "Nach", reason: "Grund", began: "Begonnen", endedAt: "Beendet", items: "Elemente", done: (n) => `${n} bisher`, each: "Ergebnis je Element",
    stop: "Abbrechen", stopTitle: (name) => `Wiederherstellung von „${name}“ abbrechen?`, stopAbout: "Was schon zurück ist, bleibt. Der Rest kann später wiederhergestellt werden; nichts kommt doppelt.",
  },
};
