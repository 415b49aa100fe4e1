import { useText } from "../../ui/text";

const en = {
  what: { team: "Team", channel: "Channel", tab: "Tab", chat: "Chat" } as Record<string, string>, description: "Description", visibility: "Visible to", visible: { public: "Everybody in the organization", private: "Members", hiddenMembership: "Members, who are hidden" } as Record<string, string>,
  kind: "Kind", kinds: { standard: "Standard channel", private: "Private channel", shared: "Shared channel", oneOnOne: "Chat of two", group: "Group chat", meeting: "Chat of a meeting" } as Record<string, string>, archived: "archived", created: "Made", mail: "Mail address", app: "App", shows: "Shows", apps: "Apps",
  members: "Members", memberOf: (team: string) => `Those of “${team}”`, who: "Name", role: "Role", roles: { owner: "Owner", member: "Member", guest: "Guest" } as Record<string, string>, nobody: "No members are stored.", chooseItem: "Choose something in the list to see it here.",
  savePosts: "Download the posts as a web page", deleted: "deleted by its author", deletedAbout: "Its author deleted this post before this backup. An older restore point may have what it said: “All versions” shows them.", event: "told by Teams", edited: "edited", replies: (n: string) => (n === "1" ? "1 reply" : `${n} replies`), reply: "a reply, shown in its thread",
  where: "Where to", original: "Where it was", other: "Another team", team: "Team", teamHint: "Channels are found there by name, and made where they are missing.", choose: "Choose a team",
  existing: "What is there and was changed since", keepBoth: "Keep both", overwrite: "Replace files; put posts beside what is there", missing: "Leave it alone (restore only what is missing)", whichVersions: "Versions of files", last: "The last one", all: "All that the restore point has", settings: "Restore members and settings too",
  about: "What is still there and equal is left alone. Posts come back with author and time; while they do, their channel takes no other posts and shows a banner. What Microsoft doesn't take as a post becomes a page in the channel's files. What can't be restored exactly is listed in the documentation (fidelity).",
};

const de: typeof en = {
  what: { team: "Team", channel: "Kanal", tab: "Registerkarte", chat: "Chat" }, description: "Beschreibung", visibility: "Sichtbar für", visible: { public: "Alle in der Organisation", private: "Mitglieder", hiddenMembership: "Mitglieder, die verborgen sind" },
  kind: "Art", kinds: { standard: "Standardkanal", private: "Privater Kanal", shared: "Geteilter Kanal", oneOnOne: "Chat zu zweit", group: "Gruppenchat", meeting: "Chat einer Besprechung" }, archived: "archiviert", created: "Angelegt", mail: "E-Mail-Adresse", app: "App", shows: "Zeigt", apps: "Apps",
  members: "Mitglieder", memberOf: (team) => `Die von „${team}“`, who: "Name", role: "Rolle", roles: { owner: "Besitzer", member: "Mitglied", guest: "Gast" }, nobody: "Es sind keine Mitglieder gespeichert.", chooseItem: "Wählen Sie etwas in der Liste, um es hier zu sehen.",
  savePosts: "Beiträge als Webseite herunterladen", deleted: "vom Verfasser gelöscht", deletedAbout: "Der Verfasser hat diesen Beitrag vor dieser Sicherung gelöscht. Ein älterer Wiederherstellungspunkt hat vielleicht noch, was darin stand: „Alle Versionen“ zeigt sie.", event: "von Teams gemeldet", edited: "bearbeitet", replies: (n) => (n === "1" ? "1 Antwort" : `${n} Antworten`), reply: "eine Antwort, gezeigt in ihrem Thread",
  where: "Wohin", original: "Wo es war", other: "Anderes Team", team: "Team", teamHint: "Kanäle werden dort am Namen erkannt und angelegt, wo sie fehlen.", choose: "Team wählen",
  existing: "Was da ist und seither geändert wurde", keepBoth: "Beides behalten", overwrite: "Dateien ersetzen; Beiträge neben die vorhandenen stellen", missing: "Lassen, wie es ist (nur Fehlendes wiederherstellen)", whichVersions: "Versionen von Dateien", last: "Die letzte", all: "Alle, die der Wiederherstellungspunkt hat", settings: "Auch Mitglieder und Einstellungen wiederherstellen",
  about: "Was noch da und gleich ist, bleibt, wie es ist. Beiträge kommen mit Verfasser und Zeit zurück; solange nimmt ihr Kanal keine anderen an und zeigt einen Hinweis. Was Microsoft nicht als Beitrag nimmt, wird eine Seite in den Dateien des Kanals. Was nicht genau wiederhergestellt werden kann, steht in der Dokumentation (fidelity).",
};

export const useTeamText = () => (useText().language === "de" ? de : en);
