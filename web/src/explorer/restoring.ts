import type { paths } from "../api/schema";
import type { Item, Kind, Place, Selection, Target } from "./kind";

export type Restoring = paths["/holdfast/v1/Restore"]["post"]["requestBody"]["content"]["application/json"];

// restoring is a restore as our own operations take it, the same for every kind. What changed after the restore point is replaced only when that was chosen.
export function restoring(kind: Kind<Item>, place: Place, selection: Selection, target: Target): Restoring {
  const body: Restoring = { restoreSessionId: place.session, containerId: place.container.id };
  const items = selection.items ?? (selection.folder ? [selection.folder.id] : undefined);
  if (items) body.items = items;
  const elsewhere = target.place === "elsewhere";
  if (elsewhere && target.user) body.to = target.user;
  if (elsewhere && target.folder) body.folder = target.folder;
  if (target.reason.trim()) body.reason = target.reason.trim();
  if (kind.Options) return { ...body, ...(target.overwrite ? { mode: "overwrite" as const, overwriteNewer: true } : { mode: "keepBoth" as const }), ...target.more };
  if (kind.keepsBoth) {
    body.mode = target.overwrite ? "overwrite" : "keepBoth";
    if (target.overwrite) body.overwriteNewer = true;
    body.permissions = !elsewhere;
  } else if (!elsewhere || target.overwrite) body.mode = "overwrite";
  else {
    body.changedItems = false;
    body.missingItems = true;
  }
  return body;
}
