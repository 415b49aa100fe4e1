import { client, of } from "../api/client";

// objects asks whose data the caller may look into: himself first, then others by name. search is a part of a name or address, or an id.
export const objects = (query: { search?: string; offset?: number; limit?: number }, signal: AbortSignal) => of(client.GET("/holdfast/v1/portal/objects", { params: { query }, signal }));
export type Person = Awaited<ReturnType<typeof objects>>["results"][number];
