import { DocumentRegular } from "@fluentui/react-icons";
import { client, enc, of } from "../../api/client";
import type { Item, Kind, Place, Selection } from "../kind";
import { restoreCommand } from "../mail/kind";
import { FilePreview } from "./preview";

export interface File extends Item {
  size: number;
  modified: string | undefined;
  modifiedBy: string;
  version: string;
}

interface Row {
  _links?: Record<string, unknown> | null; // lastRestorePoint: of what was deleted
  id?: string;
  name?: string;
  sizeBytes?: number;
  modificationTime?: string;
  modifiedBy?: string;
  version?: string | null;
}

const fileOf = (r: Row): File => ({ id: r.id ?? "", deleted: r._links?.lastRestorePoint !== undefined, name: r.name ?? "", size: r.sizeBytes ?? 0, modified: r.modificationTime, modifiedBy: r.modifiedBy ?? "", version: r.version ?? "" });

export const drives = "/v8/RestoreSessions/{restoreSessionId}/Organization/OneDrives" as const;
export const at = (p: Place) => `/v8/RestoreSessions/${p.session}/Organization/OneDrives/${enc(p.container.id)}`;

export const files: Kind<File> = {
  type: "Veod",
  icon: <DocumentRegular />,
  title: (t) => t.kind.files,
  flag: "--files",
  items: "file",
  keepsBoth: true,
  containers: async (session, signal) => {
    const page = await of(client.GET("/holdfast/v1/RestoreSessions/{restoreSessionId}/OneDriveOwners", { params: { path: { restoreSessionId: session }, query: { limit: 10_000 } }, signal }));
    return page.results.map((d) => ({ id: d.id, name: d.name, address: d.email }));
  },
  folders: async (p, signal) => {
    const page = await of(client.GET(`${drives}/{oneDriveId}/Folders`, {
      params: { path: { restoreSessionId: p.session, oneDriveId: p.container.id }, query: { limit: 10_000, ...(p.folder ? { parentId: p.folder.id } : {}) } }, signal,
    }));
    return (page.results ?? []).map((f) => ({ id: f.id ?? "", name: f.name ?? "" }));
  },
  page: async (p, query, offset, limit, signal) => {
    const path = { restoreSessionId: p.session, oneDriveId: p.container.id };
    if (query) {
      const page = p.folder
        ? await of(client.POST(`${drives}/{oneDriveId}/Folders/{folderId}/search`, { params: { path: { ...path, folderId: p.folder.id }, query: { offset, limit } }, body: { query }, signal }))
        : await of(client.POST(`${drives}/{oneDriveId}/search`, { params: { path, query: { offset, limit } }, body: { query }, signal }));
      return ((page.results ?? []) as Row[]).map(fileOf);
    }
    const page = await of(client.GET(`${drives}/{oneDriveId}/Documents`, { params: { path, query: { offset, limit, ...(p.folder ? { parentId: p.folder.id } : {}) } }, signal }));
    return ((page.results ?? []) as Row[]).map(fileOf);
  },
  of: (i) => ({ id: i.id, name: i.name, deleted: i.deleted === true, size: i.size, modified: i.time, modifiedBy: i.author ?? "", version: "" }),
  columns: [
    { key: "name", title: (t) => t.file.name, text: (d) => d.name, width: "minmax(140px, 2fr)", brief: "head" },
    { key: "modified", title: (t) => t.file.modified, text: (d, f) => f.dateTime(d.modified), width: "168px", brief: "line" },
    { key: "by", title: (t) => t.file.by, text: (d) => d.modifiedBy, width: "minmax(112px, 0.8fr)", wide: true },
    { key: "size", title: (t) => t.file.size, text: (d, f) => f.bytes(d.size), width: "90px", end: true, brief: "side" },
  ],
  Preview: FilePreview,
  save: (p, s: Selection) => {
    const [one] = s.items ?? [];
    if (s.items?.length === 1 && one) return { method: "POST", path: `${at(p)}/Documents/${enc(one)}/save`, body: {}, name: "file" };
    if (s.items) return { method: "POST", path: `${at(p)}/Documents/save`, body: { documents: s.items.map((id) => ({ id })) }, name: "files.zip" };
    if (s.folder) return { method: "POST", path: `${at(p)}/Folders/${enc(s.folder.id)}/save`, body: {}, name: `${s.folder.name}.zip` };
    return { method: "POST", path: `${at(p)}/save`, body: {}, name: "onedrive.zip" };
  },
  command: (p, s, target) => restoreCommand(p, s, target, "--files"),
};
