// The topmost folder of a mailbox or drive, as Exchange and OneDrive call it. Nobody looks for it by that name.
const topmost = /^\/?(?:root|Top of Information Store|Oberste Ebene des Informationsspeichers)(?=\/|$)/;

// pathOf is a path as people know it: below the mailbox or drive.
export const pathOf = (path: string | null | undefined) => (path ?? "").replace(topmost, "").replace(/^\//, "");
