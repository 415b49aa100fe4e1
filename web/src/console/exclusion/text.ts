import { useText } from "../../ui/text/console";

const en = {
  about: "What a job leaves out is said in the job. What is said here holds for all jobs, whatever they select.",
  folders: "Folders of mailboxes that no job backs up",
  foldersAbout: "With the folders in them, from the next run of each job on. They are found by what they are for, whatever the mailbox's language. Restore points that there are keep what they have of such a folder; those made from then on do not have it. What moves into it counts as deleted, what moves out comes back.",
  names: { deletedItems: "Deleted Items", drafts: "Drafts", junkEmail: "Junk Email", outbox: "Outbox", syncIssues: "Sync Issues" },
  holds: "Folders of held items (litigation hold, in-place hold), and what was purged from Deleted Items, are never backed up: Microsoft Graph gives no access to them.",
  saved: "Saved. It takes effect with the next run of each job.",
  retention: "What retention spares",
  retentionAbout: "Restore points expire whole. While contacts or calendars are spared, no restore point expires that holds a mailbox, and its mail stays as long. When nothing is spared any more, the next run of retention lets go of what is past its time.",
  everywhere: "In all organizations", savedRetention: "Saved. It takes effect with the next run of retention.",
  contacts: "Contacts", calendar: "Calendars", nothing: "nothing",
  organizations: "By organization", organizationsAbout: "What is said of one organization holds there instead of what is said of all.",
  change: "Change", inherit: "As in all organizations", spared: "Spared", inherited: (name: string) => `For ${name} holds again what is said of all organizations.`, changed: (name: string) => `Saved for ${name}.`,
  changeTitle: (name: string) => `What retention spares of ${name}`, none: "There is no organization yet.",
  may: "Your role may look at this and not change it.",
  acts: { show: "Show the exclusions that hold for all jobs", folders: "Choose folders that no job backs up", retention: "Choose what retention spares", organization: "Choose what retention spares of one organization", inherit: "Have what is said of all organizations hold for one again" },
};

const de: typeof en = {
  about: "Was ein Auftrag auslässt, steht im Auftrag. Was hier steht, gilt für alle Aufträge, was immer sie auswählen.",
  folders: "Postfachordner, die kein Auftrag sichert",
  foldersAbout: "Mit den Ordnern darin, vom nächsten Lauf jedes Auftrags an. Sie werden an ihrem Zweck erkannt, in welcher Sprache das Postfach auch ist. Vorhandene Wiederherstellungspunkte behalten, was sie von einem solchen Ordner haben; spätere haben ihn nicht. Was hineinverschoben wird, gilt als gelöscht, was herauskommt, ist wieder da.",
  names: { deletedItems: "Gelöschte Elemente", drafts: "Entwürfe", junkEmail: "Junk-E-Mail", outbox: "Postausgang", syncIssues: "Synchronisierungsprobleme" },
  holds: "Ordner mit zurückgehaltenen Elementen (Beweissicherung, Compliance-Archiv) und was aus Gelöschte Elemente endgültig entfernt wurde, werden nie gesichert: Microsoft Graph gibt keinen Zugang dazu.",
  saved: "Gespeichert. Es gilt vom nächsten Lauf jedes Auftrags an.",
  retention: "Was die Aufbewahrung verschont",
  retentionAbout: "Wiederherstellungspunkte laufen als Ganzes ab. Solange Kontakte oder Kalender verschont werden, läuft keiner ab, der ein Postfach enthält, und dessen E-Mails bleiben ebenso lange. Wird nichts mehr verschont, gibt der nächste Lauf der Aufbewahrung frei, was seine Zeit hinter sich hat.",
  everywhere: "In allen Organisationen", savedRetention: "Gespeichert. Es gilt vom nächsten Lauf der Aufbewahrung an.",
  contacts: "Kontakte", calendar: "Kalender", nothing: "nichts",
  organizations: "Nach Organisation", organizationsAbout: "Was von einer Organisation gesagt ist, gilt dort statt dessen, was von allen gesagt ist.",
  change: "Ändern", inherit: "Wie in allen Organisationen", spared: "Verschont", inherited: (name) => `Für ${name} gilt wieder, was von allen Organisationen gesagt ist.`, changed: (name) => `Für ${name} gespeichert.`,
  changeTitle: (name) => `Was die Aufbewahrung von ${name} verschont`, none: "Es gibt noch keine Organisation.",
  may: "Ihre Rolle darf dies ansehen, nicht ändern.",
  acts: { show: "Ausnahmen zeigen, die für alle Aufträge gelten", folders: "Ordner wählen, die kein Auftrag sichert", retention: "Wählen, was die Aufbewahrung verschont", organization: "Wählen, was sie von einer Organisation verschont", inherit: "Für eine Organisation wieder gelten lassen, was von allen gesagt ist" },
};

export const useExclusionText = () => (useText().language === "de" ? de : en);
