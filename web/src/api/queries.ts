import { queryOptions } from "@tanstack/react-query";
import { client, of, own, type Schemas } from "./client";
import { session, type ApiKey, type LocalUser } from "./session";

// The lists that pages share. Each asks for as many as the contract gives at once; what can be longer is paged by its own page.
const all = { limit: 10_000 };

export type Job = Schemas["RESTJob"];
export type JobSession = Schemas["RESTJobSession"];
export type Organization = Schemas["RestOrganizationComposed"];
export type Repository = Schemas["RESTBackupRepository"];
export type Proxy = Schemas["RESTProxy"];
export type RestoreSession = Schemas["RESTRestoreSession"];
export type RestoreEvent = Schemas["RESTRestoreSessionEvent"];

type Answer<T> = T extends Promise<infer A> ? A : never;

const results = async <T>(call: Promise<{ results?: T[] | null }>): Promise<T[]> => (await call).results ?? [];

export const sessionQuery = queryOptions({ queryKey: ["session"], queryFn: ({ signal }) => session.get(signal), retry: false, staleTime: Infinity, refetchOnWindowFocus: false });

export const getOverview = (signal: AbortSignal) => of(client.GET("/holdfast/v1/Overview", { signal }));
export type Overview = Answer<ReturnType<typeof getOverview>>;
export const overviewQuery = queryOptions({ queryKey: ["overview"], queryFn: ({ signal }) => getOverview(signal), refetchInterval: 30_000 });

export const getCalendar = (query: { days: number; limit: number; offset: number; zone: string; name?: string }, signal: AbortSignal) =>
  of(client.GET("/holdfast/v1/Overview/Calendar", { params: { query }, signal }));
export type Calendar = Answer<ReturnType<typeof getCalendar>>;

const getProgress = (signal: AbortSignal) => of(client.GET("/holdfast/v1/JobProgress", { signal }));
export type Progress = Answer<ReturnType<typeof getProgress>>[number];
// progressQuery is quick while something runs.
export const progressQuery = queryOptions({
  queryKey: ["progress"],
  queryFn: ({ signal }) => getProgress(signal),
  refetchInterval: (q) => (q.state.data && q.state.data.length > 0 ? 1_500 : 10_000),
  staleTime: 1_000,
});

export const jobsQuery = queryOptions({ queryKey: ["jobs"], queryFn: ({ signal }) => results(of(client.GET("/v8/Jobs", { params: { query: all }, signal }))), refetchInterval: 30_000 });
export const organizationsQuery = queryOptions({
  queryKey: ["organizations"],
  queryFn: ({ signal }) => results<Organization>(of(client.GET("/v8/Organizations", { params: { query: all }, signal }))),
});
export const repositoriesQuery = queryOptions({
  queryKey: ["repositories"],
  queryFn: ({ signal }) => results(of(client.GET("/v8/BackupRepositories", { params: { query: all }, signal }))),
});
export const proxiesQuery = queryOptions({
  queryKey: ["proxies"],
  queryFn: ({ signal }) => results(of(client.GET("/v8/Proxies", { params: { query: all }, signal }))),
  refetchInterval: 15_000,
});
export const warningsQuery = queryOptions({ queryKey: ["warnings"], queryFn: ({ signal }) => of(client.GET("/holdfast/v1/Warnings", { signal })) });
export const instanceQuery = queryOptions({ queryKey: ["instance"], queryFn: ({ signal }) => of(client.GET("/v8/ServiceInstance", { signal })), staleTime: 600_000 });

// Users and keys of Holdfast. Their lists may come as an array or as a page.
const listed = <T,>(answer: T[] | { results: T[] }): T[] => (Array.isArray(answer) ? answer : answer.results);
export const usersQuery = queryOptions({ queryKey: ["users"], queryFn: async ({ signal }) => listed(await own<LocalUser[] | { results: LocalUser[] }>("GET", "/holdfast/v1/users", undefined, signal)) });
export const keysQuery = queryOptions({ queryKey: ["api-keys"], queryFn: async ({ signal }) => listed(await own<ApiKey[] | { results: ApiKey[] }>("GET", "/holdfast/v1/api-keys", undefined, signal)) });
