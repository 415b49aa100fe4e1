import type { Spoken } from "../../said";

// The English words of what both applications use: ui and the explorers. ../de/shared.ts has the same in German; the compiler compares them.
export const text = {
  common: {
    details: "Details", result: "Result", add: "Add", again: "Try again", back: "Back", cancel: "Cancel", close: "Close", commands: "Commands", description: "Description", edit: "Edit", loading: "Loading…", never: "never", next: "Next",
    newer: "Newer", older: "Older", previous: "Previous", refresh: "Refresh", remove: "Remove", save: "Save", yes: "Yes", no: "No", on: "On", off: "Off", nothingFound: "Nothing found.",
    choose: "Select something in the list first.", chooseOne: "Select one line of the list first.", selectAll: "Select all", select: (name: string) => `Select ${name}`,
    serverSays: (kind: string, message: string) => `${kind} ${message}`, offline: "The server can't be reached. What you see may be old.", failed: "This did not work.",
    seconds: (n: number) => `${n} s`, minutes: (n: number) => `${n} min`, hours: (n: string) => `${n} h`, days: (n: string) => `${n} days`, page: (n: number, all: number) => `Page ${n} of ${all}`,
  },
  said: {} as Spoken, // what the server says: it says it in English
  refused: {} as Record<number, string>, // by the status of the answer; the server's own words are English
  nav: {
    skip: "Skip to the content", appearance: "Theme and language", theme: "Theme", language: "Language", account: (name: string) => `Account of ${name}`, signOut: "Sign out",
    explore: "Explore and restore",
    settings: "Settings",
  },
  theme: { system: "As the system", light: "Light", dark: "Dark", contrast: "High contrast" },
  signin: {
    title: "Sign in", about: "With your account of this server.", name: "User name", password: "Password", submit: "Sign in", wrong: "The user name or the password is wrong.", wrongCode: "The code is wrong, or it was used before: wait for the next one.",
    codeTitle: "Enter the code", codeAbout: "Your authenticator app shows a code of six digits.", code: "Code", verify: "Verify",
    passkey: "Use a passkey", passkeyTitle: "Use your passkey", passkeyAbout: "The password is right. This account has a passkey: use it, or type one of your recovery codes.", recoveryTitle: "Enter a recovery code", passkeyNotHere: "The password is right. This account has a passkey, and passkeys can't be used here: open the server by its name in a browser that has them, or type one of your recovery codes.", recovery: "Recovery code", noPasskey: "No passkey was used. Try again, or choose another way.",
  },
  script: {
    button: "Script", title: "Do this from a script", about: "What this page does, for a terminal. Log in once with “holdfast login --ca rest.pem”; rest.pem is the server's certificate (D/tls/rest.pem).",
    command: "holdfast", copy: "Copy", copied: "Copied", noCommand: "The command line has no command for this yet; use curl.", token: "A token is valid for an hour:",
  },
  status: { Success: "Success", Warning: "Warning", Failed: "Failed", Running: "Running", Queued: "Waiting", Stopped: "Stopped", Working: "Open", None: "–", Cancelled: "Stopped", Skipped: "Skipped" },
  kind: { mailbox: "mailbox", drive: "OneDrive", site: "site", team: "team", chat: "chat", mail: "Mail", files: "OneDrive files", sites: "SharePoint sites", teams: "Teams", chats: "Chats" },
  explore: {
    basketNamed: "Basket", intoBasket: "Into the basket", inBasket: (n: string, name: string) => `${n} in the basket “${name}”.`, otherTime: "Other time", deletedMark: "deleted", deletedOnly: "Only what was deleted",
    about: "Look into a backup as it was at a time, and bring back what is missing. It works also when Microsoft 365 can't be reached.", what: "What", when: "As of when", kind: "Show", calendar: "Days with restore points", before: "Month before", after: "Month after", newest: "The newest of everything",
    dayPoints: (day: string, n: number) => `${day}, ${n} restore ${n === 1 ? "point" : "points"}`, open: "Explore", nothing: "There is nothing to explore yet", nothingAbout: "Add an organization and let a job run.",
    title: (organization: string, what: string) => `${what} of ${organization}`, asOf: (when: string) => `As of ${when}`, asNewest: "As of the newest restore points", tree: "Mailboxes, drives, sites, teams and folders", folders: "Folders", items: "List", preview: "Preview", findUser: "Find by name", choose: "Choose something on the left.", chooseItem: "Choose something in the list to see it here.",
    searchIn: (name: string) => `Search in ${name}`, emptyFolder: "This folder is empty.", chooseFolder: "Choose a folder, or search in all of them.", count: (n: string) => (n === "1" ? "1 item" : `${n} items`), countUnknown: "More appear as you scroll", chosen: (n: string) => `${n} selected`, narrow: (n: number) => `${n} more: type a part of the name.`,
    save: "Download", asPage: "As a web page", asStored: "As it is stored", noPage: "Only posts and channels can be one web page.", close: "Close session", stopped: "This session was closed; open a new one to restore.", tooMany: (n: string) => `More than ${n} items are selected. Restore the whole folder, or select fewer.`,
    acts: { points: "List the restore points", users: "List whose data is there", open: "Open a backup as of a time" },
  },
  compare: {
    acts: { live: "Compare with Microsoft 365 now", versions: "List all versions of an item" },
    button: "Compare", title: (what: string) => `Compare ${what}`, with: "With", live: "With Microsoft 365 as it is now", point: "With another restore point", asking: "Asking Microsoft 365…", comparing: "Comparing…", equal: "Nothing differs.", between: (before: string, after: string) => `Here: as of ${before}. There: ${after}.`, now: "Microsoft 365 now",
    sum: (removed: string, changed: string, added: string) => `${removed} only here, ${changed} differ, ${added} only there`, kinds: { removed: "only here", changed: "differs", added: "only there" }, differences: "Differences", how: "How", what: "What differs", here: "Date here", there: "Date there",
    restore: (n: string) => `Restore ${n}`, restoreChosen: "Restore the selected", all: "Select all that is here",
  },
  history: {
    button: "All versions", title: (name: string) => `All versions of ${name}`, about: (owner: string) => `Every version that a restore point of ${owner} has, newest first.`, versions: "Versions over all restore points", current: "shown here", look: (when: string) => `Look at the version of ${when}`, restore: (when: string) => `Restore the version of ${when}`,
    asOf: (when: string) => `Version of ${when}`, elsewhere: "in another repository",
  },
  plan: {
    title: "Dry run", button: "Dry run", running: "Comparing with Microsoft 365…", stop: "Stop comparing", seen: (n: string) => `${n} looked at.`, nothingChanged: "Nothing was changed. A restore would do this:", sum: (created: string, overwritten: string, existing: string, skipped: string) => `${created} created, ${overwritten} replaced, ${existing} there already, ${skipped} skipped`,
    folders: "Folders to make", requests: "Calls to Microsoft", bytes: "To send", time: "Time", about: (time: string, limit: string) => `about ${time}, at the limit of ${limit}`, outcome: "Outcome", why: "Why", outcomes: { created: "created", overwritten: "replaced", existing: "there already", skipped: "skipped" }, more: (n: string) => `There are more; the first ${n} are shown.`,
  },
  preview: {
    attachments: "Attachments", contents: (name: string) => `Contents of ${name}`, none: "There is nothing to show. Download it to open it.", removed: "For your safety this was left out here; a download has it all:", removedWhat: (what: string, n: string) => `${what} (${n})`,
    noneBecause: (why: string) => `${why.charAt(0).toUpperCase()}${why.slice(1)}`, what: {} as Record<string, string>, // the server says it in English
    truncated: "Only the beginning is shown. Download it for the rest.",
  },
  mail: { classes: { "IPM.DISTLIST": "Contact group", "IPM.ACTIVITY": "Journal entry", "IPM.STICKYNOTE": "Note", "IPM.TASK": "Task" }, from: "From", to: "To", cc: "Cc", subject: "Subject", received: "Received", sent: "Sent", organizer: "Organizer", begin: "Begin", address: "E-mail", noSubject: "(no subject)" },
  file: { name: "Name", modified: "Changed", by: "Changed by", size: "Size", versions: "Versions in this restore point", changed: (when: string, who: string, size: string) => `${when}${who ? `, ${who}` : ""} · ${size}`, saveVersion: (when: string) => `Download the version of ${when}` },
  post: {
    from: "From", text: "Post", time: "Time", replies: "Replies", app: "App", tab: "Tab", tabs: "Tabs", files: "Files", withdrawn: "(deleted by its author)", event: "(told by Teams)", nothing: "(no text)", edited: "edited",
  },
  found: {
    kind: "Kind", name: "Name", owner: "Whose", folder: "Folder", time: "Date", gone: "(deleted since)", deleted: "deleted since", points: "Restore points", fromTo: (from: string, to: string) => (from === to ? from : `${from} to ${to}`), kinds: { mail: "Mail", file: "File", folder: "Folder", event: "Event", contact: "Contact", task: "Task", "list item": "List item", page: "Page", post: "Post", tab: "Tab", setting: "Setting" }, message: "Chat message",
  },
  restore: {
    title: "Restore", button: "Restore", folder: "Restore this folder", all: "Restore everything", where: "Where to", original: "Where it was", elsewhere: "To another user or folder", user: "User", userHint: "Address. Empty: the same user.", toFolder: "Folder", folderHint: "“/” between names; it is made when it is missing. Empty: the original folders.",
    overwriteMail: "Replace mails that were changed since", overwriteFiles: "Replace files that were changed since (else both are kept)", items: (n: string) => (n === "1" ? "1 item" : `${n} items`), mails: (n: string) => (n === "1" ? "1 mail" : `${n} mails`), files: (n: string) => (n === "1" ? "1 file" : `${n} files`), theFolder: (name: string) => `The folder ${name} with everything in it`, everything: (name: string) => `Everything of ${name}`,
    aboutMail: "What is still there and equal is left alone; a repeated restore makes no second copy. No mail is sent to anybody. What can't be restored exactly is listed in the documentation (fidelity).",
    aboutFiles: "What is still there and equal is left alone. What was changed since is kept beside the restored file unless you choose to replace it. What can't be restored exactly is listed in the documentation (fidelity).",
    otherFolder: "Into another folder", folderMade: "“/” between names; it is made when it is missing.", reason: "Reason (optional)", reasonHint: "Kept with the restore, so that others can understand it later.",
    plan: {
      ask: "What would happen?", created: (n: string) => `restored: ${n}`, overwritten: (n: string) => `replaced: ${n}`, existing: (n: string) => `there already: ${n}`, skipped: (n: string) => `left as they are: ${n}`,
      nothing: "There is nothing to restore.", would: (parts: string) => `To be expected: ${parts}.`, takes: (time: string) => `This takes about ${time}.`,
    },
    restored: (n: string) => `restored: ${n}`, existing: (n: string) => `there already: ${n}`, skipped: (n: string) => `left as they are: ${n}`, failed: (n: string) => `failed: ${n}`,
    outcomes: { created: "restored", overwritten: "replaced", existing: "there already", skipped: "left as it is" }, notEqual: (what: string) => `not as it was stored, as the documentation (fidelity) says: ${what}`,
    properties: { columns: "the values of its columns (to set them the application needs a certificate)", contentType: "its content type", author: "who made it", editor: "who changed it last", created: "when it was made", modified: "when it was changed last", permissions: "its permissions", attachments: "its attachments" } as Record<string, string>,
    skips: {
      corrupt: "what is stored is damaged", denied: "a permission is missing", locked: "it is locked at Microsoft", malware: "Microsoft takes it for malware", vanished: "it was deleted meanwhile", changing: "it changed again and again", "too large": "it is too large",
      unlicensed: "the mailbox has no licence", gone: "it is not there any more", transient: "Microsoft failed every attempt; try again later", conflict: "something newer is there", unsupported: "this kind can't be restored",
    },
    results: "Results", running: "Restoring…", none: "Nothing was restored in this session yet.", item: "Item", target: "To", reads: (n: string) => `${n} items were looked at or downloaded in this session.`,
    acts: { restore: "Restore", save: "Download", close: "Close the session" },
  },
};
