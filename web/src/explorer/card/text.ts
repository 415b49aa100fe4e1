import { useText } from "../../ui/text";

const en = {
  when: "When", whole: (from: string, to: string) => (from === to ? `${from}, all day` : `${from} to ${to}, all day`), zone: "Time zone", there: (when: string) => `There: ${when}`, where: "Where", by: "Organizer", who: "Attendees", repeats: "Repeats", cancelled: "Called off", online: "Online meeting",
  shows: "Shows as", secrecy: "Privacy", reminder: "Reminder", before: (n: number) => (n === 0 ? "at the start" : `${n} min before`), categories: "Categories", importance: "Importance", exceptions: "Exceptions of the series", except: "Not on", moved: (from: string) => `instead of ${from}`,
  response: { none: "no answer", notResponded: "no answer", accepted: "accepted", tentativelyAccepted: "tentative", declined: "declined", organizer: "organizer" } as Record<string, string>,
  kinds: { required: "", optional: "optional", resource: "room or resource" } as Record<string, string>,
  showAs: { free: "Free", tentative: "Tentative", busy: "Busy", oof: "Out of office", workingElsewhere: "Working elsewhere" } as Record<string, string>,
  sensitivity: { personal: "Personal", private: "Private", confidential: "Confidential" } as Record<string, string>,
  important: { high: "High", low: "Low" } as Record<string, string>,
  every: { day: (n: number) => (n === 1 ? "every day" : `every ${n} days`), week: (n: number) => (n === 1 ? "every week" : `every ${n} weeks`), month: (n: number) => (n === 1 ? "every month" : `every ${n} months`), year: (n: number) => (n === 1 ? "every year" : `every ${n} years`) },
  onDays: (days: string) => ` on ${days}`, onDay: (day: number) => ` on day ${day}`, onNth: (nth: string, days: string) => ` on the ${nth} ${days}`, inMonth: (month: string) => ` in ${month}`, onDate: (day: number, month: string) => ` on ${day} ${month}`,
  nth: { first: "first", second: "second", third: "third", fourth: "fourth", last: "last" } as Record<string, string>, fromDate: (d: string) => `, from ${d}`, until: (d: string) => ` until ${d}`, times: (n: number) => `, ${n} times`,
  company: "Company", department: "Department", job: "Job title", nickname: "Nickname", birthday: "Birthday", site: "Web page", mail: "E-mail", phone: { business: "Phone (work)", home: "Phone (home)", mobile: "Mobile" } as Record<string, string>,
  place: { business: "Address (work)", home: "Address (home)", other: "Address" } as Record<string, string>, chat: "Chat", photo: (name: string) => `Photo of ${name}`,
  status: "Status", statuses: { notStarted: "Not started", inProgress: "In progress", completed: "Done", waitingOnOthers: "Waiting on others", deferred: "Deferred" } as Record<string, string>, start: "Begin", due: "Due", done: "Done on", steps: "Check list", stepDone: "done", stepOpen: "open", links: "From", notes: "Text", columns: "Values", noValues: "This item has no values.", contentType: "Content type",
};

const de: typeof en = {
  when: "Wann", whole: (from, to) => (from === to ? `${from}, ganztägig` : `${from} bis ${to}, ganztägig`), zone: "Zeitzone", there: (when) => `Dort: ${when}`, where: "Wo", by: "Organisator", who: "Teilnehmer", repeats: "Wiederholt sich", cancelled: "Abgesagt", online: "Onlinebesprechung",
  shows: "Anzeigen als", secrecy: "Vertraulichkeit", reminder: "Erinnerung", before: (n) => (n === 0 ? "zum Beginn" : `${n} min vorher`), categories: "Kategorien", importance: "Wichtigkeit", exceptions: "Ausnahmen der Serie", except: "Nicht am", moved: (from) => `statt ${from}`,
  response: { none: "keine Antwort", notResponded: "keine Antwort", accepted: "zugesagt", tentativelyAccepted: "mit Vorbehalt", declined: "abgesagt", organizer: "Organisator" },
  kinds: { required: "", optional: "optional", resource: "Raum oder Ressource" },
  showAs: { free: "Frei", tentative: "Mit Vorbehalt", busy: "Gebucht", oof: "Abwesend", workingElsewhere: "An anderem Ort tätig" },
  sensitivity: { personal: "Persönlich", private: "Privat", confidential: "Vertraulich" },
  important: { high: "Hoch", low: "Niedrig" },
  every: { day: (n) => (n === 1 ? "jeden Tag" : `alle ${n} Tage`), week: (n) => (n === 1 ? "jede Woche" : `alle ${n} Wochen`), month: (n) => (n === 1 ? "jeden Monat" : `alle ${n} Monate`), year: (n) => (n === 1 ? "jedes Jahr" : `alle ${n} Jahre`) },
  onDays: (days) => ` am ${days}`, onDay: (day) => ` am ${day}.`, onNth: (nth, days) => ` am ${nth} ${days}`, inMonth: (month) => ` im ${month}`, onDate: (day, month) => ` am ${day}. ${month}`,
  nth: { first: "ersten", second: "zweiten", third: "dritten", fourth: "vierten", last: "letzten" }, fromDate: (d) => `, ab ${d}`, until: (d) => ` bis ${d}`, times: (n) => `, ${n}-mal`,
  company: "Firma", department: "Abteilung", job: "Position", nickname: "Spitzname", birthday: "Geburtstag", site: "Webseite", mail: "E-Mail", phone: { business: "Telefon (Arbeit)", home: "Telefon (privat)", mobile: "Mobil" },
  place: { business: "Anschrift (Arbeit)", home: "Anschrift (privat)", other: "Anschrift" }, chat: "Chat", photo: (name) => `Foto von ${name}`,
  status: "Status", statuses: { notStarted: "Nicht begonnen", inProgress: "In Arbeit", completed: "Erledigt", waitingOnOthers: "Wartet auf andere", deferred: "Zurückgestellt" }, start: "Beginn", due: "Fällig", done: "Erledigt am", steps: "Prüfliste", stepDone: "erledigt", stepOpen: "offen", links: "Aus", notes: "Text", columns: "Werte", noValues: "Dieses Element hat keine Werte.", contentType: "Inhaltstyp",
};

export type CardText = typeof en;
export const useCardText = () => (useText().language === "de" ? de : en);
