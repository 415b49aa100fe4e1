import { client, of } from "../../api/client";
import type { paths } from "../../api/schema";
import type { Item } from "../../explorer/kind";
import { typeFor, type At } from "../../explorer/sessions";

type Answer = paths["/holdfast/v1/Search"]["post"]["responses"]["200"]["content"]["application/json"];
export type Query = paths["/holdfast/v1/Search"]["post"]["requestBody"]["content"]["application/json"];
export type NotIndexed = Answer["notIndexed"][number];

// Hit is a version of an item. Its id in a list is of the version; itemId is the item's own.
export interface Hit extends Item {
  itemId: string;
  found: Answer["results"][number];
}

const hitOf = (r: Answer["results"][number]): Hit => ({ id: [r.repositoryId, r.container.id, r.id, r.firstPoint.id].join(" "), itemId: r.id, name: r.name, found: r });

// stateOf is the newest state in which a hit is.
export const stateOf = (h: Hit): At => ({ organization: h.found.organizationId, type: typeFor(h.found.container.kind), time: h.found.lastPoint.time, repository: h.found.repositoryId });

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
