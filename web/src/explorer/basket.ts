import { queryOptions } from "@tanstack/react-query";
import { client, of } from "../api/client";
import { keep, read } from "../ui/settings";

// The basket that things go into is the one that was used last in this browser, else the newest, else a new one.

const getBaskets = (signal?: AbortSignal) => of(client.GET("/holdfast/v1/Baskets", { params: { query: { limit: 100 } }, ...(signal ? { signal } : {}) }));
export type Basket = Awaited<ReturnType<typeof getBaskets>>["results"][number];

export const basketsQuery = queryOptions({ queryKey: ["baskets"], queryFn: async ({ signal }) => (await getBaskets(signal)).results });

export const rememberBasket = (basket: string) => keep("basket", basket);

export function currentOf(all: Basket[]): Basket | undefined {
  const last = read("basket");
  return all.find((b) => b.id === last) ?? all[0];
}

export async function makeBasket(name: string): Promise<Basket> {
  const made = await of(client.POST("/holdfast/v1/Baskets", { body: { name } }));
  rememberBasket(made.id);
  return made;
}

// Part is items of a container as a restore session shows it.
export interface Part {
  session: string;
  container: string;
  items: string[];
}

export async function addTo(basket: string, parts: Part[]): Promise<number> {
  let added = 0;
  for (const p of parts) {
    const entries = await of(client.POST("/holdfast/v1/Baskets/{basketId}/Items", { params: { path: { basketId: basket } }, body: { restoreSessionId: p.session, containerId: p.container, items: p.items } }));
    added += entries.length;
  }
  return added;
}

// addToCurrent puts things into the current basket; named is what a new one is called.
export async function addToCurrent(named: string, parts: Part[]): Promise<{ basket: Basket; added: number }> {
  const basket = currentOf((await getBaskets()).results) ?? (await makeBasket(named));
  return { basket, added: await addTo(basket.id, parts) };
}
