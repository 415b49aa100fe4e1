import { queryOptions } from "@tanstack/react-query";
import { client, of } from "../api/client";
import type { At } from "./sessions";

const getView = (session: string, signal: AbortSignal) => of(client.GET("/holdfast/v1/RestoreSessions/{restoreSessionId}", { params: { path: { restoreSessionId: session } }, signal }));

// View is what a restore session looks at.
export type View = Awaited<ReturnType<typeof getView>>;

export const viewQuery = (session: string) => queryOptions({ queryKey: ["restore-view", session], queryFn: ({ signal }) => getView(session, signal), staleTime: Infinity });

// atOf is the same for another session.
export const atOf = (v: View): At => ({ organization: v.organizationId ?? "", type: v.type as At["type"], time: v.dateTime, repository: v.repositoryId, deleted: v.showDeleted });
