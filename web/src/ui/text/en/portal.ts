// The English words of the portal alone.
export const text = {
  portal: {
    title: "Restore", about: "Find what you lost and bring it back.", signIn: "Sign in with Microsoft", localAbout: "No Microsoft account?", local: "Sign in with an account of this server",
    closed: "The portal is not open", closedAbout: "Ask your administrator to open it, or to restore for you.",
    signedOut: "You are signed out. What you had open here is closed; restores that were running go on. At Microsoft you may still be signed in in this browser.",
    errors: {
      denied: "Nobody was signed in: the sign-in was cancelled or Microsoft refused it.", expired: "This sign-in is no longer valid: it took too long, was used before, or began in another browser. Please begin again.",
      unknown_organization: "Your organization is not protected here. Sign in with the account of the organization whose backup this is.", not_enabled: "The portal is not open.",
      failed: "The sign-in did not work. Please try again; if it happens again, tell your administrator, who finds the reason in the server's log.", ended: "Your session has ended. Please sign in again; restores that were running go on.",
    } as Record<string, string>,
    find: "Find it by a word", findWords: "A word of subject, sender, text", findButton: "Find", findBegin: "Type a word that you remember. It is found whatever day it vanished.", findTips: "Try another word, or a shorter one with a star: invoi*.", hits: "What was found",
    onlyOf: (name: string) => `Only what is ${name}'s`, inEverybody: "In what everybody has whom you help.", inItsFolder: "In its folder", notYetFound: "Some of the newest backups can't be searched yet. What is only there is missing here.", orLook: "Or look through it as it was",
    restores: "My restores", restoresRunning: (n: number) => `My restores, ${n} running`, leaving: (n: number) => `${n === 1 ? "A restore is" : `${n} restores are`} still running and will go on. What you have open here is closed. You can see the results when you sign in again.`,
    personalSite: "Personal site", site: "Lists, libraries and pages", team: "Channels, posts and files", chats: "Chats", whose: "Whose data", choosePerson: "Choose a person, site or team", another: "Change", findPerson: "Name or address", people: "People, sites and teams", you: "you", gone: "no longer in the directory", found: (n: string) => `${n} found`, noSuchPerson: "There is nobody like that whose data you may see.",
    nothing: "There is no backup of yours", nothingAbout: "Neither your mailbox nor your OneDrive is in a backup that you may see. Ask your administrator.", newest: "As it was at the newest backup", earlier: "Earlier…", showDeleted: "Also what was deleted before then", noBackup: "No backup",
    notices: "Notices", ended: (name: string) => `The restore of “${name}” has ended`, endedMany: (n: number) => `${n} restores have ended`, dismiss: "Dismiss",
    noRestores: "You have not restored anything yet", begin: "Find what you lost", from: "From", to: "To", reason: "Reason", began: "Began", endedAt: "Ended", items: "Items", done: (n: string) => `${n} so far`, each: "Results of each item",
    stop: "Stop", stopTitle: (name: string) => `Stop the restore of “${name}”?`, stopAbout: "What is back already stays. The rest can be restored later; nothing is restored twice.",
  },
};
