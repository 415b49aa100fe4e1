import type { ComponentType, ReactElement } from "react";
import type { RestoreSession } from "../api/queries";
import type { paths } from "../api/schema";
import type { Format } from "../ui/format";
import type { Text } from "../ui/text";
import type { Restoring } from "./restoring";

// A kind of what can be explored is one folder beside this file that fills Kind, and a line in kinds.ts.

// Container is a mailbox, a drive, …: what a restore session shows at its first level.
export interface Container {
  id: string;
  name: string;
  address: string;
  below?: string; // of a site below another one: the id of that
  owner?: string; // the service's own id of whose it is
  about?: string; // what else tells it from others, such as who takes part in a chat
  holds?: string; // what it is, in its kind's words
}

export interface Folder {
  id: string;
  name: string;
  leaf?: boolean; // it is known to have no folders of its own
  holds?: string; // what it is for, in its kind's words
  hidden?: boolean; // people do not see it in Microsoft 365
  // of: it is no folder of its own but a part of what another one has, whose id this is; items are the kinds of that part.
  of?: string;
  items?: string;
}

// folderId is what the server knows a folder by.
export const folderId = (f: Folder) => f.of ?? f.id;

export interface Item {
  id: string;
  name: string;
  deleted?: boolean; // the session's restore point does not have it any more
}

// Shape is an item as the operations show it that are the same for every kind.
export type Shape = paths["/holdfast/v1/RestoreSessions/{restoreSessionId}/Containers/{containerId}/Items"]["get"]["responses"]["200"]["content"]["application/json"]["results"][number];

// Place is a container or a folder in it of a session.
export interface Place {
  session: string;
  container: Container;
  folder?: Folder;
}

export interface ItemColumn<I extends Item> {
  key: string;
  title: (t: Text) => string;
  text: (item: I, f: Format, t: Text) => string;
  width: string; // of a grid
  end?: boolean;
  wide?: boolean; // vanishes on narrow screens
  brief?: "head" | "side" | "line"; // where it is in a row of a phone: bold, beside that, below
}

// Target says where a restore goes and what it may change.
export interface Target {
  place: "original" | "elsewhere";
  user: string; // address; empty: the same
  folder: string; // with "/" between names; empty: the original ones
  overwrite: boolean;
  more?: Partial<Pick<Restoring, "mode" | "overwriteNewer" | "permissions" | "allVersions" | "changedItems" | "missingItems" | "newChat" | "topic">>; // what only its kind asks for
  reason: string; // in the user's words; kept with the restore
}

// Selection is what is restored or saved: items of a container, a folder, or (neither) all of it.
export interface Selection {
  items?: string[];
  folder?: Folder;
}

// Call is a request that has not been sent yet, so that it can be shown too.
export interface Call {
  method: "POST";
  path: string;
  body: unknown;
}

export interface Kind<I extends Item> {
  type: RestoreSession["type"];
  icon: ReactElement;
  containerIcon?: (container?: Container) => ReactElement; // absent: a person
  folderIcon?: (folder: Folder) => ReactElement | undefined;
  title: (t: Text) => string;
  named?: boolean; // a container's name says what it is: a team's does, a person's does not
  flag: string; // that tells the command line of the kind
  items: string; // the kinds of items that its lists have, for the API
  containers: (session: string, signal: AbortSignal) => Promise<Container[]>;
  folders: (place: Place, signal: AbortSignal) => Promise<Folder[]>;
  // page gives items of a folder, or, with query, those that it finds in or below it, from offset on.
  itemsAt?: (place: Place, query: string) => string; // instead of items, where lists differ by place
  folderName?: (folder: Folder, t: Text) => string | undefined; // of what has no name of its own
  page: (place: Place, query: string, offset: number, limit: number, signal: AbortSignal) => Promise<I[]>;
  of: (shape: Shape) => I;
  // folderOf is the folder that shows an item, or the folder that it is; nothing for the container itself. get looks up an item by its id. Absent: its parent.
  folderOf?: (shape: Shape, get: (id: string) => Promise<Shape>) => Promise<Folder | undefined>;
  columns: ItemColumn<I>[];
  // columnsAt are those of a place, where they are not the same everywhere.
  columnsAt?: (place: Place, signal: AbortSignal) => Promise<ItemColumn<I>[]>;
  // Preview shows one item; it may offer what the kind alone has, such as versions.
  Preview: ComponentType<{ place: Place; item: I }>;
  // About shows a place while none of its items is chosen.
  About?: ComponentType<{ place: Place }>;
  save: (place: Place, selection: Selection) => Call & { name: string };
  // asPage is save as one page to be read, of what can be one; absent where nothing can.
  asPage?: (place: Place, selection: Selection) => (Call & { name: string }) | undefined;
  // command is the same restore on the command line.
  command: (place: Place, selection: Selection, target: Target) => string;
  // keepsBoth says that what differs can be kept beside what is restored; else it is left alone.
  keepsBoth: boolean;
  // Options asks in the place of the usual questions where a restore goes and what it may change.
  Options?: ComponentType<{ place: Place; target: Target; set: (part: Partial<Target>) => void; others: boolean }>;
}
