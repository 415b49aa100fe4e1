import type { Schemas } from "../../api/client";
import { quote } from "../../ui/script";

// Item is what a job selects or leaves out, and which of its data.
export type Item = Schemas["RESTJobItemComposed"];

// ItemType is what a person may choose from the directory.
export type ItemType = "User" | "Group" | "Site" | "Team";

// Option is one of an item's data that a person may switch.
export type Option = "mailbox" | "oneDrive" | "sites" | "teams" | "teamsChats" | "groupMailboxes" | "archiveMailbox" | "personalSite" | "memberMailbox" | "memberOnedrive" | "memberArchiveMailbox" | "memberSite" | "groupSite";

// Part is something in mailboxes that an item may leave out.
export const parts = ["calendars", "contacts", "tasks", "settings", "items"] as const;

// Services are what the organization protects.
export interface Services {
  exchange: boolean;
  sharePoint: boolean;
  teams: boolean;
  posts: boolean;
}

// keyOf tells items apart: a job has each object once.
export function keyOf(i: Item): string {
  return `${i.type}/${i.user?.id ?? i.group?.id ?? i.site?.id ?? i.team?.id ?? ""}`;
}

// optionsOf are the data of an item that can be switched. What this version can't read is there only where an earlier choice has it, so that it can be taken back.
export function optionsOf(i: Item, s: Services, excluded: boolean): Option[] {
  const out: Option[] = [];
  const add = (when: boolean | null | undefined, ...o: Option[]) => when && out.push(...o);
  switch (i.type) {
    case "PartialOrganization":
      add(s.exchange, "mailbox", "groupMailboxes");
      add(s.sharePoint, "oneDrive", "sites", "personalSite");
      add(s.teams, "teams");
      add(s.teams && s.posts && i.teams, "teamsChats");
      add(i.archiveMailbox, "archiveMailbox");
      break;
    case "User":
      add(s.exchange, "mailbox");
      add(s.sharePoint, "oneDrive", "personalSite");
      add(i.archiveMailbox, "archiveMailbox");
      break;
    case "Group":
      add(s.exchange, "memberMailbox");
      add(s.sharePoint, "memberOnedrive", "memberSite");
      if (i.group?.type === "Office365") {
        add(s.exchange, "mailbox");
        add(s.sharePoint && !excluded, "groupSite");
      }
      add(i.memberArchiveMailbox, "memberArchiveMailbox");
      break;
    case "Team":
      add(s.posts, "teamsChats");
  }
  return out;
}

// hasParts says whether an item's mailboxes are read, so that parts of them may be left out.
export const hasParts = (i: Item) => (i.type === "User" || i.type === "PartialOrganization") && i.mailbox === true;

// withOption switches one of an item's data.
export function withOption(i: Item, option: Option, on: boolean): Item {
  const next: Item = { ...i, [option]: on };
  if (i.type === "Group") next.members = next.memberMailbox === true || next.memberOnedrive === true || next.memberArchiveMailbox === true || next.memberSite === true;
  if (option === "teams" && !on) next.teamsChats = false;
  return next;
}

// empty says that an item has no data left.
export function empty(i: Item, s: Services, excluded: boolean): boolean {
  return i.type !== "Site" && i.type !== "Team" && i.type !== "PersonalSites" && optionsOf(i, s, excluded).every((o) => i[o] !== true);
}

// everything is an item with all that the organization protects of it; personal sites are selected only when they are asked for, and left out with all else.
export function everything(i: Item, s: Services, excluded: boolean): Item {
  switch (i.type) {
    case "PartialOrganization":
      return { ...i, mailbox: s.exchange, oneDrive: s.sharePoint, sites: s.sharePoint, ...(s.teams ? { teams: true, teamsChats: s.posts } : {}) };
    case "User":
      return { ...i, mailbox: s.exchange, oneDrive: s.sharePoint, ...(excluded ? { personalSite: s.sharePoint } : {}) };
    case "Group":
      return { ...i, members: true, memberMailbox: s.exchange, memberOnedrive: s.sharePoint, ...(i.group?.type === "Office365" ? { mailbox: false, ...(excluded ? {} : { groupSite: s.sharePoint && Boolean(i.group.site) }) } : {}), ...(excluded ? { memberSite: s.sharePoint } : {}) };
    case "Team":
      return { ...i, teams: true, teamsChats: s.posts };
  }
  return i;
}

// asked is an item as the server takes it: without what it added itself.
export function asked(i: Item): Item {
  const { _links: _, id: __, ...rest } = i;
  return rest;
}

// flags are the words of the command line that say what items do, or nothing when it has none for such a choice: it gives all items the same data.
export function flags(selected: Item[], excluded: Item[], entire: boolean, personal: boolean, s: Services): string[] | undefined {
  const out: string[] = entire && personal ? ["--personal-sites"] : [];
  for (const i of entire ? [] : selected) {
    const same = (e: Item) => optionsOf(i, s, false).every((o) => (i[o] ?? false) === (e[o] ?? false)) && (i.leaveOut ?? []).length === 0;
    if (!same(everything(i, s, false)) || (i.type === "PartialOrganization" && selected.length > 1) || (i.type === "Group" && i.groupSite)) return undefined;
    if (i.type === "User") out.push(`--user ${quote(i.user?.name ?? i.user?.id ?? "")}`);
    else if (i.type === "Group") out.push(`--group ${quote(i.group?.displayName ?? i.group?.id ?? "")}`);
    else if (i.type === "Site") out.push(`--site ${quote(i.site?.url ?? i.site?.id ?? "")}`);
    else if (i.type === "Team") out.push(`--team ${quote(i.team?.displayName ?? i.team?.id ?? "")}`);
    else return undefined;
  }
  for (const i of excluded) {
    const whole = everything(i, s, true);
    if (optionsOf(i, s, true).some((o) => (i[o] ?? false) !== (whole[o] ?? false))) return undefined;
    out.push(i.type === "Group" ? `--exclude-group ${quote(i.group?.displayName ?? i.group?.id ?? "")}` : `--exclude ${quote(i.user?.name ?? i.user?.id ?? "")}`);
  }
  return out;
}
