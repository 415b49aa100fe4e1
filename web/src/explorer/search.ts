import { client, of } from "../api/client";
import type { paths } from "../api/schema";
import type { Item, Place } from "./kind";
import { typeFor, type At } from "./sessions";

type Answer = paths["/holdfast/v1/Search"]["post"]["responses"]["200"]["content"]["application/json"];
export type Query = paths["/holdfast/v1/Search"]["post"]["requestBody"]["content"]["application/json"];
export type NotIndexed = Answer["notIndexed"][number];

// Hit is a version of an item. Its id in a list is of the version; itemId is the item's own.
export interface Hit extends Item {
  itemId: string;
  found: Answer["results"][number];
}

const hitOf = (r: Answer["results"][number]): Hit => ({ id: [r.repositoryId, r.container.id, r.id, r.firstPoint.id].join(" "), itemId: r.id, name: r.name, found: r });

// stateOf is the newest state in which a hit is. own: of its user, site or team alone, as people and operators of restore roles see it, who see no organization.
export const stateOf = (h: Hit, own = false): At => ({
  organization: h.found.organizationId, type: typeFor(h.found.container.kind), time: h.found.lastPoint.time, repository: h.found.repositoryId,
  ...(own ? (h.found.container.kind === "site" || h.found.container.kind === "team" ? { user: h.found.container.id, scope: h.found.container.kind === "site" ? ("Site" as const) : ("Team" as const) } : { user: h.found.userId }) : {}),
});

// placeOf is where a hit is in a session that shows its state.
export const placeOf = (h: Hit, session: string): Place => ({ session, container: { id: h.found.container.id, name: h.found.container.name, address: h.found.container.address } });

// partsOf gathers hits by the session that shows them; sessionOf opens it.
export async function partsOf(hits: Hit[], sessionOf: (h: Hit) => Promise<string>): Promise<{ first: Hit; place: Place; items: string[] }[]> {
  const parts = new Map<string, { first: Hit; place: Place; items: string[] }>();
  for (const h of hits) {
    const place = placeOf(h, await sessionOf(h));
    const key = `${place.session} ${place.container.id}`;
    const part = parts.get(key) ?? { first: h, place, items: [] };
    part.items.push(h.itemId);
    parts.set(key, part);
  }
  return [...parts.values()];
}

// Results are what a search finds. The server gives pages one after the other; a list asks for any part of them.
export class Results {
  private readonly rows: Hit[] = [];
  private cursor: string | undefined;
  private begun = false;
  private reading: Promise<void> = Promise.resolve();
  total: Answer["total"];
  notIndexed: NotIndexed[] = [];

  constructor(private readonly query: Query) {}

  async page(offset: number, limit: number): Promise<Hit[]> {
    const read = async () => {
      while (this.rows.length < offset + limit && (!this.begun || this.cursor)) await this.next();
    };
    this.reading = this.reading.then(read, read);
    await this.reading;
    return this.rows.slice(offset, offset + limit);
  }

  private async next() {
    const answer = await of(client.POST("/holdfast/v1/Search", { body: { ...this.query, limit: 500, ...(this.cursor ? { cursor: this.cursor } : {}) } }));
    if (!this.begun) {
      this.total = answer.total;
      this.notIndexed = answer.notIndexed;
    }
    this.begun = true;
    this.cursor = answer.cursor;
    this.rows.push(...answer.results.map(hitOf));
  }
}

// problemAt is the character, from 0, at which the server says that a search is wrong.
export function problemAt(message: string): number | undefined {
  const found = /\(at character (\d+)\)$/.exec(message);
  return found ? Number(found[1]) - 1 : undefined;
}
