import type { ReactElement } from "react";
import { Loading, Problem } from "./page";
import { DataTable, type Table } from "./table";

// Asked is what a list knows of the question that it shows the answer of.
interface Asked {
  data: unknown;
  error: unknown;
  isPending: boolean;
  refetch: () => unknown;
}

// List is a page's table in every state: asked for, refused, empty, there. failed is what else went wrong on the page.
export function List<R>({ query, failed, empty, ...table }: Table<R> & { query: Asked; failed?: unknown; empty: ReactElement }) {
  return (
    <>
      <Problem error={failed ?? query.error} {...(query.error ? { onRetry: () => void query.refetch() } : {})} />
      {query.isPending && <Loading />}
      {query.data !== undefined && table.rows.length === 0 && empty}
      {table.rows.length > 0 && <DataTable {...table} />}
    </>
  );
}
