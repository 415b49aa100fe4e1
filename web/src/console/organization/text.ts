import { useText } from "../../ui/text";

const en = {
  how: "How Holdfast gets its application", byPerson: "An administrator signs in once (recommended)", byApplication: "There is an application already",
  aboutPerson: "Holdfast registers an application in Microsoft Entra with a certificate that is made on this server, grants it what the chosen workloads need and no more, and keeps nothing of the administrator's sign-in.",
  tenantHint: "Its id or one of its domains. Who signs in to another organization is refused.", newName: "Name of the new application", protect: "What it is for",
  code: {
    begin: "Get a code", open: "1. Open this page, in any browser", enter: "2. Enter this code", copy: "Copy the code", copied: "Copied", sign: "3. Sign in as an administrator and accept. This page goes on by itself.",
    waiting: "Waiting for the sign-in", left: (time: string) => `The code is good for ${time} more.`, cancel: "Stop waiting", again: "Get a new code", label: "Code for the sign-in",
  },
  problems: {
    expired: "The code has expired", expiredDo: "A code is good for 15 minutes and once. Get a new one.", declined: "The sign-in was declined", declinedDo: "Holdfast can't register its application without it. Get a new code, sign in and accept.",
    tenant: "Somebody signed in to another organization", tenantDo: "Check the name of the organization above, and sign in with an account of it that may register applications.", other: "The organization was not added", otherDo: "What was registered was taken back. Put right what the message says, and get a new code.",
  },
  registering: "Signed in. Registering the application and waiting until Microsoft makes its permissions effective; this takes up to some minutes.",
  check: "Check", checkAbout: "Everything that this organization needs from Microsoft, looked at just now.", lookAgain: "Look again", looking: "Asking Microsoft…", well: "All is well.", warnings: (n: number) => (n === 1 ? "1 warning." : `${n} warnings.`), errors: (n: number) => (n === 1 ? "1 error to put right." : `${n} errors to put right.`),
  what: "What", found: "Found", fix: "What to do", state: "State", states: { ok: "Well", warning: "Warning", error: "Error", note: "Note" } as Record<string, string>,
  areas: { "sign-in": "Sign-in", right: "Permissions", workload: "Workloads", clock: "Clock", certificate: "Certificate", throttling: "Limits", note: "Good to know" } as Record<string, string>,
  users: "Users", teams: "Teams", all: "All organizations", other: "New secret or own certificate", renew: "Renew the certificate",
  renewAbout: "A new certificate is made on this server, added to the application beside the old one, used once it works, and the old one is removed.", renewHow: "Who renews it", renewItself: "The application does it by itself (Holdfast registered it)", renewPerson: "An administrator signs in (any application)",
  renewed: (thumbprint: string) => `The organization uses the certificate ${thumbprint}.`, renewing: "Renewing; this takes up to some minutes.",
  needed: "What the application must be granted", also: "An application that signs in with a secret has no SharePoint sites' attachments, permissions and views: SharePoint itself takes certificates only.",
  acts: { check: "Check the organization", renew: "Renew the certificate" },
};

const de: typeof en = {
  how: "Wie Holdfast zu seiner Anwendung kommt", byPerson: "Ein Administrator meldet sich einmal an (empfohlen)", byApplication: "Es gibt schon eine Anwendung",
  aboutPerson: "Holdfast registriert in Microsoft Entra eine Anwendung mit einem Zertifikat, das auf diesem Server entsteht, gibt ihr, was die gewählten Dienste brauchen und nicht mehr, und behält nichts von der Anmeldung des Administrators.",
  tenantHint: "Ihre ID oder eine ihrer Domänen. Wer sich bei einer anderen Organisation anmeldet, wird abgewiesen.", newName: "Name der neuen Anwendung", protect: "Wofür sie ist",
  code: {
    begin: "Code holen", open: "1. Öffnen Sie diese Seite in irgendeinem Browser", enter: "2. Geben Sie diesen Code ein", copy: "Code kopieren", copied: "Kopiert", sign: "3. Melden Sie sich als Administrator an und stimmen Sie zu. Diese Seite geht von selbst weiter.",
    waiting: "Warten auf die Anmeldung", left: (time) => `Der Code gilt noch ${time}.`, cancel: "Nicht mehr warten", again: "Neuen Code holen", label: "Code für die Anmeldung",
  },
  problems: {
    expired: "Der Code ist abgelaufen", expiredDo: "Ein Code gilt 15 Minuten und einmal. Holen Sie einen neuen.", declined: "Die Anmeldung wurde abgelehnt", declinedDo: "Ohne sie kann Holdfast seine Anwendung nicht registrieren. Holen Sie einen neuen Code, melden Sie sich an und stimmen Sie zu.",
    tenant: "Jemand hat sich bei einer anderen Organisation angemeldet", tenantDo: "Prüfen Sie den Namen der Organisation oben, und melden Sie sich mit einem ihrer Konten an, das Anwendungen registrieren darf.", other: "Die Organisation wurde nicht hinzugefügt", otherDo: "Was registriert war, wurde zurückgenommen. Beheben Sie, was die Meldung sagt, und holen Sie einen neuen Code.",
  },
  registering: "Angemeldet. Die Anwendung wird registriert; dann wird gewartet, bis Microsoft ihre Berechtigungen wirksam macht. Das dauert bis zu einigen Minuten.",
  check: "Prüfen", checkAbout: "Alles, was diese Organisation von Microsoft braucht, eben nachgesehen.", lookAgain: "Erneut nachsehen", looking: "Microsoft wird gefragt …", well: "Alles ist in Ordnung.", warnings: (n) => (n === 1 ? "1 Warnung." : `${n} Warnungen.`), errors: (n) => (n === 1 ? "1 Fehler ist zu beheben." : `${n} Fehler sind zu beheben.`),
  what: "Was", found: "Gefunden", fix: "Was zu tun ist", state: "Zustand", states: { ok: "Gut", warning: "Warnung", error: "Fehler", note: "Hinweis" },
  areas: { "sign-in": "Anmeldung", right: "Berechtigungen", workload: "Dienste", clock: "Uhr", certificate: "Zertifikat", throttling: "Grenzen", note: "Gut zu wissen" },
  users: "Benutzer", teams: "Teams", all: "Alle Organisationen", other: "Neuer Schlüssel oder eigenes Zertifikat", renew: "Zertifikat erneuern",
  renewAbout: "Ein neues Zertifikat entsteht auf diesem Server, kommt neben dem alten zur Anwendung, wird benutzt, sobald es gilt, und das alte wird entfernt.", renewHow: "Wer es erneuert", renewItself: "Die Anwendung tut es selbst (Holdfast hat sie registriert)", renewPerson: "Ein Administrator meldet sich an (jede Anwendung)",
  renewed: (thumbprint) => `Die Organisation benutzt das Zertifikat ${thumbprint}.`, renewing: "Wird erneuert; das dauert bis zu einigen Minuten.",
  needed: "Was der Anwendung gewährt sein muss", also: "Eine Anwendung, die sich mit einem geheimen Schlüssel anmeldet, bekommt von SharePoint-Websites keine Anlagen, Berechtigungen und Ansichten: SharePoint selbst nimmt nur Zertifikate.",
  acts: { check: "Die Organisation prüfen", renew: "Das Zertifikat erneuern" },
};

export type OnboardText = typeof en;
export const useOnboardText = () => (useText().language === "de" ? de : en);
