import { useText } from "../../ui/text";

const en = {
  access: "Permissions", own: "Its own", from: (name: string) => `As “${name}” has them`, nobody: "No permissions are stored.", who: "Who", may: "May", until: (when: string) => `until ${when}`,
  scopes: { anonymous: "Anyone with the link", organization: "Everybody in the organization with the link", users: "Certain people with the link" } as Record<string, string>,
  kinds: { group: "group", "site group": "group of the site" } as Record<string, string>,
  versions: "Versions in this restore point", version: "Version", list: "This list as a file", csv: "Download as CSV", json: "Download as JSON", chooseItem: "Choose something in the list to see it here.",
  where: "Where to", original: "Where it was", other: "Another site", address: "Address of the site", addressHint: "Such as https://contoso.sharepoint.com/sites/archive. What is missing there (lists, libraries, folders) is made.",
  existing: "What is there and was changed since", keepBoth: "Keep both", overwrite: "Replace it", missing: "Leave it alone (restore only what is missing)", whichVersions: "Versions", last: "The last one", all: "All that the restore point has", permissions: "Restore permissions too",
  about: "What is still there and equal is left alone. What SharePoint can't take back exactly is listed in the documentation (fidelity).",
};

const de: typeof en = {
  access: "Berechtigungen", own: "Eigene", from: (name) => `Wie „${name}“ sie hat`, nobody: "Es sind keine Berechtigungen gespeichert.", who: "Wer", may: "Darf", until: (when) => `bis ${when}`,
  scopes: { anonymous: "Jeder mit dem Link", organization: "Alle in der Organisation mit dem Link", users: "Bestimmte Personen mit dem Link" },
  kinds: { group: "Gruppe", "site group": "Gruppe der Website" },
  versions: "Versionen in diesem Wiederherstellungspunkt", version: "Version", list: "Diese Liste als Datei", csv: "Als CSV herunterladen", json: "Als JSON herunterladen", chooseItem: "Wählen Sie etwas in der Liste, um es hier zu sehen.",
  where: "Wohin", original: "Wo es war", other: "Andere Website", address: "Adresse der Website", addressHint: "Etwa https://contoso.sharepoint.com/sites/archiv. Was dort fehlt (Listen, Bibliotheken, Ordner), wird angelegt.",
  existing: "Was da ist und seither geändert wurde", keepBoth: "Beides behalten", overwrite: "Ersetzen", missing: "Lassen, wie es ist (nur Fehlendes wiederherstellen)", whichVersions: "Versionen", last: "Die letzte", all: "Alle, die der Wiederherstellungspunkt hat", permissions: "Auch Berechtigungen wiederherstellen",
  about: "Was noch da und gleich ist, bleibt, wie es ist. Was SharePoint nicht genau zurücknimmt, steht in der Dokumentation (fidelity).",
};

export const useSiteText = () => (useText().language === "de" ? de : en);
