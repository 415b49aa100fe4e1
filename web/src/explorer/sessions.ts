import { client, of } from "../api/client";
import type { RestoreSession } from "../api/queries";

type Type = RestoreSession["type"];

// The type of the restore session that shows a kind of container.
const types: Record<string, Type> = { mailbox: "Vex", drive: "Veod", site: "Vesp", team: "Vet", chat: "Chats" };

export function typeFor(containerKind: string): Type {
  const type = types[containerKind];
  if (!type) throw new Error(`a ${containerKind} can't be explored here yet`);
  return type;
}

// At is what a restore session shows: an organization (in one repository) as it was at a time, or, without one, as it is in its newest restore points.
export interface At {
  organization: string;
  user?: string | undefined; // of the organization, whose mailbox or OneDrive alone is shown; with scope a site or a team
  scope?: "Site" | "Team" | undefined;
  type: Type;
  time?: string | undefined;
  repository?: string | undefined;
  deleted?: boolean; // also what was deleted before
}

export const openBody = (at: At) => ({
  type: at.type as "Vex",
  ...(at.time ? { dateTime: at.time } : {}),
  ...(at.repository ? { repositoryId: at.repository } : {}),
  ...(at.deleted ? { showDeleted: true } : {}),
});

export async function openSession(at: At): Promise<string> {
  if (at.user) {
    const { id } = await of(client.POST("/v8/Organization/OperatorExplore", { body: { ...openBody(at), scope: { type: at.scope ?? "User", id: at.user } } }));
    return id;
  }
  const opened = await of(client.POST("/v8/Organizations/{organizationId}/explore", { params: { path: { organizationId: at.organization } }, body: openBody(at) }));
  return opened.id;
}

export const closeSession = (session: string) => of(client.POST("/v8/RestoreSessions/{restoreSessionId}/Stop", { params: { path: { restoreSessionId: session } } }));

// Sessions are the restore sessions that a page opens behind its list, one for each state that it needs. close ends those that were not kept.
export class Sessions {
  private readonly opened = new Map<string, Promise<string>>();
  private readonly kept = new Set<string>();

  at(at: At): Promise<string> {
    const key = JSON.stringify([at.organization, at.user, at.type, at.time, at.repository, at.deleted]);
    let session = this.opened.get(key);
    if (!session) {
      session = openSession(at);
      this.opened.set(key, session);
      session.catch(() => this.opened.delete(key)); // the next one may try again
    }
    return session;
  }

  // keep leaves a session open: it was handed to another page, or a restore runs in it.
  keep(session: string) {
    this.kept.add(session);
  }

  close() {
    for (const one of this.opened.values()) one.then((session) => (this.kept.has(session) ? undefined : closeSession(session))).catch(() => undefined); // the server ends it later
    this.opened.clear();
  }
}
