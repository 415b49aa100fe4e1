// German: the same as ../en/shared.ts.
import { text as preview } from "../../said/de/preview";
import type { text as en } from "../en/shared";

export const text: typeof en = {
  common: {
    details: "Einzelheiten", result: "Ergebnis", add: "Hinzufügen", again: "Noch einmal", back: "Zurück", cancel: "Abbrechen", close: "Schließen", commands: "Befehle", description: "Beschreibung", edit: "Bearbeiten", loading: "Lädt …", never: "nie", next: "Weiter",
    newer: "Neuere", older: "Ältere", previous: "Vorige", refresh: "Aktualisieren", remove: "Entfernen", save: "Speichern", yes: "Ja", no: "Nein", on: "An", off: "Aus", nothingFound: "Nichts gefunden.",
    choose: "Wählen Sie zuerst etwas in der Liste.", chooseOne: "Wählen Sie zuerst eine Zeile der Liste.", selectAll: "Alle auswählen", select: (name) => `${name} auswählen`,
    serverSays: (kind, message) => `${kind} Der Server sagt: „${message}“`, offline: "Der Server ist nicht erreichbar. Was Sie sehen, kann veraltet sein.", failed: "Das hat nicht geklappt.",
    seconds: (n) => `${n} s`, minutes: (n) => `${n} min`, hours: (n) => `${n} h`, days: (n) => `${n} Tage`, page: (n, all) => `Seite ${n} von ${all}`,
  },
  said: preview,
  refused: {
    400: "So geht es nicht.", 401: "Die Anmeldung gilt nicht oder nicht mehr.", 403: "Das dürfen Sie nicht.", 404: "Das gibt es hier nicht oder nicht mehr.", 409: "Das geht im Moment nicht.", 413: "Das ist zu viel auf einmal.", 429: "Das war zu oft; versuchen Sie es gleich noch einmal.",
    500: "Auf dem Server ging etwas schief.", 503: "Der Server kann das gerade nicht; versuchen Sie es gleich noch einmal.",
  },
  nav: {
    skip: "Zum Inhalt", appearance: "Design und Sprache", theme: "Design", language: "Sprache", account: (name) => `Konto von ${name}`, signOut: "Abmelden",
    explore: "Wiederherstellen",
    settings: "Einstellungen",
  },
  theme: { system: "Wie das System", light: "Hell", dark: "Dunkel", contrast: "Hoher Kontrast" },
  signin: {
    title: "Anmelden", about: "Mit Ihrem Konto auf diesem Server.", name: "Benutzername", password: "Kennwort", submit: "Anmelden", wrong: "Benutzername oder Kennwort ist falsch.", wrongCode: "Der Code ist falsch oder wurde schon benutzt: Warten Sie auf den nächsten.",
    codeTitle: "Code eingeben", codeAbout: "Ihre Authenticator-App zeigt einen Code aus sechs Ziffern.", code: "Code", verify: "Prüfen",
    passkey: "Passkey verwenden", passkeyTitle: "Passkey verwenden", passkeyAbout: "Das Kennwort stimmt. Dieses Konto hat einen Passkey: Verwenden Sie ihn, oder tippen Sie einen Ihrer Wiederherstellungscodes.", recoveryTitle: "Wiederherstellungscode eingeben", passkeyNotHere: "Das Kennwort stimmt. Dieses Konto hat einen Passkey, und Passkeys gehen hier nicht: Öffnen Sie den Server unter seinem Namen in einem Browser, der sie kann, oder tippen Sie einen Ihrer Wiederherstellungscodes.", recovery: "Wiederherstellungscode", noPasskey: "Es wurde kein Passkey verwendet. Versuchen Sie es noch einmal, oder wählen Sie einen anderen Weg.",
  },
  script: {
    button: "Skript", title: "Dasselbe per Skript", about: "Was diese Seite tut, für ein Terminal. Melden Sie sich einmal an mit „holdfast login --ca rest.pem“; rest.pem ist das Zertifikat des Servers (D/tls/rest.pem).",
    command: "holdfast", copy: "Kopieren", copied: "Kopiert", noCommand: "Die Befehlszeile hat dafür noch keinen Befehl; nehmen Sie curl.", token: "Ein Token gilt eine Stunde:",
  },
  status: { Success: "Erfolg", Warning: "Warnung", Failed: "Fehlgeschlagen", Running: "Läuft", Queued: "Wartet", Stopped: "Angehalten", Working: "Offen", None: "–", Cancelled: "Angehalten", Skipped: "Ausgelassen" },
  kind: { mailbox: "Postfach", drive: "OneDrive", site: "Website", team: "Team", chat: "Chat", mail: "E-Mail", files: "OneDrive-Dateien", sites: "SharePoint-Websites", teams: "Teams", chats: "Chats" },
  explore: {
    basketNamed: "Korb", intoBasket: "In den Korb", inBasket: (n, name) => `${n} im Korb „${name}“.`, otherTime: "Andere Zeit", deletedMark: "gelöscht", deletedOnly: "Nur Gelöschtes",
    about: "Sehen Sie in eine Sicherung, wie sie zu einer Zeit war, und holen Sie zurück, was fehlt. Das geht auch, wenn Microsoft 365 nicht erreichbar ist.", what: "Was", when: "Stand von", kind: "Zeigen", calendar: "Tage mit Wiederherstellungspunkten", before: "Monat davor", after: "Monat danach", newest: "Das Neueste von allem",
    dayPoints: (day, n) => `${day}, ${n} ${n === 1 ? "Wiederherstellungspunkt" : "Wiederherstellungspunkte"}`, open: "Ansehen", nothing: "Noch gibt es nichts anzusehen", nothingAbout: "Fügen Sie eine Organisation hinzu und lassen Sie einen Auftrag laufen.",
    title: (organization, what) => `${what} von ${organization}`, asOf: (when) => `Stand: ${when}`, asNewest: "Stand der neuesten Wiederherstellungspunkte", tree: "Postfächer, OneDrives, Websites, Teams und Ordner", folders: "Ordner", items: "Liste", preview: "Vorschau", findUser: "Nach Namen suchen", choose: "Wählen Sie links etwas aus.", chooseItem: "Wählen Sie etwas in der Liste, um es hier zu sehen.",
    searchIn: (name) => `In ${name} suchen`, emptyFolder: "Dieser Ordner ist leer.", chooseFolder: "Wählen Sie einen Ordner, oder suchen Sie in allen.", count: (n) => (n === "1" ? "1 Element" : `${n} Elemente`), countUnknown: "Beim Blättern erscheinen mehr", chosen: (n) => `${n} ausgewählt`, narrow: (n) => `${n} weitere: Tippen Sie einen Teil des Namens.`,
    save: "Herunterladen", asPage: "Als Webseite", asStored: "Wie gespeichert", noPage: "Nur Beiträge und Kanäle können eine Webseite sein.", close: "Sitzung schließen", stopped: "Diese Sitzung ist geschlossen; öffnen Sie zum Wiederherstellen eine neue.", tooMany: (n) => `Mehr als ${n} Elemente sind ausgewählt. Stellen Sie den ganzen Ordner wieder her oder wählen Sie weniger.`,
    acts: { points: "Wiederherstellungspunkte auflisten", users: "Auflisten, wessen Daten da sind", open: "Sicherung mit Stand einer Zeit öffnen" },
  },
  compare: {
    acts: { live: "Mit Microsoft 365 jetzt vergleichen", versions: "Alle Versionen eines Elements auflisten" },
    button: "Vergleichen", title: (what) => `${what} vergleichen`, with: "Womit", live: "Mit Microsoft 365, wie es jetzt ist", point: "Mit einem anderen Wiederherstellungspunkt", asking: "Fragt Microsoft 365 …", comparing: "Vergleicht …", equal: "Es gibt keinen Unterschied.", between: (before, after) => `Hier: Stand ${before}. Dort: ${after}.`, now: "Microsoft 365 jetzt",
    sum: (removed, changed, added) => `${removed} nur hier, ${changed} verschieden, ${added} nur dort`, kinds: { removed: "nur hier", changed: "verschieden", added: "nur dort" }, differences: "Unterschiede", how: "Wie", what: "Was sich unterscheidet", here: "Datum hier", there: "Datum dort",
    restore: (n) => `${n} wiederherstellen`, restoreChosen: "Ausgewählte wiederherstellen", all: "Alles auswählen, was hier ist",
  },
  history: {
    button: "Alle Versionen", title: (name) => `Alle Versionen von ${name}`, about: (owner) => `Jede Version, die ein Wiederherstellungspunkt von ${owner} hat, die neueste zuerst.`, versions: "Versionen über alle Wiederherstellungspunkte", current: "hier gezeigt", look: (when) => `Version von ${when} ansehen`, restore: (when) => `Version von ${when} wiederherstellen`,
    asOf: (when) => `Version von ${when}`, elsewhere: "in einem anderen Repository",
  },
  plan: {
    title: "Probelauf", button: "Probelauf", running: "Vergleicht mit Microsoft 365 …", stop: "Vergleich abbrechen", seen: (n) => `${n} angesehen.`, nothingChanged: "Nichts wurde geändert. Eine Wiederherstellung würde dies tun:", sum: (created, overwritten, existing, skipped) => `${created} angelegt, ${overwritten} ersetzt, ${existing} schon da, ${skipped} ausgelassen`,
    folders: "Ordner anzulegen", requests: "Aufrufe bei Microsoft", bytes: "Zu senden", time: "Dauer", about: (time, limit) => `etwa ${time}, an der Grenze ${limit}`, outcome: "Ergebnis", why: "Warum", outcomes: { created: "angelegt", overwritten: "ersetzt", existing: "schon da", skipped: "ausgelassen" }, more: (n) => `Es gibt mehr; die ersten ${n} werden gezeigt.`,
  },
  preview: {
    attachments: "Anlagen", contents: (name) => `Inhalt von ${name}`, none: "Es gibt nichts zu zeigen. Laden Sie es herunter, um es zu öffnen.", removed: "Zu Ihrer Sicherheit wurde dies hier weggelassen; ein Download hat alles:", removedWhat: (what, n) => `${what} (${n})`,
    noneBecause: (why) => `Davon gibt es hier keine Vorschau; laden Sie es herunter. Der Server sagt: „${why}“`,
    what: {
      "remote image": "Bild von einem fremden Server", "event handler": "Skript an einem Ereignis", "conditional comment": "bedingter Kommentar", "meta refresh": "Weiterleitung", "unknown element": "unbekanntes Element",
      "css that asks for files or hides what it does": "Gestaltung, die Dateien lädt oder verbirgt, was sie tut", "link that is none": "Verweis, der keiner ist", "link that runs or opens something": "Verweis, der etwas ausführt oder öffnet", "link that is too long": "zu langer Verweis",
      "image that the mail does not have": "Bild, das die E-Mail nicht hat", "image that is none": "Bild, das keines ist", "image that is too large": "zu großes Bild", script: "Skript", form: "Formular",
    },
    truncated: "Nur der Anfang wird gezeigt. Laden Sie es für den Rest herunter.",
  },
  mail: { classes: { "IPM.DISTLIST": "Kontaktgruppe", "IPM.ACTIVITY": "Journaleintrag", "IPM.STICKYNOTE": "Notiz", "IPM.TASK": "Aufgabe" }, from: "Von", to: "An", cc: "Cc", subject: "Betreff", received: "Empfangen", sent: "Gesendet", organizer: "Organisator", begin: "Beginn", address: "E-Mail", noSubject: "(kein Betreff)" },
  file: { name: "Name", modified: "Geändert", by: "Geändert von", size: "Größe", versions: "Versionen in diesem Wiederherstellungspunkt", changed: (when, who, size) => `${when}${who ? `, ${who}` : ""} · ${size}`, saveVersion: (when) => `Version von ${when} herunterladen` },
  post: {
    from: "Von", text: "Beitrag", time: "Zeit", replies: "Antworten", app: "App", tab: "Registerkarte", tabs: "Registerkarten", files: "Dateien", withdrawn: "(vom Verfasser gelöscht)", event: "(von Teams gemeldet)", nothing: "(ohne Text)", edited: "bearbeitet",
  },
  found: {
    kind: "Art", name: "Name", owner: "Wessen", folder: "Ordner", time: "Datum", gone: "(seither gelöscht)", deleted: "seither gelöscht", points: "Gesichert", fromTo: (from, to) => (from === to ? from : `${from} bis ${to}`), kinds: { mail: "E-Mail", file: "Datei", folder: "Ordner", event: "Termin", contact: "Kontakt", task: "Aufgabe", "list item": "Listenelement", page: "Seite", post: "Beitrag", tab: "Registerkarte", setting: "Einstellung" }, message: "Chatnachricht",
  },
  restore: {
    title: "Wiederherstellen", button: "Wiederherstellen", folder: "Ordner wiederherstellen", all: "Alles wiederherstellen", where: "Wohin", original: "Wo es war", elsewhere: "Zu einem anderen Benutzer oder Ordner", user: "Benutzer", userHint: "Adresse. Leer: derselbe Benutzer.", toFolder: "Ordner", folderHint: "„/“ zwischen Namen; er wird angelegt, wenn er fehlt. Leer: die ursprünglichen Ordner.",
    overwriteMail: "Seither geänderte E-Mails ersetzen", overwriteFiles: "Seither geänderte Dateien ersetzen (sonst bleiben beide)", items: (n) => (n === "1" ? "1 Element" : `${n} Elemente`), mails: (n) => (n === "1" ? "1 E-Mail" : `${n} E-Mails`), files: (n) => (n === "1" ? "1 Datei" : `${n} Dateien`), theFolder: (name) => `Der Ordner ${name} mit allem darin`, everything: (name) => `Alles von ${name}`,
    aboutMail: "Was noch da und gleich ist, bleibt unberührt; ein wiederholtes Wiederherstellen legt keine zweite Kopie an. Niemandem wird eine E-Mail gesendet. Was nicht genau wiederhergestellt werden kann, steht in der Dokumentation (fidelity).",
    aboutFiles: "Was noch da und gleich ist, bleibt unberührt. Seither Geändertes bleibt neben der wiederhergestellten Datei, wenn Sie nicht ersetzen. Was nicht genau wiederhergestellt werden kann, steht in der Dokumentation (fidelity).",
    otherFolder: "In einen anderen Ordner", folderMade: "„/“ zwischen Namen; er wird angelegt, wenn er fehlt.", reason: "Grund (freiwillig)", reasonHint: "Bleibt bei der Wiederherstellung, damit andere sie später verstehen.",
    plan: {
      ask: "Was würde geschehen?", created: (n) => `wiederhergestellt: ${n}`, overwritten: (n) => `ersetzt: ${n}`, existing: (n) => `schon da: ${n}`, skipped: (n) => `unverändert gelassen: ${n}`,
      nothing: "Es gibt nichts wiederherzustellen.", would: (parts) => `Zu erwarten: ${parts}.`, takes: (time) => `Das dauert etwa ${time}.`,
    },
    restored: (n) => `wiederhergestellt: ${n}`, existing: (n) => `schon da: ${n}`, skipped: (n) => `unverändert gelassen: ${n}`, failed: (n) => `fehlgeschlagen: ${n}`,
    outcomes: { created: "wiederhergestellt", overwritten: "ersetzt", existing: "schon da", skipped: "unberührt gelassen" }, notEqual: (what) => `nicht wie gespeichert, siehe Dokumentation (fidelity): ${what}`,
    properties: { columns: "die Werte der Spalten (um sie zu setzen, braucht die Anwendung ein Zertifikat)", contentType: "der Inhaltstyp", author: "wer es erstellt hat", editor: "wer es zuletzt geändert hat", created: "wann es erstellt wurde", modified: "wann es zuletzt geändert wurde", permissions: "die Berechtigungen", attachments: "die Anlagen" },
    skips: {
      corrupt: "das Gespeicherte ist beschädigt", denied: "eine Berechtigung fehlt", locked: "es ist bei Microsoft gesperrt", malware: "Microsoft hält es für Schadsoftware", vanished: "es wurde inzwischen gelöscht", changing: "es änderte sich immer wieder", "too large": "es ist zu groß",
      unlicensed: "das Postfach hat keine Lizenz", gone: "es ist nicht mehr da", transient: "Microsoft scheiterte bei jedem Versuch; versuchen Sie es später noch einmal", conflict: "dort liegt etwas Neueres", unsupported: "diese Art kann nicht wiederhergestellt werden",
    },
    results: "Ergebnisse", running: "Stellt wieder her …", none: "In dieser Sitzung wurde noch nichts wiederhergestellt.", item: "Element", target: "Nach", reads: (n) => `${n} Elemente wurden in dieser Sitzung angesehen oder heruntergeladen.`,
    acts: { restore: "Wiederherstellen", save: "Herunterladen", close: "Sitzung schließen" },
  },
};
