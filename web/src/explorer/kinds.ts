import type { RestoreSession } from "../api/queries";
import type { Item, Kind } from "./kind";

// The kinds that are built, by the type of the restore session that shows them.
const kinds: Partial<Record<RestoreSession["type"], () => Promise<Kind<Item>>>> = {
  Vex: async () => (await import("./mail/kind")).mail as unknown as Kind<Item>,
  Vesp: async () => (await import("./site/kind")).sites as unknown as Kind<Item>,
  Vet: async () => (await import("./team/kind")).teams as unknown as Kind<Item>,
  Chats: async () => (await import("./chat/kind")).chats as unknown as Kind<Item>,
  Veod: async () => (await import("./file/kind")).files as unknown as Kind<Item>,
};

export const built = Object.keys(kinds) as RestoreSession["type"][];

export async function kindOf(type: RestoreSession["type"]): Promise<Kind<Item>> {
  const load = kinds[type];
  if (!load) throw new Error(`sessions of type ${type} can't be shown here yet`);
  return load();
}
