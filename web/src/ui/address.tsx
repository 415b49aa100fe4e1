import { Fragment } from "react";

// Address is an address of mail or a site that breaks, where it must, after its @ and slashes and before its dots, and not within a word.
export function Address({ children }: { children: string }) {
  return children.split(/(?<=[@/])|(?=\.)/).map((part, n) => (
    <Fragment key={n}>
      {n > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}
